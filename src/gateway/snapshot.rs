//! The configuration in force, as requests meet it: immutable, replaced whole.

use std::collections::HashMap;
use std::sync::Arc;

use super::usage::{LastUse, Tally, Usage};
use crate::clock::{Clock, Timestamp};
use crate::id::{KeyId, ModuleId, SourceId};
use crate::limit::{Limiter, Limiters};
use crate::record::change::Change;
use crate::record::shape::Shape;
use crate::secret::{CannotOpen, SealKey, digest};
use crate::source::{ActiveSecret, Source};
use crate::store::heartbeat::Pulse;
use crate::store::keys::StoredKey;
use crate::store::modules::StoredModule;
use crate::store::refusals::Ration;
use crate::store::shapes::Past;
use crate::store::sources::StoredSource;
use crate::store::table::Table;
use crate::store::{Store, StoreError};
use crate::verify::handshake::{Handshake, Handshakes};
use crate::verify::response::{RawResponse, Response};

pub struct Snapshot {
    /// Of the configuration; moves with every change.
    pub version: i64,
    /// Live replicas; each enforces its share of a limit.
    pub replicas: u32,
    /// By slug.
    pub modules: Vec<StoredModule>,
    pub sources: Vec<StoredSource>,
    /// Those that open something, by digest. One may have expired since: ask the clock.
    keys: HashMap<String, StoredKey>,
    /// What modules were before, as it is kept.
    kept: Past,
    /// The same as changes of that time are told by.
    past: Arc<Past>,
    doors: HashMap<String, Entrance>,
    by_source: HashMap<SourceId, Arc<Door>>,
    limiters: Limiters,
    /// What the sources are used for; one for all snapshots.
    pub usage: Arc<Usage>,
}

/// A token: where it leads, and for how long.
struct Entrance {
    door: Arc<Door>,
    /// From then on it leads nowhere.
    ends: Option<Timestamp>,
    last_use: Arc<LastUse>,
}

/// Where a token leads.
pub struct Door {
    pub source: Source,
    pub table: Arc<Table>,
    /// Place of the source's match in the table's keys.
    pub key: usize,
    pub limiter: Arc<Limiter>,
    pub handshakes: Handshakes,
    /// To accepted webhooks, where it is not the gateway's own answer.
    pub response: Option<Response>,
    pub refusals: Ration,
    pub tally: Arc<Tally>,
    /// Answers to handshakes that no signature vouches for.
    pub answers: Ration,
}

impl Snapshot {
    /// Reads it whole. Limiters whose share did not change are kept from the old one, so that a reload refills nothing.
    pub async fn load(store: &Store, seal: &SealKey, clock: &Clock, old: Option<&Self>) -> Result<Self, StoreError> {
        let none = Past::new();
        let (pulse, modules, sources, kept, keys) = read(store, clock, old.map_or(&none, |old| &old.kept)).await?;
        let fresh = Limiters::new(clock.clone());
        let quotas = sources
            .iter()
            .map(|source| (source.id, source.settings.rate_limit.unwrap_or_default().shared_by(pulse.replicas)));
        let limiters = old.map_or(&fresh, |old| &old.limiters).renew(quotas);
        let usage = old.map_or_else(Arc::default, |old| Arc::clone(&old.usage));
        let (mut doors, mut by_source) = (HashMap::new(), HashMap::new());
        for stored in &sources {
            let Some(door) = door(stored, &modules, seal, (&limiters, &usage)) else {
                tracing::error!(source = %stored.id, "a source cannot be used: its mapping, secrets or module do not read");
                continue;
            };
            let door = Arc::new(door);
            by_source.insert(stored.id, Arc::clone(&door));
            doors.extend(stored.tokens.iter().map(|token| {
                let (door, last_use) = (Arc::clone(&door), usage.of_token(&token.digest));
                (token.digest.clone(), Entrance { door, ends: token.expires_at, last_use })
            }));
        }
        let (version, replicas) = (pulse.config_version, pulse.replicas);
        let past = Arc::new(told_by(&kept, &modules));
        Ok(Self { version, replicas, modules, sources, keys, past, kept, doors, by_source, limiters, usage })
    }

    pub fn module(&self, slug: &str) -> Option<&StoredModule> {
        self.modules.iter().find(|module| module.slug().as_str() == slug)
    }

    pub fn module_by_id(&self, id: ModuleId) -> Option<&StoredModule> {
        self.modules.iter().find(|module| module.id() == id)
    }

    pub fn past(&self) -> &Arc<Past> {
        &self.past
    }

    /// The module of a change as it was when the change was made: altered or deleted since, perhaps.
    pub fn shape_of(&self, change: &Change) -> Option<&Arc<Shape>> {
        let id = change.module?;
        let stands = self.module_by_id(id).map(|module| &module.table.shape);
        stands.filter(|shape| shape.number == change.shape).or_else(|| self.past.get(&(id, change.shape))).or(stands)
    }

    pub fn source_by_id(&self, id: SourceId) -> Option<&StoredSource> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// What an API key says of itself, if it is one.
    pub fn key(&self, token: &str) -> Option<&StoredKey> {
        self.keys.get(&crate::secret::hex(&digest(token)))
    }

    /// When the time of a key that opens something ends, if ever; nothing of any other.
    pub fn live_until(&self, id: KeyId) -> Option<Option<Timestamp>> {
        self.keys.values().find(|key| key.id == id).map(|key| key.expires_at)
    }

    pub fn has_key(&self, id: KeyId) -> bool {
        self.keys.values().any(|key| key.id == id)
    }

    /// The allowance of a source, as far as this replica grants it.
    pub fn limiter(&self, id: SourceId) -> Option<&Arc<Limiter>> {
        self.limiters.of(id)
    }

    /// The door of a token, if it belongs to that module and its time is not over. An unknown module and an unknown
    /// token take the same way: one hash, one look-up by the hash, one comparison.
    pub fn door(&self, module: &str, token: &str, now: Timestamp) -> Option<&Arc<Door>> {
        let entrance = self.doors.get(&crate::secret::hex(&digest(token)))?;
        if entrance.door.source.shape.slug.as_str() != module || entrance.ends.is_some_and(|end| end <= now) {
            return None;
        }
        entrance.last_use.is(now);
        Some(&entrance.door)
    }

    /// The door of a source, whether or not it has a token.
    pub fn door_of(&self, source: SourceId) -> Option<&Arc<Door>> {
        self.by_source.get(&source)
    }
}

fn told_by(kept: &Past, modules: &[StoredModule]) -> Past {
    let told = |(of, then): (&(ModuleId, i64), &Arc<Shape>)| {
        let now = modules.iter().find(|module| module.id() == of.0);
        (*of, now.map_or_else(|| Arc::clone(then), |now| Arc::new(then.told_by(&now.table.shape))))
    };
    kept.iter().map(told).collect()
}

type Read = (Pulse, Vec<StoredModule>, Vec<StoredSource>, Past, HashMap<String, StoredKey>);

/// Modules, sources and keys of one version: a mapping must not meet the shape of another.
async fn read(store: &Store, clock: &Clock, known: &Past) -> Result<Read, StoreError> {
    loop {
        let pulse = store.pulse(clock.now()).await?;
        let modules = store.modules().await?;
        let sources = store.sources().await?;
        let past = store.past_shapes(known).await?;
        let keys = store.live_keys(clock.now()).await?.into_iter().collect();
        if store.config_version().await? == pulse.config_version {
            return Ok((pulse, modules, sources, past, keys));
        }
    }
}

fn door(
    stored: &StoredSource,
    modules: &[StoredModule],
    seal: &SealKey,
    (limiters, usage): (&Limiters, &Usage),
) -> Option<Door> {
    let module = modules.iter().find(|module| module.id() == stored.module)?;
    let table = Arc::clone(&module.table);
    let keys = table.keys.iter().map(|key| key.fields.clone()).collect::<Vec<_>>();
    let mapping = stored.settings.complete(&stored.mapping).check(&table.shape, &keys).ok()?;
    let context = stored.id.to_string();
    let secrets = stored.secrets.iter();
    let secrets = secrets.map(|secret| Ok(ActiveSecret::new(seal.open(&secret.sealed, &context)?, secret.expires_at)));
    let source = Source {
        id: stored.id,
        slug: stored.slug.clone(),
        shape: Arc::clone(&table.shape),
        settings: stored.settings.clone(),
        secrets: secrets.collect::<Result<_, CannotOpen>>().ok()?,
        mapping_version: stored.mapping_version,
        mapping,
    };
    let handshakes = stored.settings.handshakes().cloned().map(Handshake::try_from);
    Some(Door {
        key: table.key(&source.mapping.matching)?,
        limiter: Arc::clone(limiters.of(stored.id)?),
        handshakes: handshakes.collect::<Result<_, _>>().ok()?,
        response: stored.settings.response().map(RawResponse::check).transpose().ok()?,
        refusals: Ration::default(),
        tally: usage.of_source(stored.id),
        answers: Ration::default(),
        source,
        table,
    })
}
