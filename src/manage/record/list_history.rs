//! A record's history: every change that the log keeps of it, and for each field who wrote it last.

use std::collections::BTreeMap;

use serde_json::Value;

use super::write::unknown;
use crate::clock::Timestamp;
use crate::gateway::{Gateway, Snapshot};
use crate::id::{ModuleId, RecordId};
use crate::manage::caller::Caller;
use crate::manage::get_module::find_module;
use crate::manage::page::{cursor, limit};
use crate::problem::Problem;
use crate::record::change::{CUSTOM, Fields, moved};
use crate::record::cursor::Cursor;
use crate::record::shape::Shape;
use crate::store::StoreError;
use crate::store::keys::Role;
use crate::store::record_history::Written;

/// Rows before and after that one page may hold, in bytes; a single larger change goes alone.
const MOST_BYTES: i64 = 4 * 1024 * 1024;
/// Pages of changes that are looked through for the last writers of fields, and changes of each.
const MOST_PAGES: usize = 5;
const A_PAGE: i64 = 100;

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Newest first.
    data: Vec<HistoryEntry>,
    next_cursor: Option<String>,
    /// The log still has the record's first change; if not, it begins later than the record does.
    is_whole: bool,
    /// By field, `custom_data` among them: who wrote it last; null where nobody did, as far as the log goes. On the first
    /// page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    fields: Option<BTreeMap<String, Option<Writer>>>,
    /// All changes that might say so were looked at. Of very long histories the newest are.
    #[serde(skip_serializing_if = "Option::is_none")]
    fields_are_whole: Option<bool>,
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    op: String,
    /// The record's, after the change.
    version: i64,
    /// From and to, of each field that moved.
    #[schema(value_type = Object)]
    changes: Fields,
    #[serde(flatten)]
    by: Writer,
}

/// Who made a change.
#[derive(Clone, Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Writer {
    change_id: String,
    at: Timestamp,
    /// The event that did it; none of what was done by hand or by SQL.
    event_id: Option<String>,
    /// The event's source by slug, or by id when it is gone.
    source: Option<String>,
    /// Of the source's mapping, while the event is kept.
    mapping_version: Option<i64>,
    /// A source's id, a key's id, or `sql`.
    actor: String,
}

impl Writer {
    fn of(written: &Written, snapshot: &Snapshot) -> Self {
        let change = &written.change;
        // An event's change names the source as its actor, also when the event is gone.
        let source = change.event.as_ref().map(|_| written.source.as_ref().unwrap_or(&change.actor));
        let slug = |id: &String| {
            let known = id.parse().ok().and_then(|id| snapshot.source_by_id(id));
            known.map_or_else(|| id.clone(), |source| source.slug.to_string())
        };
        Self {
            change_id: change.id.clone(),
            at: change.at,
            event_id: change.event.clone(),
            source: source.map(slug),
            mapping_version: written.mapping_version,
            actor: change.actor.clone(),
        }
    }
}

pub async fn list_history(
    gateway: &Gateway,
    caller: &Caller,
    (module, record): (&str, &str),
    (asked, after): (Option<i64>, Option<&str>),
) -> Result<History, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, below) = (limit(asked)?, cursor::<Cursor>(after)?);
    let module = find_module(gateway, module).await?;
    let shape = &module.table.shape;
    let of = (module.id(), record.parse().map_err(|_| unknown())?);
    let is_whole = match gateway.store.knows_beginning(of.0, of.1).await? {
        Some(is_whole) => is_whole,
        // Its changes are gone; it may stand all the same.
        None => gateway.store.record(&module.table, of.1).await?.map(|_| false).ok_or_else(unknown)?,
    };
    let from = below.map_or(i64::MAX, |below| below.0);
    let rows = gateway.store.changes_of_record(of, from, (limit, MOST_BYTES)).await?;
    let next = match rows.last() {
        Some(last) => {
            let more = gateway.store.changes_of_record(of, last.change.seq, (1, 0)).await?;
            more.first().map(|_| Cursor(last.change.seq).to_string())
        }
        None => None,
    };
    let snapshot = gateway.snapshot();
    let (fields, fields_are_whole) = match below {
        None => writers(gateway, (of, shape), &snapshot).await.map(|(fields, all)| (Some(fields), Some(all)))?,
        Some(_) => (None, None),
    };
    let data = rows.iter().map(|written| entry(written, &snapshot)).collect();
    Ok(History { data, next_cursor: next, is_whole, fields, fields_are_whole })
}

fn entry(written: &Written, snapshot: &Snapshot) -> HistoryEntry {
    let change = &written.change;
    let (op, version) = (change.op.clone(), change.version);
    HistoryEntry { op, version, changes: touched(written), by: Writer::of(written, snapshot) }
}

/// From and to of each field, of a record's first and last change, too.
fn touched(written: &Written) -> Fields {
    let nothing = Fields::from_iter([(CUSTOM.to_owned(), Value::Object(Fields::new()))]);
    let (before, after) = (written.change.before.as_ref(), written.change.after.as_ref());
    moved(Some(before.unwrap_or(&nothing)), Some(after.unwrap_or(&nothing)))
}

type Writers = BTreeMap<String, Option<Writer>>;

/// The last writer of each field of the module's, and whether that is sure.
async fn writers(
    gateway: &Gateway,
    (of, shape): ((ModuleId, RecordId), &Shape),
    snapshot: &Snapshot,
) -> Result<(Writers, bool), StoreError> {
    let names = shape.fields.iter().map(|field| field.name.as_str()).chain([CUSTOM]);
    let mut writers: Writers = names.map(|name| (name.to_owned(), None)).collect();
    let mut below = i64::MAX;
    for _ in 0..MOST_PAGES {
        let page = gateway.store.changes_of_record(of, below, (A_PAGE, MOST_BYTES)).await?;
        let Some(last) = page.last() else { return Ok((writers, true)) };
        below = last.change.seq;
        for written in &page {
            for name in touched(written).keys() {
                if let Some(writer @ None) = writers.get_mut(name) {
                    *writer = Some(Writer::of(written, snapshot));
                }
            }
        }
        if writers.values().all(Option::is_some) {
            return Ok((writers, true));
        }
    }
    Ok((writers, false))
}
