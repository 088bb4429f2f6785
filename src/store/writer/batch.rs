//! One transaction of a lane, always in this order (DESIGN 5): modules held, event ids claimed, existing rows found
//! and locked, the pure merge, records written, events, the feed lock, changes, commit.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

use super::fold::{self, Change, Slots};
use super::log::By;
use super::order::{Order, Work, Written};
use super::statements::Statements;
use super::{claims, log, rows, tombstones};
use crate::clock::Clock;
use crate::id::ModuleId;
use crate::store::rows::Rows;
use crate::store::table::Table;
use crate::store::{Conn, StoreError, Tx, begin_batch};

#[derive(Debug)]
pub(super) enum BatchError {
    Database(sqlx::Error),
    /// The transaction did not even begin: nothing was sent that could have been committed.
    NotBegun(sqlx::Error),
    /// Another writer changed what this one had looked at.
    Raced,
    /// A row with the key of these orders (by place) came into being between the look and the insert, or another
    /// unique index has one of their values.
    Taken(Vec<usize>),
    Corrupt(String),
    /// The deadline ran out; it may have been committed all the same.
    Late,
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<StoreError> for BatchError {
    fn from(error: StoreError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

/// What a committed batch means for one of its orders.
#[derive(Debug)]
pub(super) enum Fate {
    Settled(Written),
    /// An earlier order of this batch changed what this one rests on: it is to be run after it.
    Again,
}

pub(super) async fn commit(
    conn: &mut Conn,
    statements: &Statements,
    orders: &[Order],
    clock: &Clock,
) -> Result<Vec<Fate>, BatchError> {
    let now = clock.now();
    let opening = statements.dialect.begin_batch(&locks(orders));
    let mut tx = begin_batch(conn, opening).await.map_err(BatchError::NotBegun)?;
    let moved = moved(&mut tx, statements, orders).await?;
    let claims = claims::claim(&mut tx, statements, orders, &moved, now).await?;
    let mut slots = Slots::of(orders, &moved, &claims);
    rows::find(&mut tx, &mut slots).await?;
    tombstones::find(&mut tx, statements, &mut slots, now).await?;
    let folded = fold::fold(orders, &moved, &claims, &mut slots, now);
    claims::release(&mut tx, statements, orders, &claims, &folded.fates).await?;
    rows::write(&mut tx, &slots).await?;
    tombstones::write(&mut tx, statements, &folded.buried, now).await?;
    log::write_events(&mut tx, statements, orders, &folded.fates, clock).await?;
    let by = |change: &Change<'_>| By::from(&orders[change.order]);
    log::write_changes(&mut tx, statements, &folded.changes, by, now).await?;
    crate::store::commit(tx).await?;
    Ok(folded.fates)
}

fn table(order: &Order) -> Option<&Arc<Table>> {
    match &order.work {
        Work::Records { table, .. } => Some(table),
        Work::Ignored { .. } | Work::Repeat { .. } => None,
    }
}

fn locks(orders: &[Order]) -> Vec<i64> {
    let mut locks = orders.iter().filter_map(table).map(|table| table.lock).collect::<Vec<_>>();
    locks.sort_unstable();
    locks.dedup();
    locks
}

/// As the database keeps it.
pub(super) fn json(rows: &impl Serialize) -> Result<String, BatchError> {
    serde_json::to_string(rows).map_err(|error| BatchError::Corrupt(error.to_string()))
}

/// Which orders were judged by a shape that is no longer the module's.
async fn moved(tx: &mut Tx<'_>, statements: &Statements, orders: &[Order]) -> Result<Vec<bool>, BatchError> {
    let mut ids = orders.iter().filter_map(table).map(|table| table.shape.module).collect::<Vec<_>>();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(vec![false; orders.len()]);
    }
    let mut rows = Rows::new(1, ids.len());
    ids.iter().for_each(|id| rows.push([id.to_string().into()]));
    let found: Vec<(String, i64)> = statements.shapes.fetch(tx, &rows, None).await?;
    let shapes: HashMap<ModuleId, i64> =
        found.into_iter().filter_map(|(id, shape)| Some((id.parse().ok()?, shape))).collect();
    let stands = |table: &Arc<Table>| shapes.get(&table.shape.module) == Some(&table.shape.number);
    Ok(orders.iter().map(|order| table(order).is_some_and(|table| !stands(table))).collect())
}
