//! Bodies by their content type, and the one document that each becomes for the rules to look at.

use serde_json::Value;

use super::json::BadBody;
use super::{form, json, lines, xml};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    /// NDJSON: a JSON document a line.
    Lines,
    Xml,
    Form,
}

/// What is read, and how. A name that begins with a plus sign stands for every type that ends so.
pub const CONTENT_TYPES: [(Format, &[&str]); 4] = [
    (Format::Json, &["application/json", "text/json", "+json"]),
    (Format::Lines, &["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]),
    (Format::Xml, &["application/xml", "text/xml", "+xml"]),
    (Format::Form, &["application/x-www-form-urlencoded"]),
];

impl Format {
    /// By content type; a body without one is taken for JSON. Parameters change nothing: all bodies are UTF-8. `None` for
    /// what no rule can read.
    pub fn of(content_type: Option<&str>) -> Option<Self> {
        let Some(content_type) = content_type else { return Some(Self::Json) };
        let essence = essence(content_type);
        let is_named = |name: &&str| if name.starts_with('+') { ends_in(&essence, name) } else { essence == **name };
        CONTENT_TYPES.iter().find(|(_, names)| names.iter().any(is_named)).map(|(format, _)| *format)
    }

    pub fn read(self, body: &[u8]) -> Result<Value, BadBody> {
        match self {
            Self::Json => json::parse(body),
            Self::Lines => lines::parse(body),
            Self::Xml => xml::parse(body),
            Self::Form => form::parse(body),
        }
    }

    /// A document in the place of the one that was read from `original`; read again, it is the same. None where the
    /// format has no words for it.
    pub fn write(self, document: &Value, original: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Json => serde_json::to_vec(document).ok(),
            Self::Lines => Some(lines::write(document.as_array()?).into_bytes()),
            Self::Xml => Some(xml::write(document)?.into_bytes()),
            Self::Form => Some(form::write(document, original)?.into_bytes()),
        }
    }
}

/// The content types that are read, for people.
pub fn shown(names: &[&str]) -> String {
    let shown = |name: &&str| if name.starts_with('+') { format!("…{name}") } else { (*name).to_owned() };
    names.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Whether the parts of the body stand between boundaries, as browsers send files. Nothing reads it here.
pub fn is_multipart(content_type: &str) -> bool {
    essence(content_type).starts_with("multipart/")
}

fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `application/vnd.shop+json` ends in `+json`; `+json` is no type.
fn ends_in(essence: &str, suffix: &str) -> bool {
    let named = essence.strip_suffix(suffix).and_then(|rest| rest.split_once('/'));
    named.is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_says_how_a_body_is_read() {
        for (content_type, wanted) in [
            ("application/json", Some(Format::Json)),
            ("Application/JSON ; charset=latin1", Some(Format::Json)),
            ("text/json", Some(Format::Json)),
            ("application/vnd.shop.v2+json", Some(Format::Json)),
            ("application/cloudevents+json; charset=utf-8", Some(Format::Json)),
            ("model/gltf+json", Some(Format::Json)),
            ("application/x-ndjson", Some(Format::Lines)),
            ("application/ndjson", Some(Format::Lines)),
            ("application/jsonl; charset=utf-8", Some(Format::Lines)),
            ("APPLICATION/x-jsonlines", Some(Format::Lines)),
            ("application/xml", Some(Format::Xml)),
            ("text/xml;charset=utf-8", Some(Format::Xml)),
            ("application/soap+xml; action=\"urn:x\"", Some(Format::Xml)),
            ("application/atom+XML", Some(Format::Xml)),
            ("application/x-www-form-urlencoded; charset=UTF-8", Some(Format::Form)),
            ("", None),
            ("json", None),
            ("+json", None),
            ("/+json", None),
            ("application/+json", None),
            ("/a+xml", None),
            ("application/json+zip", None),
            ("application/jsonp", None),
            ("application/xml-dtd", None),
            ("text/plain", None),
            ("multipart/form-data; boundary=x+json", None),
        ] {
            assert_eq!(Format::of(Some(content_type)), wanted, "{content_type}");
        }
        assert_eq!(Format::of(None), Some(Format::Json));
    }

    #[test]
    fn parts_are_known_by_their_type() {
        assert!(is_multipart("multipart/form-data; boundary=x") && is_multipart(" Multipart/mixed"));
        assert!(!is_multipart("application/json; x=multipart/form-data") && !is_multipart("multipart"));
    }
}
