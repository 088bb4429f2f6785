//! The headers of an attempt: what the profile says, its signatures, and what every delivery carries. Pure.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::zeroize::Zeroizing;

use super::profile::Profile;
use super::template::{Filling, unix};
use crate::clock::Timestamp;
use crate::id::DeliveryId;
use crate::secret::{ExposeSecret, SecretString};
use crate::verify::{hmac_sha256, hmac_sha256_of};

/// Counts how often an event has passed through gateways (DESIGN 7, loops).
pub const HOPS: &str = "x-tidegate-hops";
/// Says that the event did not happen.
pub const TEST: &str = "x-tidegate-test";

/// The specification's names: the delivery's id, when it is sent, its signatures.
const STANDARD: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];
/// In front of the base64 of a key.
const PREFIX: &str = "whsec_";

/// What makes a request one, and what stands between the gateway and the next hop only (RFC 9110, 7.6.1).
const OF_THE_CONNECTION: [&str; 14] = [
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// One attempt, rendered.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub profile: &'a Profile,
    pub delivery: DeliveryId,
    pub of_type: &'a str,
    pub sent_at: Timestamp,
    /// Of the change.
    pub hops: i64,
    pub test: bool,
    /// The endpoint's own.
    pub custom: &'a HeaderMap,
    /// The current one first; while it is replaced the next one, too.
    pub secrets: &'a [SecretString],
    pub body: &'a [u8],
}

/// Why nothing can be sent. Quotes neither secret nor body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotSign {
    #[error("the endpoint has no secret")]
    NoSecret,
    #[error("the profile signs as Standard Webhooks only, and the secret is no base64, with or without `whsec_`")]
    NotBase64,
    #[error("the event's type cannot stand in the header {0}")]
    BadHeader(HeaderName),
}

/// All headers but those of the connection.
///
/// Of Standard Webhooks' three headers, a secret that is no base64 makes none: its libraries could not read it either.
///
/// # Errors
/// [`CannotSign`].
pub fn headers(envelope: Envelope<'_>) -> Result<HeaderMap, CannotSign> {
    let profile = envelope.profile;
    let first = envelope.secrets.first().ok_or(CannotSign::NoSecret)?;
    check(profile, first)?;
    let own = envelope.custom.iter().filter(|(name, _)| !is_reserved(profile, name));
    let mut headers: HeaderMap = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    insert(&mut headers, &USER_AGENT, &profile.user_agent)?;
    let hex = signature(profile, first, envelope.body);
    let Envelope { delivery, of_type, sent_at, .. } = envelope;
    let filling = Filling { delivery, of_type, sent_at, hex: &hex };
    for (name, value) in profile.signatures.iter().chain(&profile.headers) {
        insert(&mut headers, name, &value.fill(filling))?;
    }
    if profile.standard_webhooks {
        insert_standard(&mut headers, envelope)?;
    }
    let hops = envelope.hops.max(0).saturating_add(1);
    headers.insert(HeaderName::from_static(HOPS), HeaderValue::from(hops));
    if envelope.test {
        headers.insert(HeaderName::from_static(TEST), HeaderValue::from_static("true"));
    }
    Ok(headers)
}

/// Whether an endpoint cannot have a header of this name of its own: it is the profile's, or the connection's.
pub fn is_reserved(profile: &Profile, name: &HeaderName) -> bool {
    let of_profile = profile.signatures.iter().chain(&profile.headers).any(|(own, _)| own == name);
    let always = [CONTENT_TYPE.as_str(), USER_AGENT.as_str(), HOPS, TEST];
    let text = name.as_str();
    of_profile || always.contains(&text) || STANDARD.contains(&text) || OF_THE_CONNECTION.contains(&text)
}

/// Whether the profile can sign with the secret; to be asked before an endpoint is saved.
///
/// # Errors
/// [`CannotSign::NotBase64`].
pub fn check(profile: &Profile, secret: &SecretString) -> Result<(), CannotSign> {
    let is_signed = !profile.signatures.is_empty() || key(secret).is_some();
    if is_signed { Ok(()) } else { Err(CannotSign::NotBase64) }
}

/// Hex digits; none where the profile has no place for them.
fn signature(profile: &Profile, secret: &SecretString, body: &[u8]) -> String {
    if profile.signatures.is_empty() {
        return String::new();
    }
    HEXLOWER.encode(&hmac_sha256(secret.expose_secret().as_bytes(), body))
}

fn insert_standard(headers: &mut HeaderMap, envelope: Envelope<'_>) -> Result<(), CannotSign> {
    let (id, sent) = (envelope.delivery.to_string(), unix(envelope.sent_at).to_string());
    let keys = envelope.secrets.iter().filter_map(key);
    let signatures: Vec<String> = keys.map(|key| standard(&key, &id, &sent, envelope.body)).collect();
    if signatures.is_empty() {
        return Ok(());
    }
    for (name, value) in STANDARD.into_iter().zip([id, sent, signatures.join(" ")]) {
        insert(headers, &HeaderName::from_static(name), &value)?;
    }
    Ok(())
}

/// The version 1 of the specification: `v1,` and base64.
fn standard(key: &[u8], id: &str, sent: &str, body: &[u8]) -> String {
    let pieces = [id.as_bytes(), b".", sent.as_bytes(), b".", body];
    format!("v1,{}", BASE64.encode(&hmac_sha256_of(key, &pieces)))
}

/// The bytes that a secret is the base64 of, with or without the prefix, as the specification's libraries take it.
fn key(secret: &SecretString) -> Option<Zeroizing<Vec<u8>>> {
    let text = secret.expose_secret();
    let text = text.strip_prefix(PREFIX).unwrap_or(text).as_bytes();
    let key = BASE64.decode(text).or_else(|_| BASE64_NOPAD.decode(text)).ok()?;
    // An empty key signs nothing: anyone has it.
    (!key.is_empty()).then(|| Zeroizing::new(key))
}

fn insert(headers: &mut HeaderMap, name: &HeaderName, value: &str) -> Result<(), CannotSign> {
    let value = HeaderValue::from_str(value).map_err(|_| CannotSign::BadHeader(name.clone()))?;
    headers.insert(name, value);
    Ok(())
}

#[cfg(test)]
mod tests;
