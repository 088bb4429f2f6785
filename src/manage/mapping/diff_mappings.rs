//! What became of a mapping from one version to another.

use serde::Serialize;

use super::{find, find_version};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::map::mapping::diff::Diff;
use crate::problem::Problem;
use crate::store::keys::Role;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MappingDiff)]
pub struct MappingDiff {
    from: i64,
    to: i64,
    /// `rules`: those `added` and `removed` with their places, from 1; those `changed` with the `members` that differ;
    /// those `moved` among several for one field; whether any stands in another order. `keys`: the rest of the mapping,
    /// by name.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    diff: Diff,
}

/// Versions by number; without `to` the one in force, without `from` the one before `to`.
pub async fn diff_mappings(
    gateway: &Gateway,
    caller: &Caller,
    of: (&str, &str),
    (from, to): (Option<i64>, Option<i64>),
) -> Result<MappingDiff, Problem> {
    caller.needs(Role::Viewer)?;
    let (_, source) = find(gateway, of).await?;
    let to = to.unwrap_or(source.mapping_version);
    let from = from.unwrap_or_else(|| to.saturating_sub(1).max(1));
    let old = find_version(gateway, &source, &from.to_string()).await?;
    let new = find_version(gateway, &source, &to.to_string()).await?;
    Ok(MappingDiff { from, to, diff: Diff::between(&old.mapping, &new.mapping) })
}
