//! Events that were kept for long enough, or of which a source has too many bytes: they go beside the requests, oldest
//! first, a few at a time, so that ingestion never waits for it.
//!
//! Event ids are remembered for a week, and a duplicate is answered with the record of the first event: so what has to
//! go earlier loses its payload and headers at once, and its row when the week is over. Rows go by whole days (UTC), on
//! PostgreSQL a partition at a time where every source's time is over.
//! Freed pages of an SQLite file are used again; it does not become smaller by itself.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::id::{EventId, SourceId};
use crate::store::kept::Batch;
use crate::store::sources::StoredSource;
use crate::store::writer::REMEMBERED;
use crate::store::{Store, StoreError};

/// How often it is looked at.
pub const EVERY: Duration = Duration::from_secs(60);
/// Ids are made when a request begins, rows when it is committed: by then they are there.
const SETTLED: Duration = Duration::from_secs(120);

/// What one source says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    pub source: SourceId,
    /// None: the usual one.
    pub age: Option<Duration>,
    /// Of all its payloads together.
    pub bytes: Option<u64>,
}

impl From<&StoredSource> for Rule {
    fn from(source: &StoredSource) -> Self {
        let keep = &source.settings.keep;
        Self { source: source.id, age: keep.age, bytes: keep.bytes }
    }
}

/// From before which instants payloads go, and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    /// None: with their rows.
    payloads: Option<Timestamp>,
    rows: Timestamp,
}

impl Ends {
    fn new(age: Duration, now: Timestamp) -> Self {
        let payloads = (age < REMEMBERED).then(|| now.before(age));
        Self { payloads, rows: now.before(age.max(REMEMBERED)).midnight() }
    }
}

/// A source that has events.
struct Kept {
    source: String,
    /// Its oldest event.
    first: String,
    ends: Ends,
    bytes: Option<i64>,
}

/// One round. Errors are told and left to the next round. `usual` is the age of events whose source says nothing.
pub async fn tick(store: &Store, clock: &Clock, usual: Duration, rules: &[Rule]) {
    let round = Round { store, now: clock.now(), pace: Pace { clock, rows: MOST_ROWS / 5 } };
    if let Err(error) = round.run(usual, rules).await {
        tracing::warn!(%error, "old events could not be removed");
    }
}

struct Round<'a> {
    store: &'a Store,
    now: Timestamp,
    pace: Pace<'a>,
}

impl Round<'_> {
    async fn run(mut self, usual: Duration, rules: &[Rule]) -> Result<(), StoreError> {
        // Of days whose events are gone nothing is held, also where nobody asked for a while.
        for rule in rules {
            let end = Ends::new(rule.age.unwrap_or(usual), self.now).rows;
            self.store.forget_days(&rule.source.to_string(), end).await?;
        }
        for kept in &self.sources(usual, rules).await? {
            if let Some(end) = kept.ends.payloads {
                self.strip(&kept.source, Some(EventId::floor(end)), i64::MAX).await?;
            }
            if let Some(most) = kept.bytes {
                self.fit(&kept.source, most).await?;
            }
        }
        let all = self.sources(usual, rules).await?;
        let end = Ends::new(usual, self.now).rows;
        self.drop_days(end, &all).await?;
        self.remove_usual(end, &all).await?;
        let gone = self.store.gone_payloads().await?;
        for kept in &self.sources(usual, rules).await? {
            self.remove(kept, gone.get(&kept.source).cloned().unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Events of a source that is gone are kept for the usual time.
    async fn sources(&self, usual: Duration, rules: &[Rule]) -> Result<Vec<Kept>, StoreError> {
        let rules = rules.iter().map(|rule| (rule.source.to_string(), *rule)).collect::<HashMap<_, _>>();
        let kept = |(source, first): (String, String)| {
            let rule = rules.get(&source);
            let ends = Ends::new(rule.and_then(|rule| rule.age).unwrap_or(usual), self.now);
            let bytes = rule.and_then(|rule| rule.bytes).map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX));
            Kept { source, first, ends, bytes }
        };
        Ok(self.store.event_sources().await?.into_iter().map(kept).collect())
    }

    /// Oldest first, to an end or until so many bytes are gone.
    async fn strip(&mut self, source: &str, until: Option<EventId>, most: i64) -> Result<(), StoreError> {
        let mut left = most;
        while left > 0 {
            let begun = self.pace.clock.monotonic();
            let batch = self.store.strip_events(source, (until, left), self.pace.rows, self.now).await?;
            left = left.saturating_sub(batch.bytes);
            if batch.last.is_none() || !batch.more {
                break;
            }
            self.pace.rest(begun).await;
        }
        Ok(())
    }

    /// What came within the last moments is not counted yet.
    async fn fit(&mut self, source: &str, most: i64) -> Result<(), StoreError> {
        let until = EventId::floor(self.now.before(SETTLED));
        while self.store.count_payloads(source, until).await? {
            let begun = self.pace.clock.monotonic();
            self.pace.rest(begun).await;
        }
        let excess = self.store.counted_bytes(source).await?.saturating_sub(most);
        self.strip(source, None, excess).await
    }

    /// A day goes as a whole when it is over for every source that has events in it.
    async fn drop_days(&self, usual: Timestamp, all: &[Kept]) -> Result<(), StoreError> {
        let latest = all.iter().map(|kept| kept.ends.rows).fold(usual, Timestamp::max);
        let mut until = latest;
        for kept in all.iter().filter(|kept| kept.ends.rows < latest) {
            let first = kept.first.parse().map_or(Timestamp::default(), EventId::midnight);
            until = until.min(kept.ends.rows.max(first));
        }
        self.store.drop_event_days(until, self.now.before(REMEMBERED)).await
    }

    /// What is older than usual goes in the order in which it lies there, unless its source keeps it longer.
    async fn remove_usual(&mut self, usual: Timestamp, all: &[Kept]) -> Result<(), StoreError> {
        let longer = all.iter().filter(|kept| kept.ends.rows < usual);
        let longer = longer.map(|kept| kept.source.clone()).collect::<Vec<_>>();
        loop {
            let begun = self.pace.clock.monotonic();
            let batch = self.store.remove_usual(EventId::floor(usual), &longer, self.pace.rows).await?;
            if batch.last.is_none() || !batch.more {
                return Ok(());
            }
            self.pace.rest(begun).await;
        }
    }

    /// The rows of one source whose time is over, and those that lost their payloads and are no longer needed.
    async fn remove(&mut self, kept: &Kept, stripped: String) -> Result<(), StoreError> {
        let floor = |at: Timestamp| EventId::floor(at).to_string();
        let needless = floor(self.now.before(REMEMBERED).midnight());
        let until = floor(kept.ends.rows).max(stripped.min(needless));
        if kept.first > until {
            return Ok(());
        }
        let mut after = String::new();
        loop {
            let begun = self.pace.clock.monotonic();
            let batch = self.store.remove_events(&kept.source, (&after, &until), self.pace.rows).await?;
            match batch {
                Batch { last: Some(last), more: true, .. } => after = last,
                _ => break,
            }
            self.pace.rest(begun).await;
        }
        Ok(())
    }
}

/// How much goes at once: as much as takes a few milliseconds, for so long another transaction may have to wait for it.
/// Then whoever else writes has the database, and its disk, for four times as long.
struct Pace<'a> {
    clock: &'a Clock,
    rows: i64,
}

const MOST_ROWS: i64 = 500;
const LEAST_ROWS: i64 = 10;
const SHORT: Duration = Duration::from_millis(3);
const LONG: Duration = Duration::from_millis(10);
const REST: Duration = Duration::from_millis(10);
const LONGEST_REST: Duration = Duration::from_secs(2);

impl Pace<'_> {
    async fn rest(&mut self, begun: Duration) {
        let took = self.clock.monotonic().saturating_sub(begun);
        self.rows = next(self.rows, took);
        tokio::time::sleep((took * 4).clamp(REST, LONGEST_REST)).await;
    }
}

/// The size of the batch after one that took so long.
fn next(rows: i64, took: Duration) -> i64 {
    let rows = if took > LONG {
        rows / 2
    } else if took < SHORT {
        rows * 2
    } else {
        rows
    };
    rows.clamp(LEAST_ROWS, MOST_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_for_duplicates_loses_its_payload_first() {
        let now: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        for (age, payloads, rows) in [
            (hours(6), Some("2026-03-31T06:00:00.000000Z"), "2026-03-24T00:00:00.000000Z"),
            (hours(7 * 24 - 1), Some("2026-03-24T13:00:00.000000Z"), "2026-03-24T00:00:00.000000Z"),
            (hours(7 * 24), None, "2026-03-24T00:00:00.000000Z"),
            (hours(30 * 24), None, "2026-03-01T00:00:00.000000Z"),
        ] {
            let ends = Ends::new(age, now);
            let told = (ends.payloads.map(|at| at.to_string()), ends.rows.to_string());
            assert_eq!(told, (payloads.map(str::to_owned), rows.to_owned()), "{age:?}");
        }
    }

    #[test]
    fn a_batch_takes_a_few_milliseconds() {
        let millis = Duration::from_millis;
        assert_eq!(next(100, millis(1)), 200);
        assert_eq!(next(400, millis(1)), 500);
        assert_eq!(next(100, millis(8)), 100);
        assert_eq!(next(100, millis(50)), 50);
        assert_eq!(next(12, millis(50)), 10);
    }
}
