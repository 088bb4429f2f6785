//! A new record by hand.

use super::draft::{Members, puts};
use super::write::{Of, Planned, write};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::RecordView;
use crate::problem::Problem;
use crate::record::merge::Act;
use crate::store::keys::Role;

pub async fn create_record(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    members: &Members,
) -> Result<RecordView, Problem> {
    caller.needs(Role::Editor)?;
    let of = Of { module, record: None, condition: None };
    let plan =
        |table: &_, _: Option<&_>| Ok(Planned { act: Act::Put(puts(table, members, None)?), is_bound_to_row: false });
    write(gateway, caller, of, plan).await
}
