//! The pure middle of a batch: judged events merged into rows, in order of arrival. Events of one record fold: each
//! has its own outcome and change, the row is written once.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Fate;
use super::claims::{Claim, Claims, dedupe};
use super::order::{Order, Receipt, RecordWork, Work, WriteError};
use crate::clock::Timestamp;
use crate::id::{EventId, ModuleId, RecordId};
use crate::record::merge::{MissingRequired, Outcome, merge};
use crate::record::row::Row;
use crate::record::value::Value;
use crate::store::table::Table;

/// One record that a batch touches.
#[derive(Debug)]
pub(super) struct Slot<'a> {
    pub table: &'a Arc<Table>,
    /// Place of the matching fields in the table's keys, and their values.
    pub key: usize,
    pub values: &'a [Value],
    /// As it stood before the batch; `None` when it did not.
    pub stored: Option<Arc<Row>>,
    /// As it stands now.
    pub row: Option<Arc<Row>>,
}

#[derive(Debug)]
pub(super) struct Slots<'a> {
    pub all: Vec<Slot<'a>>,
    /// The slot of each record of each order, in order.
    of: Vec<Vec<usize>>,
    /// The slot of each row that was found.
    found: HashMap<RecordId, usize>,
}

/// A change that the batch owes the log.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub order: usize,
    pub table: &'a Arc<Table>,
    pub before: Option<Arc<Row>>,
    pub after: Arc<Row>,
}

pub(super) struct Folded<'a> {
    pub fates: Vec<Fate>,
    pub changes: Vec<Change<'a>>,
}

impl<'a> Slots<'a> {
    /// One slot for each distinct match value among the orders that will be merged.
    pub fn of(orders: &'a [Order], moved: &[bool], claims: &Claims<'_>) -> Self {
        let mut slots = Self { all: Vec::new(), of: Vec::with_capacity(orders.len()), found: HashMap::new() };
        let mut known = HashMap::new();
        for (place, order) in orders.iter().enumerate() {
            let theirs = dedupe(order).and_then(|dedupe| claims.get(&(order.entry.source, dedupe.key.as_str())));
            let merges = !moved[place] && !matches!(theirs, Some(Claim::Theirs(..)));
            let of = match &order.work {
                Work::Records { table, key, records, .. } if merges => {
                    records.iter().map(|record| slots.place(&mut known, table, *key, record)).collect()
                }
                _ => Vec::new(),
            };
            slots.of.push(of);
        }
        slots
    }

    fn place(
        &mut self,
        known: &mut HashMap<(ModuleId, usize, Vec<std::borrow::Cow<'a, str>>), usize>,
        table: &'a Arc<Table>,
        key: usize,
        record: &'a RecordWork,
    ) -> usize {
        let values = record.key.iter().map(Value::text).collect();
        let name = (table.shape.module, key, values);
        *known.entry(name).or_insert_with(|| {
            self.all.push(Slot { table, key, values: &record.key, stored: None, row: None });
            self.all.len() - 1
        })
    }

    /// Whether the rows of this order still have the keys by which they were found: an earlier order of the batch may
    /// have given one of them another.
    fn stand(&self, place: usize, order: &Order) -> bool {
        let Work::Records { table, key, records, .. } = &order.work else { return true };
        let fields = &table.keys[*key].fields;
        self.of[place].iter().zip(records).all(|(slot, record)| {
            let row = self.all[*slot].row.as_deref();
            row.is_none_or(|row| {
                fields.iter().zip(&record.key).all(|(field, value)| row.fields[*field].as_ref() == Some(value))
            })
        })
    }

    /// The orders that touch this slot, by place.
    pub fn orders(&self, slot: usize) -> Vec<usize> {
        let touches = |(place, of): (usize, &Vec<usize>)| of.contains(&slot).then_some(place);
        self.of.iter().enumerate().filter_map(touches).collect()
    }

    /// Puts a row that was found into its slot. A row found by two keys has two names and one slot.
    pub fn found(&mut self, place: usize, row: Row) {
        let first = *self.found.entry(row.id).or_insert(place);
        if first != place {
            self.of.iter_mut().flatten().filter(|slot| **slot == place).for_each(|slot| *slot = first);
            return;
        }
        let row = Arc::new(row);
        self.all[place].stored = Some(Arc::clone(&row));
        self.all[place].row = Some(row);
    }
}

pub(super) fn fold<'a>(
    orders: &'a [Order],
    moved: &[bool],
    claims: &Claims<'_>,
    slots: &mut Slots<'a>,
    now: Timestamp,
) -> Folded<'a> {
    let mut folded = Folded { fates: Vec::with_capacity(orders.len()), changes: Vec::new() };
    for (place, order) in orders.iter().enumerate() {
        let claim = dedupe(order).and_then(|dedupe| claims.get(&(order.entry.source, dedupe.key.as_str())));
        let fate = match (&order.work, claim) {
            _ if moved[place] => Fate::Settled(Err(WriteError::ShapeMoved)),
            (Work::Ignored { .. }, _) => {
                let receipt = Receipt { outcome: Outcome::Ignored, records: Vec::new(), duplicate_of: None };
                Fate::Settled(Ok(receipt))
            }
            (_, Some(Claim::Theirs(event, records))) => duplicate(*event, records.iter().copied()),
            (_, Some(Claim::Ours(first))) if *first != place => twin(orders[*first].entry.id, &folded.fates[*first]),
            (Work::Repeat { .. }, _) => Fate::Settled(Err(WriteError::NotRepeated)),
            (Work::Records { .. }, _) if !slots.stand(place, order) => Fate::Again,
            (Work::Records { table, records, .. }, _) => Fate::Settled(
                apply(place, table, records, slots, &mut folded.changes, now).map_err(WriteError::Required),
            ),
        };
        folded.fates.push(fate);
    }
    folded
}

fn duplicate(of: EventId, records: impl Iterator<Item = RecordId>) -> Fate {
    let records = records.map(|record| (record, Outcome::Duplicate)).collect();
    Fate::Settled(Ok(Receipt { outcome: Outcome::Duplicate, records, duplicate_of: Some(of) }))
}

/// An order whose event id an earlier order of the batch carries: its duplicate, unless that one was refused.
fn twin(of: EventId, first: &Fate) -> Fate {
    match first {
        Fate::Settled(Ok(receipt)) => duplicate(of, receipt.records.iter().map(|(record, _)| *record)),
        _ => Fate::Again,
    }
}

/// Merges every record of one order, or none of them.
fn apply<'a>(
    order: usize,
    table: &'a Arc<Table>,
    records: &[RecordWork],
    slots: &mut Slots<'a>,
    changes: &mut Vec<Change<'a>>,
    now: Timestamp,
) -> Result<Receipt, Vec<(usize, MissingRequired)>> {
    let kept = changes.len();
    let places = slots.of[order].clone();
    let before = places.iter().map(|place| slots.all[*place].row.clone()).collect::<Vec<_>>();
    let mut done = Vec::with_capacity(records.len());
    let mut missing = Vec::new();
    for (index, (record, place)) in records.iter().zip(&places).enumerate() {
        let slot = &mut slots.all[*place];
        let fresh = RecordId::new(now);
        match merge(&table.shape, slot.row.as_deref(), &record.incoming, fresh, now) {
            Err(fields) => missing.extend(fields.into_iter().map(|field| (index, field))),
            Ok(merged) => {
                done.push((merged.row.id, merged.outcome));
                let after = Arc::new(merged.row);
                if matches!(merged.outcome, Outcome::Created | Outcome::Updated) {
                    changes.push(Change { order, table, before: slot.row.clone(), after: Arc::clone(&after) });
                }
                slot.row = Some(after);
            }
        }
    }
    if missing.is_empty() {
        let outcome = done.first().map_or(Outcome::Ignored, |(_, outcome)| *outcome);
        return Ok(Receipt { outcome, records: done, duplicate_of: None });
    }
    changes.truncate(kept);
    // Backwards, so that a slot met twice ends as it stood first.
    places.iter().zip(before).rev().for_each(|(place, row)| slots.all[*place].row = row);
    Err(missing)
}
