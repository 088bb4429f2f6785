//! API keys, newest first; expired and revoked ones, too.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::key_view::KeyView;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::Problem;
use crate::store::keys::Role;

/// The page is a limit and a cursor.
pub async fn list_keys(
    gateway: &Gateway,
    caller: &Caller,
    page: (Option<i64>, Option<&str>),
) -> Result<Page<KeyView>, Problem> {
    caller.needs(Role::Owner)?;
    let (limit, before) = (limit(page.0)?, cursor(page.1)?);
    let rows = gateway.store.keys(before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.id.to_string(), |row| KeyView::new(row, gateway)))
}
