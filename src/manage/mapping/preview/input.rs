//! What is previewed: a payload as it is given, or an event of the log.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::intake::Format;
use crate::map::mapping::RawMapping;
use crate::problem::{Code, Problem};
use crate::record::definition::Fault;
use crate::store::events::Payload;
use crate::verify::OneOrMany;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PreviewRequest, example = json!({ "payload": { "type": "order.created", "payload": { "sku": "ab-1042" } } }))]
pub struct PreviewInput {
    /// Any JSON, as the body of a webhook. One of `payload`, `body` and `eventId` is given.
    #[serde(default, deserialize_with = "present")]
    payload: Option<Value>,
    /// The body as a text, of the type that `contentType` says.
    body: Option<String>,
    /// `application/json` unless given.
    content_type: Option<String>,
    /// By name.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The parameters of the URL by name: each a text, or a list of texts.
    #[serde(default)]
    #[schema(value_type = Object)]
    query: BTreeMap<String, OneOrMany>,
    /// An event of the log, with the headers and parameters that were kept of it.
    event_id: Option<String>,
    /// A draft, with the keys of a module file; the mapping in force unless given.
    #[schema(value_type = Option<Object>)]
    mapping: Option<Value>,
}

/// `null` is a payload.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A request that is not to be.
pub struct Letter {
    pub body: Vec<u8>,
    pub headers: HeaderMap,
    pub query: Option<String>,
    pub received_at: Timestamp,
}

impl PreviewInput {
    /// As far as it reads, and what does not.
    pub fn draft(&self) -> Option<(RawMapping, Vec<Fault>)> {
        self.mapping.clone().map(RawMapping::read)
    }
}

impl Letter {
    pub async fn of(gateway: &Gateway, input: PreviewInput, now: Timestamp) -> Result<Self, Problem> {
        match (&input.payload, &input.body, &input.event_id) {
            (None, None, Some(id)) => Self::stored(gateway, id).await,
            (Some(_), None, None) | (None, Some(_), None) => Self::given(input, now),
            _ => Err(invalid("give one of `payload`, `body` and `eventId`")),
        }
    }

    fn given(input: PreviewInput, now: Timestamp) -> Result<Self, Problem> {
        let body = match (input.payload, input.body) {
            (Some(payload), _) => payload.to_string(),
            (None, body) => body.unwrap_or_default(),
        };
        let mut headers = header_map(&input.headers)?;
        let content_type = input.content_type.as_deref();
        if let Some(content_type) = content_type.or((!headers.contains_key(CONTENT_TYPE)).then_some("application/json"))
        {
            let bad = |_| invalid("`contentType` is one such as \"application/xml\"");
            headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(bad)?);
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, values) in &input.query {
            query.extend_pairs(values.as_slice().iter().map(|value| (name, value)));
        }
        let query = Some(query.finish()).filter(|query| !query.is_empty());
        Ok(Self { body: body.into_bytes(), headers, query, received_at: now })
    }

    /// As far as it was kept: without credentials, and without parameters that no rule looked at then.
    async fn stored(gateway: &Gateway, id: &str) -> Result<Self, Problem> {
        let none = || Problem::new(Code::NotFound, "there is no such event");
        let id = id.parse().map_err(|_| none())?;
        let event = gateway.store.event(id).await?.ok_or_else(none)?;
        let (body, _) = gateway.store.payload(id).await?.ok_or_else(none)?;
        if ![Payload::Whole, Payload::Redacted].map(Payload::as_str).contains(&&*event.payload) {
            let detail = "the body of this event was not kept whole, so there is nothing to go by; give it as `body`";
            return Err(Problem::new(Code::Conflict, detail));
        }
        let kept: BTreeMap<String, String> = serde_json::from_str(&event.headers).unwrap_or_default();
        let received_at =
            Timestamp::from_micros(event.received_at).ok_or_else(|| Problem::from(Code::InternalError))?;
        Ok(Self { body, headers: header_map(&kept)?, query: event.query, received_at })
    }

    /// How the body is read; `None` when the door would not take it.
    pub fn format(&self) -> Option<Format> {
        match self.headers.get(CONTENT_TYPE).map(HeaderValue::to_str) {
            None => Format::of(None),
            Some(text) => Format::of(Some(text.ok()?)),
        }
    }
}

fn header_map(headers: &BTreeMap<String, String>) -> Result<HeaderMap, Problem> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bad = || invalid(&format!("`headers`: {name:?} is no header, or has a value that none can have"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
        map.append(header, HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?);
    }
    Ok(map)
}

fn invalid(detail: &str) -> Problem {
    Problem::new(Code::InvalidRequest, detail)
}
