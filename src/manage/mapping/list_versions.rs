//! The versions of a mapping, newest first.

use super::find;
use super::view::MappingView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn list_versions(
    gateway: &Gateway,
    caller: &Caller,
    of: (&str, &str),
    page: (Option<i64>, Option<&str>),
) -> Result<Page<MappingView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, before) = (limit(page.0)?, cursor(page.1)?);
    let (module, source) = find(gateway, of).await?;
    let rows = gateway.store.mapping_versions(source.id, before, limit + 1).await?;
    let view = |version| MappingView::new(version, &module, &source);
    Ok(Page::of(rows, limit, |row| row.version.to_string(), view))
}
