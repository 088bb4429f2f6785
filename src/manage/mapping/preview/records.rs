//! One record of an event: as it stands, as it would stand, and what differs.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use super::shown::Room;
use crate::id::{EventId, RecordId};
use crate::intake::JudgedRecord;
use crate::manage::view::RecordView;
use crate::map::mapping::diff::{Members, members, object};
use crate::record::merge::Outcome;
use crate::record::row::{Row, Snapshot};
use crate::source::Source;
use crate::store::writer::foresee::Foreseen;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewRecord)]
pub struct RecordPreview {
    /// Of its node under `each`, from 0.
    index: Option<usize>,
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Null for one that would be created, or where there is nothing to delete.
    record_id: Option<RecordId>,
    /// By what it is found.
    #[schema(value_type = Object)]
    r#match: Map<String, Value>,
    /// As it stands.
    #[schema(value_type = Option<RecordView>)]
    existing: Option<Value>,
    /// As it would stand after the whole event. A record that is created has no id yet, and nothing is its event.
    #[schema(value_type = Option<RecordView>)]
    resulting: Option<Value>,
    /// The fields that differ, by name, and `custom_data`: `{"from", "to"}`.
    #[schema(value_type = Object)]
    changes: Members,
    /// The record is too large to be shown beside what else is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

pub fn of(
    source: &Source,
    event: EventId,
    (index, judged): (Option<usize>, &JudgedRecord),
    foreseen: Foreseen,
    room: &mut Room,
) -> RecordPreview {
    let Foreseen { id, outcome, before, after } = foreseen;
    let names = source.shape.names(&source.mapping.matching).map(ToString::to_string);
    let values = judged.key.iter().map(|value| serde_json::to_value(value).unwrap_or_default());
    let mut preview = RecordPreview {
        index,
        outcome,
        record_id: id.filter(|_| before.is_some() || outcome == Outcome::Stale),
        r#match: names.zip(values).collect(),
        existing: None,
        resulting: None,
        changes: Members::new(),
        cut: false,
    };
    let weight = [&before, &after].into_iter().flatten().map(|row| row.weight()).sum::<usize>();
    // Shown whole, and what differs once more.
    if !room.take(2 * weight) {
        preview.cut = true;
        return preview;
    }
    let view = |row: &Row| {
        let mut view = object(&RecordView::new(Arc::clone(&source.shape), row.clone()));
        if before.is_none() {
            view.insert("id".to_owned(), Value::Null);
        }
        if row.event == Some(event) {
            view.insert("eventId".to_owned(), Value::Null);
        }
        Value::Object(view)
    };
    preview.existing = before.as_deref().map(view);
    preview.resulting = after.as_deref().map(view);
    if let Some(after) = &after {
        let fields = |row: &Row| object(&Snapshot { shape: &source.shape, row });
        preview.changes = members(&before.as_deref().map(fields).unwrap_or_default(), &fields(after));
    }
    preview
}
