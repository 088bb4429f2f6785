//! An earlier mapping again, as a new version: the module may have changed since, so it is checked like any other.

use serde::Deserialize;

use super::change::{Of, Wanted, change};
use super::view::MappingView;
use super::{find, find_version};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::keys::Role;

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Restoration, example = json!({ "note": "the shop sends the old form again" }))]
pub struct Restoration {
    /// Why; which version is restored is noted anyway.
    #[schema(max_length = 900)]
    note: Option<String>,
}

pub async fn restore_version(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    (number, input): (&str, Restoration),
) -> Result<MappingView, Problem> {
    caller.needs(Role::Editor)?;
    let (_, source) = find(gateway, (of.module, of.source)).await?;
    let version = find_version(gateway, &source, number).await?;
    let what = format!("restores version {}", version.version);
    let note = input.note.map_or_else(|| what.clone(), |note| format!("{what}: {note}"));
    let refusal = format!("version {} does not fit the module as it is now; nothing was changed", version.version);
    let (mapping, faults) = (version.mapping, Vec::new());
    change(gateway, caller, of, &Wanted { mapping, faults, note: Some(note), action: "mapping.restore", refusal }).await
}
