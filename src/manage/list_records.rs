//! A module's records, oldest first.

use std::sync::Arc;

use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::manage::view::RecordView;
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn list_records(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    (asked, after): (Option<i64>, Option<&str>),
) -> Result<Page<RecordView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, after) = (limit(asked)?, cursor(after)?);
    let module = find_module(gateway, module).await?;
    let rows = gateway.store.records(&module.table, after, limit + 1).await?;
    let shape = &module.table.shape;
    Ok(Page::of(rows, limit, |row| row.id.to_string(), |row| RecordView::new(Arc::clone(shape), row)))
}
