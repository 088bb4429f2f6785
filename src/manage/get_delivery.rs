//! One delivery and its attempts.

use serde::Serialize;

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::delivery_view::{AttemptView, DeliveryView};
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

/// Attempts that are shown with their bodies: the last ones.
const MOST_ATTEMPTS: i64 = 50;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DeliveryWithAttempts)]
pub struct WholeDelivery {
    #[serde(flatten)]
    delivery: DeliveryView,
    attempts: Vec<AttemptView>,
}

pub async fn get_delivery(gateway: &Gateway, caller: &Caller, id: &str) -> Result<WholeDelivery, Problem> {
    caller.needs(Role::Viewer)?;
    let id = id.parse().map_err(|_| no_such_delivery())?;
    let delivery = gateway.store.delivery(id, gateway.clock.now()).await?.ok_or_else(no_such_delivery)?;
    let attempts = gateway.store.attempts(id, MOST_ATTEMPTS).await?;
    let delivery = DeliveryView::new(delivery, &gateway.snapshot());
    Ok(WholeDelivery { delivery, attempts: attempts.into_iter().map(AttemptView::from).collect() })
}

pub fn no_such_delivery() -> Problem {
    Problem::new(Code::NotFound, "there is no such delivery")
}
