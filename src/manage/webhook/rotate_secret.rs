//! A webhook's secret is replaced. For a while both are valid: headers with room for several signatures carry both, the
//! others stay on the old one until the new one is promoted or the time is over.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::change::{audit, change, find};
use super::draft::{given_secret, unfit};
use super::members::{Wrong, invalid};
use super::view::{WebhookView, WithSecret, active, settings};
use crate::clock::Timestamp;
use crate::deliver::profile;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::{SecretString, generate_signing};
use crate::store::endpoints::{EndpointStep, SealedSecret, StoredEndpoint};
use crate::store::keys::Role;
use crate::store::plan::Step;

/// Seconds.
const LONGEST_OVERLAP: u64 = 7 * 24 * 3_600;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RotationOfSecret, example = json!({ "overlap": 3600 }))]
pub struct Rotation {
    /// Generated unless given.
    #[serde(default)]
    secret: Option<String>,
    /// Seconds for which both are valid; with 0 the new one is alone at once.
    #[serde(default = "a_day")]
    #[schema(maximum = 604_800)]
    overlap: u64,
}

fn a_day() -> u64 {
    24 * 3_600
}

impl Default for Rotation {
    fn default() -> Self {
        Self { secret: None, overlap: a_day() }
    }
}

pub async fn rotate_secret(
    gateway: &Gateway,
    caller: &Caller,
    id: &str,
    input: Rotation,
) -> Result<WithSecret, Problem> {
    caller.needs(Role::Editor)?;
    let overlap = Duration::from_secs(input.overlap.min(LONGEST_OVERLAP));
    let secret = input.secret.map_or_else(|| Ok(generate_signing()), given_secret);
    let too_long = (input.overlap > LONGEST_OVERLAP)
        .then(|| Wrong::new("overlap", format!("is a number of seconds from 0 to {LONGEST_OVERLAP}")));
    let secret = match (secret, too_long) {
        (Ok(secret), None) => secret,
        (secret, too_long) => return Err(invalid(secret.err().into_iter().chain(too_long).collect())),
    };
    let plan = change(gateway, id, None, |standing| {
        let stored = &standing.stored;
        fits(stored, &secret)?;
        let now = gateway.clock.now();
        let old = one_alone(stored, now)?;
        let next = SealedSecret {
            sealed: gateway.seal.seal(&secret, &stored.id.to_string()),
            created_at: now,
            expires_at: None,
        };
        let secrets = if overlap.is_zero() { vec![next] } else { vec![ending(old, now.after(overlap)), next] };
        let after = json!({ "secrets": secrets.len(), "overlapSeconds": overlap.as_secs() });
        let audit = audit(caller, "webhook.rotate-secret", stored, (&json!({ "secrets": 1 }), &after));
        let planned = StoredEndpoint { secrets: secrets.clone(), version: stored.version + 1, ..stored.clone() };
        let step = EndpointStep::Secrets { version: stored.version, secrets };
        Ok((vec![Step::Endpoint { id: stored.id, step }, audit], planned))
    });
    let planned = plan.await?;
    // Whatever fails from here on, the secret is shown.
    let stored = find(gateway, id).await.unwrap_or(planned);
    Ok(WithSecret::new(WebhookView::new(&stored, gateway)?, &secret))
}

fn ending(old: &SealedSecret, at: Timestamp) -> SealedSecret {
    SealedSecret { expires_at: Some(at), ..old.clone() }
}

fn fits(stored: &StoredEndpoint, secret: &SecretString) -> Result<(), Problem> {
    let profile = profile::find(&settings(stored)?.profile);
    match profile.and_then(|profile| unfit(profile, secret)) {
        Some(wrong) => Err(invalid(vec![wrong])),
        None => Ok(()),
    }
}

/// The secret in use, which nothing replaces yet.
fn one_alone(stored: &StoredEndpoint, now: Timestamp) -> Result<&SealedSecret, Problem> {
    let mut active = active(stored, now);
    match (active.next(), active.next()) {
        (Some(old), None) => Ok(old),
        (None, _) => Err(Code::InternalError.into()),
        (Some(old), Some(_)) => {
            let end = old.expires_at.map_or_else(String::new, |end| format!(" until {end}"));
            let detail = format!("the secret is being replaced{end}; POST …/promote-secret ends that now");
            Err(Problem::new(Code::Conflict, detail))
        }
    }
}
