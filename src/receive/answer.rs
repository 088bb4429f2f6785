//! The answer to an accepted webhook (DESIGN 3).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::id::{EventId, RecordId};
use crate::record::merge::Outcome;
use crate::store::writer::Receipt;

#[derive(Debug)]
pub struct Accepted {
    pub event: EventId,
    pub receipt: Receipt,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    record_id: Option<RecordId>,
    event_id: EventId,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate_of: Option<EventId>,
}

impl Accepted {
    pub fn outcome(&self) -> &'static str {
        self.receipt.outcome.as_str()
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let body = Body {
            record_id: self.receipt.records.first().map(|(record, _)| *record),
            event_id: self.event,
            outcome: self.receipt.outcome,
            duplicate_of: self.receipt.duplicate_of,
        };
        (StatusCode::ACCEPTED, Json(body)).into_response()
    }
}
