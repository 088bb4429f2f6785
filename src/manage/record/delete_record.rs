//! A record is deleted by hand. What it leaves is what a deleting event leaves: an older event does not bring it back.

use super::write::{Of, Planned, write};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::record::merge::Act;
use crate::store::keys::Role;

/// `condition` is the `If-Match` that was given.
pub async fn delete_record(
    gateway: &Gateway,
    caller: &Caller,
    (module, record, condition): (&str, &str, Option<&str>),
) -> Result<(), Problem> {
    caller.needs(Role::Editor)?;
    let plan = |_: &_, _: Option<&_>| Ok(Planned { act: Act::Delete, is_bound_to_row: false });
    write(gateway, caller, Of { module, record: Some(record), condition }, plan).await.map(drop)
}
