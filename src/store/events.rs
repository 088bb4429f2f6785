//! The event log: every inbound request, accepted or refused, with its raw bytes.

use serde::Serialize;
use sqlx::SqlStr;

use super::dialect::{Dialect, Type, sql};
use super::writer::Entry;
use super::{Store, StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::{EventId, ModuleId, RecordId, RequestId, SourceId};

/// Nothing is left to be done for the event.
const STATE_DONE: &str = "done";

const COLUMNS: [(&str, Type); 19] = [
    ("id", Type::Text),
    ("received_at", Type::Integer),
    ("module_id", Type::Text),
    ("source_id", Type::Text),
    ("request_id", Type::Text),
    ("verdict", Type::Text),
    ("cause", Type::Text),
    ("state", Type::Text),
    ("event_type", Type::Text),
    ("mapping_version", Type::Integer),
    ("record_ids", Type::Nested),
    ("errors", Type::Nested),
    ("duplicate_of", Type::Text),
    ("replay_of", Type::Text),
    ("address", Type::Text),
    ("query", Type::Text),
    ("headers", Type::Nested),
    ("body_size", Type::Integer),
    ("duration_us", Type::Integer),
];

/// A row to be, as the parameter's row. The body travels beside it, as a piece of the second parameter.
#[derive(Debug, Serialize)]
pub(super) struct NewEvent<'a> {
    pub id: EventId,
    pub received_at: i64,
    pub module_id: ModuleId,
    pub source_id: SourceId,
    pub request_id: RequestId,
    pub verdict: &'a str,
    pub cause: Option<&'a str>,
    pub state: &'static str,
    pub event_type: Option<&'a str>,
    pub mapping_version: i64,
    pub record_ids: Vec<RecordId>,
    pub errors: Option<&'a [serde_json::Value]>,
    pub duplicate_of: Option<EventId>,
    pub replay_of: Option<EventId>,
    pub address: Option<&'a str>,
    pub query: Option<&'a str>,
    pub headers: &'a serde_json::value::RawValue,
    pub body_at: usize,
    pub body_length: usize,
    pub body_size: usize,
    pub duration_us: u64,
}

impl<'a> NewEvent<'a> {
    /// Appends the body to `bodies` and says where it stands there.
    pub fn new(entry: &'a Entry, verdict: &'a str, now: Timestamp, bodies: &mut Vec<u8>) -> Self {
        let body_at = bodies.len() + 1;
        bodies.extend_from_slice(&entry.body);
        Self {
            id: entry.id,
            received_at: entry.received_at.micros(),
            module_id: entry.module,
            source_id: entry.source,
            request_id: entry.request,
            verdict,
            cause: None,
            state: STATE_DONE,
            event_type: entry.event_type.as_deref(),
            mapping_version: entry.mapping_version,
            record_ids: Vec::new(),
            errors: None,
            duplicate_of: None,
            replay_of: None,
            address: entry.address.as_deref(),
            query: entry.query.as_deref(),
            headers: &entry.headers,
            body_at,
            body_length: entry.body.len(),
            body_size: entry.body_size,
            duration_us: u64::try_from(now.since(entry.received_at).as_micros()).unwrap_or(u64::MAX),
        }
    }
}

pub(super) fn insert_text(dialect: Dialect) -> String {
    let names = COLUMNS.map(|(name, _)| name).join(", ");
    let sent = COLUMNS.map(|(name, kind)| dialect.sent(name, kind)).join(", ");
    let columns = [&COLUMNS[..], &[("body_at", Type::Integer), ("body_length", Type::Integer)]].concat();
    // The event of an answer that said 503 may be there already when its refusal is kept.
    format!(
        "INSERT INTO events ({names}, body) SELECT {sent}, {} FROM {} WHERE true ON CONFLICT DO NOTHING",
        dialect.slice("r.body_at", "r.body_length"),
        dialect.rows(&columns),
    )
}

pub(super) async fn insert(tx: &mut Tx<'_>, text: SqlStr, rows: String, bodies: Vec<u8>) -> Result<(), sqlx::Error> {
    on!(tx, tx => sqlx::query(text).bind(rows).bind(bodies).execute(&mut **tx).await.map(|_| ()))
}

/// An event without its body, as the log lists it.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredEvent {
    pub id: String,
    pub received_at: i64,
    pub module_id: String,
    pub source_id: String,
    pub request_id: String,
    pub verdict: String,
    pub cause: Option<String>,
    pub state: String,
    pub event_type: Option<String>,
    pub mapping_version: Option<i64>,
    pub record_ids: String,
    pub errors: Option<String>,
    pub duplicate_of: Option<String>,
    pub replay_of: Option<String>,
    pub address: Option<String>,
    pub query: Option<String>,
    pub headers: String,
    pub body_size: i64,
    pub duration_us: i64,
}

impl Store {
    /// Newest first, before an id when one is given, of these sources when some are named.
    pub async fn events(
        &self,
        sources: Option<&[SourceId]>,
        before: Option<EventId>,
        limit: i64,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        #[derive(Serialize)]
        struct Id {
            id: SourceId,
        }
        let rows = self.dialect.rows(&[("id", Type::Text)]);
        // The parameter is bound either way, so that there is one order of parameters.
        let of_sources = match sources {
            Some(_) => format!("source_id IN (SELECT r.id FROM {rows})"),
            None => "$1 = '[]'".to_owned(),
        };
        let ids = sources.unwrap_or_default().iter().map(|id| Id { id: *id }).collect::<Vec<_>>();
        let ids = serde_json::to_string(&ids).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let text = sql(format!("SELECT {names} FROM events WHERE {of_sources} AND id < $2 ORDER BY id DESC LIMIT $3"));
        // Sorts after every id.
        let before = before.map_or_else(|| "evt_~".to_owned(), |before| before.to_string());
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(ids).bind(before).bind(limit).fetch_all(pool).await)?)
    }

    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        let text = sql(format!("SELECT {names} FROM events WHERE id = $1"));
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?)
    }

    /// The raw bytes as they were received.
    pub async fn payload(&self, id: EventId) -> Result<Option<Vec<u8>>, StoreError> {
        let text = "SELECT body FROM events WHERE id = $1";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).bind(id.to_string()).fetch_optional(pool).await)?)
    }

    /// Whether an event of this id was applied and is still remembered.
    pub async fn is_applied(&self, source: SourceId, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let text = "SELECT count(*) FROM dedupe WHERE source_id = $1 AND key = $2 AND expires_at > $3";
        let count: i64 = on!(&self.read, pool => sqlx::query_scalar(text)
            .bind(source.to_string()).bind(key).bind(now.micros()).fetch_one(pool).await)?;
        Ok(count > 0)
    }
}
