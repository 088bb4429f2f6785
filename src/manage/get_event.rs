//! One event of the log, without its body.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::view::EventView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

pub async fn get_event(gateway: &Gateway, caller: &Caller, id: &str) -> Result<EventView, Problem> {
    caller.needs(Role::Viewer)?;
    let none = || Problem::new(Code::NotFound, "there is no such event");
    let event = gateway.store.event(id.parse().map_err(|_| none())?).await?.ok_or_else(none)?;
    Ok(EventView::new(event, &gateway.snapshot()))
}
