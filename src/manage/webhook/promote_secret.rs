//! Ends the replacement of a webhook's secret: the new one is alone from now on.

use serde_json::json;

use super::change::{audit, change, seen};
use super::view::{WebhookView, active};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::endpoints::EndpointStep;
use crate::store::keys::Role;
use crate::store::plan::Step;

pub async fn promote_secret(gateway: &Gateway, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
    caller.needs(Role::Editor)?;
    let plan = change(gateway, id, None, |standing| {
        let stored = &standing.stored;
        let mut active = active(stored, gateway.clock.now()).skip(1);
        let Some(next) = active.next() else {
            return Err(Problem::new(
                Code::Conflict,
                "the secret is not being replaced: there is one, and it is in use",
            ));
        };
        let step = EndpointStep::Secrets { version: stored.version, secrets: vec![next.clone()] };
        let audit =
            audit(caller, "webhook.promote-secret", stored, (&json!({ "secrets": 2 }), &json!({ "secrets": 1 })));
        Ok((vec![Step::Endpoint { id: stored.id, step }, audit], ()))
    });
    plan.await?;
    seen(gateway, id).await
}
