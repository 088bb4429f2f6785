//! A source gets another token, and so another URL. For a while the old one opens the door, too, so that the sender can
//! be told without haste.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::change::{Of, Standing, change, told};
use super::view::{SourceView, seen};
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::webhook::members::{Wrong, invalid};
use crate::problem::{Code, Problem};
use crate::secret::{self, ExposeSecret};
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;
use crate::store::sources::{StoredSource, StoredToken};

/// Seconds.
const LONGEST_OVERLAP: u64 = 30 * 24 * 3_600;
/// The most tokens of one source that open its door at once.
const MOST_TOKENS: usize = 5;

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = RotationOfToken, example = json!({ "overlap": 3600 }))]
pub struct Rotation {
    /// Seconds for which the old token opens the door, too; with 0 it ends now.
    #[serde(default = "a_day")]
    #[schema(maximum = 2_592_000)]
    overlap: u64,
}

fn a_day() -> u64 {
    24 * 3_600
}

impl Default for Rotation {
    fn default() -> Self {
        Self { overlap: a_day() }
    }
}

/// The source, and what is shown once.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RotatedToken {
    #[serde(flatten)]
    source: SourceView,
    token: String,
    url: String,
    /// From then on the token before opens nothing.
    previous_expires_at: Timestamp,
}

impl RotatedToken {
    pub fn version(&self) -> i64 {
        self.source.version()
    }
}

pub async fn rotate_token(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    input: Rotation,
) -> Result<RotatedToken, Problem> {
    caller.needs(Role::Editor)?;
    if input.overlap > LONGEST_OVERLAP {
        let detail = format!("is a number of seconds from 0 to {LONGEST_OVERLAP}");
        return Err(invalid(vec![Wrong::new("overlap", detail)]));
    }
    let overlap = Duration::from_secs(input.overlap);
    let token = secret::generate(secret::SOURCE_TOKEN);
    let digest = secret::hex(&secret::digest(token.expose_secret()));
    let (now, planned) = {
        let plan = change(gateway, of, |standing| {
            let now = gateway.clock.now();
            let tokens = rotated(&standing.source().tokens, &digest, (now, overlap))?;
            Ok((steps(caller, standing, &tokens), (now, planned(standing, tokens))))
        });
        plan.await?.0
    };
    // Whatever fails from here on, the token is shown.
    let source = match seen(gateway, of).await {
        Ok(view) => view,
        Err(_) => SourceView::new(gateway, of.module, &planned, &[]),
    };
    let url = format!("{}/api/webhooks/{}/{}", gateway.url(), of.module, token.expose_secret());
    let previous_expires_at = now.after(overlap);
    Ok(RotatedToken { source, token: token.expose_secret().to_owned(), url, previous_expires_at })
}

fn steps(caller: &Caller, standing: &Standing, tokens: &[StoredToken]) -> Vec<Step> {
    let source = standing.source();
    let audit = caller.changed("source.rotate-token", standing.target(), &told(&source.tokens), &told(tokens));
    vec![Step::Source { id: source.id, step: SourceStep::Tokens(tokens.to_vec()) }, audit]
}

fn planned(standing: &Standing, tokens: Vec<StoredToken>) -> StoredSource {
    let source = standing.source().clone();
    StoredSource { tokens, version: source.version + 1, ..source }
}

/// Those that are there end when the overlap does, if not before, and one more comes.
fn rotated(
    tokens: &[StoredToken],
    digest: &str,
    (now, overlap): (Timestamp, Duration),
) -> Result<Vec<StoredToken>, Problem> {
    let end = now.after(overlap);
    let ending = |token: &StoredToken| {
        let expires_at = Some(token.expires_at.map_or(end, |before| before.min(end)));
        StoredToken { expires_at, ..token.clone() }
    };
    let mut rotated: Vec<_> = tokens.iter().map(ending).filter(|token| token.opens_at(now)).collect();
    if rotated.len() >= MOST_TOKENS {
        let detail = format!("{MOST_TOKENS} tokens open this source already; with an overlap of 0 they all end now");
        return Err(Problem::new(Code::Conflict, detail));
    }
    rotated.push(StoredToken::new(digest.to_owned(), now));
    Ok(rotated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rotation_makes_an_old_token_last_longer() {
        let now: Timestamp = "2026-03-04T12:00:00Z".parse().unwrap();
        let after = |seconds| now.after(Duration::from_secs(seconds));
        let token = |digest: &str, expires_at| StoredToken { expires_at, ..StoredToken::new(digest.to_owned(), now) };
        let tokens = [
            token("over", Some(now)),
            token("soon", Some(after(5))),
            token("late", Some(after(99))),
            token("new", None),
        ];
        let ends = |overlap| {
            let rotated = rotated(&tokens, "next", (now, Duration::from_secs(overlap))).unwrap();
            rotated.into_iter().map(|token| (token.digest, token.expires_at)).collect::<Vec<_>>()
        };
        let named = |ends: &[(&str, Option<Timestamp>)]| {
            ends.iter().map(|(name, end)| ((*name).to_owned(), *end)).collect::<Vec<_>>()
        };
        let wanted =
            named(&[("soon", Some(after(5))), ("late", Some(after(60))), ("new", Some(after(60))), ("next", None)]);
        assert_eq!(ends(60), wanted);
        assert_eq!(ends(0), named(&[("next", None)]));
        let many = vec![token("", None); MOST_TOKENS];
        assert!(rotated(&many, "next", (now, Duration::from_secs(1))).is_err());
        assert!(rotated(&many, "next", (now, Duration::ZERO)).is_ok());
    }
}
