//! One module.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::ModuleView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;
use crate::store::modules::StoredModule;

/// How often a module's table is read when it is altered meanwhile: the store says so by a conflict.
pub const READS: usize = 5;

pub async fn get_module(gateway: &Gateway, caller: &Caller, slug: &str) -> Result<ModuleView, Problem> {
    caller.needs(Role::Viewer)?;
    Ok((&find_module(gateway, slug).await?).into())
}

/// The module as it stands in the database, which may be newer than what requests are judged by.
pub async fn find_module(gateway: &Gateway, slug: &str) -> Result<StoredModule, Problem> {
    let modules = gateway.store.modules().await?;
    let found = modules.into_iter().find(|module| module.slug().as_str() == slug);
    found.ok_or_else(|| Problem::new(Code::NotFound, "there is no module of this name"))
}
