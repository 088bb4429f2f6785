//! A disabled webhook is sent what happens from now on. What it missed is remembered, and delivered when it is asked
//! for.

use serde_json::json;

use super::change::{audit, change, seen};
use super::view::WebhookView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::endpoints::EndpointStep;
use crate::store::keys::Role;
use crate::store::plan::Step;

/// One that is enabled already stays as it is.
pub async fn enable_webhook(gateway: &Gateway, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
    caller.needs(Role::Editor)?;
    let plan = change(gateway, id, None, |standing| {
        let stored = &standing.stored;
        if stored.enabled {
            return Ok((Vec::new(), ()));
        }
        let step = EndpointStep::Enable { version: stored.version };
        let (before, after) = (json!({ "state": "disabled", "cause": stored.cause }), json!({ "state": "enabled" }));
        let audit = audit(caller, "webhook.enable", stored, (&before, &after));
        Ok((vec![Step::Endpoint { id: stored.id, step }, audit], ()))
    });
    plan.await?;
    seen(gateway, id).await
}
