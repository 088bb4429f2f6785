//! One record as it stands: its fields by place in the shape, `custom_data`, version and lineage.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::shape::Shape;
use super::value::{Value, weight};
use crate::clock::Timestamp;
use crate::id::{EventId, RecordId, SourceId};

/// The last `occurred_at` that each source applied to the record, in microseconds.
pub type Guards = BTreeMap<SourceId, i64>;

pub type CustomData = serde_json::Map<String, serde_json::Value>;

#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: RecordId,
    /// Counts the record's changes, from 1.
    pub version: i64,
    pub event: Option<EventId>,
    pub guards: Guards,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// One a field of the shape, in its order.
    pub fields: Vec<Option<Value>>,
    pub custom_data: CustomData,
}

impl Row {
    pub fn field(&self, place: usize) -> Option<&Value> {
        self.fields.get(place)?.as_ref()
    }

    /// The bytes that its values take, roughly.
    pub fn weight(&self) -> usize {
        let values = self.fields.iter().flatten().map(Value::weight).sum::<usize>();
        let custom = self.custom_data.iter().map(|(key, node)| key.len() + weight(node, usize::MAX)).sum::<usize>();
        values + custom + self.fields.len() * size_of::<Option<Value>>()
    }
}

/// What a deleted record leaves behind for a while, so that an older event does not bring it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    pub id: RecordId,
    pub guards: Guards,
}

/// A record's fields as one JSON object, `custom_data` last: how changes and events show a row.
pub struct Snapshot<'a> {
    pub shape: &'a Shape,
    pub row: &'a Row,
}

impl Serialize for Snapshot<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.shape.fields.len() + 1))?;
        for (field, value) in self.shape.fields.iter().zip(&self.row.fields) {
            map.serialize_entry(field.name.as_str(), value)?;
        }
        map.serialize_entry("custom_data", &self.row.custom_data)?;
        map.end()
    }
}
