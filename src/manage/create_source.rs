//! A new source of a module: its token and URL are answered once.

use serde::{Deserialize, Serialize};

use super::apply::carry_out;
use super::apply::compare::{Known, Plan, WantedSource};
use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::id::SourceId;
use crate::limit::RawQuota;
use crate::manage::caller::Caller;
use crate::manage::source::Of;
use crate::manage::source::view::{SourceView, seen};
use crate::map::mapping::RawMapping;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;
use crate::source::{MOST_SECRETS, RawKeep, RawSource};
use crate::store::endpoints::SealedSecret;
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::sources::{StoredSource, StoredToken};
use crate::verify::RawSignature;
use crate::verify::handshake::RawHandshake;
use crate::verify::response::RawResponse;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "slug": "shop", "mapping": { "event_id": "$.id", "rule": [{ "from": "$.code", "to": "code" }] }
}))]
pub struct NewSource {
    slug: String,
    #[serde(default = "yes")]
    enabled: bool,
    /// With the secret itself, kept as given; a list when several are active.
    #[schema(value_type = Option<Object>)]
    signature: Option<RawSignature>,
    rate_limit: Option<NewRateLimit>,
    max_body: Option<usize>,
    #[schema(value_type = Option<Object>)]
    response: Option<RawResponse>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    handshake: Vec<RawHandshake>,
    #[schema(value_type = Option<Object>)]
    keep: Option<RawKeep>,
    /// Places of a request that are not stored, such as `$.card.number`, `header:X-Card`.
    #[serde(default)]
    redact: Vec<String>,
    /// With the keys of a module file.
    #[schema(value_type = Object)]
    mapping: RawMapping,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewRateLimit {
    per_minute: u32,
    burst: Option<u32>,
}

/// The source, and what is shown once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CreatedSource {
    #[serde(flatten)]
    source: SourceView,
    token: String,
    url: String,
}

impl CreatedSource {
    pub fn version(&self) -> i64 {
        self.source.version()
    }
}

pub async fn create_source(
    gateway: &Gateway,
    caller: &Caller,
    module: &str,
    input: NewSource,
) -> Result<CreatedSource, Problem> {
    caller.needs(Role::Editor)?;
    let version = gateway.store.config_version().await?;
    let module = find_module(gateway, module).await?;
    let modules = gateway.store.modules().await?;
    let sources = gateway.store.sources().await?;
    if sources.iter().any(|source| source.module == module.id() && source.slug.as_str() == input.slug) {
        return Err(Problem::new(Code::Conflict, "the module has a source of this name already"));
    }
    let wanted = wanted(gateway, input)?;
    let (slug, settings, mapping) = (wanted.slug.clone(), wanted.settings.clone(), wanted.mapping.clone());
    let active = wanted.secrets.as_ref().map_or(0, Vec::len);
    let secrets = std::collections::BTreeMap::new();
    let known = Known::new(gateway, caller, (&modules, &sources), &secrets);
    let mut plan = Plan::default();
    let definition = module.definition.clone();
    known.plan_module(module.slug(), definition, vec![wanted], &mut plan).map_err(|faults| {
        invalid(faults.into_iter().map(|fault| (fault.at.trim_start_matches("source[1].").to_owned(), fault.detail)))
    })?;
    let id = created(&plan.steps)?;
    carry_out(gateway, version, plan.steps).await?;
    let applied = plan.applied.sources.pop();
    let (token, url) = applied.and_then(|applied| applied.token.zip(applied.url)).unwrap_or_default();
    let now = gateway.clock.now();
    // Whatever fails from here on, the token is shown.
    let planned = StoredSource {
        id,
        module: module.id(),
        slug: slug.clone(),
        settings,
        mapping,
        mapping_version: 1,
        tokens: vec![StoredToken::new(String::new(), now)],
        secrets: vec![SealedSecret { sealed: Vec::new(), created_at: now, expires_at: None }; active],
        kept: None,
        applied_secrets: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let module = module.slug().as_str();
    let source = match seen(gateway, Of { module, source: slug.as_str(), condition: None }).await {
        Ok(view) => view,
        Err(_) => SourceView::new(gateway, module, &planned, &[]),
    };
    Ok(CreatedSource { source, token, url })
}

fn created(steps: &[Step]) -> Result<SourceId, Problem> {
    let id = steps.iter().find_map(|step| match step {
        Step::CreateSource { id, .. } => Some(*id),
        _ => None,
    });
    id.ok_or_else(|| Code::InternalError.into())
}

fn wanted(gateway: &Gateway, input: NewSource) -> Result<WantedSource, Problem> {
    let mut signature = input.signature;
    let secrets = signature.as_mut().and_then(|raw| raw.secret.take()).map(|secret| secret.as_slice().to_vec());
    let secrets = secrets.unwrap_or_default();
    if secrets.iter().any(String::is_empty) || secrets.len() > MOST_SECRETS {
        let detail = format!("at most {MOST_SECRETS} secrets are active at once, and none is empty");
        return Err(invalid([("signature.secret".to_owned(), detail)]));
    }
    let raw = RawSource {
        slug: input.slug,
        enabled: input.enabled,
        signature,
        rate_limit: input.rate_limit.map(|rate| RawQuota { per_minute: Some(rate.per_minute), burst: rate.burst }),
        max_body: input.max_body,
        response: input.response,
        handshake: input.handshake,
        keep: input.keep,
        redact: input.redact,
        matching: input.mapping.matching,
        event_type: input.mapping.event_type,
        only: input.mapping.only,
        when: input.mapping.when,
        each: input.mapping.each,
        event_id: input.mapping.event_id,
        occurred_at: input.mapping.occurred_at,
        delete_when: input.mapping.delete_when,
        rules: input.mapping.rules,
    };
    let split = raw.split(&gateway.config.bounds);
    let (slug, settings, mapping) =
        split.map_err(|faults| invalid(faults.into_iter().map(|fault| (fault.at, fault.detail))))?;
    Ok(WantedSource { slug, settings, mapping, secrets: Some(secrets.into_iter().map(SecretString::from).collect()) })
}

fn invalid(errors: impl IntoIterator<Item = (String, String)>) -> Problem {
    let errors = errors.into_iter().map(|(field, detail)| serde_json::json!({ "field": field, "detail": detail }));
    Problem::new(Code::InvalidDocument, "the source cannot be made as it is described").with_errors(errors.collect())
}
