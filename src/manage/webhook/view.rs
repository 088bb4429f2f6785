//! A webhook as the API shows it: no secret, and of custom headers the names.

use std::collections::BTreeMap;

use serde::Serialize;

use super::headers::{self, KEPT};
use crate::clock::Timestamp;
use crate::deliver::endpoint::{Ordering, RawEndpoint};
use crate::deliver::retry::OnGone;
use crate::gateway::Gateway;
use crate::id::EndpointId;
use crate::problem::Problem;
use crate::record::cursor::Cursor;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::StoreError;
use crate::store::endpoints::{SealedSecret, StoredEndpoint};

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub struct WebhookView {
    id: EndpointId,
    url: String,
    description: String,
    /// Empty: all.
    events: Vec<String>,
    /// Empty: all.
    modules: Vec<String>,
    filter: Option<String>,
    profile: String,
    ordering: Ordering,
    per_minute: Option<u32>,
    concurrency: u32,
    /// Null: the profile's, as is `timeout`.
    retries: Option<Vec<u32>>,
    timeout: Option<u32>,
    on_gone: OnGone,
    headers: BTreeMap<String, &'static str>,
    state: &'static str,
    /// Why it is disabled: `admin`, `gone` or `failing`.
    cause: Option<String>,
    state_at: Timestamp,
    failing_since: Option<Timestamp>,
    /// Changes that it was not sent while it was disabled.
    missed: Option<MissedView>,
    /// The one in use first; in rotation the next one follows.
    secrets: Vec<SecretView>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// Behind the first cursor, up to the second; null while it still grows.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Missed)]
struct MissedView {
    from: String,
    to: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecretOfWebhook)]
struct SecretView {
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

/// A webhook and its new secret, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = WebhookWithSecret)]
pub struct WithSecret {
    #[serde(flatten)]
    view: WebhookView,
    secret: String,
}

impl WithSecret {
    pub fn new(view: WebhookView, secret: &SecretString) -> Self {
        Self { view, secret: secret.expose_secret().to_owned() }
    }

    pub fn version(&self) -> i64 {
        self.view.version
    }
}

impl WebhookView {
    pub fn new(stored: &StoredEndpoint, gateway: &Gateway) -> Result<Self, Problem> {
        let raw = settings(stored)?;
        let headers = headers::open(stored, &gateway.seal)?;
        Ok(Self {
            id: stored.id,
            url: raw.url,
            description: raw.description,
            events: raw.events,
            modules: raw.modules,
            filter: raw.filter,
            profile: raw.profile,
            ordering: raw.ordering,
            per_minute: raw.per_minute,
            concurrency: raw.concurrency,
            retries: raw.retries,
            timeout: raw.timeout,
            on_gone: raw.on_gone,
            headers: headers.into_keys().map(|name| (name, KEPT)).collect(),
            state: if stored.enabled { "enabled" } else { "disabled" },
            cause: stored.cause.clone(),
            state_at: stored.state_at,
            failing_since: stored.failing_since,
            missed: missed(stored),
            secrets: active(stored, gateway.clock.now()).map(SecretView::from).collect(),
            version: stored.version,
            created_at: stored.created_at,
            updated_at: stored.updated_at,
        })
    }

    pub fn version(&self) -> i64 {
        self.version
    }
}

impl From<&SealedSecret> for SecretView {
    fn from(secret: &SealedSecret) -> Self {
        Self { created_at: secret.created_at, expires_at: secret.expires_at }
    }
}

/// Its settings as they were saved.
pub fn settings(stored: &StoredEndpoint) -> Result<RawEndpoint, Problem> {
    let read = serde_json::from_str(&stored.settings);
    read.map_err(|_| StoreError::Corrupt(format!("the settings of the endpoint {}", stored.id)).into())
}

/// The secrets whose time is not over.
pub fn active(stored: &StoredEndpoint, now: Timestamp) -> impl Iterator<Item = &SealedSecret> {
    stored.secrets.iter().filter(move |secret| secret.expires_at.is_none_or(|end| end > now))
}

fn missed(stored: &StoredEndpoint) -> Option<MissedView> {
    let (from, to) = stored.missed.filter(|(from, to)| to.is_none_or(|to| to > *from))?;
    Some(MissedView { from: Cursor(from).to_string(), to: to.map(|to| Cursor(to).to_string()) })
}
