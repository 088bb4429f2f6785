//! Rows of module tables: found and locked, then written, one statement a module and purpose.

use std::collections::{BTreeMap, HashSet};

use super::batch::{BatchError, json};
use super::fold::{Slot, Slots};
use crate::id::ModuleId;
use crate::record::value::Value;
use crate::store::rows::{Cell, Rows, Statement};
use crate::store::table::{Key, SYSTEM};
use crate::store::{Texts, Tx};

/// Fills the slots with the rows that stand, locked in order of module and id.
pub(super) async fn find(tx: &mut Tx<'_>, slots: &mut Slots<'_>) -> Result<(), BatchError> {
    fill(tx, slots, |key| &key.find).await
}

/// The same, and locks none.
pub(super) async fn look(tx: &mut Tx<'_>, slots: &mut Slots<'_>) -> Result<(), BatchError> {
    fill(tx, slots, |key| &key.look).await
}

async fn fill(tx: &mut Tx<'_>, slots: &mut Slots<'_>, by: fn(&Key) -> &Statement) -> Result<(), BatchError> {
    let mut groups: BTreeMap<(ModuleId, usize), Vec<usize>> = BTreeMap::new();
    for (place, slot) in slots.all.iter().enumerate() {
        groups.entry((slot.table.shape.module, slot.key)).or_default().push(place);
    }
    for places in groups.into_values() {
        let first = &slots.all[places[0]];
        let (table, key) = (first.table, &first.table.keys[first.key]);
        let mut wanted = Rows::new(1 + key.fields.len(), places.len());
        for place in &places {
            let values = slots.all[*place].values.iter().map(Cell::from);
            wanted.push(std::iter::once(i64::try_from(*place).unwrap_or(i64::MAX).into()).chain(values));
        }
        let found: Vec<Texts> = by(key).clone().fetch(tx, &wanted, None).await?;
        for Texts(texts) in found {
            let place = texts.last().and_then(Option::as_deref).and_then(|text| text.parse().ok());
            slots.found(place.ok_or(BatchError::Raced)?, table.read(&texts)?);
        }
    }
    Ok(())
}

impl<'a> From<&'a Value> for Cell<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Integer(number) => Self::Integer(*number),
            Value::Boolean(truth) => Self::Boolean(*truth),
            other => Self::Text(other.text()),
        }
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
        let (table, rows) = (deleted[0].table, ids(deleted.iter().copied()));
        execute(tx, &table.leave, &rows).await?;
        execute(tx, &table.delete, &rows).await?;
    }
    for updated in updates.values() {
        let moved = updated.iter().copied().filter(|slot| slot.is_moved());
        execute(tx, &updated[0].table.park, &ids(moved)).await?;
    }
    for places in inserts.into_values() {
        insert(tx, slots, places).await?;
    }
    for updated in updates.into_values() {
        let (moved, kept) = updated.into_iter().partition::<Vec<_>, _>(|slot| slot.is_moved());
        for (slots, in_place) in [(moved, false), (kept, true)] {
            let Some(first) = slots.first() else { continue };
            let statement = if in_place { &first.table.update } else { &first.table.rewrite };
            execute(tx, statement, &stored(&slots)?).await?;
        }
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

fn ids<'a>(slots: impl Iterator<Item = &'a Slot<'a>>) -> Rows<'a> {
    let mut rows = Rows::new(1, 0);
    slots.filter_map(|slot| slot.stored.as_deref()).for_each(|row| rows.push([row.id.to_string().into()]));
    rows
}

/// The rows were locked when they were found: less of them than expected means that someone was not held by locks.
async fn execute(tx: &mut Tx<'_>, statement: &Statement, rows: &Rows<'_>) -> Result<(), BatchError> {
    if rows.is_empty() {
        return Ok(());
    }
    let written = usize::try_from(statement.execute(tx, rows).await?).unwrap_or(0);
    if written < rows.count() { Err(BatchError::Raced) } else { Ok(()) }
}

/// New rows of one module. Rows that come back missing were somewhere else first.
async fn insert(tx: &mut Tx<'_>, slots: &Slots<'_>, mut places: Vec<usize>) -> Result<(), BatchError> {
    let key =
        |place: &usize| slots.all[*place].values.iter().map(|value| value.text().into_owned()).collect::<Vec<_>>();
    // One order of keys on every replica keeps deadlocks rare.
    places.sort_by_cached_key(key);
    let new = places.iter().map(|place| &slots.all[*place]).collect::<Vec<_>>();
    let written: Vec<(String,)> = new[0].table.insert.fetch(tx, &stored(&new)?, None).await?;
    if written.len() == new.len() {
        return Ok(());
    }
    let written = written.iter().map(|(id,)| id.as_str()).collect::<HashSet<_>>();
    let lacks = |place: &&usize| {
        let row = slots.all[**place].row.as_deref();
        row.is_some_and(|row| !written.contains(row.id.to_string().as_str()))
    };
    Err(BatchError::Taken(places.iter().filter(lacks).flat_map(|place| slots.orders(*place)).collect()))
}

/// Whole rows, in the order of the table's columns.
fn stored<'a>(slots: &[&'a Slot<'a>]) -> Result<Rows<'a>, BatchError> {
    let width = slots.first().map_or(1, |slot| SYSTEM.len() + slot.table.shape.fields.len());
    let mut rows = Rows::new(width, slots.len());
    for row in slots.iter().filter_map(|slot| slot.row.as_deref()) {
        let system: [Cell<'_>; SYSTEM.len()] = [
            row.id.to_string().into(),
            row.version.into(),
            row.event.map(|event| event.to_string()).into(),
            json(&row.guards)?.into(),
            row.created_at.to_string().into(),
            row.updated_at.to_string().into(),
            json(&row.custom_data)?.into(),
        ];
        rows.push(system.into_iter().chain(row.fields.iter().map(|value| value.as_ref().into())));
    }
    Ok(rows)
}
