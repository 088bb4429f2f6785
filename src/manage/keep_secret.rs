//! The secret that a sender hands over in its handshake becomes the source's, while it has none.

use serde_json::json;

use super::change_source::change_source;
use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::secret::{ExposeSecret, SecretString};
use crate::source::Source;
use crate::store::endpoints::SealedSecret;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;
use crate::store::sources::Kept;

/// Who did it, for the audit log.
const ACTOR: &str = "handshake";

/// Bytes of a secret that is kept; senders' have 32 and more.
const SHORTEST: usize = 16;

/// Committed and in force here when it is done. Of two at once the second finds the first one's secret.
pub async fn keep_secret(
    gateway: &Gateway,
    source: &Source,
    secret: SecretString,
    address: Option<String>,
) -> Result<(), Problem> {
    let target = format!("{}/{}", source.shape.slug, source.slug);
    let plan = |stored: &crate::store::sources::StoredSource| {
        if stored.active_secrets(gateway.clock.now()).next().is_some() {
            return Err(has_one());
        }
        let Some(scheme) = &stored.settings.signature else {
            return Err(Problem::new(
                Code::HandshakeRefused,
                "This source has no signature that a secret would serve.",
            ));
        };
        if secret.expose_secret().len() < SHORTEST {
            return Err(Problem::new(
                Code::InvalidRequest,
                format!("The secret is not kept: it has less than {SHORTEST} bytes."),
            ));
        }
        if let Err(detail) = scheme.check_secret(secret.expose_secret().as_bytes()) {
            return Err(Problem::new(Code::InvalidRequest, format!("The secret is not kept: {detail}.")));
        }
        let sealed = gateway.seal.seal(&secret, &stored.id.to_string());
        let audit = Step::Audit {
            actor: ACTOR.to_owned(),
            action: "source.keep-secret",
            target: target.clone(),
            detail: json!({ "before": { "secrets": 0 }, "after": { "secrets": 1, "kept": "unseen" } }).to_string(),
            address: address.clone(),
        };
        let secrets = vec![SealedSecret { sealed, created_at: gateway.clock.now(), expires_at: None }];
        let step = SourceStep::Secrets { secrets, kept: Some(Kept::Unseen), applied: None };
        Ok((vec![Step::Source { id: stored.id, step }, audit], ()))
    };
    change_source(gateway, source.id, plan).await
}

pub fn has_one() -> Problem {
    let detail = "This source has a secret already, and a handshake does not replace it. Whoever runs this gateway can \
                  remove it first: DELETE /api/v1/modules/{module}/sources/{source}/secrets.";
    Problem::new(Code::HandshakeRefused, detail)
}
