//! What a lane takes and what it gives back.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::clock::Timestamp;
use crate::id::{EventId, ModuleId, RecordId, RequestId, SourceId};
use crate::intake::JudgedRecord;
use crate::record::merge::{MissingRequired, Outcome};
use crate::store::events::Payload;
use crate::store::table::Table;

/// One inbound request, as the event log keeps it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: EventId,
    pub received_at: Timestamp,
    pub request: RequestId,
    pub module: ModuleId,
    pub source: SourceId,
    pub event_type: Option<String>,
    pub mapping_version: i64,
    pub address: Option<String>,
    /// The event that an admin had judged once more.
    pub replay_of: Option<EventId>,
    /// The parameters of the URL, when the mapping looks at them.
    pub query: Option<String>,
    /// The headers kept, as one JSON object.
    pub headers: Box<serde_json::value::RawValue>,
    /// The raw body, as far as it is kept; shared, never copied.
    pub body: bytes::Bytes,
    pub payload: Payload,
    /// Bytes of the body as received; the kept body may be shorter.
    pub body_size: usize,
}

#[derive(Debug)]
pub enum Work {
    /// The event is kept and changes nothing; `cause` says which rule decided.
    Ignored { cause: &'static str },
    /// The rules refuse the event; it is answered if it was applied before.
    Repeat { dedupe: Dedupe },
    Records {
        table: Arc<Table>,
        /// Place of the matching fields in the table's keys.
        key: usize,
        dedupe: Option<Dedupe>,
        /// Written together or not at all; none when `each` found no node.
        records: Vec<JudgedRecord>,
        /// The bytes that the records take in memory, roughly.
        weight: usize,
        hops: u32,
    },
}

/// The SHA-256 of the event id, in hex, and how long it is remembered.
#[derive(Clone, Debug)]
pub struct Dedupe {
    pub key: String,
    pub expires_at: Timestamp,
    /// Of a replay: the event is applied whoever holds its id. It takes an id that is free, so that what the sender sends
    /// again is a duplicate, and leaves any other with the event that holds it.
    pub lifted: bool,
}

/// What became of a committed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of several records' outcomes the one that weighs most.
    pub outcome: Outcome,
    /// In the order of the event's records; there is no id where there was nothing to delete.
    pub records: Vec<(Option<RecordId>, Outcome)>,
    pub duplicate_of: Option<EventId>,
}

impl Receipt {
    pub fn of(records: Vec<(Option<RecordId>, Outcome)>) -> Self {
        let outcome = records.iter().map(|(_, outcome)| *outcome).min().unwrap_or(Outcome::Ignored);
        Self { outcome, records, duplicate_of: None }
    }

    pub fn record_ids(&self) -> Vec<RecordId> {
        self.records.iter().filter_map(|(record, _)| *record).collect()
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("the write queue is full")]
    QueueFull,
    /// It may have been committed all the same.
    #[error("the database does not answer")]
    Unavailable,
    /// The event was not applied before.
    #[error("the event is no repetition")]
    NotRepeated,
    /// The module was altered since the event was judged: judge it again.
    #[error("the module's shape has moved")]
    ShapeMoved,
    /// A match value that another record holds.
    #[error("another record holds one of the match values")]
    MatchTaken,
    /// By place of the record within the event.
    #[error("a required field would have no value")]
    Required(Vec<(usize, MissingRequired)>),
    /// What the event makes of its records is too much for one transaction.
    #[error("the event makes too much of its records")]
    TooLarge,
    #[error("the database refused the event")]
    Rejected,
}

pub type Written = Result<Receipt, WriteError>;

/// An event in a lane's queue, with its claim on the queue's memory.
#[derive(Debug)]
pub(super) struct Order {
    pub entry: Entry,
    pub work: Work,
    pub reply: oneshot::Sender<Written>,
    /// By the monotonic clock.
    pub queued_at: std::time::Duration,
    #[expect(dead_code, reason = "held until the order is dropped")]
    pub permit: OwnedSemaphorePermit,
}
