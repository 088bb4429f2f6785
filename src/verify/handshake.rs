//! What some senders ask before they send: a probe with a challenge in it, and the answer that they wait for. Data of a
//! preset or of a source (`raw.rs` has the words). Pure: which handshake a request is, and what is answered
//! (`answer.rs`). Whether it is signed, how often it is answered, and that a secret is kept, is for the door.

mod answer;
mod raw;

use http::HeaderName;
use serde_json::Value;

use super::raw::{Algorithm, Encoding};
use super::request::Request;
use super::template::Template;
use crate::condition::{Condition, Work};

pub use answer::{Answer, Asked, Unanswered};
pub use raw::{RawHandshake, RawHmac};

/// The most handshakes that one source describes itself.
pub const MOST_HANDSHAKES: usize = 8;
/// Of a body that `when` is asked of. A probe has some hundreds of bytes; an event that is no probe is not read twice
/// for being large.
const LONGEST_PROBE: usize = 16 * 1024;
/// Of `json` as it is written, in bytes.
const LONGEST_JSON: usize = 4 * 1024;
/// What judging `when` may cost.
const WORK: u64 = 1_000_000;
/// Headers that say how the answer is to be read, or that the gateway sets on every one.
const NOT_ANSWERED: [&str; 14] = [
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "location",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
}

/// A checked handshake.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub raw: RawHandshake,
    pub method: Method,
    /// Whether the request must be signed as any other.
    pub is_signed: bool,
    when: Option<Condition>,
    header: Option<HeaderName>,
    token: Option<Template>,
    hmac: Option<(Template, RawHmac)>,
    status: u16,
    body: Body,
    headers: Vec<(HeaderName, Template)>,
    keep: Option<Template>,
}

#[derive(Clone, Debug)]
enum Body {
    Nothing,
    Text(Template),
    Json(Json),
}

#[derive(Clone, Debug)]
enum Json {
    Text(Template),
    Other(Value),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// What is wrong with a handshake, and with which of its keys; none where it is the whole.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{detail}")]
pub struct BadHandshake {
    pub key: &'static str,
    pub detail: String,
}

fn bad(key: &'static str, detail: impl Into<String>) -> BadHandshake {
    BadHandshake { key, detail: detail.into() }
}

/// All handshakes of one source, by when they are looked for.
#[derive(Clone, Debug, Default)]
pub struct Handshakes {
    pub get: Vec<Handshake>,
    pub head: Vec<Handshake>,
    /// POSTs that no signature vouches for.
    pub unsigned: Vec<Handshake>,
    pub signed: Vec<Handshake>,
}

impl Handshakes {
    /// Whether a stranger's challenge is signed with the key of webhooks: then a challenge must not pass for one.
    pub fn sign_for_anyone(&self) -> bool {
        let all = [&self.get, &self.head, &self.unsigned].into_iter().flatten();
        all.into_iter().any(|handshake| handshake.hmac.is_some())
    }

    /// Whether a POST may be one.
    pub fn has_post(&self) -> bool {
        !self.unsigned.is_empty() || !self.signed.is_empty()
    }
}

impl FromIterator<Handshake> for Handshakes {
    fn from_iter<T: IntoIterator<Item = Handshake>>(all: T) -> Self {
        let mut sorted = Self::default();
        for handshake in all {
            let of_kind = match (handshake.method, handshake.is_signed) {
                (Method::Get, _) => &mut sorted.get,
                (Method::Head, _) => &mut sorted.head,
                (Method::Post, false) => &mut sorted.unsigned,
                (Method::Post, true) => &mut sorted.signed,
            };
            of_kind.push(handshake);
        }
        sorted
    }
}

impl TryFrom<RawHandshake> for Handshake {
    type Error = BadHandshake;

    fn try_from(raw: RawHandshake) -> Result<Self, BadHandshake> {
        let method = method(&raw)?;
        let is_signed = raw.signed.unwrap_or(method == Method::Post);
        let optional = |key, text: &Option<String>| text.as_deref().map(|text| template(key, text)).transpose();
        let when = raw.when.as_deref().map(Condition::compile).transpose();
        let headers = raw.headers.iter().map(|(name, text)| Ok((answered(name)?, template("headers", text)?)));
        let checked = Self {
            method,
            is_signed,
            when: when.map_err(|error| bad("when", error.to_string()))?,
            header: raw.header.as_deref().map(|name| named("header", name)).transpose()?,
            token: optional("token", &raw.token)?,
            hmac: hmac(&raw)?,
            status: status(&raw)?,
            body: body(&raw)?,
            headers: headers.collect::<Result<_, BadHandshake>>()?,
            keep: optional("keep", &raw.keep)?,
            raw,
        };
        checked.keeps_a_first_secret()?;
        checked.makes_what_it_answers()?;
        Ok(checked)
    }
}

fn method(raw: &RawHandshake) -> Result<Method, BadHandshake> {
    let method = match raw.method.as_deref().unwrap_or("POST") {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        _ => return Err(bad("method", "a handshake's `method` is \"GET\", \"HEAD\" or \"POST\"")),
    };
    if method == Method::Post && raw.when.is_none() && raw.query.is_none() && raw.header.is_none() {
        return Err(bad("", "say what tells the handshake from a webhook: `when`, `query` or `header`"));
    }
    if method != Method::Post && raw.when.is_some() {
        return Err(bad("when", "a GET or HEAD has no body, so there is nothing that `when` could look at"));
    }
    if method != Method::Post && raw.signed == Some(true) {
        return Err(bad("signed", "a GET or HEAD has no body, so it is not signed"));
    }
    Ok(method)
}

fn status(raw: &RawHandshake) -> Result<u16, BadHandshake> {
    let status = raw.status.unwrap_or(200);
    if !(200..=299).contains(&status) {
        return Err(bad("status", "a handshake's `status` is from 200 to 299"));
    }
    if matches!(status, 204 | 205) && (raw.text.is_some() || raw.json.is_some()) {
        return Err(bad(
            "status",
            format!("an answer with the status {status} has no body: leave `text` and `json` out"),
        ));
    }
    Ok(status)
}

fn body(raw: &RawHandshake) -> Result<Body, BadHandshake> {
    match (&raw.text, &raw.json) {
        (Some(_), Some(_)) => Err(bad("", "a handshake is answered with `text` or `json`, not both")),
        (Some(text), None) => Ok(Body::Text(template("text", text)?)),
        (None, Some(json)) if json.to_string().len() > LONGEST_JSON => {
            Err(bad("json", format!("`json` of a handshake has at most {LONGEST_JSON} bytes")))
        }
        (None, Some(json)) => Ok(Body::Json(Json::compile(json)?)),
        (None, None) => Ok(Body::Nothing),
    }
}

fn hmac(raw: &RawHandshake) -> Result<Option<(Template, RawHmac)>, BadHandshake> {
    let Some(hmac) = &raw.hmac else { return Ok(None) };
    if !matches!(hmac.algorithm, Algorithm::HmacSha256 | Algorithm::HmacSha1 | Algorithm::HmacSha512) {
        return Err(bad(
            "hmac",
            "`algorithm` of an answer's HMAC is \"hmac-sha256\", \"hmac-sha1\" or \"hmac-sha512\"",
        ));
    }
    if hmac.encoding == Encoding::Text {
        return Err(bad("hmac", "`encoding` of an answer's HMAC is \"hex\", \"base64\" or \"base64url\""));
    }
    Ok(Some((template("hmac", &hmac.of)?, hmac.clone())))
}

fn named(key: &'static str, name: &str) -> Result<HeaderName, BadHandshake> {
    HeaderName::try_from(name).map_err(|_| bad(key, "that is not the name of a header, such as X-Hook-Secret"))
}

fn answered(name: &str) -> Result<HeaderName, BadHandshake> {
    let name = named("headers", name)?;
    if NOT_ANSWERED.contains(&name.as_str()) {
        return Err(bad("headers", format!("the gateway sets `{name}` itself; leave it out")));
    }
    Ok(name)
}

fn template(key: &'static str, text: &str) -> Result<Template, BadHandshake> {
    let template = Template::compile(&[text.to_owned()]).map_err(|detail| bad(key, detail))?;
    if template.has_secret() {
        return Err(bad(key, "a handshake's answer never holds {secret}; for a proof of it say `hmac`, and {hmac}"));
    }
    if template.has_timestamp() {
        return Err(bad(
            key,
            "{timestamp} is a part of what is signed; here write where it stands, as {header:X-Time}",
        ));
    }
    Ok(template)
}

impl Handshake {
    /// Whether this request is it. Its method, and whether it is signed, was looked at before.
    pub fn is(&self, request: &Request<'_>) -> bool {
        self.header.as_ref().is_none_or(|name| request.signed.headers.contains_key(name))
            && self.raw.query.as_ref().is_none_or(|name| request.query(name).is_some())
            && self.when.as_ref().is_none_or(|when| is_met(when, request))
    }

    /// Whether it hands over the secret that later requests are signed with.
    pub fn keeps(&self) -> bool {
        self.keep.is_some()
    }

    fn keeps_a_first_secret(&self) -> Result<(), BadHandshake> {
        match &self.keep {
            Some(_) if self.method != Method::Post => Err(bad("keep", "a secret is kept of a POST only")),
            Some(_) if self.is_signed => {
                Err(bad("keep", "say signed = false beside `keep`: before it is kept, there is no secret to sign with"))
            }
            _ => Ok(()),
        }
    }

    fn makes_what_it_answers(&self) -> Result<(), BadHandshake> {
        let body = match &self.body {
            Body::Nothing => false,
            Body::Text(template) => template.has_hmac(),
            Body::Json(json) => json.has_hmac(),
        };
        let headers = self.headers.iter().any(|(_, template)| template.has_hmac());
        let elsewhere = [self.keep.as_ref(), self.token.as_ref(), self.hmac.as_ref().map(|(of, _)| of)];
        if elsewhere.into_iter().flatten().any(Template::has_hmac) {
            return Err(bad("hmac", "{hmac} is a part of the answer alone: of `text`, `json` and `headers`"));
        }
        match (body || headers, self.hmac.is_some()) {
            (true, false) => {
                Err(bad("hmac", "the answer holds {hmac}: say of what: hmac = { of = \"{query:token}\" }"))
            }
            (false, true) => Err(bad("hmac", "nothing in the answer holds the {hmac}")),
            _ => Ok(()),
        }
    }
}

/// What is too large for a probe, or too dear to look at, is none.
fn is_met(when: &Condition, request: &Request<'_>) -> bool {
    if request.signed.body.len() > LONGEST_PROBE {
        return false;
    }
    let work = Work::new(WORK);
    request.document().is_some_and(|document| when.holds_within(&document, &document, &work) && !work.is_spent())
}

impl Json {
    fn compile(value: &Value) -> Result<Self, BadHandshake> {
        Ok(match value {
            Value::String(text) => Self::Text(template("json", text)?),
            Value::Array(items) => Self::List(items.iter().map(Self::compile).collect::<Result<_, _>>()?),
            // As TOML's reader hands on a date without quotes.
            Value::Object(members) if members.keys().any(|key| key.starts_with("$__toml_private")) => {
                return Err(bad("json", "a date stands in quotes, as JSON has none"));
            }
            Value::Object(members) => {
                let members = members.iter().map(|(key, value)| Ok((key.clone(), Self::compile(value)?)));
                Self::Object(members.collect::<Result<_, BadHandshake>>()?)
            }
            other => Self::Other(other.clone()),
        })
    }

    fn has_hmac(&self) -> bool {
        match self {
            Self::Text(template) => template.has_hmac(),
            Self::Other(_) => false,
            Self::List(items) => items.iter().any(Self::has_hmac),
            Self::Object(members) => members.iter().any(|(_, value)| value.has_hmac()),
        }
    }
}

#[cfg(test)]
mod tests;
