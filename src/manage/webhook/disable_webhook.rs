//! Nothing more is sent to a webhook until it is enabled; what it misses is remembered.

use serde_json::json;

use super::change::{audit, change, seen};
use super::view::WebhookView;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::endpoints::EndpointStep;
use crate::store::keys::Role;
use crate::store::plan::Step;

/// Why it is disabled, as it is shown.
const CAUSE: &str = "admin";

/// One that is disabled already stays as it is, its cause, too.
pub async fn disable_webhook(gateway: &Gateway, caller: &Caller, id: &str) -> Result<WebhookView, Problem> {
    caller.needs(Role::Editor)?;
    let plan = change(gateway, id, None, |standing| {
        let stored = &standing.stored;
        if !stored.enabled {
            return Ok((Vec::new(), ()));
        }
        let step = EndpointStep::Disable { version: stored.version, cause: CAUSE };
        let (before, after) = (json!({ "state": "enabled" }), json!({ "state": "disabled", "cause": CAUSE }));
        let audit = audit(caller, "webhook.disable", stored, (&before, &after));
        Ok((vec![Step::Endpoint { id: stored.id, step }, audit], ()))
    });
    plan.await?;
    seen(gateway, id).await
}
