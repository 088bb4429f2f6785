//! A module's records: those that fit, sorted, page by page.

use std::sync::Arc;

use super::get_module::{READS, find_module};
use super::record::cursor;
use super::record::filter::{Asked, filters, sort};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, limit};
use crate::manage::view::RecordView;
use crate::problem::Problem;
use crate::store::StoreError;
use crate::store::keys::Role;
use crate::store::records::page::Wanted;

pub async fn list_records(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    asked: &Asked,
) -> Result<Page<RecordView>, Problem> {
    caller.needs(Role::Viewer)?;
    let limit = limit(asked.limit)?;
    for _ in 0..READS {
        let module = find_module(gateway, module).await?;
        let (table, shape) = (&module.table, &module.table.shape);
        let sort = sort(shape, asked.sort.as_deref())?;
        let after = cursor::read(shape, asked, sort)?;
        let wanted = Wanted { filters: filters(table, asked)?, sort, after, limit };
        let within = (&gateway.clock, gateway.config.bounds.query_time);
        let (rows, more) = match gateway.store.records(table, &wanted, within).await {
            Err(StoreError::Conflict) => continue,
            found => found?,
        };
        let last = if more { rows.last() } else { None };
        let next_cursor = last.map(|row| cursor::of(shape, asked, sort, row));
        let data = rows.into_iter().map(|row| RecordView::new(Arc::clone(shape), row)).collect();
        return Ok(Page { data, next_cursor });
    }
    Err(StoreError::Conflict.into())
}
