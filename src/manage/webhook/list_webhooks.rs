//! All webhooks, oldest first.

use super::view::WebhookView;
use crate::gateway::Gateway;
use crate::id::EndpointId;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::Problem;
use crate::store::keys::Role;

pub async fn list_webhooks(
    gateway: &Gateway,
    caller: &Caller,
    (asked, after): (Option<i64>, Option<&str>),
) -> Result<Page<WebhookView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, after) = (limit(asked)?, cursor::<EndpointId>(after)?);
    let all = gateway.store.endpoints().await?.all;
    let rest = all.into_iter().filter(|stored| after.is_none_or(|after| stored.id > after)).collect();
    let Page { data, next_cursor } = Page::of(rest, limit, |stored| stored.id.to_string(), |stored| stored);
    let views = data.iter().map(|stored| WebhookView::new(stored, gateway)).collect::<Result<_, _>>()?;
    Ok(Page { data: views, next_cursor })
}
