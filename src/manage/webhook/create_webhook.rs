//! A new webhook. Its secret is answered once.

use serde_json::Value;

use super::audited::audited;
use super::change::{TRIES, audit, find, keeps_changing};
use super::draft::{Beside, Draft, given_secret};
use super::headers::{self, Headers};
use super::members::{Members, Wrong};
use super::view::{WebhookView, WithSecret};
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::EndpointId;
use crate::manage::apply::carry_out;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::{SecretString, generate_signing};
use crate::store::StoreError;
use crate::store::endpoints::{EndpointStep, SealedSecret, StoredEndpoint};
use crate::store::keys::Role;
use crate::store::plan::Step;

/// A gateway looks at each of them for each change.
const MOST: usize = 1_000;

/// `input` is what [`RawEndpoint`](crate::deliver::endpoint::RawEndpoint) has, and `secret` and `headers`.
pub async fn create_webhook(gateway: &Gateway, caller: &Caller, mut input: Members) -> Result<WithSecret, Problem> {
    caller.needs(Role::Editor)?;
    let secret = match input.remove("secret") {
        None | Some(Value::Null) => Ok(generate_signing()),
        Some(Value::String(text)) => given_secret(text),
        Some(_) => Err(Wrong::new("secret", "is a text")),
    };
    let (secret, wrong) = match secret {
        Ok(secret) => (secret, None),
        // Looked at with the rest, as if it were a good one.
        Err(wrong) => (generate_signing(), Some(wrong)),
    };
    let id = EndpointId::new(gateway.clock.now());
    for _ in 0..TRIES {
        let version = gateway.store.config_version().await?;
        if gateway.store.endpoints().await?.all.len() >= MOST {
            return Err(Problem::new(Code::Conflict, format!("there are {MOST} webhooks, and no room for more")));
        }
        let draft = draft(gateway, (id, &secret), input.clone(), wrong.clone()).await?;
        let stored = stored(gateway, id, (&draft, &secret), gateway.clock.now())?;
        match carry_out(gateway, version, steps(caller, &stored, &draft)).await {
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                // Whatever fails from here on, the secret is shown.
                let stored = find(gateway, &id.to_string()).await.unwrap_or(stored);
                return Ok(WithSecret::new(WebhookView::new(&stored, gateway)?, &secret));
            }
        }
    }
    Err(keeps_changing())
}

async fn draft(
    gateway: &Gateway,
    (id, secret): (EndpointId, &SecretString),
    input: Members,
    wrong: Option<Wrong>,
) -> Result<Draft, Problem> {
    let modules = gateway.store.modules().await?;
    let secrets = if wrong.is_some() { &[][..] } else { std::slice::from_ref(secret) };
    let beside = Beside { id, headers: Headers::new(), secrets, modules: Some(&modules), wrong };
    Draft::check(gateway, Members::new(), input, beside)
}

/// As it stands when the plan is carried out.
fn stored(
    gateway: &Gateway,
    id: EndpointId,
    (draft, secret): (&Draft, &SecretString),
    now: Timestamp,
) -> Result<StoredEndpoint, Problem> {
    let context = id.to_string();
    let sealed = gateway.seal.seal(secret, &context);
    Ok(StoredEndpoint {
        id,
        settings: draft.settings()?,
        headers: headers::sealed(&draft.headers, &gateway.seal, &context),
        enabled: true,
        cause: None,
        state_at: now,
        since: 0,
        missed: None,
        failing_since: None,
        failed_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
        secrets: vec![SealedSecret { sealed, created_at: now, expires_at: None }],
    })
}

fn steps(caller: &Caller, stored: &StoredEndpoint, draft: &Draft) -> Vec<Step> {
    let step = EndpointStep::Create {
        settings: stored.settings.clone(),
        headers: stored.headers.clone(),
        secrets: stored.secrets.clone(),
    };
    let audit = audit(caller, "webhook.create", stored, (&Value::Null, &audited(&draft.raw, &draft.headers)));
    vec![Step::Endpoint { id: stored.id, step }, audit]
}
