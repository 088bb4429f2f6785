//! All modules, by slug.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::Page;
use crate::manage::view::ModuleView;
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn list_modules(gateway: &Gateway, caller: &Caller) -> Result<Page<ModuleView>, Problem> {
    caller.needs(Role::Viewer)?;
    let modules = gateway.store.modules().await?;
    Ok(Page { data: modules.iter().map(ModuleView::from).collect(), next_cursor: None })
}
