//! Jobs, newest first.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::job_view::JobView;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::Problem;
use crate::store::keys::Role;

/// The page is a limit and a cursor.
pub async fn list_jobs(
    gateway: &Gateway,
    caller: &Caller,
    page: (Option<i64>, Option<&str>),
) -> Result<Page<JobView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, before) = (limit(page.0)?, cursor(page.1)?);
    let rows = gateway.store.jobs(before, limit + 1).await?;
    Ok(Page::of(rows, limit, |row| row.id.to_string(), JobView::from))
}
