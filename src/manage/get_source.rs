//! One source.

use super::change_source::find_source;
use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::SourceView;
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn get_source(gateway: &Gateway, caller: &Caller, module: &str, slug: &str) -> Result<SourceView, Problem> {
    caller.needs(Role::Viewer)?;
    let module = find_module(gateway, module).await?;
    let source = find_source(gateway, &module, slug).await?;
    Ok(SourceView::new(&source, module.slug(), gateway.config.bounds.max_body))
}
