//! The XML declaration, `<?xml version="1.0" encoding="UTF-8"?>`. A body that says it is in another encoding than UTF-8
//! is refused even where its bytes are UTF-8, too: what it says would be read as something else.

use super::super::json::Fault;
use super::fault;
use super::text::{Attribute, Attributes};

/// `text` is what stands behind `<?xml`.
pub(super) fn check(text: &str, at: usize) -> Result<(), Fault> {
    let mut attributes = Attributes::new(text, at).peekable();
    let mut next = |name: &str| {
        let is_next = |found: &Result<Attribute<'_>, Fault>| !found.as_ref().is_ok_and(|found| found.name != name);
        attributes.next_if(is_next).transpose()
    };
    let (version, encoding, standalone) = (next("version")?, next("encoding")?, next("standalone")?);
    // A reader of 1.0 takes all 1.x for 1.0 (2.8).
    if !version.is_some_and(|version| is_version(version.value)) {
        return Err(fault("the XML declaration does not begin with a version 1", at));
    }
    if let Some(encoding) = encoding
        && !["utf-8", "utf8"].contains(&encoding.value.to_ascii_lowercase().as_str())
    {
        return Err(("xml_encoding", "the XML declaration says another encoding than UTF-8", encoding.at));
    }
    if let Some(standalone) = standalone
        && !["yes", "no"].contains(&standalone.value)
    {
        return Err(fault("`standalone` is `yes` or `no`", standalone.at));
    }
    match attributes.next().transpose()? {
        Some(other) => Err(fault("the XML declaration has version, encoding, standalone, in this order", other.at)),
        None => Ok(()),
    }
}

fn is_version(text: &str) -> bool {
    text.strip_prefix("1.").is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}
