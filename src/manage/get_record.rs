//! One record.

use std::sync::Arc;

use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::RecordView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

pub async fn get_record(gateway: &Gateway, caller: &Caller, module: &str, id: &str) -> Result<RecordView, Problem> {
    caller.needs(Role::Viewer)?;
    let none = || Problem::new(Code::NotFound, "there is no such record in this module");
    let module = find_module(gateway, module).await?;
    let id = id.parse().map_err(|_| none())?;
    let row = gateway.store.record(&module.table, id).await?.ok_or_else(none)?;
    Ok(RecordView::new(Arc::clone(&module.table.shape), row))
}
