//! A module's records, oldest first.

use std::sync::Arc;

use super::get_module::{READS, find_module};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::manage::view::RecordView;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::store::keys::Role;

pub async fn list_records(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    (asked, after): (Option<i64>, Option<&str>),
) -> Result<Page<RecordView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, after) = (limit(asked)?, cursor(after)?);
    for _ in 0..READS {
        let module = find_module(gateway, module).await?;
        let shape = &module.table.shape;
        match gateway.store.records(&module.table, after, limit + 1).await {
            Err(StoreError::Conflict) => {}
            rows => {
                let view = |row| RecordView::new(Arc::clone(shape), row);
                return Ok(Page::of(rows?, limit, |row| row.id.to_string(), view));
            }
        }
    }
    Err(StoreError::Conflict.into())
}
