//! The event log: every inbound request, accepted or refused, with its raw bytes.

use super::dialect::{Dialect, Type, sql};
use super::rows::{Cell, Rows, Statement};
use super::writer::Entry;
use super::{Store, StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::{EventId, RecordId, SourceId};

/// Nothing is left to be done for the event.
const STATE_DONE: &str = "done";

pub(super) const COLUMNS: [(&str, Type); 21] = [
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
    ("record_ids", Type::Text),
    ("errors", Type::Text),
    ("duplicate_of", Type::Text),
    ("replay_of", Type::Text),
    ("address", Type::Text),
    ("query", Type::Text),
    ("headers", Type::Text),
    ("payload", Type::Text),
    ("body_size", Type::Integer),
    ("duration_us", Type::Integer),
    ("kept_bytes", Type::Integer),
];

/// What is stored of what was received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payload {
    #[default]
    Whole,
    /// The beginning of the body, redacted where something is.
    Cut,
    /// All but what is redacted: of the body, of the parameters of the URL or of the headers.
    Redacted,
    /// Nothing of the body.
    None,
}

impl Payload {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Cut => "cut",
            Self::Redacted => "redacted",
            Self::None => "none",
        }
    }
}

/// A row to be.
#[derive(Debug)]
pub(super) struct NewEvent<'a> {
    pub entry: &'a Entry,
    pub verdict: &'a str,
    pub cause: Option<&'a str>,
    pub record_ids: Vec<RecordId>,
    pub errors: Option<&'a [serde_json::Value]>,
    pub duplicate_of: Option<EventId>,
    pub duration_us: i64,
}

impl<'a> NewEvent<'a> {
    pub fn new(entry: &'a Entry, verdict: &'a str, now: Timestamp) -> Self {
        let duration = now.since(entry.received_at).as_micros();
        Self {
            entry,
            verdict,
            cause: None,
            record_ids: Vec::new(),
            errors: None,
            duplicate_of: None,
            duration_us: i64::try_from(duration).unwrap_or(i64::MAX),
        }
    }

    /// In the order of the columns, the body last.
    fn cells(&self) -> Result<[Cell<'a>; COLUMNS.len() + 1], serde_json::Error> {
        let entry = self.entry;
        let errors = self.errors.map(serde_json::to_string).transpose()?;
        Ok([
            entry.id.to_string().into(),
            entry.received_at.micros().into(),
            entry.module.to_string().into(),
            entry.source.to_string().into(),
            entry.request.to_string().into(),
            self.verdict.into(),
            self.cause.into(),
            STATE_DONE.into(),
            entry.event_type.as_deref().into(),
            entry.mapping_version.into(),
            serde_json::to_string(&self.record_ids)?.into(),
            errors.into(),
            self.duplicate_of.map(|id| id.to_string()).into(),
            entry.replay_of.map(|id| id.to_string()).into(),
            entry.address.as_deref().into(),
            entry.query.as_deref().into(),
            entry.headers.get().into(),
            entry.payload.as_str().into(),
            i64::try_from(entry.body_size).unwrap_or(i64::MAX).into(),
            self.duration_us.into(),
            i64::try_from(entry.body.len()).unwrap_or(i64::MAX).into(),
            Cell::Bytes(&entry.body),
        ])
    }
}

pub(super) fn insert_statement(dialect: Dialect) -> Statement {
    let columns = [&COLUMNS[..], &[("body", Type::Bytes)]].concat();
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let sent = columns.iter().map(|(name, kind)| dialect.sent(name, *kind)).collect::<Vec<_>>().join(", ");
    // The event of an answer that said 503 may be there already when its refusal is kept.
    Statement::new(dialect, &columns, |rows, _| {
        format!("INSERT INTO events ({names}) SELECT {sent} FROM {rows} WHERE true ON CONFLICT DO NOTHING")
    })
}

pub(super) async fn insert(tx: &mut Tx<'_>, statement: &Statement, events: &[NewEvent<'_>]) -> Result<(), sqlx::Error> {
    let mut rows = Rows::new(COLUMNS.len() + 1, events.len());
    for event in events {
        rows.push(event.cells().map_err(|error| sqlx::Error::Encode(error.into()))?);
    }
    statement.execute(tx, &rows).await?;
    Ok(())
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
    pub payload: String,
    pub body_size: i64,
    pub duration_us: i64,
    /// When payload and headers went, before the event itself.
    pub stripped_at: Option<i64>,
}

impl Store {
    pub async fn event(&self, id: EventId) -> Result<Option<StoredEvent>, StoreError> {
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        let text = sql(format!("SELECT {names}, stripped_at FROM events WHERE id = $1"));
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?)
    }

    /// The raw bytes as they were received, and when they went.
    pub async fn payload(&self, id: EventId) -> Result<Option<(Vec<u8>, Option<Timestamp>)>, StoreError> {
        let text = "SELECT body, stripped_at FROM events WHERE id = $1";
        let found: Option<(Vec<u8>, Option<i64>)> =
            on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?;
        Ok(found.map(|(body, stripped_at)| (body, stripped_at.and_then(Timestamp::from_micros))))
    }

    /// The event that was applied under this id, while it is remembered.
    pub async fn applied_as(&self, source: SourceId, key: &str, now: Timestamp) -> Result<Option<String>, StoreError> {
        let text = "SELECT event_id FROM dedupe WHERE source_id = $1 AND key = $2 AND expires_at > $3";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text)
            .bind(source.to_string()).bind(key).bind(now.micros()).fetch_optional(pool).await)?)
    }

    /// Whether an event of this id was applied and is still remembered.
    pub async fn is_applied(&self, source: SourceId, key: &str, now: Timestamp) -> Result<bool, StoreError> {
        let text = "SELECT count(*) FROM dedupe WHERE source_id = $1 AND key = $2 AND expires_at > $3";
        let count: i64 = on!(&self.read, pool => sqlx::query_scalar(text)
            .bind(source.to_string()).bind(key).bind(now.micros()).fetch_one(pool).await)?;
        Ok(count > 0)
    }
}
