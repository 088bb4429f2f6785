//! Transforms of texts.

use std::borrow::Cow;

use serde_json::Value;

use super::{LONGEST_RESULT, MOST_PARTS, text_of, too_large};
use crate::record::value::BadValue;
use crate::secret;

/// The node itself when its text stays as it is, so that a number stays a number and nothing is copied.
pub(super) fn rewritten<'a>(
    node: Cow<'a, Value>,
    rewrite: impl Fn(&str) -> Result<Cow<'_, str>, BadValue>,
) -> Result<Cow<'a, Value>, BadValue> {
    let before = text_of(&node)?;
    let after = rewrite(&before)?;
    if after == before {
        drop(after);
        return Ok(node);
    }
    Ok(Cow::Owned(Value::String(after.into_owned())))
}

pub(super) fn lowercase(text: &str) -> Cow<'_, str> {
    let stands = |char: char| char.to_lowercase().eq([char]);
    if text.chars().all(stands) { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

pub(super) fn uppercase(text: &str) -> Cow<'_, str> {
    let stands = |char: char| char.to_uppercase().eq([char]);
    if text.chars().all(stands) { Cow::Borrowed(text) } else { Cow::Owned(text.to_uppercase()) }
}

/// The size of the result is known before it is made.
pub(super) fn replaced<'a>(text: &'a str, wanted: &str, with: &str) -> Result<Cow<'a, str>, BadValue> {
    let count = text.matches(wanted).count();
    if count == 0 {
        return Ok(Cow::Borrowed(text));
    }
    let length = text.len() - count * wanted.len() + count.saturating_mul(with.len());
    if length > LONGEST_RESULT {
        return Err(too_large());
    }
    Ok(Cow::Owned(text.replace(wanted, with)))
}

pub(super) fn joined<'a>(text: &'a str, prefix: &str, suffix: &str) -> Cow<'a, str> {
    if text.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prefix}{text}{suffix}")) }
}

/// Null where the part is none.
pub(super) fn split(node: &Value, separator: &str, part: Option<i64>) -> Result<Value, BadValue> {
    let text = text_of(node)?;
    if text.len() > LONGEST_RESULT {
        return Err(too_large());
    }
    let parts = if text.is_empty() { Vec::new() } else { text.split(separator).take(MOST_PARTS + 1).collect() };
    if parts.len() > MOST_PARTS {
        return Err(BadValue::new("too_many_parts", format!("`split` makes at most {MOST_PARTS} parts of a text")));
    }
    let found = |part: i64| {
        let back = usize::try_from(part.unsigned_abs()).ok();
        let place = if part < 0 { parts.len().checked_sub(back?)? } else { back? };
        parts.get(place).map(|part| Value::from(*part))
    };
    Ok(match part {
        Some(part) => found(part).unwrap_or_default(),
        None => parts.into_iter().map(Value::from).collect(),
    })
}

pub(super) fn hashed(node: &Value) -> Result<Value, BadValue> {
    Ok(Value::String(secret::hex(&secret::digest(&text_of(node)?))))
}
