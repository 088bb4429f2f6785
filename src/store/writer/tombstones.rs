//! What deleted records leave behind: looked for where no row was found, written where one goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::REMEMBERED;
use super::batch::{BatchError, json};
use super::fold::{Buried, Slots};
use super::statements::Statements;
use crate::clock::Timestamp;
use crate::record::row::{Guards, Tombstone};
use crate::record::value::Value;
use crate::secret::{digest, hex};
use crate::store::Tx;
use crate::store::rows::Rows;
use crate::store::table::Table;

/// Names a match value: module, what its fields are known by, texts.
fn name<'v>(table: &Table, key: usize, values: impl Iterator<Item = &'v Value>) -> Result<String, BatchError> {
    let fields = &table.keys[key].marks;
    let values: Vec<_> = values.map(Value::text).collect();
    Ok(hex(&digest(&json(&(table.shape.module, fields, values))?)))
}

/// For every slot without a row: what takes the place of a deleted record starts with its guards.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    statements: &Statements,
    slots: &mut Slots<'_>,
    now: Timestamp,
) -> Result<(), BatchError> {
    let mut wanted = Rows::new(2, slots.all.len());
    for (place, slot) in slots.all.iter().enumerate().filter(|(_, slot)| slot.row.is_none()) {
        let digest = name(slot.table, slot.key, slot.values.iter())?;
        wanted.push([i64::try_from(place).unwrap_or(i64::MAX).into(), digest.into()]);
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let found: Vec<(i64, String, String)> = statements.tombstones.fetch(tx, &wanted, Some(now.micros())).await?;
    let corrupt = || BatchError::Corrupt("a tombstone".to_owned());
    for (slot, id, guards) in found {
        let slot = usize::try_from(slot).map_err(|_| corrupt())?;
        let guards = serde_json::from_str(&guards).map_err(|_| corrupt())?;
        let tombstone = Tombstone { id: id.parse().map_err(|_| corrupt())?, guards };
        slots.all.get_mut(slot).ok_or_else(corrupt)?.gone = Some(Arc::new(tombstone));
    }
    Ok(())
}

/// Under any of the match values that a new record has. Several deleted ones may have had them, one each: of every source
/// the farthest that it had come with one of these counts.
pub(super) async fn of(
    tx: &mut Tx<'_>,
    statements: &Statements,
    (table, fields): (&Table, &[Option<Value>]),
    now: Timestamp,
) -> Result<Option<Tombstone>, BatchError> {
    let mut wanted = Rows::new(2, table.keys.len());
    for (key, of) in table.keys.iter().enumerate() {
        if let Some(values) = of.fields.iter().map(|field| fields[*field].as_ref()).collect::<Option<Vec<_>>>() {
            wanted.push([0.into(), name(table, key, values.into_iter())?.into()]);
        }
    }
    if wanted.is_empty() {
        return Ok(None);
    }
    let found: Vec<(i64, String, String)> = statements.tombstones.fetch(tx, &wanted, Some(now.micros())).await?;
    let mut gone: Option<Tombstone> = None;
    for (_, id, guards) in found {
        let corrupt = || BatchError::Corrupt("a tombstone".to_owned());
        let guards: Guards = serde_json::from_str(&guards).map_err(|_| corrupt())?;
        let id = id.parse().map_err(|_| corrupt())?;
        let gone = gone.get_or_insert(Tombstone { id, guards: Guards::new() });
        for (source, at) in guards {
            let farthest = gone.guards.entry(source).or_insert(at);
            *farthest = at.max(*farthest);
        }
    }
    Ok(gone)
}

/// One row for each set of fields by which the record could be found. The last delete of a match value counts.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    statements: &Statements,
    buried: &[Buried<'_>],
    now: Timestamp,
) -> Result<(), BatchError> {
    let expires_at = now.after(REMEMBERED).micros();
    let mut tombstones = BTreeMap::new();
    for Buried { table, row, tombstone } in buried {
        let guard = json(&tombstone.guards)?;
        for (key, of) in table.keys.iter().enumerate() {
            let Some(values) = of.fields.iter().map(|field| row.fields[*field].as_ref()).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            tombstones.insert(name(table, key, values.into_iter())?, (table.shape.module, tombstone.id, guard.clone()));
        }
    }
    if tombstones.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(5, tombstones.len());
    for (digest, (module, record, guard)) in tombstones {
        rows.push([
            digest.into(),
            module.to_string().into(),
            record.to_string().into(),
            guard.into(),
            expires_at.into(),
        ]);
    }
    statements.bury.execute(tx, &rows).await?;
    Ok(())
}
