//! One record.

use std::sync::Arc;

use super::get_module::{READS, find_module};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::RecordView;
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::keys::Role;

pub async fn get_record(gateway: &Gateway, caller: &Caller, module: &str, id: &str) -> Result<RecordView, Problem> {
    caller.needs(Role::Viewer)?;
    let none = || Problem::new(Code::NotFound, "there is no such record in this module");
    let id = id.parse().map_err(|_| none())?;
    for _ in 0..READS {
        let module = find_module(gateway, module).await?;
        match gateway.store.record(&module.table, id).await {
            Err(StoreError::Conflict) => {}
            row => return Ok(RecordView::new(Arc::clone(&module.table.shape), row?.ok_or_else(none)?)),
        }
    }
    Err(StoreError::Conflict.into())
}
