//! A change as the API shows it.

use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::feed::Change;
use crate::gateway::Snapshot;
use crate::record::change::{EventType, Fields};

/// What is free-form in a row, as rows of the log name it.
const CUSTOM: &str = "custom_data";

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeView {
    /// Where to go on after this one.
    cursor: String,
    id: String,
    at: Option<Timestamp>,
    /// By slug, or by id when the module is gone.
    module: String,
    record_id: String,
    op: String,
    version: i64,
    types: Vec<&'static str>,
    /// Of an update: from and to, of each field that moved.
    changes: Fields,
    before: Option<RowView>,
    after: Option<RowView>,
    event_id: Option<String>,
    actor: String,
    hops: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RowView {
    fields: Fields,
    custom_data: Value,
}

impl ChangeView {
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    pub fn new(change: Change, snapshot: &Snapshot) -> Self {
        let module = change.stored.module_id.parse().ok().and_then(|id| snapshot.module_by_id(id));
        Self {
            cursor: change.cursor.to_string(),
            at: change.at,
            module: module.map_or_else(|| change.stored.module_id.clone(), |module| module.slug().to_string()),
            types: change.types.into_iter().map(EventType::as_str).collect(),
            changes: change.moved,
            before: change.before.map(row),
            after: change.after.map(row),
            id: change.stored.id,
            record_id: change.stored.record_id,
            op: change.stored.op,
            version: change.stored.version,
            event_id: change.stored.event_id,
            actor: change.stored.actor,
            hops: change.stored.hops,
        }
    }
}

fn row(mut fields: Fields) -> RowView {
    let custom_data = fields.remove(CUSTOM).unwrap_or(Value::Null);
    RowView { fields, custom_data }
}
