//! Deliveries as the gateway runs them: their endpoints read from storage, their work counted, the operator told.

use std::collections::HashMap;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::metrics::Metrics;
use super::snapshot::Snapshot;
use crate::clock::Clock;
use crate::deliver::book::{Book, Modules};
use crate::deliver::endpoint::{Endpoint, RawEndpoint, Standing};
use crate::deliver::post::Poster;
use crate::deliver::{Bounds, Deliveries, Notice, Watch};
use crate::id::ReplicaId;
use crate::secret::{ExposeSecret, SealKey};
use crate::store::endpoints::StoredEndpoint;
use crate::store::{Store, StoreError};

/// The endpoints as they stand, beside the modules of a snapshot.
pub async fn book(store: &Store, (seal, clock): (&SealKey, &Clock), snapshot: &Snapshot) -> Result<Book, StoreError> {
    let read_at = clock.now();
    let workspace = store.workspace().await?.to_string();
    let endpoints = store.endpoints().await?;
    let mut all = Vec::with_capacity(endpoints.all.len());
    for stored in &endpoints.all {
        match endpoint(stored, seal) {
            Some(endpoint) => all.push(Arc::new(endpoint)),
            None => {
                tracing::error!(endpoint = %stored.id, "an endpoint cannot be used: its settings or secrets do not read")
            }
        }
    }
    let modules = snapshot.modules.iter().map(|module| (module.id(), Arc::clone(&module.table.shape)));
    let modules: HashMap<_, _> = modules.collect();
    let modules = Modules { stand: modules, past: Arc::clone(snapshot.past()) };
    Ok(Book::new((endpoints.epoch, snapshot.replicas), read_at, workspace, all, modules))
}

/// As deliveries are made for it, whether or not it is enabled.
pub fn endpoint(stored: &StoredEndpoint, seal: &SealKey) -> Option<Endpoint> {
    let raw: RawEndpoint = serde_json::from_str(&stored.settings).ok()?;
    let context = stored.id.to_string();
    let secrets = stored.secrets.iter();
    let secrets = secrets.map(|secret| Some((seal.open(&secret.sealed, &context).ok()?, secret.expires_at)));
    let standing = Standing {
        id: stored.id,
        enabled: stored.enabled,
        since: stored.since,
        headers: headers(stored, seal)?,
        secrets: secrets.collect::<Option<_>>()?,
    };
    raw.saved(standing).ok()
}

/// The custom ones, opened.
pub fn headers(stored: &StoredEndpoint, seal: &SealKey) -> Option<HeaderMap> {
    let Some(sealed) = &stored.headers else { return Some(HeaderMap::new()) };
    let opened = seal.open(sealed, &stored.id.to_string()).ok()?;
    let texts: HashMap<String, String> = serde_json::from_str(opened.expose_secret()).ok()?;
    let read = |(name, value): (String, String)| {
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((HeaderName::try_from(name).ok()?, value))
    };
    texts.into_iter().map(read).collect()
}

/// Notices to the operator that wait to be sent.
const NOTICES: usize = 64;

/// Starts what delivers, and answers with what it tells the operator.
pub fn start(
    (store, clock, replica): (&Arc<Store>, &Clock, ReplicaId),
    (poster, book): (Poster, Book),
    (metrics, attempts): (&Arc<Metrics>, usize),
    (tasks, stopping): (&TaskTracker, &CancellationToken),
) -> (Arc<Deliveries>, mpsc::Receiver<Notice>) {
    let (notices, notified) = mpsc::channel(NOTICES);
    let deliveries = Deliveries::start(
        (Arc::clone(store), clock.clone(), replica),
        (poster, book),
        Bounds { attempts },
        (Arc::new(Counted(Arc::clone(metrics))), notices),
        (tasks, stopping),
    );
    (deliveries, notified)
}

/// What deliveries tell of their work.
struct Counted(Arc<Metrics>);

impl Watch for Counted {
    fn attempted(&self, outcome: &'static str, took: std::time::Duration) {
        self.0.attempt(outcome, took);
    }
}
