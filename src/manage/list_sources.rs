//! A module's sources. Tokens and secrets are not shown: the database does not know the ones and has sealed the others.

use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::Page;
use crate::manage::source::view::{SourceView, views};
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn list_sources(gateway: &Gateway, caller: &Caller, module: &str) -> Result<Page<SourceView>, Problem> {
    caller.needs(Role::Viewer)?;
    let module = find_module(gateway, module).await?;
    let sources = gateway.store.sources().await?;
    let own = sources.into_iter().filter(|source| source.module == module.id()).collect::<Vec<_>>();
    Ok(Page { data: views(gateway, &module, &own).await?, next_cursor: None })
}
