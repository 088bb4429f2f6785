//! Where a rule looks: a JSONPath, a header, or a constant.

use http::HeaderMap;
use http::header::HeaderName;
use serde_json::Value;

use super::path::{Found, Path};
use crate::record::value::BadValue;

/// A checked `from`, `event_type`, `event_id` or `occurred_at`.
#[derive(Clone, Debug)]
pub enum Input {
    Path(Path),
    Header(HeaderName),
    Const(Value),
}

/// What an input sees of an event.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    pub document: &'a Value,
    pub headers: &'a HeaderMap,
}

/// What an input found. A header is a text of its own, so nodes may be owned.
pub enum Seen<'a> {
    Missing,
    One(std::borrow::Cow<'a, Value>),
    Many(Vec<&'a Value>),
}

impl Input {
    pub fn check(text: &str) -> Result<Self, String> {
        if let Some(name) = text.strip_prefix("header:") {
            let name = name.trim();
            let bad = |_| format!("`{name}` is not a header name");
            return HeaderName::from_bytes(name.as_bytes()).map(Self::Header).map_err(bad);
        }
        if let Some(value) = text.strip_prefix("const:") {
            return Ok(Self::Const(Value::String(value.to_owned())));
        }
        Path::compile(text).map(Self::Path).map_err(|error| error.to_string())
    }

    /// Whether it can only ever find one node.
    pub fn is_singular(&self) -> bool {
        match self {
            Self::Path(path) => path.is_singular(),
            Self::Header(_) | Self::Const(_) => true,
        }
    }

    pub fn look<'a>(&'a self, sight: Sight<'a>) -> Result<Seen<'a>, BadValue> {
        match self {
            Self::Const(value) => Ok(Seen::One(std::borrow::Cow::Borrowed(value))),
            Self::Header(name) => header(name, sight.headers),
            Self::Path(path) => match path.find(sight.document) {
                Ok(Found::Missing) => Ok(Seen::Missing),
                Ok(Found::One(node)) => Ok(Seen::One(std::borrow::Cow::Borrowed(node))),
                Ok(Found::Many(nodes)) => Ok(Seen::Many(nodes)),
                Err(error) => Err(BadValue::new("too_many_nodes", error.to_string())),
            },
        }
    }

    /// The text of the single scalar that stands there; `None` for nothing, null, and what is no scalar.
    pub fn text(&self, sight: Sight<'_>) -> Option<String> {
        match self.look(sight).ok()? {
            Seen::One(node) => scalar_text(&node),
            Seen::Many(nodes) => match nodes[..] {
                [node] => scalar_text(node),
                _ => None,
            },
            Seen::Missing => None,
        }
    }
}

fn scalar_text(node: &Value) -> Option<String> {
    match node {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_str().to_owned()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn header<'a>(name: &HeaderName, headers: &HeaderMap) -> Result<Seen<'a>, BadValue> {
    let Some(value) = headers.get(name) else { return Ok(Seen::Missing) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Seen::One(std::borrow::Cow::Owned(Value::String(text.to_owned())))),
        Err(_) => Err(BadValue::new("header_not_text", "the header is not UTF-8")),
    }
}
