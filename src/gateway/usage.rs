//! What sources are used for, counted beside requests: in memory as they come, and into the database every few seconds
//! and when the gateway stops. What was counted since the last time is lost when the process is killed, and nothing else
//! is: counts never hold up an event.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Gateway;
use crate::clock::Timestamp;
use crate::id::SourceId;
use crate::store::usage::{Counted, StoredCount};
use crate::store::{Store, StoreError};

/// How often counts are written; as much of them is lost at most.
pub const EVERY: Duration = Duration::from_secs(5);

/// Of all sources and tokens. Replaced by no change of configuration, so that nothing is counted twice or not at all.
#[derive(Debug, Default)]
pub struct Usage {
    sources: Mutex<HashMap<SourceId, Arc<Tally>>>,
    /// By digest.
    tokens: Mutex<HashMap<String, Arc<LastUse>>>,
    /// Held while counts are on their way to the database, when they are neither here nor there.
    writing: tokio::sync::Mutex<()>,
}

/// What one source has answered and is not written yet: a short list, and a lock that is held for the length of it.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Vec<Answers>>);

/// So many answers of a kind on a day.
#[derive(Clone, Copy, Debug)]
struct Answers {
    cause: &'static str,
    day: Timestamp,
    count: i64,
    last_at: Timestamp,
}

/// When a token was last used, in microseconds; 0 when that is written.
#[derive(Debug, Default)]
pub struct LastUse(AtomicI64);

impl Tally {
    /// `cause` is what was answered: an outcome, `handshake`, or the code of a problem.
    pub fn count(&self, cause: &'static str, at: Timestamp) {
        self.add(Answers { cause, day: at.midnight(), count: 1, last_at: at });
    }

    fn add(&self, more: Answers) {
        let mut tally = lock(&self.0);
        match tally.iter_mut().find(|known| known.cause == more.cause && known.day == more.day) {
            Some(known) => {
                known.count += more.count;
                known.last_at = known.last_at.max(more.last_at);
            }
            None => tally.push(more),
        }
    }
}

impl LastUse {
    pub fn is(&self, now: Timestamp) {
        self.0.fetch_max(now.micros(), Ordering::Relaxed);
    }
}

impl Usage {
    pub fn of_source(&self, id: SourceId) -> Arc<Tally> {
        Arc::clone(lock(&self.sources).entry(id).or_default())
    }

    pub fn of_token(&self, digest: &str) -> Arc<LastUse> {
        Arc::clone(lock(&self.tokens).entry(digest.to_owned()).or_default())
    }

    /// Writes what was counted since the last time. What could not be written is counted still.
    pub async fn write(&self, store: &Store) -> Result<(), StoreError> {
        let _one_at_a_time = self.writing.lock().await;
        let (counted, tokens) = (self.taken(), self.used());
        if counted.is_empty() && tokens.is_empty() {
            return Ok(());
        }
        let written = store.add_usage(&counted, &tokens).await;
        if written.is_err() {
            for Counted { source, day, cause, count, last_at } in counted {
                self.of_source(source).add(Answers { cause, day, count, last_at });
            }
            tokens.iter().for_each(|(digest, at)| self.of_token(digest).is(*at));
        }
        written
    }

    /// All that was counted of these sources: what is written, by all replicas, and what this one is about to write.
    pub async fn of(&self, store: &Store, sources: &[SourceId]) -> Result<Vec<StoredCount>, StoreError> {
        let _none_is_on_its_way = self.writing.lock().await;
        let mut counts = store.usage(sources).await?;
        for id in sources {
            let here = lock(&self.sources).get(id).map(|tally| lock(&tally.0).clone()).unwrap_or_default();
            let source_id = id.to_string();
            for answers in here {
                let (first_day, last_at) = (answers.day.micros(), answers.last_at.micros());
                let mut same = counts.iter_mut().filter(|count| count.source_id == source_id);
                match same.find(|count| count.cause == answers.cause) {
                    Some(known) => {
                        known.count += answers.count;
                        known.last_at = known.last_at.max(last_at);
                    }
                    None => {
                        let (source_id, cause) = (source_id.clone(), answers.cause.to_owned());
                        counts.push(StoredCount { source_id, cause, count: answers.count, first_day, last_at });
                    }
                }
            }
        }
        Ok(counts)
    }

    /// When a token was last used here, where that is not written yet.
    pub fn last_use(&self, digest: &str) -> Option<Timestamp> {
        let micros = lock(&self.tokens).get(digest)?.0.load(Ordering::Relaxed);
        Timestamp::from_micros(micros).filter(|_| micros > 0)
    }

    /// Takes what was counted, and forgets sources that nobody uses any more.
    fn taken(&self) -> Vec<Counted> {
        let mut taken = Vec::new();
        lock(&self.sources).retain(|source, tally| {
            let answers = std::mem::take(&mut *lock(&tally.0)).into_iter();
            taken.extend(answers.map(|Answers { cause, day, count, last_at }| {
                let source = *source;
                Counted { source, day, cause, count, last_at }
            }));
            Arc::strong_count(tally) > 1
        });
        taken
    }

    fn used(&self) -> Vec<(String, Timestamp)> {
        let mut used = Vec::new();
        lock(&self.tokens).retain(|digest, last_use| {
            let micros = last_use.0.swap(0, Ordering::Relaxed);
            used.extend(Timestamp::from_micros(micros).filter(|_| micros > 0).map(|at| (digest.clone(), at)));
            Arc::strong_count(last_use) > 1
        });
        used
    }
}

/// A panic while it was held leaves counts, which are as good as any.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gateway {
    /// Writes what sources were used for since the last time.
    pub async fn write_usage(&self) {
        let usage = Arc::clone(&self.snapshot().usage);
        if let Err(error) = usage.write(&self.store).await {
            tracing::warn!(%error, "what sources were used for could not be written");
        }
    }
}
