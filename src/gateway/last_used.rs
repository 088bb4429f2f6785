//! When API keys were last used: held in memory and written once a minute and at the end, so that a request costs no
//! write. What is shown is exact for this replica, and up to a minute old for the others; after a crash a minute is lost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Gateway;
use crate::clock::Timestamp;
use crate::id::KeyId;

pub(super) const EVERY: Duration = Duration::from_secs(60);

/// One entry a live key.
#[derive(Debug, Default)]
pub struct LastUsed(Mutex<HashMap<KeyId, Use>>);

#[derive(Clone, Copy, Debug)]
struct Use {
    at: Timestamp,
    is_written: bool,
}

impl LastUsed {
    pub fn note(&self, key: KeyId, at: Timestamp) {
        self.all().insert(key, Use { at, is_written: false });
    }

    /// As far as this replica knows.
    pub fn of(&self, key: KeyId) -> Option<Timestamp> {
        self.all().get(&key).map(|used| used.at)
    }

    fn unwritten(&self) -> Vec<(KeyId, Timestamp)> {
        self.all().iter().filter(|(_, used)| !used.is_written).map(|(id, used)| (*id, used.at)).collect()
    }

    fn written(&self, uses: &[(KeyId, Timestamp)]) {
        let mut all = self.all();
        for (id, at) in uses {
            if let Some(used) = all.get_mut(id).filter(|used| used.at == *at) {
                used.is_written = true;
            }
        }
    }

    /// A panic while it was held leaves whole entries.
    fn all(&self) -> MutexGuard<'_, HashMap<KeyId, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Writes what was noted since it was last written.
    pub async fn write_last_used(&self) {
        let uses = self.last_used.unwritten();
        if uses.is_empty() {
            return;
        }
        match self.store.keys_were_used(&uses).await {
            Ok(()) => self.last_used.written(&uses),
            Err(error) => tracing::warn!(%error, "it could not be written when API keys were last used"),
        }
        let snapshot = self.snapshot();
        self.last_used.all().retain(|id, used| !used.is_written || snapshot.has_key(*id));
    }
}
