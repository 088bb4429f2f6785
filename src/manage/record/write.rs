//! One record is written by hand, for the verbs that do it: looked at again when the module was altered or the record
//! moved in between.

use std::sync::Arc;

use super::draft;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::get_module::find_module;
use crate::manage::precondition::meets;
use crate::manage::view::RecordView;
use crate::problem::{Code, Problem};
use crate::record::merge::Act;
use crate::record::row::Row;
use crate::store::StoreError;
use crate::store::table::Table;
use crate::store::writer::hand::{Hand, Handled};

/// Webhooks may write the same record all the time.
const TRIES: usize = 20;

/// Which record, and the `If-Match` that was given.
pub(super) struct Of<'a> {
    pub module: &'a str,
    /// None: a new one.
    pub record: Option<&'a str>,
    pub condition: Option<&'a str>,
}

/// What is to be done.
pub(super) struct Planned {
    pub act: Act,
    /// It was planned by the row as it was read, and holds for no other version.
    pub is_bound_to_row: bool,
}

/// Plans by the record as it stands, and carries that out.
pub(super) async fn write(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    plan: impl Fn(&Table, Option<&Row>) -> Result<Planned, Problem>,
) -> Result<RecordView, Problem> {
    for _ in 0..TRIES {
        let module = find_module(gateway, of.module).await?;
        let table = Arc::clone(&module.table);
        let existing = match of.record {
            Some(id) => match gateway.store.record(&table, id.parse().map_err(|_| unknown())?).await {
                // The module was altered meanwhile.
                Err(StoreError::Conflict) => continue,
                found => Some(found?.ok_or_else(unknown)?),
            },
            None => None,
        };
        if let Some(row) = &existing {
            meets(of.condition, "the record", row.version)?;
        }
        let Planned { act, is_bound_to_row } = plan(&table, existing.as_ref())?;
        let version = existing.as_ref().filter(|_| is_bound_to_row || of.condition.is_some()).map(|row| row.version);
        let (actor, address) = (caller.actor.clone(), caller.address.clone());
        let record = existing.map(|row| row.id);
        let hand = Hand { table: Arc::clone(&table), record, version, act, actor, address };
        match carry_out(gateway, hand).await {
            Ok(Handled::Done(row)) => return Ok(RecordView::new(Arc::clone(&table.shape), row)),
            Ok(Handled::Unknown) => return Err(unknown()),
            Ok(Handled::Taken(key)) => return Err(taken(&table, key)),
            Ok(Handled::Required(missing)) => return Err(draft::missing(&table.shape, &missing)),
            Ok(Handled::Moved | Handled::ShapeMoved) | Err(StoreError::Conflict | StoreError::Duplicates) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::new(Code::Conflict, "the record keeps changing at the same time; try again"))
}

/// To its end, whether or not the caller is still there.
async fn carry_out(gateway: &Gateway, hand: Hand) -> Result<Handled, StoreError> {
    let (store, now) = (Arc::clone(&gateway.store), gateway.clock.now());
    let done = gateway.uninterrupted(async move { store.by_hand(&hand, now).await }).await;
    let done = done.unwrap_or_else(|| Err(StoreError::Corrupt("a change of a record panicked".to_owned())));
    gateway.tail.nudge();
    gateway.deliveries.nudge();
    done
}

pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "there is no such record in this module")
}

fn taken(table: &Table, key: usize) -> Problem {
    let names = table.shape.names(&table.keys[key].fields).map(|name| name.as_str()).collect::<Vec<_>>();
    let detail = "another record has this value, and it identifies one record only";
    let error = |name: &&str| serde_json::json!({ "field": name, "code": "match_taken", "detail": detail });
    let errors = names.iter().map(error).collect();
    Problem::new(Code::Conflict, format!("{}: {detail}", names.join(", "))).with_errors(errors)
}
