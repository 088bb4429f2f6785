//! Rows of module tables: found and locked, then written, one statement a module and purpose.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use sqlx::SqlStr;

use super::batch::{BatchError, json};
use super::fold::{Slot, Slots};
use crate::id::{ModuleId, RecordId};
use crate::record::row::Row;
use crate::record::value::Value;
use crate::store::table::Table;
use crate::store::{Tx, on, texts};

/// Fills the slots with the rows that stand, locked in order of module and id.
pub(super) async fn find(tx: &mut Tx<'_>, slots: &mut Slots<'_>) -> Result<(), BatchError> {
    let mut groups: BTreeMap<(ModuleId, usize), Vec<usize>> = BTreeMap::new();
    for (place, slot) in slots.all.iter().enumerate() {
        groups.entry((slot.table.shape.module, slot.key)).or_default().push(place);
    }
    for places in groups.into_values() {
        let first = &slots.all[places[0]];
        let (table, key) = (first.table, &first.table.keys[first.key]);
        let wanted = places.iter().map(|place| Wanted { place: *place, slot: &slots.all[*place] }).collect::<Vec<_>>();
        let (text, rows) = (key.find.clone(), json(&wanted)?);
        let found: Vec<Vec<Option<String>>> = on!(tx, tx => {
            let found = sqlx::query(text).bind(rows).fetch_all(&mut **tx).await?;
            found.iter().map(texts).collect::<Result<_, _>>()?
        });
        for texts in found {
            let place = texts.last().and_then(Option::as_deref).and_then(|text| text.parse().ok());
            slots.found(place.ok_or(BatchError::Raced)?, table.read(&texts)?);
        }
    }
    Ok(())
}

/// The match values of one slot, as the parameter's row.
struct Wanted<'a> {
    place: usize,
    slot: &'a Slot<'a>,
}

impl Serialize for Wanted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = &self.slot.table.shape;
        let key = &self.slot.table.keys[self.slot.key];
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_ord", &self.place)?;
        for (name, value) in shape.names(&key.fields).zip(self.slot.values) {
            map.serialize_entry(name.as_str(), value)?;
        }
        map.end()
    }
}

/// Writes what the merge left: rows that are gone, new rows, rows that changed, rows whose guard alone moved.
pub(super) async fn write(tx: &mut Tx<'_>, slots: &Slots<'_>) -> Result<(), BatchError> {
    let mut deletes: BTreeMap<ModuleId, Vec<&Slot<'_>>> = BTreeMap::new();
    let mut inserts: BTreeMap<ModuleId, Vec<usize>> = BTreeMap::new();
    let mut updates: BTreeMap<ModuleId, Vec<&Slot<'_>>> = BTreeMap::new();
    for (place, slot) in slots.all.iter().enumerate() {
        let module = slot.table.shape.module;
        match (&slot.stored, &slot.row) {
            (Some(stored), Some(row)) if stored.id == row.id => {
                if stored.version != row.version || stored.guards != row.guards {
                    updates.entry(module).or_default().push(slot);
                }
            }
            (stored, row) => {
                if stored.is_some() {
                    deletes.entry(module).or_default().push(slot);
                }
                if row.is_some() {
                    inserts.entry(module).or_default().push(place);
                }
            }
        }
    }
    for deleted in deletes.into_values() {
        let ids = deleted.iter().filter_map(|slot| Some(Gone { id: slot.stored.as_deref()?.id })).collect::<Vec<_>>();
        execute(tx, &deleted[0].table.delete, json(&ids)?, deleted.len()).await?;
    }
    for updated in updates.values() {
        let moved = updated.iter().filter(|slot| slot.is_moved());
        let ids = moved.filter_map(|slot| Some(Gone { id: slot.stored.as_deref()?.id })).collect::<Vec<_>>();
        if !ids.is_empty() {
            execute(tx, &updated[0].table.park, json(&ids)?, ids.len()).await?;
        }
    }
    for places in inserts.into_values() {
        insert(tx, slots, places).await?;
    }
    for updated in updates.into_values() {
        execute(tx, &updated[0].table.update, json(&stored(&updated))?, updated.len()).await?;
    }
    Ok(())
}

impl Slot<'_> {
    /// Whether the row is found by another value than it was: a unique index looks at one row at a time, in an order of
    /// its own, and would refuse that two rows swap theirs.
    fn is_moved(&self) -> bool {
        let Some((stored, row)) = self.stored.as_deref().zip(self.row.as_deref()) else { return false };
        self.table.keys.iter().flat_map(|key| &key.fields).any(|field| stored.fields[*field] != row.fields[*field])
    }
}

#[derive(Serialize)]
struct Gone {
    #[serde(rename = "_id")]
    id: RecordId,
}

/// The rows were locked when they were found: less of them than expected means that someone was not held by locks.
async fn execute(tx: &mut Tx<'_>, text: &SqlStr, rows: String, expected: usize) -> Result<(), BatchError> {
    let text = text.clone();
    let written = on!(tx, tx => sqlx::query(text).bind(rows).execute(&mut **tx).await?.rows_affected());
    if usize::try_from(written).unwrap_or(0) < expected { Err(BatchError::Raced) } else { Ok(()) }
}

/// New rows of one module. Rows that come back missing were somewhere else first.
async fn insert(tx: &mut Tx<'_>, slots: &Slots<'_>, mut places: Vec<usize>) -> Result<(), BatchError> {
    let key =
        |place: &usize| slots.all[*place].values.iter().map(|value| value.text().into_owned()).collect::<Vec<_>>();
    // One order of keys on every replica keeps deadlocks rare.
    places.sort_by_cached_key(key);
    let new = places.iter().map(|place| &slots.all[*place]).collect::<Vec<_>>();
    let (text, rows) = (new[0].table.insert.clone(), json(&stored(&new))?);
    let written: Vec<String> = on!(tx, tx => sqlx::query_scalar(text).bind(rows).fetch_all(&mut **tx).await)?;
    if written.len() == new.len() {
        return Ok(());
    }
    let written = written.iter().map(String::as_str).collect::<HashSet<_>>();
    let lacks = |place: &&usize| {
        let row = slots.all[**place].row.as_deref();
        row.is_some_and(|row| !written.contains(row.id.to_string().as_str()))
    };
    Err(BatchError::Taken(places.iter().filter(lacks).flat_map(|place| slots.orders(*place)).collect()))
}

fn stored<'a>(slots: &[&'a Slot<'a>]) -> Vec<Stored<'a>> {
    slots.iter().filter_map(|slot| Some(Stored { table: slot.table, row: slot.row.as_deref()? })).collect()
}

/// A whole row, as the parameter's row.
struct Stored<'a> {
    table: &'a Table,
    row: &'a Row,
}

impl Serialize for Stored<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.row;
        let as_text = |value: &serde_json::Value| value.to_string();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_id", &row.id)?;
        map.serialize_entry("_version", &row.version)?;
        map.serialize_entry("_event_id", &row.event)?;
        map.serialize_entry("_guard", &serde_json::to_string(&row.guards).map_err(serde::ser::Error::custom)?)?;
        map.serialize_entry("_created_at", &row.created_at)?;
        map.serialize_entry("_updated_at", &row.updated_at)?;
        map.serialize_entry("custom_data", &as_text(&row.custom_data.clone().into()))?;
        for (field, value) in self.table.shape.fields.iter().zip(&row.fields) {
            match value {
                Some(Value::Json(raw)) => map.serialize_entry(field.name.as_str(), raw.get())?,
                other => map.serialize_entry(field.name.as_str(), other)?,
            }
        }
        map.end()
    }
}
