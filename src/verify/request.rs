//! A request as a signature covers it. What is parsed of it is parsed once, and only for a scheme that asks.

use std::cell::OnceCell;

use form_urlencoded::parse;
use http::{HeaderMap, HeaderName};
use serde_json::Value;

/// Pairs of a form or a query that are looked at; a form with more is no form that any sender signs.
const MOST_PAIRS: usize = 2_000;

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

    /// The body as JSON. What strict reading refuses (a key twice, say) is refused after the signature.
    pub fn json(&self) -> Option<&Value> {
        self.json.get_or_init(|| serde_json::from_slice(self.signed.body).ok()).as_ref()
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
        self.form.get_or_init(|| pairs(self.signed.body)).as_deref()
    }

    fn query_pairs(&self) -> Option<&[(String, String)]> {
        self.query.get_or_init(|| pairs(self.signed.query.unwrap_or_default().as_bytes())).as_deref()
    }

    /// Names with their values, sorted and glued; a pair that is repeated counts once (Twilio's libraries do so).
    pub fn sorted_form(&self) -> Option<String> {
        let mut pairs = self.form.get_or_init(|| pairs(self.signed.body)).clone()?;
        pairs.sort_unstable();
        pairs.dedup();
        Some(pairs.into_iter().map(|(name, value)| name + &value).collect())
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
