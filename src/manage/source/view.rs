//! A source as the API shows it: no token, no secret.

use serde::Serialize;

use super::change::Of;
use super::usage::UsageView;
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::SourceId;
use crate::manage::change_source::find_source;
use crate::manage::get_module::find_module;
use crate::map::mapping::RawMapping;
use crate::problem::Problem;
use crate::source::RawKeep;
use crate::store::endpoints::SealedSecret;
use crate::store::modules::StoredModule;
use crate::store::sources::{StoredSource, StoredToken};
use crate::store::usage::StoredCount;
use crate::verify::Scheme;
use crate::verify::handshake::RawHandshake;
use crate::verify::response::RawResponse;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Source)]
pub struct SourceView {
    id: SourceId,
    module: String,
    slug: String,
    enabled: bool,
    /// In the words of a module file.
    #[schema(value_type = Option<Object>)]
    signature: Option<Scheme>,
    /// Those that open its door, oldest first; never the tokens.
    tokens: Vec<TokenView>,
    /// Those that are active, the newest first; never the secrets.
    secrets: Vec<SecretView>,
    /// The secret is the one that the sender's handshake brought.
    kept_secret: bool,
    /// To accepted webhooks, where it is not the gateway's own answer; the preset's included.
    #[schema(value_type = Option<Object>)]
    response: Option<RawResponse>,
    /// Those of the preset included.
    #[schema(value_type = Vec<Object>)]
    handshake: Vec<RawHandshake>,
    rate_limit: RateLimitView,
    /// In bytes.
    max_body: usize,
    keep: RawKeep,
    /// Places of a request that are not stored.
    redact: Vec<String>,
    mapping_version: i64,
    /// With the keys of a module file.
    #[schema(value_type = Object)]
    mapping: RawMapping,
    usage: UsageView,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TokenOfSource)]
struct TokenView {
    created_at: Timestamp,
    /// From then on it opens nothing; null: for as long as it is not replaced.
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecretOfSource)]
struct SecretView {
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RateLimit)]
struct RateLimitView {
    per_minute: u32,
    burst: u32,
}

impl SourceView {
    pub fn new(gateway: &Gateway, module: &str, source: &StoredSource, counts: &[StoredCount]) -> Self {
        let (settings, now) = (&source.settings, gateway.clock.now());
        let quota = settings.rate_limit.unwrap_or_default();
        let tokens = source.tokens.iter().filter(|token| token.opens_at(now));
        Self {
            id: source.id,
            module: module.to_owned(),
            slug: source.slug.to_string(),
            enabled: settings.enabled,
            signature: settings.signature.clone(),
            tokens: tokens.map(|token| TokenView::new(gateway, token)).collect(),
            secrets: source.active_secrets(now).map(SecretView::from).collect(),
            kept_secret: source.kept.is_some(),
            response: settings.response().cloned(),
            handshake: settings.handshakes().cloned().collect(),
            rate_limit: RateLimitView { per_minute: quota.per_minute(), burst: quota.burst() },
            max_body: settings.max_body.unwrap_or(gateway.config.bounds.max_body),
            keep: settings.keep.into(),
            redact: settings.redact.texts().to_vec(),
            mapping_version: source.mapping_version,
            mapping: source.mapping.clone(),
            usage: UsageView::new(gateway, source, counts),
            version: source.version,
            created_at: source.created_at,
            updated_at: source.updated_at,
        }
    }

    pub fn version(&self) -> i64 {
        self.version
    }
}

impl TokenView {
    fn new(gateway: &Gateway, token: &StoredToken) -> Self {
        let here = gateway.snapshot().usage.last_use(&token.digest);
        Self { created_at: token.created_at, expires_at: token.expires_at, last_used_at: token.last_used_at.max(here) }
    }
}

impl From<&SealedSecret> for SecretView {
    fn from(secret: &SealedSecret) -> Self {
        Self { created_at: secret.created_at, expires_at: secret.expires_at }
    }
}

/// A source as it stands now.
pub async fn seen(gateway: &Gateway, of: Of<'_>) -> Result<SourceView, Problem> {
    let module = find_module(gateway, of.module).await?;
    let source = find_source(gateway, &module, of.source).await?;
    Ok(views(gateway, &module, &[source]).await?.swap_remove(0))
}

/// Sources of one module, with what they were used for.
pub async fn views(
    gateway: &Gateway,
    module: &StoredModule,
    sources: &[StoredSource],
) -> Result<Vec<SourceView>, Problem> {
    let ids = sources.iter().map(|source| source.id).collect::<Vec<_>>();
    let counts = gateway.snapshot().usage.of(&gateway.store, &ids).await?;
    let view = |source| SourceView::new(gateway, module.slug().as_str(), source, &counts);
    Ok(sources.iter().map(view).collect())
}
