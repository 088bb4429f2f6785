//! One version of a mapping, in force or not.

use super::view::MappingView;
use super::{find, find_version};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn get_version(
    gateway: &Gateway,
    caller: &Caller,
    of: (&str, &str),
    number: &str,
) -> Result<MappingView, Problem> {
    caller.needs(Role::Viewer)?;
    let (module, source) = find(gateway, of).await?;
    let version = find_version(gateway, &source, number).await?;
    Ok(MappingView::new(version, &module, &source))
}
