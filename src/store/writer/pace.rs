//! When to take no more. What waits is bounded by time, not only by number: at a rate that the database cannot keep
//! up with, a queue that is merely full makes everybody wait as long as it is. A burst may fill it, a standing overload
//! may not (the idea of RFC 8289, at the entrance instead of the exit: who is refused must be told at once). What fits
//! into the running transaction and the next is always taken: with less than that no database is at its best, and
//! refusing would keep a slow one slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the wait may be above its bound before events are refused.
const BURST: Duration = Duration::from_millis(150);
/// Batches smaller than this part of the largest say what a transaction costs, and not what an event does.
const TELLING: usize = 4;

/// Shared by the lanes, which tell how fast they are, and the door.
#[derive(Debug)]
pub(super) struct Pace {
    bound: Duration,
    lanes: u64,
    /// Events that wait and are always taken.
    always: usize,
    telling: usize,
    /// Nanoseconds that a lane takes for an event, smoothed; 0 until it was seen.
    event: AtomicU64,
    /// How long requests wait for a thread before they get here, in nanoseconds.
    door: AtomicU64,
    /// Since when the wait has been too long, in microseconds of the monotonic clock; 0 when it is not.
    since: AtomicU64,
}

impl Pace {
    /// `batch` events go into one transaction.
    pub fn new(bound: Duration, lanes: usize, batch: usize) -> Self {
        let always = batch.saturating_mul(2).saturating_mul(lanes);
        let lanes = u64::try_from(lanes.max(1)).unwrap_or(1);
        let telling = batch.div_ceil(TELLING);
        Self {
            bound,
            lanes,
            always,
            telling,
            event: AtomicU64::new(0),
            door: AtomicU64::new(0),
            since: AtomicU64::new(0),
        }
    }

    /// A transaction of so many events has taken so long.
    pub fn learn(&self, events: usize, took: Duration) {
        if events < self.telling {
            return;
        }
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        let fresh = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX) / events;
        let old = self.event.load(Ordering::Relaxed);
        let smoothed = if old == 0 { fresh } else { old - old / 8 + fresh / 8 };
        self.event.store(smoothed.max(1), Ordering::Relaxed);
    }

    /// How late a task gets its turn at the moment.
    pub fn door(&self, late: Duration) {
        self.door.store(u64::try_from(late.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether one more event may join those that wait.
    pub fn admits(&self, waiting: usize, now: Duration) -> bool {
        let fits = waiting <= self.always;
        let waiting = u64::try_from(waiting).unwrap_or(u64::MAX);
        let written = waiting.saturating_mul(self.event.load(Ordering::Relaxed)) / self.lanes;
        let wait = Duration::from_nanos(written.saturating_add(self.door.load(Ordering::Relaxed)));
        if fits || wait <= self.bound {
            // Not at once: a queue that is kept at its bound is an overload all the same.
            if wait < self.bound / 4 {
                self.since.store(0, Ordering::Relaxed);
            }
            return true;
        }
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX).max(1);
        match self.since.load(Ordering::Relaxed) {
            0 => {
                self.since.store(now, Ordering::Relaxed);
                true
            }
            since => u128::from(now.saturating_sub(since)) < BURST.as_micros(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// A tenth of a millisecond an event, in batches of 100.
    fn pace(lanes: usize) -> Pace {
        let pace = Pace::new(100 * MS, lanes, 100);
        pace.learn(200, 20 * MS);
        pace
    }

    #[test]
    fn a_burst_is_taken_and_a_standing_overload_is_not() {
        let pace = pace(1);
        assert!(pace.admits(1_000, 1_000 * MS), "a tenth of a second is the bound");
        assert!(pace.admits(5_000, 1_000 * MS), "above it from now on");
        assert!(pace.admits(5_000, 1_149 * MS));
        assert!(!pace.admits(1_001, 1_150 * MS));
        assert!(pace.admits(999, 1_151 * MS), "up to the bound there is room");
        assert!(!pace.admits(1_001, 1_152 * MS), "and the overload is still the same");
        assert!(pace.admits(200, 2_000 * MS), "over");
        assert!(pace.admits(5_000, 2_001 * MS), "another burst");
    }

    #[test]
    fn waiting_at_the_door_counts() {
        let pace = pace(1);
        pace.door(60 * MS);
        assert!(pace.admits(400, 1_000 * MS) && pace.admits(400, 2_000 * MS));
        assert!(pace.admits(401, 2_000 * MS), "above the bound from now on");
        assert!(!pace.admits(401, 2_150 * MS));
        pace.door(Duration::ZERO);
        assert!(pace.admits(1_000, 2_151 * MS));
    }

    #[test]
    fn two_batches_are_taken_however_slow_they_are() {
        let pace = pace(1);
        for _ in 0..100 {
            pace.learn(200, 20_000 * MS);
        }
        assert!(pace.admits(201, 1_000 * MS), "above the bound from now on");
        assert!(pace.admits(200, 9_000 * MS));
        assert!(!pace.admits(201, 9_000 * MS));
    }

    #[test]
    fn small_batches_teach_nothing() {
        let pace = Pace::new(100 * MS, 1, 100);
        pace.learn(1, 1_000 * MS);
        for now in [1, 1_000, 10_000] {
            assert!(pace.admits(8_000, now * MS));
        }
    }

    #[test]
    fn lanes_share_what_waits() {
        let pace = pace(4);
        assert!(pace.admits(4_001, 1_000 * MS) && pace.admits(4_000, 9_000 * MS));
        assert!(!pace.admits(4_001, 9_000 * MS));
    }
}
