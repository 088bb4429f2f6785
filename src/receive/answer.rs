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
    /// The source makes several records of one event: the answer lists them.
    pub several: bool,
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

impl Accepted {
    pub fn outcome(&self) -> &'static str {
        self.receipt.outcome.as_str()
    }
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        let all = self.receipt.records.iter();
        let records = all.map(|(record_id, outcome)| Record { record_id: *record_id, outcome: *outcome });
        let body = Body {
            record_id: self.receipt.record_ids().first().copied(),
            records: self.several.then(|| records.collect()),
            event_id: self.event,
            outcome: self.receipt.outcome,
            duplicate_of: self.receipt.duplicate_of,
        };
        (StatusCode::ACCEPTED, Json(body)).into_response()
    }
}
