//! Takes all secrets from a source: it refuses what it cannot check, until it is given another or a handshake brings one.

use serde_json::json;

use super::change_source::{change_source, find_source};
use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::Problem;
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;

pub async fn remove_secrets(gateway: &Gateway, caller: &Caller, module: &str, slug: &str) -> Result<(), Problem> {
    caller.needs(Role::Editor)?;
    let module = find_module(gateway, module).await?;
    let source = find_source(gateway, &module, slug).await?;
    let target = format!("{}/{slug}", module.slug());
    change_source(gateway, source.id, |stored| {
        if stored.secrets.is_empty() {
            return Ok((Vec::new(), ()));
        }
        let (before, after) = (json!({ "secrets": stored.secrets.len() }), json!({ "secrets": 0 }));
        let audit = caller.changed("source.remove-secrets", target.clone(), &before, &after);
        let step = SourceStep::Secrets { secrets: Vec::new(), kept: None, applied: None };
        Ok((vec![Step::Source { id: stored.id, step }, audit], ()))
    })
    .await
}
