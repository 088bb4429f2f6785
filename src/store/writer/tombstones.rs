//! What deleted records leave behind: looked for where no row was found, written where one goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::REMEMBERED;
use super::batch::{BatchError, json};
use super::fold::{Buried, Slots};
use super::statements::Statements;
use crate::clock::Timestamp;
use crate::id::{ModuleId, RecordId};
use crate::record::row::Tombstone;
use crate::record::value::Value;
use crate::secret::{digest, hex};
use crate::store::table::Table;
use crate::store::{Tx, on};

/// Names a match value: module, fields, texts.
fn name<'v>(table: &Table, key: usize, values: impl Iterator<Item = &'v Value>) -> Result<String, BatchError> {
    let fields: Vec<&str> = table.shape.names(&table.keys[key].fields).map(|name| name.as_str()).collect();
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
    #[derive(Serialize)]
    struct Wanted {
        slot: usize,
        digest: String,
    }
    let empty = slots.all.iter().enumerate().filter(|(_, slot)| slot.row.is_none());
    let wanted =
        empty.map(|(place, slot)| Ok(Wanted { slot: place, digest: name(slot.table, slot.key, slot.values.iter())? }));
    let wanted = wanted.collect::<Result<Vec<_>, BatchError>>()?;
    if wanted.is_empty() {
        return Ok(());
    }
    let (text, rows) = (statements.tombstones.clone(), json(&wanted)?);
    let found: Vec<(String, String, String)> =
        on!(tx, tx => sqlx::query_as(text).bind(rows).bind(now.micros()).fetch_all(&mut **tx).await)?;
    let corrupt = || BatchError::Corrupt("a tombstone".to_owned());
    for (slot, id, guards) in found {
        let slot: usize = slot.parse().map_err(|_| corrupt())?;
        let guards = serde_json::from_str(&guards).map_err(|_| corrupt())?;
        let tombstone = Tombstone { id: id.parse().map_err(|_| corrupt())?, guards };
        slots.all.get_mut(slot).ok_or_else(corrupt)?.gone = Some(Arc::new(tombstone));
    }
    Ok(())
}

/// One row for each set of fields by which the record could be found. The last delete of a match value counts.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    statements: &Statements,
    buried: &[Buried<'_>],
    now: Timestamp,
) -> Result<(), BatchError> {
    #[derive(Serialize)]
    struct NewTombstone {
        digest: String,
        module_id: ModuleId,
        record_id: RecordId,
        guard: String,
        expires_at: i64,
    }
    let expires_at = now.after(REMEMBERED).micros();
    let mut rows = BTreeMap::new();
    for Buried { table, row, tombstone } in buried {
        let guard = json(&tombstone.guards)?;
        for (key, of) in table.keys.iter().enumerate() {
            let Some(values) = of.fields.iter().map(|field| row.fields[*field].as_ref()).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let digest = name(table, key, values.into_iter())?;
            let (module_id, record_id, guard) = (table.shape.module, tombstone.id, guard.clone());
            rows.insert(digest.clone(), NewTombstone { digest, module_id, record_id, guard, expires_at });
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let (text, rows) = (statements.bury.clone(), json(&rows.into_values().collect::<Vec<_>>())?);
    on!(tx, tx => sqlx::query(text).bind(rows).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
