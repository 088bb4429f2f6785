//! Deliveries and attempts as the API shows them.

use data_encoding::BASE64;
use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::deliver::exchange::MOST_KEPT;
use crate::gateway::Snapshot;
use crate::id::DeliveryId;
use crate::record::cursor::Cursor;
use crate::store::history::{StoredAttempt, StoredDelivery};

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub struct DeliveryView {
    id: DeliveryId,
    webhook: String,
    state: &'static str,
    #[serde(rename = "type")]
    event: String,
    /// By slug, or by id when it is gone; null for an event of the gateway itself, as is the record.
    module: Option<String>,
    record_id: Option<String>,
    /// Of its change in the log.
    change: String,
    attempt_count: i64,
    /// Of the last attempt.
    status: Option<i64>,
    error_class: Option<String>,
    created_at: Timestamp,
    /// When it may be sent next.
    next_attempt_at: Option<Timestamp>,
    settled_at: Option<Timestamp>,
}

impl DeliveryView {
    pub fn new(delivery: StoredDelivery, snapshot: &Snapshot) -> Self {
        let module = delivery.module.parse().ok().and_then(|id| snapshot.module_by_id(id));
        let module = module.map_or(delivery.module, |module| module.slug().to_string());
        Self {
            id: delivery.id,
            webhook: delivery.endpoint,
            state: delivery.state.as_str(),
            event: delivery.event,
            module: Some(module).filter(|module| !module.is_empty()),
            record_id: Some(delivery.record).filter(|record| !record.is_empty()),
            change: Cursor(delivery.seq).to_string(),
            attempt_count: delivery.attempts,
            status: delivery.status,
            error_class: delivery.error,
            created_at: delivery.created_at,
            next_attempt_at: delivery.next_at,
            settled_at: delivery.settled_at,
        }
    }
}

/// What is null was not come to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Attempt)]
pub struct AttemptView {
    /// From 1.
    number: i64,
    at: Option<Timestamp>,
    url: String,
    request: MessageView,
    /// That was dialled.
    address: Option<String>,
    response: Option<ResponseView>,
    error: Option<ErrorView>,
    timings: TimingsView,
    next_attempt_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = SentMessage)]
struct MessageView {
    #[schema(value_type = Object)]
    headers: Value,
    body: BodyView,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ReceivedMessage)]
struct ResponseView {
    status: i64,
    #[serde(flatten)]
    message: MessageView,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = AttemptError)]
struct ErrorView {
    class: String,
    detail: Option<String>,
}

/// Milliseconds.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Timings)]
struct TimingsView {
    dns: Option<f64>,
    connect: Option<f64>,
    tls: Option<f64>,
    first_byte: Option<f64>,
    total: Option<f64>,
}

/// What was kept of a body: as text where it is UTF-8, else as base64.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = KeptBody)]
struct BodyView {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    /// Bytes that there were; of a truncated answer those that were read.
    size: usize,
    truncated: bool,
}

impl BodyView {
    fn new(mut kept: Vec<u8>, size: usize, truncated: bool) -> Self {
        // A cut may go through a character.
        if let Err(bad) = std::str::from_utf8(&kept)
            && truncated
            && bad.error_len().is_none()
        {
            kept.truncate(bad.valid_up_to());
        }
        let (text, base64) = match String::from_utf8(kept) {
            Ok(text) => (Some(text), None),
            Err(bytes) => (None, Some(BASE64.encode(bytes.as_bytes()))),
        };
        Self { text, base64, size, truncated }
    }
}

impl From<StoredAttempt> for AttemptView {
    fn from(attempt: StoredAttempt) -> Self {
        let headers = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        let size = usize::try_from(attempt.request_size).unwrap_or(0);
        let truncated = size > attempt.request_body.len();
        let body = BodyView::new(attempt.request_body, size, truncated);
        let request = MessageView { headers: headers(&attempt.request_headers), body };
        let response = attempt.status.map(|status| {
            let kept = attempt.response_body.unwrap_or_default();
            // How much would have followed is not known: it was not read.
            let (size, truncated) = (kept.len(), kept.len() >= MOST_KEPT);
            let headers = attempt.response_headers.as_deref().map_or(Value::Null, headers);
            ResponseView { status, message: MessageView { headers, body: BodyView::new(kept, size, truncated) } }
        });
        Self {
            number: attempt.number,
            at: Timestamp::from_micros(attempt.at),
            url: attempt.url,
            request,
            address: attempt.address,
            response,
            error: attempt.error.map(|class| ErrorView { class, detail: attempt.detail }),
            timings: TimingsView {
                dns: millis(attempt.dns_us),
                connect: millis(attempt.connect_us),
                tls: millis(attempt.tls_us),
                first_byte: millis(attempt.first_byte_us),
                total: millis(Some(attempt.total_us)),
            },
            next_attempt_at: attempt.next_at.and_then(Timestamp::from_micros),
        }
    }
}

/// Exact, since no span comes near 2^53 microseconds.
fn millis(micros: Option<i64>) -> Option<f64> {
    micros.map(|micros| micros as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_shown_as_text_where_it_is_text() {
        let shown = |kept: &[u8], size, truncated| {
            serde_json::to_value(BodyView::new(kept.to_vec(), size, truncated)).unwrap().to_string()
        };
        assert_eq!(shown("é{}".as_bytes(), 4, false), r#"{"size":4,"text":"é{}","truncated":false}"#);
        assert_eq!(shown(b"a\xc3", 3, true), r#"{"size":3,"text":"a","truncated":true}"#);
        assert_eq!(shown(b"a\xc3", 2, false), r#"{"base64":"YcM=","size":2,"truncated":false}"#);
        assert_eq!(shown(b"\xff\xc3", 9, true), r#"{"base64":"/8M=","size":9,"truncated":true}"#);
        assert_eq!(shown(b"", 0, false), r#"{"size":0,"text":"","truncated":false}"#);
    }
}
