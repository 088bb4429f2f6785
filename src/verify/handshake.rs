//! What some senders ask before they send: a probe with a challenge in it, and the answer that they wait for. Data of a
//! preset or of a source. Pure: which handshake a request is, and what is answered. Whether it is signed, and that a
//! secret is kept, is for the door.

use std::collections::BTreeMap;

use http::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::digest;
use super::raw::{Algorithm, Encoding, KeyForm};
use super::request::{Request, Signed};
use super::template::{Filling, Piece, Template};
use crate::condition::Condition;

/// The longest answer, in bytes. A challenge is some dozens of characters.
const LONGEST_ANSWER: usize = 16 * 1024;

/// As it is written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHandshake {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Over the JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// A parameter of the URL that must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// A header that must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<bool>,
    /// A template that must be the token of the source's own URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hmac: Option<RawHmac>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Texts in it are templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What becomes the source's secret while it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

/// What `{hmac}` is in an answer, under the first active secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawHmac {
    pub of: String,
    #[serde(default)]
    pub algorithm: Algorithm,
    #[serde(default = "hex")]
    pub encoding: Encoding,
}

fn hex() -> Encoding {
    Encoding::Hex
}

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
    Object(Vec<(String, Self)>),
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<&'static str>,
    pub headers: Vec<(HeaderName, String)>,
    pub body: String,
    /// To be kept as the source's secret before the answer leaves.
    pub keep: Option<String>,
}

/// Why a handshake is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// It does not carry the token of the source's URL.
    WrongToken,
    NoSecret,
    /// What the answer repeats is missing, is too long, or is no text.
    Malformed,
}

/// Whom it is asked of.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub signed: Signed<'a>,
    /// The first active secret.
    pub secret: Option<&'a [u8]>,
    /// The token that the request came with.
    pub token: &'a str,
}

impl TryFrom<RawHandshake> for Handshake {
    type Error = String;

    fn try_from(raw: RawHandshake) -> Result<Self, String> {
        let method = match raw.method.as_deref().unwrap_or("POST") {
            "GET" => Method::Get,
            "HEAD" => Method::Head,
            "POST" => Method::Post,
            other => return Err(format!("a handshake's `method` is \"GET\", \"HEAD\" or \"POST\", not \"{other}\"")),
        };
        if method == Method::Post && raw.when.is_none() && raw.query.is_none() && raw.header.is_none() {
            return Err("say what tells the handshake from a webhook: `when`, `query` or `header`".to_owned());
        }
        if method != Method::Post && (raw.when.is_some() || raw.signed == Some(true)) {
            return Err("a GET or HEAD has no body, so it has no `when` and is not `signed`".to_owned());
        }
        let body = match (&raw.text, &raw.json) {
            (Some(_), Some(_)) => return Err("a handshake is answered with `text` or `json`, not both".to_owned()),
            (Some(text), None) => Body::Text(template(text)?),
            (None, Some(json)) => Body::Json(Json::compile(json)?),
            (None, None) => Body::Nothing,
        };
        let name = |name: &String| {
            HeaderName::try_from(name.as_str()).map_err(|_| format!("`{name}` is not the name of a header"))
        };
        let status = raw.status.unwrap_or(200);
        if !(200..=299).contains(&status) {
            return Err("a handshake's `status` is from 200 to 299".to_owned());
        }
        let hmac = raw.hmac.clone().map(|hmac| Ok::<_, String>((template(&hmac.of)?, hmac))).transpose()?;
        let headers = raw.headers.iter().map(|(key, text)| Ok((name(key)?, template(text)?)));
        Ok(Self {
            is_signed: raw.signed.unwrap_or(method == Method::Post),
            when: raw.when.as_deref().map(Condition::compile).transpose().map_err(|error| error.to_string())?,
            header: raw.header.as_ref().map(name).transpose()?,
            token: raw.token.as_deref().map(template).transpose()?,
            headers: headers.collect::<Result<_, String>>()?,
            keep: raw.keep.as_deref().map(template).transpose()?,
            method,
            hmac,
            status,
            body,
            raw,
        })
    }
}

fn template(text: &str) -> Result<Template, String> {
    Template::compile(&[text.to_owned()])
}

impl Handshake {
    /// Whether this request is it.
    pub fn is(&self, method: Method, signed: Signed<'_>) -> bool {
        if self.method != method || self.header.as_ref().is_some_and(|name| !signed.headers.contains_key(name)) {
            return false;
        }
        let request = Request::new(signed);
        let queried = self.raw.query.as_ref().is_none_or(|name| request.query(name).is_some());
        let meant = || match &self.when {
            None => true,
            Some(when) => request.json().is_some_and(|document| when.holds(document, document)),
        };
        queried && meant()
    }

    pub fn answer(&self, asked: Asked<'_>) -> Result<Answer, Unanswered> {
        let request = Request::new(asked.signed);
        let plain = Filling { request: &request, timestamp: None, hmac: None };
        if let Some(token) = &self.token {
            let stated = token.text(plain).unwrap_or_default();
            if !bool::from(crate::secret::digest(&stated).ct_eq(&crate::secret::digest(asked.token))) {
                return Err(Unanswered::WrongToken);
            }
        }
        let hmac = self.hmac.as_ref().map(|hmac| made(hmac, asked.secret, plain)).transpose()?;
        let filling = Filling { hmac: hmac.as_deref(), ..plain };
        let text = |template: &Template| {
            let text = template.text(filling).map_err(|_| Unanswered::Malformed)?;
            if text.len() > LONGEST_ANSWER { Err(Unanswered::Malformed) } else { Ok(text) }
        };
        let (content_type, body) = match &self.body {
            Body::Nothing => (None, String::new()),
            Body::Text(template) => (Some("text/plain; charset=utf-8"), text(template)?),
            Body::Json(json) => (Some("application/json"), json.fill(&text)?.to_string()),
        };
        let headers = self.headers.iter().map(|(name, template)| Ok((name.clone(), text(template)?)));
        let headers = headers.collect::<Result<_, _>>()?;
        let keep = self.keep.as_ref().map(text).transpose()?;
        if keep.as_ref().is_some_and(|secret| secret.trim().is_empty()) {
            return Err(Unanswered::Malformed);
        }
        Ok(Answer { status: self.status, content_type, headers, body, keep })
    }

    /// Whether it hands over the secret that later requests are signed with.
    pub fn keeps(&self) -> bool {
        self.keep.is_some()
    }
}

fn made((of, raw): &(Template, RawHmac), secret: Option<&[u8]>, filling: Filling<'_>) -> Result<String, Unanswered> {
    let secret = secret.ok_or(Unanswered::NoSecret)?;
    let key = digest::key(KeyForm::Utf8, "", secret).ok_or(Unanswered::NoSecret)?;
    let pieces: Vec<Piece<'_>> = of.fill(filling).map_err(|_| Unanswered::Malformed)?;
    let digest = digest::digest(raw.algorithm, (secret, &key), &pieces).ok_or(Unanswered::Malformed)?;
    raw.encoding.encode(digest.as_slice()).ok_or(Unanswered::Malformed)
}

impl Json {
    fn compile(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(template(text)?),
            Value::Object(members) => {
                let members = members.iter().map(|(key, value)| Ok((key.clone(), Self::compile(value)?)));
                Self::Object(members.collect::<Result<_, String>>()?)
            }
            other => Self::Other(other.clone()),
        })
    }

    fn fill(&self, text: &impl Fn(&Template) -> Result<String, Unanswered>) -> Result<Value, Unanswered> {
        Ok(match self {
            Self::Text(template) => Value::String(text(template)?),
            Self::Other(value) => value.clone(),
            Self::Object(members) => {
                let members = members.iter().map(|(key, value)| Ok((key.clone(), value.fill(text)?)));
                Value::Object(members.collect::<Result<_, _>>()?)
            }
        })
    }
}
