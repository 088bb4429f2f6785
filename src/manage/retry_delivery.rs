//! One delivery is sent now, whether it was put off, given up or delivered.

use serde_json::json;

use super::get_delivery::no_such_delivery;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::delivery_view::DeliveryView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;
use crate::store::redeliver::Resent;

pub async fn retry_delivery(gateway: &Gateway, caller: &Caller, id: &str) -> Result<DeliveryView, Problem> {
    caller.needs(Role::Editor)?;
    let id = id.parse().map_err(|_| no_such_delivery())?;
    let now = gateway.clock.now();
    let delivery = gateway.store.delivery(id, now).await?.ok_or_else(no_such_delivery)?;
    let (before, after) =
        (json!({ "state": delivery.state.as_str(), "attempts": delivery.attempts }), json!({ "state": "pending" }));
    let audit = caller.changed("delivery.retry", id.to_string(), &before, &after);
    let in_the_way = match gateway.store.resend_one(id, &audit, now).await? {
        Resent::Now => {
            gateway.deliveries.nudge();
            let delivery = gateway.store.delivery(id, now).await?.ok_or_else(no_such_delivery)?;
            return Ok(DeliveryView::new(delivery, &gateway.snapshot()));
        }
        Resent::Unknown => return Err(no_such_delivery()),
        Resent::BeingSent => "the delivery is being sent at this moment",
        Resent::Waits => {
            "the webhook asks for order, and an earlier delivery of the same record goes first: retry that one"
        }
        Resent::NoEndpoint => "the delivery's webhook is disabled or was deleted",
    };
    Err(Problem::new(Code::Conflict, in_the_way))
}
