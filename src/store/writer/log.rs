//! What a batch leaves behind besides rows: the event log and the changes.

use std::sync::Arc;

use super::batch::{BatchError, Fate, json};
use super::fold::{Change, Mutation};
use super::order::{Order, Work};
use super::statements::Statements;
use crate::clock::{Clock, Timestamp};
use crate::id::{ChangeId, EventId};
use crate::record::merge::Outcome;
use crate::record::row::{Row, Snapshot};
use crate::store::Tx;
use crate::store::changes::COLUMNS;
use crate::store::events::{self, NewEvent};
use crate::store::rows::{Cell, Rows};

/// One event row for every order that is settled well; the door keeps those that were refused.
pub(super) async fn write_events(
    tx: &mut Tx<'_>,
    statements: &Statements,
    orders: &[Order],
    fates: &[Fate],
    clock: &Clock,
) -> Result<(), BatchError> {
    let now = clock.now();
    let mut rows = Vec::with_capacity(orders.len());
    for (order, fate) in orders.iter().zip(fates) {
        let Fate::Settled(Ok(receipt)) = fate else { continue };
        let cause = match &order.work {
            Work::Ignored { cause } => Some(*cause),
            Work::Records { records, .. } if receipt.outcome == Outcome::Ignored => {
                Some(if records.is_empty() { "each" } else { "delete_when" })
            }
            Work::Records { .. } | Work::Repeat { .. } => None,
        };
        let row = NewEvent::new(&order.entry, receipt.outcome.as_str(), now);
        rows.push(NewEvent { cause, record_ids: receipt.record_ids(), duplicate_of: receipt.duplicate_of, ..row });
    }
    if !rows.is_empty() {
        events::insert(tx, &statements.events, &rows).await?;
    }
    Ok(())
}

/// Numbers and writes the changes, last before the commit: on PostgreSQL the feed lock is held from here, so that
/// `seq` is the order of commits.
///
/// Edits that other clients made of these records before us are committed, or we could not have locked the rows; so this
/// statement sees them, and says by writing nothing that they are to be numbered first. That costs the common batch, which
/// meets none, no round trip. What is committed only after the statement began touches other records.
pub(super) async fn write_changes(
    tx: &mut Tx<'_>,
    statements: &Statements,
    changes: &[Change<'_>],
    by: impl Fn(&Change<'_>) -> By,
    now: Timestamp,
) -> Result<(), BatchError> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(COLUMNS.len(), changes.len());
    for change in changes {
        rows.push(cells(by(change), change, now)?);
    }
    if statements.changes.execute(tx, &rows).await? == 0 {
        let mut records = changes.iter().map(|change| change.mutation.record()).collect::<Vec<_>>();
        records.sort_unstable();
        records.dedup();
        statements.edits.number(tx, &records, now).await?;
        statements.edits.changes.execute(tx, &rows).await?;
    }
    Ok(())
}

/// Who makes a change.
#[derive(Debug)]
pub(super) struct By {
    pub event: Option<EventId>,
    /// The event's source, or who did it by hand.
    pub actor: String,
    pub hops: u32,
}

impl From<&Order> for By {
    fn from(order: &Order) -> Self {
        let hops = match &order.work {
            Work::Records { hops, .. } => *hops,
            Work::Ignored { .. } | Work::Repeat { .. } => 0,
        };
        Self { event: Some(order.entry.id), actor: order.entry.source.to_string(), hops }
    }
}

/// One row of the log, in the order of its columns.
fn cells<'a>(by: By, change: &Change<'_>, now: Timestamp) -> Result<[Cell<'a>; COLUMNS.len()], BatchError> {
    let shape = &*change.table.shape;
    let (op, before, after) = match &change.mutation {
        Mutation::Insert(after) => ("insert", None, Some(after)),
        Mutation::Update { before, after } => ("update", Some(before), Some(after)),
        Mutation::Delete(before) => ("delete", Some(before), None),
    };
    let snapshot = |row: Option<&Arc<Row>>| row.map(|row| json(&Snapshot { shape, row })).transpose();
    Ok([
        ChangeId::new(now).to_string().into(),
        now.micros().into(),
        shape.module.to_string().into(),
        change.mutation.record().to_string().into(),
        op.into(),
        change.mutation.version().into(),
        shape.number.into(),
        snapshot(before)?.into(),
        snapshot(after)?.into(),
        by.event.map(|event| event.to_string()).into(),
        by.actor.into(),
        i64::from(by.hops).into(),
    ])
}
