//! The answer to an accepted webhook (DESIGN 3).

use std::sync::Arc;

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::gateway::Door;
use crate::id::{EventId, RecordId};
use crate::record::merge::Outcome;
use crate::store::writer::Receipt;
use crate::verify::handshake;
use crate::verify::response;

/// Names the event where a source's own answer leaves no room for it.
const EVENT: HeaderName = HeaderName::from_static("x-tidegate-event");

/// What a POST comes to.
pub enum Answered {
    Accepted(Accepted),
    Handshake(handshake::Answer),
}

pub struct Accepted {
    pub event: EventId,
    pub receipt: Receipt,
    pub door: Arc<Door>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    record_id: Option<RecordId>,
    event_id: EventId,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Vec<Record>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<EventId>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    record_id: Option<RecordId>,
    outcome: Outcome,
}

impl Answered {
    /// As it is counted.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Accepted(accepted) => accepted.receipt.outcome.as_str(),
            Self::Handshake(_) => "handshake",
        }
    }
}

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        match self {
            Self::Accepted(Accepted { event, receipt, door }) => match &door.response {
                Some(own) => in_the_sources_words(own, event),
                None => in_json(event, &receipt, door.source.mapping.each.is_some()),
            },
            Self::Handshake(answer) => answer.into_response(),
        }
    }
}

fn in_the_sources_words(own: &response::Response, event: EventId) -> Response {
    let mut response = (own.status, [(EVENT, event.to_string())], own.body.clone()).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().extend(own.content_type.clone().map(|content_type| (header::CONTENT_TYPE, content_type)));
    response
}

/// Of a source that makes several records of one event, the answer lists them.
fn in_json(event: EventId, receipt: &Receipt, several: bool) -> Response {
    let all = receipt.records.iter();
    let records = all.map(|(record_id, outcome)| Record { record_id: *record_id, outcome: *outcome });
    let body = Body {
        record_id: receipt.record_ids().first().copied(),
        records: several.then(|| records.collect()),
        event_id: event,
        outcome: receipt.outcome,
        duplicate_of: receipt.duplicate_of,
    };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}
