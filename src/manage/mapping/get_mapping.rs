//! The mapping in force.

use super::find;
use super::view::MappingView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

pub async fn get_mapping(gateway: &Gateway, caller: &Caller, of: (&str, &str)) -> Result<MappingView, Problem> {
    caller.needs(Role::Viewer)?;
    let (module, source) = find(gateway, of).await?;
    let version = gateway.store.mapping_version(source.id, source.mapping_version).await?;
    let version = version.ok_or_else(|| Problem::from(Code::NotFound))?;
    Ok(MappingView::new(version, &module, &source))
}
