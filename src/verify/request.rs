//! A request as a signature covers it. What is parsed of it is parsed once, and only for a scheme that asks.

use std::borrow::Cow;
use std::cell::OnceCell;

use form_urlencoded::parse;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName};
use serde_json::Value;

/// Pairs of a form or a query that are looked at; a form with more is no form that any sender signs.
const MOST_PAIRS: usize = 2_000;

/// The content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// An inbound request, as far as signatures go.
#[derive(Clone, Copy)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// The whole public URL as the sender knows it, its query included.
    pub url: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// As it came.
    pub body: &'a [u8],
}

pub struct Request<'a> {
    pub signed: Signed<'a>,
    json: OnceCell<Option<Value>>,
    form: OnceCell<Option<Vec<(String, String)>>>,
    query: OnceCell<Option<Vec<(String, String)>>>,
}

impl<'a> Request<'a> {
    pub fn new(signed: Signed<'a>) -> Self {
        Self { signed, json: OnceCell::new(), form: OnceCell::new(), query: OnceCell::new() }
    }

    /// The first of that name: one that is repeated does not become another value.
    pub fn header(&self, name: &HeaderName) -> Option<&[u8]> {
        let mut all = self.signed.headers.get_all(name).into_iter();
        let first = all.next()?;
        all.next().is_none().then(|| first.as_bytes())
    }

    /// The body as JSON, where it is said to be that: rules will read the same bytes by the same content type. What
    /// strict reading refuses (a key twice, say) is refused after the signature.
    pub fn json(&self) -> Option<&Value> {
        let read = || self.is_json().then(|| serde_json::from_slice(self.signed.body).ok())?;
        self.json.get_or_init(read).as_ref()
    }

    /// What a condition looks at: JSON, or a form's fields as texts, each name once.
    pub fn document(&self) -> Option<Cow<'_, Value>> {
        if !self.is_form() {
            return self.json().map(Cow::Borrowed);
        }
        let pairs = self.form_pairs()?.iter().map(|(name, value)| (name.clone(), Value::String(value.clone())));
        Some(Cow::Owned(Value::Object(pairs.collect())))
    }

    fn is_json(&self) -> bool {
        self.content_type()
            .is_none_or(|found| matches!(&*found, "application/json" | "text/json") || found.ends_with("+json"))
    }

    fn is_form(&self) -> bool {
        self.content_type().is_some_and(|found| found == FORM)
    }

    /// Without its parameters. Nothing where there is none, which is taken for JSON.
    fn content_type(&self) -> Option<String> {
        let value = self.signed.headers.get(CONTENT_TYPE)?.to_str().unwrap_or("?");
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    pub fn form(&self, name: &str) -> Option<&str> {
        self.form_pairs().and_then(|pairs| only(pairs, name))
    }

    pub fn has_form(&self, name: &str) -> bool {
        self.form_pairs().is_some_and(|pairs| pairs.iter().any(|pair| pair.0 == name))
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query_pairs().and_then(|pairs| only(pairs, name))
    }

    pub fn has_query(&self, name: &str) -> bool {
        self.query_pairs().is_some_and(|pairs| pairs.iter().any(|pair| pair.0 == name))
    }

    fn form_pairs(&self) -> Option<&[(String, String)]> {
        self.form.get_or_init(|| self.is_form().then(|| pairs(self.signed.body))?).as_deref()
    }

    fn query_pairs(&self) -> Option<&[(String, String)]> {
        self.query.get_or_init(|| pairs(self.signed.query.unwrap_or_default().as_bytes())).as_deref()
    }

    /// Names with their values, sorted and glued; a pair that is repeated counts once, as Twilio's libraries have it. A
    /// form with a pair without a name is none: it could leave no trace.
    pub fn sorted_form(&self) -> Option<String> {
        let mut pairs = self.form_pairs()?.to_vec();
        pairs.sort_unstable();
        pairs.dedup();
        let named = pairs.iter().all(|pair| !pair.0.is_empty());
        named.then(|| pairs.into_iter().map(|(name, value)| name + &value).collect())
    }
}

fn pairs(text: &[u8]) -> Option<Vec<(String, String)>> {
    let pairs: Vec<_> = parse(text).into_owned().take(MOST_PAIRS + 1).collect();
    (pairs.len() <= MOST_PAIRS).then_some(pairs)
}

/// The value of a name that stands there once.
fn only<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let mut found = pairs.iter().filter(|pair| pair.0 == name);
    let first = found.next()?;
    found.next().is_none().then_some(first.1.as_str())
}
