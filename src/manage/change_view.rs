//! A change as the API shows it.

use serde::Serialize;
use serde_json::Value;

use crate::clock::Timestamp;
use crate::feed::Entry;
use crate::gateway::Snapshot;
use crate::record::change::{CUSTOM, Fields};
use crate::record::cursor::Cursor;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Change)]
pub struct ChangeView {
    /// Where to go on after this one.
    cursor: String,
    id: String,
    at: Timestamp,
    /// By slug, or by id when the module is gone. None of an event of the gateway itself.
    module: Option<String>,
    record_id: Option<String>,
    /// `insert`, `update`, `delete` or `system`.
    op: String,
    version: i64,
    types: Vec<String>,
    /// Of an update: from and to, of each field that moved.
    #[schema(value_type = Object)]
    changes: Fields,
    before: Option<RowView>,
    after: Option<RowView>,
    event_id: Option<String>,
    actor: String,
    hops: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RowOfChange)]
struct RowView {
    #[schema(value_type = Object)]
    fields: Fields,
    /// Null where the row is none of a module.
    custom_data: Value,
}

impl ChangeView {
    pub fn cursor(&self) -> &str {
        &self.cursor
    }

    pub fn new(entry: Entry, snapshot: &Snapshot) -> Self {
        let Entry { change, types } = entry;
        let slug = |id| snapshot.module_by_id(id).map_or_else(|| id.to_string(), |module| module.slug().to_string());
        Self {
            cursor: Cursor(change.seq).to_string(),
            id: change.id,
            at: change.at,
            module: change.module.map(slug),
            record_id: Some(change.record).filter(|id| !id.is_empty()),
            op: change.op,
            version: change.version,
            types,
            changes: change.moved,
            before: change.before.map(row),
            after: change.after.map(row),
            event_id: change.event,
            actor: change.actor,
            hops: change.hops,
        }
    }
}

fn row(mut fields: Fields) -> RowView {
    let custom_data = fields.remove(CUSTOM).unwrap_or(Value::Null);
    RowView { fields, custom_data }
}
