//! Shows the secret that a handshake brought, once: some senders want it confirmed by hand (Notion). One that an admin
//! gave is never shown.

use serde::Serialize;
use serde_json::json;

use super::change_source::{change_source, find_source};
use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;
use crate::store::sources::{Kept, StoredSource};

#[derive(Serialize, utoipa::ToSchema)]
pub struct RevealedSecret {
    secret: String,
}

pub async fn reveal_secret(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    slug: &str,
) -> Result<RevealedSecret, Problem> {
    caller.needs(Role::Editor)?;
    let module = find_module(gateway, module).await?;
    let source = find_source(gateway, &module, slug).await?;
    let target = format!("{}/{slug}", module.slug());
    let secret = change_source(gateway, source.id, |stored| {
        let secret = unseen(gateway, stored)?;
        let (before, after) = (json!({ "kept": "unseen" }), json!({ "kept": "seen" }));
        let audit = caller.changed("source.reveal-secret", target.clone(), &before, &after);
        Ok((vec![Step::Source { id: stored.id, step: SourceStep::SecretShown }, audit], secret))
    });
    Ok(RevealedSecret { secret: secret.await?.expose_secret().to_owned() })
}

fn unseen(gateway: &Gateway, stored: &StoredSource) -> Result<SecretString, Problem> {
    let detail = match (&stored.secrets[..], stored.kept) {
        ([secret], Some(Kept::Unseen)) => {
            return gateway.seal.open(&secret.sealed, &stored.id.to_string()).map_err(|_| Code::InternalError.into());
        }
        (_, Some(_)) => "the secret that the handshake brought was shown before, and is shown once",
        ([], None) => "the source has no secret: the sender's handshake has not come yet",
        (_, None) => "the source's secret was given by an admin, and is not shown",
    };
    Err(Problem::new(Code::Conflict, detail))
}
