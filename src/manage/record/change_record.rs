//! A record's fields and `custom_data`, changed by hand: what is not named stays.

use super::draft::{self, Members, puts};
use super::write::{Of, Planned, write};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::RecordView;
use crate::problem::Problem;
use crate::record::merge::Act;
use crate::record::row::Row;
use crate::store::keys::Role;
use crate::store::table::Table;

/// `condition` is the `If-Match` that was given.
pub async fn change_record(
    gateway: &Gateway,
    caller: &Caller,
    (module, record, condition): (&str, &str, Option<&str>),
    members: &Members,
) -> Result<RecordView, Problem> {
    caller.needs(Role::Editor)?;
    let plan = |table: &Table, existing: Option<&Row>| {
        let puts = puts(table, members, existing)?;
        Ok(Planned { is_bound_to_row: draft::is_bound_to_row(table, &puts), act: Act::Put(puts) })
    };
    write(gateway, caller, Of { module, record: Some(record), condition }, plan).await
}
