//! A webhook's settings and custom headers, changed member by member: null takes one back to its default.

use super::audited;
use super::change::{Standing, audit, change, seen};
use super::draft::{Beside, Draft};
use super::headers;
use super::members::Members;
use super::view::{WebhookView, active, settings};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;
use crate::store::endpoints::{EndpointStep, StoredEndpoint};
use crate::store::keys::Role;
use crate::store::plan::Step;

/// `condition` is the `If-Match` that was given.
pub async fn change_webhook(
    gateway: &Gateway,
    caller: &Caller,
    (id, condition): (&str, Option<&str>),
    asked: Members,
) -> Result<WebhookView, Problem> {
    caller.needs(Role::Editor)?;
    change(gateway, id, condition, |standing| Ok((plan(gateway, caller, standing, &asked)?, ()))).await?;
    seen(gateway, id).await
}

fn plan(gateway: &Gateway, caller: &Caller, standing: &Standing, asked: &Members) -> Result<Vec<Step>, Problem> {
    let Standing { stored, modules } = standing;
    let members = serde_json::from_str(&stored.settings).map_err(|_| Problem::from(Code::InternalError))?;
    let (old, headers, secrets) = (settings(stored)?, headers::open(stored, &gateway.seal)?, secrets(gateway, stored)?);
    let names = ["events", "modules"].iter().any(|name| asked.contains_key(*name));
    let beside = Beside {
        id: stored.id,
        headers: headers.clone(),
        secrets: &secrets,
        modules: names.then_some(modules),
        wrong: None,
    };
    let draft = Draft::check(gateway, members, asked.clone(), beside)?;
    if draft.raw == old && draft.headers == headers {
        return Ok(Vec::new());
    }
    let step = EndpointStep::Alter {
        version: stored.version,
        settings: draft.settings()?,
        headers: headers::sealed(&draft.headers, &gateway.seal, &stored.id.to_string()),
    };
    let (before, after) = audited::change((&old, &headers), (&draft.raw, &draft.headers));
    Ok(vec![Step::Endpoint { id: stored.id, step }, audit(caller, "webhook.change", stored, (&before, &after))])
}

/// Those that sign now: a new profile must be able to.
fn secrets(gateway: &Gateway, stored: &StoredEndpoint) -> Result<Vec<SecretString>, Problem> {
    let open = |sealed| gateway.seal.open(sealed, &stored.id.to_string()).map_err(|_| Code::InternalError.into());
    active(stored, gateway.clock.now()).map(|secret| open(&secret.sealed)).collect()
}
