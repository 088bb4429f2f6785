//! Where a rule looks: a path of the payload, the request around it, or nowhere (a constant).

use std::borrow::Cow;

use http::HeaderMap;
use http::header::HeaderName;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::condition::Work;
use crate::condition::path::{Found, Path, TooManyNodes};
use crate::record::value::BadValue;
use crate::secret::SOURCE_TOKEN;

/// Headers that hold credentials, and so are no place of values.
const CREDENTIALS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// A checked `from`, `event_type`, `event_id` or `occurred_at`.
#[derive(Clone, Debug)]
pub enum Input {
    /// From what is judged: the document, or the node under `each`.
    Path(Path),
    /// From the document, under `each` too.
    Root(Path),
    Header(HeaderName),
    /// A parameter of the request's URL; one that is repeated counts as several nodes.
    Query(Box<str>),
    Const(Value),
    /// When the request came in.
    ReceivedAt,
}

/// What an input sees of an event.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    pub document: &'a Value,
    /// The document itself, or one node of it under `each`.
    pub node: &'a Value,
    pub headers: &'a HeaderMap,
    /// The parameters of the URL, as a form of them would read.
    pub query: &'a Map<String, Value>,
    pub received_at: Timestamp,
    /// What judging the event may still cost.
    pub work: &'a Work,
}

/// What an input found. A header is a text of its own, so nodes may be owned.
pub enum Seen<'a> {
    Missing,
    One(Cow<'a, Value>),
    Many(Vec<&'a Value>),
}

impl Input {
    pub fn check(text: &str) -> Result<Self, String> {
        if text == "received_at" {
            return Ok(Self::ReceivedAt);
        }
        match text.split_once(':') {
            Some(("root", path)) => compile(path).map(Self::Root),
            Some(("header", name)) => {
                let bad = |_| format!("`{name}` is not the name of a header");
                let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(bad)?;
                if CREDENTIALS.contains(&name.as_str()) {
                    return Err(format!("the header `{name}` holds credentials, which are kept nowhere; name another"));
                }
                Ok(Self::Header(name))
            }
            Some(("query", "")) => Err("`query:` names a parameter of the URL: query:name".to_owned()),
            Some(("query", name)) => Ok(Self::Query(name.into())),
            Some(("const", value)) => Ok(Self::Const(Value::String(value.to_owned()))),
            Some((word, _)) if !word.is_empty() && word.bytes().all(|char| char.is_ascii_alphabetic()) => {
                Err(format!("there is no `{word}:`; {}", Self::FORMS))
            }
            _ if text.to_ascii_lowercase().replace(['_', '-'], "") == "receivedat" => {
                Err("the time of the request is written `received_at`".to_owned())
            }
            _ => compile(text).map(Self::Path),
        }
    }

    const FORMS: &str =
        "a rule looks at $.a.path, root:$.a.path, header:Name, query:name, const:a text, or received_at";

    /// Whether it can only ever find one node; a parameter that is repeated is an error then, as a header never is.
    pub fn is_singular(&self) -> bool {
        match self {
            Self::Path(path) | Self::Root(path) => path.is_singular(),
            Self::Header(_) | Self::Query(_) | Self::Const(_) | Self::ReceivedAt => true,
        }
    }

    pub fn look<'a>(&'a self, sight: Sight<'a>) -> Result<Seen<'a>, BadValue> {
        match self {
            Self::Path(path) => find(path, sight.node, sight.work),
            Self::Root(path) => find(path, sight.document, sight.work),
            Self::Header(name) => header(name, sight.headers),
            Self::Query(name) => Ok(match sight.query.get(&**name) {
                None => Seen::Missing,
                Some(Value::Array(values)) => Seen::Many(values.iter().collect()),
                Some(value) => Seen::One(Cow::Borrowed(value)),
            }),
            Self::Const(value) => Ok(Seen::One(Cow::Borrowed(value))),
            Self::ReceivedAt => Ok(Seen::One(Cow::Owned(Value::String(sight.received_at.to_string())))),
        }
    }

    /// The parameter of the URL that it names.
    pub fn parameter(&self) -> Option<&str> {
        match self {
            Self::Query(name) => Some(name),
            _ => None,
        }
    }

    /// How many nodes a path selects, however many; `None` inside when it is missing, and for what is no such path.
    pub fn count(&self, sight: Sight<'_>) -> Option<Option<usize>> {
        match self {
            Self::Path(path) if !path.is_singular() => Some(path.count_within(sight.node, sight.work)),
            Self::Root(path) if !path.is_singular() => Some(path.count_within(sight.document, sight.work)),
            _ => None,
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

fn compile(text: &str) -> Result<Path, String> {
    Path::compile(text).map_err(|error| error.to_string())
}

fn find<'a>(path: &Path, node: &'a Value, work: &Work) -> Result<Seen<'a>, BadValue> {
    match path.find_within(node, work) {
        Ok(Found::Missing) => Ok(Seen::Missing),
        Ok(Found::One(node)) => Ok(Seen::One(Cow::Borrowed(node))),
        Ok(Found::Many(nodes)) => Ok(Seen::Many(nodes)),
        Err(error) => Err(too_many(error)),
    }
}

pub fn too_many(error: TooManyNodes) -> BadValue {
    BadValue::new("too_many_nodes", error.to_string())
}

fn scalar_text(node: &Value) -> Option<String> {
    match node {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_str().to_owned()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Several of one name are one, joined by commas (RFC 9110, 5.3). What holds a source's token is not there: proxies pass
/// the path on in headers of many names.
fn header<'a>(name: &HeaderName, headers: &HeaderMap) -> Result<Seen<'a>, BadValue> {
    let mut joined: Option<String> = None;
    for value in headers.get_all(name) {
        let text = std::str::from_utf8(value.as_bytes())
            .map_err(|_| BadValue::new("header_not_text", "the header is not UTF-8"))?;
        joined = Some(joined.map_or_else(|| text.to_owned(), |joined| joined + ", " + text));
    }
    match joined.filter(|text| !text.contains(SOURCE_TOKEN)) {
        Some(text) => Ok(Seen::One(Cow::Owned(Value::String(text)))),
        None => Ok(Seen::Missing),
    }
}
