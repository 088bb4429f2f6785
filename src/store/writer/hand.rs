//! What an admin does to one record: a transaction of its own, with the locks, the merge and the log of a batch, and in
//! their order. So it does not matter what else is written to the record at the same time.

use std::sync::Arc;

use serde_json::{Value as Node, json};

use super::batch::BatchError;
use super::fold::{Buried, Change, Mutation, Slot, Slots};
use super::log::{self, By};
use super::statements::Statements;
use super::{rows, tombstones};
use crate::clock::Timestamp;
use crate::id::RecordId;
use crate::record::change::CUSTOM;
use crate::record::merge::{Act, Incoming, Merged, MissingRequired, Put, Standing, merge};
use crate::record::row::{Row, Tombstone};
use crate::record::value::Value;
use crate::store::dialect::sql;
use crate::store::plan::Step;
use crate::store::rows::{Cell, Rows};
use crate::store::table::Table;
use crate::store::{Store, StoreError, Texts, Tx, acquire, begin, on};

/// What is to be done, and who wants it.
#[derive(Clone, Debug)]
pub struct Hand {
    /// As the module stood when this was checked.
    pub table: Arc<Table>,
    /// None: a new one.
    pub record: Option<RecordId>,
    /// Only while the record stands at this version.
    pub version: Option<i64>,
    pub act: Act,
    pub actor: String,
    pub address: Option<String>,
}

#[derive(Debug)]
pub enum Handled {
    /// The row as it stands now; of a deleted record as it stood.
    Done(Row),
    /// There is no such record.
    Unknown,
    /// The record stands at another version.
    Moved,
    /// The module was altered, or is gone: what was checked is to be checked again.
    ShapeMoved,
    /// Another record holds the values of this key, by place.
    Taken(usize),
    Required(Vec<MissingRequired>),
}

/// What a transaction comes to: an answer, and whether something was written.
type Wrote = (Handled, Option<Step>);

impl Store {
    /// Answers [`StoreError::Conflict`] or [`StoreError::Duplicates`] when another writer was in the way: nothing was
    /// done, and the same may be tried again.
    pub async fn by_hand(&self, hand: &Hand, now: Timestamp) -> Result<Handled, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_hand(hand.table.lock)).await?;
        let statements = Statements::new(self.dialect);
        let (handled, audit) = handle(&mut tx, &statements, hand, now).await.map_err(store_error)?;
        if let Some(audit) = audit {
            self.step(&mut tx, &audit, now.micros()).await?;
            crate::store::commit(tx).await?;
            self.checkpoints.iter().for_each(|log| log.committed());
        }
        Ok(handled)
    }
}

fn store_error(error: BatchError) -> StoreError {
    match error {
        BatchError::Database(error) | BatchError::NotBegun(error) => error.into(),
        BatchError::Raced | BatchError::Taken(_) | BatchError::Late => StoreError::Conflict,
        BatchError::Corrupt(what) => StoreError::Corrupt(what),
    }
}

async fn handle(tx: &mut Tx<'_>, statements: &Statements, hand: &Hand, now: Timestamp) -> Result<Wrote, BatchError> {
    let table = &hand.table;
    if !stands(tx, table).await? {
        return Ok((Handled::ShapeMoved, None));
    }
    let (stored, gone) = match hand.record {
        Some(id) => match find(tx, statements, table, id).await? {
            None => return Ok((Handled::Unknown, None)),
            Some(row) if hand.version.is_some_and(|version| version != row.version) => {
                return Ok((Handled::Moved, None));
            }
            found => (found, None),
        },
        None => (None, tombstones::of(tx, statements, (table, &given(table, &hand.act)), now).await?),
    };
    let standing = match (&stored, &gone) {
        (Some(row), _) => Standing::Row(row),
        (None, Some(gone)) => Standing::Gone(gone),
        (None, None) => Standing::Nothing,
    };
    let incoming = Incoming { source: None, event: None, occurred_at: None, act: hand.act.clone() };
    let merged = match merge(&table.shape, standing, &incoming, RecordId::new(now), now) {
        Ok(merged) => merged,
        Err(missing) => return Ok((Handled::Required(missing), None)),
    };
    match (stored, merged) {
        (stored, Merged::Row { row, .. }) => put(tx, statements, hand, (stored, row), now).await,
        (Some(row), Merged::Deleted(tombstone)) => delete(tx, statements, hand, (row, tombstone), now).await,
        (_, Merged::Deleted(_) | Merged::Ignored | Merged::Stale(_)) => Ok((Handled::Unknown, None)),
    }
}

/// Whether the module still has the shape that the act was checked by.
async fn stands(tx: &mut Tx<'_>, table: &Table) -> Result<bool, sqlx::Error> {
    let text = "SELECT shape FROM modules WHERE id = $1";
    let id = table.shape.module.to_string();
    let shape: Option<i64> = on!(tx, tx => sqlx::query_scalar(text).bind(id).fetch_optional(&mut **tx).await?);
    Ok(shape == Some(table.shape.number))
}

/// The row, locked.
async fn find(
    tx: &mut Tx<'_>,
    statements: &Statements,
    table: &Table,
    id: RecordId,
) -> Result<Option<Row>, BatchError> {
    let text = sql(format!("{}{}", table.get.as_str(), statements.dialect.for_update_of("t")));
    let found: Option<Texts> =
        on!(tx, tx => sqlx::query_as(text).bind(id.to_string()).fetch_optional(&mut **tx).await?);
    Ok(found.map(|Texts(texts)| table.read(&texts)).transpose()?)
}

/// The fields of a record to be, by place.
fn given(table: &Table, act: &Act) -> Vec<Option<Value>> {
    let mut fields = vec![None; table.shape.fields.len()];
    if let Act::Put(puts) = act {
        for put in &puts.fields {
            if let Put::Value(value) = &put.put {
                fields[put.field] = Some(value.clone());
            }
        }
    }
    fields
}

async fn put(
    tx: &mut Tx<'_>,
    statements: &Statements,
    hand: &Hand,
    (before, after): (Option<Row>, Row),
    now: Timestamp,
) -> Result<Wrote, BatchError> {
    if before.as_ref().is_some_and(|before| before.version == after.version) {
        return Ok((Handled::Done(after), None));
    }
    if let Some(key) = taken(tx, &hand.table, before.as_ref(), &after).await? {
        return Ok((Handled::Taken(key), None));
    }
    let (before, after) = (before.map(Arc::new), Arc::new(after));
    let slot = Slot {
        table: &hand.table,
        key: 0,
        values: &[],
        stored: before.clone(),
        row: Some(Arc::clone(&after)),
        gone: None,
    };
    rows::write(tx, &Slots::of_one(slot)).await?;
    let audit = hand.audit(before.as_deref(), Some(&after), after.id);
    let mutation = match before {
        Some(before) => Mutation::Update { before, after: Arc::clone(&after) },
        None => Mutation::Insert(Arc::clone(&after)),
    };
    note(tx, statements, hand, mutation, now).await?;
    Ok((Handled::Done(Arc::unwrap_or_clone(after)), Some(audit)))
}

async fn delete(
    tx: &mut Tx<'_>,
    statements: &Statements,
    hand: &Hand,
    (row, tombstone): (Row, Tombstone),
    now: Timestamp,
) -> Result<Wrote, BatchError> {
    let (row, tombstone) = (Arc::new(row), Arc::new(tombstone));
    let slot = Slot { table: &hand.table, key: 0, values: &[], stored: Some(Arc::clone(&row)), row: None, gone: None };
    rows::write(tx, &Slots::of_one(slot)).await?;
    let buried = Buried { table: &hand.table, row: Arc::clone(&row), tombstone };
    tombstones::write(tx, statements, &[buried], now).await?;
    note(tx, statements, hand, Mutation::Delete(Arc::clone(&row)), now).await?;
    let audit = hand.audit(Some(&row), None, row.id);
    Ok((Handled::Done(Arc::unwrap_or_clone(row)), Some(audit)))
}

async fn note(
    tx: &mut Tx<'_>,
    statements: &Statements,
    hand: &Hand,
    mutation: Mutation,
    now: Timestamp,
) -> Result<(), BatchError> {
    let change = Change { order: 0, table: &hand.table, mutation };
    let by = |_: &Change<'_>| By { event: None, actor: hand.actor.clone(), hops: 0 };
    log::write_changes(tx, statements, &[change], by, now).await
}

/// A key whose values another record has. One that gets them at the same moment is met by the unique index.
async fn taken(tx: &mut Tx<'_>, table: &Table, before: Option<&Row>, after: &Row) -> Result<Option<usize>, BatchError> {
    for (place, key) in table.keys.iter().enumerate() {
        let values = key.fields.iter().map(|field| after.fields[*field].as_ref()).collect::<Option<Vec<_>>>();
        let moved = |before: &Row| key.fields.iter().any(|field| before.fields[*field] != after.fields[*field]);
        let Some(values) = values.filter(|_| before.is_none_or(moved)) else { continue };
        let mut wanted = Rows::new(1 + values.len(), 1);
        wanted.push(std::iter::once(0.into()).chain(values.into_iter().map(Cell::from)));
        let found: Vec<Texts> = key.find.fetch(tx, &wanted, None).await?;
        let own = after.id.to_string();
        if found.iter().any(|Texts(texts)| texts.first().and_then(Option::as_deref) != Some(&own)) {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

impl Hand {
    /// Versions and the names of what moved; what was in the fields is told by the log of changes alone, which forgets.
    fn audit(&self, before: Option<&Row>, after: Option<&Row>, id: RecordId) -> Step {
        let action = match (before, after) {
            (None, _) => "record.create",
            (Some(_), Some(_)) => "record.change",
            (Some(_), None) => "record.delete",
        };
        let at = |row: &Row| json!({ "module": self.table.shape.slug, "version": row.version });
        let (was, mut is) = (before.map_or(Node::Null, at), after.map_or(Node::Null, at));
        if let (Some(after), Some(is)) = (after, is.as_object_mut()) {
            is.insert("fields".to_owned(), self.moved(before, after).into());
        }
        let detail = json!({ "before": was, "after": is }).to_string();
        let (actor, address) = (self.actor.clone(), self.address.clone());
        Step::Audit { actor, action, target: id.to_string(), detail, address }
    }

    /// Names of what has another value than before.
    fn moved(&self, before: Option<&Row>, after: &Row) -> Vec<&str> {
        let fields = self.table.shape.fields.iter().enumerate();
        let was = |place: usize| before.and_then(|row| row.fields[place].as_ref());
        let moved = fields.filter(|(place, _)| was(*place) != after.fields[*place].as_ref());
        let mut names = moved.map(|(_, field)| field.name.as_str()).collect::<Vec<_>>();
        let custom = before.map_or(!after.custom_data.is_empty(), |row| row.custom_data != after.custom_data);
        names.extend(custom.then_some(CUSTOM));
        names
    }
}
