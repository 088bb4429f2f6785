//! Deliveries to one webhook, newest first: what is due and what is settled.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::delivery_view::DeliveryView;
use crate::manage::page::{Page, cursor, limit};
use crate::problem::{Code, Problem};
use crate::store::history;
use crate::store::history::DeliveryState;
use crate::store::keys::Role;

#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub state: Option<&'a str>,
    pub event: Option<&'a str>,
    pub limit: Option<i64>,
    pub cursor: Option<&'a str>,
}

/// The history of a deleted webhook is there as long as it is kept; one that never was has none.
pub async fn list_deliveries(
    gateway: &Gateway,
    caller: &Caller,
    webhook: &str,
    wanted: Wanted<'_>,
) -> Result<Page<DeliveryView>, Problem> {
    caller.needs(Role::Viewer)?;
    let endpoint = webhook.parse().map_err(|_| Problem::new(Code::NotFound, "there is no such webhook"))?;
    let (limit, before) = (limit(wanted.limit)?, cursor(wanted.cursor)?);
    let state = wanted.state.map(|text| DeliveryState::find(text).ok_or_else(no_such_state)).transpose()?;
    let wanted = history::Wanted { endpoint, state, event: wanted.event, before, limit: limit + 1 };
    let rows = gateway.store.deliveries(&wanted, gateway.clock.now()).await?;
    let snapshot = gateway.snapshot();
    Ok(Page::of(rows, limit, |row| row.id.to_string(), |row| DeliveryView::new(row, &snapshot)))
}

fn no_such_state() -> Problem {
    let all = DeliveryState::ALL.map(DeliveryState::as_str).join(", ");
    Problem::new(Code::InvalidRequest, format!("`state` is one of {all}"))
}
