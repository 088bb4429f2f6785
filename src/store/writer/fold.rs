//! The pure middle of a batch: judged events merged into rows, in order of arrival. Events of one record fold: each
//! has its own outcome and change, the row is written once.

use std::collections::HashMap;
use std::sync::Arc;

use super::batch::Fate;
use super::claims::{Claim, Claims, asked};
use super::order::{Order, Receipt, Work, WriteError, Written};
use crate::clock::Timestamp;
use crate::id::{EventId, ModuleId, RecordId};
use crate::intake::JudgedRecord;
use crate::record::merge::{Merged, Outcome, Standing, merge};
use crate::record::row::{Row, Tombstone};
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
    /// What a record that is deleted has left.
    pub gone: Option<Arc<Tombstone>>,
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
    pub mutation: Mutation,
}

#[derive(Debug)]
pub(super) enum Mutation {
    Insert(Arc<Row>),
    Update {
        before: Arc<Row>,
        after: Arc<Row>,
    },
    /// The row as it stood; the delete is a version of its own.
    Delete(Arc<Row>),
}

impl Mutation {
    pub fn record(&self) -> RecordId {
        match self {
            Self::Insert(row) | Self::Update { after: row, .. } | Self::Delete(row) => row.id,
        }
    }

    pub fn version(&self) -> i64 {
        match self {
            Self::Insert(row) | Self::Update { after: row, .. } => row.version,
            Self::Delete(row) => row.version + 1,
        }
    }
}

/// A deleted record's tombstone, to be found by whatever the record was found by.
#[derive(Debug)]
pub(super) struct Buried<'a> {
    pub table: &'a Arc<Table>,
    pub row: Arc<Row>,
    pub tombstone: Arc<Tombstone>,
}

#[derive(Default)]
pub(super) struct Folded<'a> {
    pub fates: Vec<Fate>,
    pub changes: Vec<Change<'a>>,
    pub buried: Vec<Buried<'a>>,
    /// The bytes of all rows that were merged, roughly: each change holds one before and one after.
    weight: usize,
}

/// What one event may make of its records, and what events may that share a batch, in bytes. A large record that one
/// event changes a thousand times would be gigabytes of changes.
const MOST_OF_AN_EVENT: usize = 64 * 1024 * 1024;
const MOST_OF_A_BATCH: usize = 32 * 1024 * 1024;

impl<'a> Slots<'a> {
    /// Of one record that was found already.
    pub fn of_one(slot: Slot<'a>) -> Self {
        Self { all: vec![slot], of: Vec::new(), found: HashMap::new() }
    }

    /// One slot for each distinct match value among the orders that will be merged.
    pub fn of(orders: &'a [Order], moved: &[bool], claims: &Claims<'_>) -> Self {
        let mut slots = Self { all: Vec::new(), of: Vec::with_capacity(orders.len()), found: HashMap::new() };
        let mut known = HashMap::new();
        for (place, order) in orders.iter().enumerate() {
            let theirs = asked(order).and_then(|dedupe| claims.get(&(order.entry.source, dedupe.key.as_str())));
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

    /// For the records of one event that meets no other.
    pub fn of_event(table: &'a Arc<Table>, key: usize, records: &'a [JudgedRecord]) -> Self {
        let mut slots = Self { all: Vec::new(), of: Vec::new(), found: HashMap::new() };
        let mut known = HashMap::new();
        let of = records.iter().map(|record| slots.place(&mut known, table, key, record)).collect();
        slots.of.push(of);
        slots
    }

    /// The slot of each record of an order, in order.
    pub fn of_order(&self, order: usize) -> impl Iterator<Item = &Slot<'a>> {
        self.of[order].iter().map(|place| &self.all[*place])
    }

    fn place(
        &mut self,
        known: &mut HashMap<(ModuleId, usize, Vec<std::borrow::Cow<'a, str>>), usize>,
        table: &'a Arc<Table>,
        key: usize,
        record: &'a JudgedRecord,
    ) -> usize {
        let values = record.key.iter().map(Value::text).collect();
        let name = (table.shape.module, key, values);
        *known.entry(name).or_insert_with(|| {
            let values = &record.key;
            self.all.push(Slot { table, key, values, stored: None, row: None, gone: None });
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
    let mut folded = Folded { fates: Vec::with_capacity(orders.len()), ..Folded::default() };
    for (place, order) in orders.iter().enumerate() {
        let claim = asked(order).and_then(|dedupe| claims.get(&(order.entry.source, dedupe.key.as_str())));
        let fate = match (&order.work, claim) {
            _ if moved[place] => Fate::Settled(Err(WriteError::ShapeMoved)),
            (Work::Ignored { .. }, _) => Fate::Settled(Ok(Receipt::of(Vec::new()))),
            (_, Some(Claim::Theirs(event, records))) => duplicate(*event, records.iter().copied()),
            (_, Some(Claim::Ours(first))) if *first != place => twin(orders[*first].entry.id, &folded.fates[*first]),
            (Work::Repeat { .. }, _) => Fate::Settled(Err(WriteError::NotRepeated)),
            (Work::Records { .. }, _) if folded.weight > MOST_OF_A_BATCH || !slots.stand(place, order) => Fate::Again,
            (Work::Records { table, records, .. }, _) => {
                Fate::Settled(apply(place, table, records, slots, &mut folded, now))
            }
        };
        folded.fates.push(fate);
    }
    folded
}

fn duplicate(of: EventId, records: impl Iterator<Item = RecordId>) -> Fate {
    let records = records.map(|record| (Some(record), Outcome::Duplicate)).collect();
    Fate::Settled(Ok(Receipt { outcome: Outcome::Duplicate, records, duplicate_of: Some(of) }))
}

/// An order whose event id an earlier order of the batch carries: its duplicate, unless that one was refused or had
/// nothing to do.
fn twin(of: EventId, first: &Fate) -> Fate {
    match first {
        Fate::Settled(Ok(receipt)) if receipt.outcome != Outcome::Ignored => {
            duplicate(of, receipt.record_ids().into_iter())
        }
        _ => Fate::Again,
    }
}

/// Merges every record of one order, or none of them.
pub(super) fn apply<'a>(
    order: usize,
    table: &'a Arc<Table>,
    records: &[JudgedRecord],
    slots: &mut Slots<'a>,
    folded: &mut Folded<'a>,
    now: Timestamp,
) -> Written {
    let (changes, buried, weight) = (folded.changes.len(), folded.buried.len(), folded.weight);
    let places = slots.of[order].clone();
    let before = places.iter().map(|place| slots.all[*place].standing()).collect::<Vec<_>>();
    let mut done = Vec::with_capacity(records.len());
    let mut missing = Vec::new();
    let is_too_large = |folded: &Folded<'_>| folded.weight - weight > MOST_OF_AN_EVENT;
    for (index, (record, place)) in records.iter().zip(&places).enumerate() {
        if is_too_large(folded) {
            break;
        }
        let slot = &mut slots.all[*place];
        match merge(&table.shape, slot.as_standing(), &record.incoming, RecordId::new(now), now) {
            Err(fields) => missing.extend(fields.into_iter().map(|field| (index, field))),
            Ok(merged) => done.push(slot.take(merged, order, folded)),
        }
    }
    let error = match (is_too_large(folded), missing.is_empty()) {
        (true, _) => WriteError::TooLarge,
        (false, true) => return Ok(Receipt::of(done)),
        (false, false) => WriteError::Required(missing),
    };
    folded.changes.truncate(changes);
    folded.buried.truncate(buried);
    // Backwards, so that a slot met twice ends as it stood first.
    for (place, (row, gone)) in places.iter().zip(before).rev() {
        (slots.all[*place].row, slots.all[*place].gone) = (row, gone);
    }
    Err(error)
}

impl<'a> Slot<'a> {
    fn standing(&self) -> (Option<Arc<Row>>, Option<Arc<Tombstone>>) {
        (self.row.clone(), self.gone.clone())
    }

    fn as_standing(&self) -> Standing<'_> {
        match (&self.row, &self.gone) {
            (Some(row), _) => Standing::Row(row),
            (None, Some(gone)) => Standing::Gone(gone),
            (None, None) => Standing::Nothing,
        }
    }

    /// Stands as merged from now on; answers what is told of the record.
    fn take(&mut self, merged: Merged, order: usize, folded: &mut Folded<'a>) -> (Option<RecordId>, Outcome) {
        let table = self.table;
        let mut change = |mutation| folded.changes.push(Change { order, table, mutation });
        match merged {
            Merged::Stale(id) => (Some(id), Outcome::Stale),
            Merged::Ignored => (None, Outcome::Ignored),
            Merged::Row { outcome, row } => {
                folded.weight += row.weight();
                let (id, after) = (row.id, Arc::new(row));
                match (outcome, self.row.replace(Arc::clone(&after))) {
                    (Outcome::Updated, Some(before)) => change(Mutation::Update { before, after }),
                    (Outcome::Created, _) => change(Mutation::Insert(after)),
                    _ => {}
                }
                (Some(id), outcome)
            }
            Merged::Deleted(tombstone) => {
                let (id, tombstone) = (tombstone.id, Arc::new(tombstone));
                self.gone = Some(Arc::clone(&tombstone));
                if let Some(row) = self.row.take() {
                    change(Mutation::Delete(Arc::clone(&row)));
                    folded.buried.push(Buried { table, row, tombstone });
                }
                (Some(id), Outcome::Deleted)
            }
        }
    }
}
