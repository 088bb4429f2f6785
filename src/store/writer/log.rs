//! What a batch leaves behind besides rows: the event log and the changes.

use serde::Serialize;
use serde::ser::Serializer;

use super::batch::{BatchError, Fate, json};
use super::fold::{Change, Mutation};
use super::order::{Order, Work};
use super::statements::Statements;
use crate::clock::{Clock, Timestamp};
use crate::id::{ChangeId, EventId, ModuleId, RecordId};
use crate::record::merge::Outcome;
use crate::record::row::{Row, Snapshot};
use crate::record::shape::Shape;
use crate::store::events::{self, NewEvent};
use crate::store::{Tx, on};

/// One event row for every order that is settled well; the door keeps those that were refused.
pub(super) async fn write_events(
    tx: &mut Tx<'_>,
    statements: &Statements,
    orders: &[Order],
    fates: &[Fate],
    clock: &Clock,
) -> Result<(), BatchError> {
    let now = clock.now();
    let mut bodies = Vec::new();
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
        let row = NewEvent::new(&order.entry, receipt.outcome.as_str(), now, &mut bodies);
        rows.push(NewEvent { cause, record_ids: receipt.record_ids(), duplicate_of: receipt.duplicate_of, ..row });
    }
    if !rows.is_empty() {
        let text = statements.events.clone();
        events::insert(tx, text, json(&rows)?, bodies).await?;
    }
    Ok(())
}

#[derive(Serialize)]
struct NewChange<'a> {
    id: ChangeId,
    at: i64,
    module_id: ModuleId,
    record_id: RecordId,
    op: &'static str,
    version: i64,
    shape: i64,
    #[serde(serialize_with = "snapshot")]
    before: Option<(&'a Shape, &'a Row)>,
    #[serde(serialize_with = "snapshot")]
    after: Option<(&'a Shape, &'a Row)>,
    event_id: EventId,
    actor: String,
    hops: u32,
}

fn snapshot<S: Serializer>(of: &Option<(&Shape, &Row)>, serializer: S) -> Result<S::Ok, S::Error> {
    of.map(|(shape, row)| Snapshot { shape, row }).serialize(serializer)
}

/// Numbers and writes the changes, last before the commit: on PostgreSQL the feed lock is held from here, so that
/// `seq` is the order of commits.
pub(super) async fn write_changes(
    tx: &mut Tx<'_>,
    statements: &Statements,
    orders: &[Order],
    changes: &[Change<'_>],
    now: Timestamp,
) -> Result<(), BatchError> {
    if changes.is_empty() {
        return Ok(());
    }
    let rows = changes.iter().map(|change| new_change(&orders[change.order], change, now)).collect::<Vec<_>>();
    let (text, rows) = (statements.changes.clone(), json(&rows)?);
    on!(tx, tx => sqlx::query(text).bind(rows).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}

fn new_change<'a>(order: &Order, change: &'a Change<'_>, now: Timestamp) -> NewChange<'a> {
    let shape = &*change.table.shape;
    let hops = match &order.work {
        Work::Records { hops, .. } => *hops,
        Work::Ignored { .. } | Work::Repeat { .. } => 0,
    };
    let (op, before, after) = match &change.mutation {
        Mutation::Insert(after) => ("insert", None, Some(after)),
        Mutation::Update { before, after } => ("update", Some(before), Some(after)),
        Mutation::Delete(before) => ("delete", Some(before), None),
    };
    NewChange {
        id: ChangeId::new(now),
        at: now.micros(),
        module_id: shape.module,
        record_id: change.mutation.record(),
        op,
        version: change.mutation.version(),
        shape: shape.number,
        before: before.map(|row| (shape, &**row)),
        after: after.map(|row| (shape, &**row)),
        event_id: order.entry.id,
        actor: order.entry.source.to_string(),
        hops,
    }
}
