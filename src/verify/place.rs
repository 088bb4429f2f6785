//! Where a signature stands in a request, and which texts of what stands there may be signatures.

use std::borrow::Cow;

use http::HeaderName;

use super::request::Request;
use crate::condition::Work;
use crate::condition::path::{Found, Path};

/// The most values that are looked at; honest senders repeat a header once for a rotated secret.
const MOST_VALUES: usize = 8;
/// The most signatures of one request that are tried.
pub const MOST_CANDIDATES: usize = 32;
/// DocuSign counts its headers from 1, one for each key.
const MOST_NUMBERED: usize = 100;
/// The longest value that is looked into, in bytes.
pub const LONGEST_VALUE: usize = 16 * 1024;
const WORK: u64 = 1_000_000;

/// Where.
#[derive(Clone, Debug)]
pub enum Place {
    /// With the names as the admin wrote them.
    Headers(Vec<(HeaderName, String)>),
    Json(Path),
    Form(String),
    Query(String),
}

/// How what stands there is taken apart.
#[derive(Clone, Debug)]
pub struct Layout {
    pub list: Option<String>,
    pub pair: String,
    pub field: Option<String>,
    pub prefix: String,
}

impl Place {
    /// The names of headers; one that ends in `-*` stands for a hundred.
    pub fn headers(names: &[String]) -> Option<Self> {
        let mut all = Vec::new();
        for name in names {
            match name.strip_suffix("-*") {
                Some(stem) => {
                    for number in 1..=MOST_NUMBERED {
                        let name = format!("{stem}-{number}");
                        all.push((HeaderName::try_from(name.as_str()).ok()?, name));
                    }
                }
                None => all.push((HeaderName::try_from(name.as_str()).ok()?, name.clone())),
            }
        }
        (!all.is_empty()).then_some(Self::Headers(all))
    }

    /// All values that stand there.
    pub fn values<'a>(&self, request: &'a Request<'a>) -> Vec<Cow<'a, str>> {
        let found: Vec<Cow<'a, str>> = match self {
            Self::Headers(names) => {
                let all = names.iter().flat_map(|(name, _)| request.signed.headers.get_all(name));
                // What is no text has no signature in it, and is there all the same.
                all.take(MOST_VALUES.max(names.len()))
                    .map(|value| Cow::Borrowed(value.to_str().unwrap_or("")))
                    .collect()
            }
            Self::Json(path) => request.json().map(|document| texts(path, document)).unwrap_or_default(),
            Self::Form(name) => request.form(name).map(Cow::Borrowed).into_iter().collect(),
            Self::Query(name) => request.query(name).map(Cow::Borrowed).into_iter().collect(),
        };
        let short = |value: Cow<'a, str>| if value.len() > LONGEST_VALUE { Cow::Borrowed("") } else { value };
        found.into_iter().map(short).collect()
    }

    /// For people.
    pub fn describe(&self) -> String {
        match self {
            Self::Headers(names) => match &names[..] {
                [(_, name)] => format!("the header {name}"),
                [(_, first), ..] => format!("the header {first}"),
                [] => "the header".to_owned(),
            },
            Self::Json(path) => format!("the member {} of the body", path.as_str()),
            Self::Form(name) => format!("the form field {name}"),
            Self::Query(name) => format!("the query parameter {name}"),
        }
    }
}

/// Every node, as a text; what is none counts as an empty one, so that a list cannot hide it.
fn texts<'a>(path: &Path, document: &'a serde_json::Value) -> Vec<Cow<'a, str>> {
    let text = |node: &'a serde_json::Value| Cow::Borrowed(node.as_str().unwrap_or(""));
    match path.find_within(document, &Work::new(WORK)) {
        Ok(Found::One(node)) => vec![text(node)],
        Ok(Found::Many(nodes)) => nodes.into_iter().map(text).collect(),
        Ok(Found::Missing) | Err(_) => Vec::new(),
    }
}

impl Layout {
    pub fn elements<'v>(&'v self, value: &'v str) -> impl Iterator<Item = &'v str> {
        let mut rest = Some(value);
        std::iter::from_fn(move || {
            let whole = rest?;
            let split = self.list.as_deref().and_then(|separator| whole.split_once(separator));
            let (element, after) = split.map_or((whole, None), |(element, after)| (element, Some(after)));
            rest = after;
            Some(element.trim())
        })
    }

    /// The elements that have this key, without it.
    pub fn of_key<'v>(&'v self, value: &'v str, key: &'v str) -> impl Iterator<Item = &'v str> {
        self.elements(value).filter_map(move |element| {
            let (name, value) = element.split_once(self.pair.as_str())?;
            (key == "*" || name.trim() == key).then(|| value.trim())
        })
    }

    /// The texts that may be signatures, without the prefix that each must have.
    pub fn candidates<'v>(&'v self, value: &'v str) -> Vec<&'v str> {
        let prefixed = |text: &'v str| text.strip_prefix(self.prefix.as_str());
        match &self.field {
            Some(key) => self.of_key(value, key).filter_map(prefixed).take(MOST_CANDIDATES).collect(),
            None => self.elements(value).filter_map(prefixed).take(MOST_CANDIDATES).collect(),
        }
    }

    /// A value with this signature in it, as a sender writes it.
    pub fn write(&self, timestamp: Option<(&super::moment::From, &str)>, signature: &str) -> String {
        use super::moment::From;
        let list = self.list.as_deref().unwrap_or(",");
        let signature = match &self.field {
            Some(key) => format!("{}{}{}{signature}", if key == "*" { "key" } else { key }, self.pair, self.prefix),
            None => format!("{}{signature}", self.prefix),
        };
        match timestamp {
            Some((From::Field(key), time)) => format!("{key}{}{time}{list}{signature}", self.pair),
            Some((From::Item(_), time)) => format!("{time}{list}{signature}"),
            _ => signature,
        }
    }
}
