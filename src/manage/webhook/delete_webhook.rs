//! A webhook goes, with all that is owed to it. What was settled stays in the history.

use serde_json::Value;

use super::audited::audited;
use super::change::{audit, change};
use super::headers;
use super::view::settings;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::endpoints::EndpointStep;
use crate::store::keys::Role;
use crate::store::plan::Step;

pub async fn delete_webhook(
    gateway: &Gateway,
    caller: &Caller,
    (id, condition): (&str, Option<&str>),
) -> Result<(), Problem> {
    caller.needs(Role::Editor)?;
    let plan = change(gateway, id, condition, |standing| {
        let stored = &standing.stored;
        // One whose settings cannot be read can be deleted, too.
        let headers = headers::open(stored, &gateway.seal).unwrap_or_default();
        let before = settings(stored).map_or(Value::Null, |raw| audited(&raw, &headers));
        let step = EndpointStep::Delete { version: stored.version };
        let audit = audit(caller, "webhook.delete", stored, (&before, &Value::Null));
        Ok((vec![Step::Endpoint { id: stored.id, step }, audit], ()))
    });
    plan.await
}
