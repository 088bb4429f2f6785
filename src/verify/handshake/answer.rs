//! What is answered to a handshake: bounded, and nothing of it can be read as anything but what it says it is.

use std::cell::Cell;

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{Body, Handshake, Json, RawHmac};
use crate::verify::digest;
use crate::verify::raw::KeyForm;
use crate::verify::request::Request;
use crate::verify::template::{Filling, Piece, Template};

/// Bytes of a request that are repeated to it, at most. A challenge is some dozens of characters.
const LONGEST_ANSWER: usize = 16 * 1024;
/// The longest challenge that anyone may have signed, and the longest secret that is kept.
const LONGEST_CHALLENGE: usize = 256;
const LONGEST_SECRET: usize = 1_024;

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub content_type: Option<&'static str>,
    pub headers: Vec<(HeaderName, HeaderValue)>,
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
    pub request: &'a Request<'a>,
    /// The first active secret.
    pub secret: Option<&'a [u8]>,
    /// The token that the request came with.
    pub token: &'a str,
}

impl Handshake {
    pub fn answer(&self, asked: Asked<'_>) -> Result<Answer, Unanswered> {
        let plain = Filling { request: asked.request, timestamp: None, hmac: None };
        if let Some(token) = &self.token {
            let stated = token.text(plain).unwrap_or_default();
            if !bool::from(crate::secret::digest(&stated).ct_eq(&crate::secret::digest(asked.token))) {
                return Err(Unanswered::WrongToken);
            }
        }
        let hmac = self.hmac.as_ref().map(|hmac| self.proof(hmac, asked.secret, plain)).transpose()?;
        let filling = Filling { hmac: hmac.as_deref(), ..plain };
        // What is repeated, all in all.
        let left = Cell::new(LONGEST_ANSWER);
        let text = |template: &Template| {
            let text = template.text(filling).map_err(|_| Unanswered::Malformed)?;
            left.set(left.get().checked_sub(text.len()).ok_or(Unanswered::Malformed)?);
            Ok(text)
        };
        let (content_type, body) = match &self.body {
            Body::Nothing => (None, String::new()),
            Body::Text(template) => (Some("text/plain; charset=utf-8"), text(template)?),
            Body::Json(json) => (Some("application/json"), json.fill(&text)?.to_string()),
        };
        let header = |template| HeaderValue::from_str(&text(template)?).map_err(|_| Unanswered::Malformed);
        let headers = self.headers.iter().map(|(name, template)| Ok((name.clone(), header(template)?)));
        let headers = headers.collect::<Result<_, _>>()?;
        let keep = self.keep.as_ref().map(text).transpose()?;
        if keep.as_ref().is_some_and(|secret| secret.trim().is_empty() || secret.len() > LONGEST_SECRET) {
            return Err(Unanswered::Malformed);
        }
        Ok(Answer { status: self.status, content_type, headers, body, keep })
    }

    /// Whoever knows the URL can have a challenge signed that no signature vouches for. What is signed for them must not
    /// do for a webhook's body as well, under the same secret: it is no document, no form and no line with a time in it.
    fn proof(
        &self,
        (of, raw): &(Template, RawHmac),
        secret: Option<&[u8]>,
        filling: Filling<'_>,
    ) -> Result<String, Unanswered> {
        let challenge = of.text(filling).map_err(|_| Unanswered::Malformed)?;
        if challenge.len() > LONGEST_CHALLENGE || !(self.is_signed || is_opaque(&challenge)) {
            return Err(Unanswered::Malformed);
        }
        let secret = secret.ok_or(Unanswered::NoSecret)?;
        let key = digest::key(KeyForm::Utf8, "", secret).ok_or(Unanswered::NoSecret)?;
        let pieces = [Piece::Bytes(challenge.into_bytes().into())];
        let digest = digest::digest(raw.algorithm, (secret, &key), &pieces).ok_or(Unanswered::Malformed)?;
        raw.encoding.encode(digest.as_slice()).ok_or(Unanswered::Malformed)
    }
}

/// Such as base64 and UUIDs are. It may be a number or a form all the same, so the door takes objects and lists alone
/// from such a source.
fn is_opaque(text: &str) -> bool {
    let text = text.trim_end_matches('=');
    !text.is_empty() && text.bytes().all(|char| char.is_ascii_alphanumeric() || b"-_+/".contains(&char))
}

impl Json {
    fn fill(&self, text: &impl Fn(&Template) -> Result<String, Unanswered>) -> Result<Value, Unanswered> {
        Ok(match self {
            Self::Text(template) => Value::String(text(template)?),
            Self::Other(value) => value.clone(),
            Self::List(items) => Value::Array(items.iter().map(|item| item.fill(text)).collect::<Result<_, _>>()?),
            Self::Object(members) => {
                let members = members.iter().map(|(key, value)| Ok((key.clone(), value.fill(text)?)));
                Value::Object(members.collect::<Result<_, _>>()?)
            }
        })
    }
}
