//! What an event would do, by the very look-ups and the very merge of a batch, in a transaction that can only read: it
//! locks nobody out, and nothing of it stays.

use std::collections::HashSet;
use std::sync::Arc;

use super::batch::BatchError;
use super::fold::{Folded, Slots, apply};
use super::order::WriteError;
use super::statements::Statements;
use super::{rows, tombstones};
use crate::clock::Timestamp;
use crate::id::RecordId;
use crate::intake::JudgedRecord;
use crate::record::merge::Outcome;
use crate::record::row::Row;
use crate::record::value::Value;
use crate::store::rows::Rows;
use crate::store::table::{Key, Table};
use crate::store::{Store, StoreError, Texts, Tx, acquire, begin_read};

/// One of the event's records, in their order.
#[derive(Debug)]
pub struct Foreseen {
    /// There is none where there was nothing to delete.
    pub id: Option<RecordId>,
    pub outcome: Outcome,
    /// The record as it stands, and as it would stand after the whole event.
    pub before: Option<Arc<Row>>,
    pub after: Option<Arc<Row>>,
}

impl Store {
    /// `key` is the place of the matching fields in the table's keys. The inner error is the one that the writer would
    /// answer.
    pub async fn foresee(
        &self,
        table: &Arc<Table>,
        key: usize,
        records: &[JudgedRecord],
        now: Timestamp,
    ) -> Result<Result<Vec<Foreseen>, WriteError>, StoreError> {
        let mut conn = acquire(&self.read).await?;
        let mut tx = begin_read(&mut conn).await?;
        let mut slots = Slots::of_event(table, key, records);
        let statements = Statements::new(self.dialect);
        rows::look(&mut tx, &mut slots).await.map_err(unread)?;
        tombstones::find(&mut tx, &statements, &mut slots, now).await.map_err(unread)?;
        let receipt = match apply(0, table, records, &mut slots, &mut Folded::default(), now) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Err(error)),
        };
        if is_taken(&mut tx, table, &slots).await? {
            return Ok(Err(WriteError::MatchTaken));
        }
        let foreseen = receipt.records.into_iter().zip(slots.of_order(0)).map(|((id, outcome), slot)| {
            // Another record of this event may have taken the place of this one.
            let this = |row: &Option<Arc<Row>>| row.clone().filter(|row| Some(row.id) == id);
            Foreseen { id, outcome, before: this(&slot.stored), after: this(&slot.row) }
        });
        Ok(Ok(foreseen.collect()))
    }
}

fn unread(error: BatchError) -> StoreError {
    match error {
        BatchError::Database(error) | BatchError::NotBegun(error) => error.into(),
        BatchError::Corrupt(what) => StoreError::Corrupt(what),
        BatchError::Raced | BatchError::Taken(_) | BatchError::Late => StoreError::Conflict,
    }
}

/// Whether a row would have a value by which another is found: what a unique index says when it is written.
async fn is_taken(tx: &mut Tx<'_>, table: &Arc<Table>, slots: &Slots<'_>) -> Result<bool, StoreError> {
    for key in &table.keys {
        let Some(newcomers) = newcomers(key, slots) else { return Ok(true) };
        if newcomers.is_empty() {
            continue;
        }
        let mut wanted = Rows::new(1 + key.fields.len(), newcomers.len());
        for (place, (_, values)) in newcomers.iter().enumerate() {
            let place = i64::try_from(place).unwrap_or(i64::MAX);
            wanted.push(std::iter::once(place.into()).chain(values.iter().map(|value| (*value).into())));
        }
        let found: Vec<Texts> = key.look.fetch(tx, &wanted, None).await?;
        for Texts(texts) in found {
            let place = texts.last().and_then(Option::as_deref).and_then(|text| text.parse::<usize>().ok());
            let (newcomer, values) = place.and_then(|place| newcomers.get(place)).ok_or(StoreError::Conflict)?;
            let holder = table.read(&texts)?;
            if holder.id != newcomer.id && still_holds(&holder, key, values, slots) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

type Newcomer<'s> = (&'s Row, Vec<&'s Value>);

fn found_by<'r>(row: &'r Row, key: &Key) -> Option<Vec<&'r Value>> {
    key.fields.iter().map(|field| row.field(*field)).collect()
}

/// The rows that would be found by other values than now; `None` when two of this event's would be found by the same.
fn newcomers<'s>(key: &Key, slots: &'s Slots<'_>) -> Option<Vec<Newcomer<'s>>> {
    let (mut seen, mut newcomers) = (HashSet::new(), Vec::new());
    for (stored, row) in slots.all.iter().filter_map(|slot| Some((slot.stored.as_deref(), slot.row.as_deref()?))) {
        let Some(values) = found_by(row, key) else { continue };
        if !seen.insert(values.iter().map(|value| value.text()).collect::<Vec<_>>()) {
            return None;
        }
        let stands =
            stored.is_some_and(|stored| stored.id == row.id && found_by(stored, key).as_ref() == Some(&values));
        if !stands {
            newcomers.push((row, values));
        }
    }
    Some(newcomers)
}

/// Whether the event leaves the holder of these values as it is, or at least with them.
fn still_holds(holder: &Row, key: &Key, values: &[&Value], slots: &Slots<'_>) -> bool {
    let is_holder = |row: &Row| row.id == holder.id;
    match slots.all.iter().find(|slot| slot.stored.as_deref().is_some_and(is_holder)) {
        None => true,
        Some(slot) => {
            let after = slot.row.as_deref().filter(|row| is_holder(row));
            after.is_some_and(|row| found_by(row, key).is_some_and(|found| found == values))
        }
    }
}
