//! What of a request is stored: as its source says, less what it redacts. Rules have seen all of it.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName};
use bytes::Bytes;
use serde_json::value::RawValue;

use super::headers;
use crate::manage::inbound::format;
use crate::map::form;
use crate::secret::SOURCE_TOKEN;
use crate::source::Source;
use crate::source::redact::{REDACTED, Redacted};
use crate::store::events::Payload;
use crate::store::refusals::KEPT_BODY;

/// Bytes of a body that are redacted on the thread that read them.
const REDACTED_AT_ONCE: usize = 64 * 1024;

/// The parts of a request.
pub struct Received<'a> {
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
    /// None when it was not read.
    pub body: Option<&'a Bytes>,
}

pub struct Kept {
    pub headers: Box<RawValue>,
    pub query: Option<String>,
    pub body: Bytes,
    pub payload: Payload,
}

impl Kept {
    pub fn of_accepted(received: &Received<'_>, source: &Source) -> Self {
        let body = received.body.filter(|_| source.settings.keep.payload.of_accepted());
        Self::of(received, source, body)
    }

    /// The body's beginning, where it is long.
    pub fn of_refused(received: &Received<'_>, source: &Source) -> Self {
        let body = received.body.filter(|_| source.settings.keep.payload.of_refused());
        let mut kept = Self::of(received, source, body);
        if kept.body.len() > KEPT_BODY {
            // A copy, so that the whole of a large body does not stay in memory for its beginning.
            kept.body = Bytes::copy_from_slice(&kept.body[..KEPT_BODY]);
            kept.payload = Payload::Cut;
        }
        kept
    }

    fn of(received: &Received<'_>, source: &Source, body: Option<&Bytes>) -> Self {
        let (body, payload) = body.map_or((Bytes::new(), Payload::None), |body| self::body(received, source, body));
        let (headers, some) = headers(received.headers, source);
        let (query, more) = query(received.query, source);
        let payload = if payload == Payload::Whole && (some || more) { Payload::Redacted } else { payload };
        Self { headers, query, body, payload }
    }
}

fn body(received: &Received<'_>, source: &Source, body: &Bytes) -> (Bytes, Payload) {
    let redaction = &source.settings.redact;
    if redaction.is_empty() {
        return (body.clone(), Payload::Whole);
    }
    let redact = || redaction.body(format(received.headers).ok(), body);
    let redacted = if body.len() > REDACTED_AT_ONCE { tokio::task::block_in_place(redact) } else { redact() };
    match redacted {
        Redacted::Whole => (body.clone(), Payload::Whole),
        Redacted::Body(body) => (body.into(), Payload::Redacted),
        Redacted::Nothing => (Bytes::new(), Payload::None),
    }
}

/// And whether one of them is redacted.
fn headers(received: &HeaderMap, source: &Source) -> (Box<RawValue>, bool) {
    let scheme = source.settings.signature.as_ref();
    let is_credential = |name: &HeaderName| scheme.is_some_and(|scheme| scheme.is_credential(name));
    let mut kept: BTreeMap<&str, String> = headers::kept(received, is_credential);
    let hidden = kept.iter_mut().filter(|(name, _)| source.settings.redact.is_header(name));
    let redacted = hidden.map(|(_, value)| REDACTED.clone_into(value)).count() > 0;
    (serde_json::value::to_raw_value(&kept).unwrap_or_else(|_| RawValue::NULL.to_owned()), redacted)
}

/// Only what the mapping looks at, since a parameter may be a credential; never what holds a token. And whether one of
/// them is redacted.
fn query(received: Option<&str>, source: &Source) -> (Option<String>, bool) {
    let Some(query) = received else { return (None, false) };
    let kept = form::named(query, &source.mapping.parameters);
    if kept.is_empty() || kept.contains(SOURCE_TOKEN) {
        return (None, false);
    }
    match form::without(&kept, source.settings.redact.parameters(), REDACTED) {
        Some(redacted) => (Some(redacted), true),
        None => (Some(kept), false),
    }
}
