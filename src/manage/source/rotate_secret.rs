//! A source gets another secret. For a while requests may be signed with either, so that the sender can follow when it
//! suits; handshakes are answered with the new one from now on.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change::{Of, Standing, change};
use super::view::{SourceView, seen};
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::webhook::members::{Wrong, invalid};
use crate::problem::{Code, Problem};
use crate::secret::{CannotOpen, ExposeSecret, SecretString, generate_signing};
use crate::source::MOST_SECRETS;
use crate::store::endpoints::SealedSecret;
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;
use crate::store::sources::StoredSource;

/// Seconds.
const LONGEST_OVERLAP: u64 = 30 * 24 * 3_600;
/// Bytes; public keys are the longest.
const LONGEST_SECRET: usize = 16 * 1_024;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RotationOfSourceSecret, example = json!({ "overlap": 3600 }))]
pub struct Rotation {
    /// As the sender has it; generated unless given.
    #[serde(default)]
    secret: Option<String>,
    /// Seconds for which the old one counts, too; with 0 it ends now.
    #[serde(default = "a_day")]
    #[schema(maximum = 2_592_000)]
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

/// The source, and its new secret, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedSecret {
    #[serde(flatten)]
    source: SourceView,
    secret: String,
    /// From then on the secret before counts for nothing; null when there was none.
    previous_expires_at: Option<Timestamp>,
}

impl RotatedSecret {
    pub fn version(&self) -> i64 {
        self.source.version()
    }
}

pub async fn rotate_secret(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    input: Rotation,
) -> Result<RotatedSecret, Problem> {
    caller.needs(Role::Editor)?;
    let (secret, overlap) = checked(input).map_err(invalid)?;
    let plan = change(gateway, of, |standing| {
        let source = standing.source();
        fits(source, &secret)?;
        let now = gateway.clock.now();
        let secrets = rotated(gateway, source, &secret, (now, overlap))?;
        let previous = source.active_secrets(now).next().map(|_| now.after(overlap));
        let steps = steps(gateway, caller, standing, &secrets)?;
        Ok((steps, (previous, planned(source, secrets))))
    });
    let ((previous_expires_at, planned), _) = plan.await?;
    // Whatever fails from here on, the secret is shown.
    let source = match seen(gateway, of).await {
        Ok(view) => view,
        Err(_) => SourceView::new(gateway, of.module, &planned, &[]),
    };
    Ok(RotatedSecret { source, secret: secret.expose_secret().to_owned(), previous_expires_at })
}

fn checked(input: Rotation) -> Result<(SecretString, Duration), Vec<Wrong>> {
    let mut wrong = Vec::new();
    if input.secret.as_ref().is_some_and(|text| !(1..=LONGEST_SECRET).contains(&text.len())) {
        wrong.push(Wrong::new("secret", format!("is a text of 1 to {LONGEST_SECRET} bytes")));
    }
    if input.overlap > LONGEST_OVERLAP {
        wrong.push(Wrong::new("overlap", format!("is a number of seconds from 0 to {LONGEST_OVERLAP}")));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let secret = input.secret.map_or_else(generate_signing, SecretString::from);
    Ok((secret, Duration::from_secs(input.overlap)))
}

fn fits(source: &StoredSource, secret: &SecretString) -> Result<(), Problem> {
    let Some(scheme) = &source.settings.signature else {
        let detail = "the source has no `signature` that a secret would serve; PATCH it with one first";
        return Err(Problem::new(Code::Conflict, detail));
    };
    let checked = scheme.check_secret(secret.expose_secret().as_bytes());
    checked.map_err(|detail| invalid(vec![Wrong::new("secret", detail)]))
}

/// The new one, then those that are there: they end when the overlap does, if not before.
fn rotated(
    gateway: &Gateway,
    source: &StoredSource,
    secret: &SecretString,
    (now, overlap): (Timestamp, Duration),
) -> Result<Vec<SealedSecret>, Problem> {
    let end = now.after(overlap);
    let sealed = gateway.seal.seal(secret, &source.id.to_string());
    let mut rotated = vec![SealedSecret { sealed, created_at: now, expires_at: None }];
    let ending = |old: &SealedSecret| {
        let expires_at = Some(old.expires_at.map_or(end, |before| before.min(end)));
        SealedSecret { expires_at, ..old.clone() }
    };
    rotated.extend(source.active_secrets(now).filter(|_| !overlap.is_zero()).map(ending));
    if rotated.len() > MOST_SECRETS {
        let detail = format!("{MOST_SECRETS} secrets are active already; with an overlap of 0 they all end now");
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(rotated)
}

fn steps(
    gateway: &Gateway,
    caller: &Caller,
    standing: &Standing,
    secrets: &[SealedSecret],
) -> Result<Vec<Step>, Problem> {
    let source = standing.source();
    let before: Vec<_> = source.active_secrets(gateway.clock.now()).cloned().collect();
    let audit = caller.changed("source.rotate-secret", standing.target(), &told(&before), &told(secrets));
    let applied = applied(gateway, source).map_err(|_| Problem::from(Code::InternalError))?;
    let step = SourceStep::Secrets { secrets: secrets.to_vec(), kept: None, applied };
    Ok(vec![Step::Source { id: source.id, step }, audit])
}

/// What the source's file said of its secrets, so that applying it again, with the same, does not undo this.
fn applied(gateway: &Gateway, source: &StoredSource) -> Result<Option<Vec<String>>, CannotOpen> {
    if source.applied_secrets.is_some() || source.settings.secret_names.is_empty() {
        return Ok(source.applied_secrets.clone());
    }
    let context = source.id.to_string();
    let lasting = source.secrets.iter().filter(|secret| secret.expires_at.is_none());
    let mark = |secret: &SealedSecret| Ok(gateway.seal.mark(&gateway.seal.open(&secret.sealed, &context)?, &context));
    lasting.map(mark).collect::<Result<_, _>>().map(Some)
}

fn planned(source: &StoredSource, secrets: Vec<SealedSecret>) -> StoredSource {
    StoredSource { secrets, version: source.version + 1, kept: None, ..source.clone() }
}

/// As the audit log tells of them.
fn told(secrets: &[SealedSecret]) -> Value {
    let told = |secret: &SealedSecret| json!({ "createdAt": secret.created_at, "expiresAt": secret.expires_at });
    json!({ "secrets": secrets.iter().map(told).collect::<Vec<_>>() })
}
