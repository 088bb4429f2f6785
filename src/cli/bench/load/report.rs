//! What came back: counts by status, and latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use super::wire::Answer;

/// Steps of a power of two: a latency is known to 1.6 %.
const STEPS: usize = 64;
/// Enough for 19 hours in microseconds.
const PLACES: usize = 31 * STEPS;

/// Latencies in microseconds, in places of constant relative width: the same memory for any number of them.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Empty until the first latency.
    counts: Vec<u64>,
    total: u64,
    most: u64,
}

impl Histogram {
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        if self.counts.is_empty() {
            self.counts = vec![0; PLACES];
        }
        self.counts[place(micros)] += 1;
        self.total += 1;
        self.most = self.most.max(micros);
    }

    pub fn add(&mut self, other: &Self) {
        if self.counts.is_empty() {
            self.counts.clone_from(&other.counts);
        } else {
            self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
        }
        self.total += other.total;
        self.most = self.most.max(other.most);
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    /// The latency that this share of all, in percent, stayed within. Zero when there is none.
    pub fn percentile(&self, percent: f64) -> Duration {
        let wanted = ((self.total as f64 * percent / 100.0).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        Duration::from_micros(found.map_or(0, |place| end_of(place).min(self.most)))
    }

    pub fn most(&self) -> Duration {
        Duration::from_micros(self.most)
    }
}

fn place(micros: u64) -> usize {
    let bits = (u64::BITS - micros.leading_zeros()) as usize;
    let shift = bits.saturating_sub(7);
    let place = shift * STEPS + (micros >> shift) as usize;
    place.min(PLACES - 1)
}

/// The longest latency that falls into a place.
fn end_of(place: usize) -> u64 {
    let shift = (place / STEPS).saturating_sub(1);
    (((place - shift * STEPS) as u64 + 1) << shift) - 1
}

/// Counts of one load, or of a part of it.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub statuses: BTreeMap<u16, u64>,
    /// Answered 2xx.
    pub accepted: Histogram,
    pub refused: Histogram,
    /// 429 and 503 that do not say when to come back.
    pub without_retry_after: u64,
    /// Connections that broke off with a request under way.
    pub broken: u64,
    /// Not answered when the load was over.
    pub unanswered: u64,
    /// Of an open loop: not sent, since no connection was free in time.
    pub unsent: u64,
}

impl Tally {
    pub(super) fn answered(&mut self, answer: &Answer, latency: Duration) {
        *self.statuses.entry(answer.status).or_default() += 1;
        if (200..300).contains(&answer.status) {
            self.accepted.record(latency);
        } else {
            self.refused.record(latency);
        }
        if matches!(answer.status, 429 | 503) && !answer.says_when {
            self.without_retry_after += 1;
        }
    }

    pub fn add(&mut self, other: &Self) {
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.accepted.add(&other.accepted);
        self.refused.add(&other.refused);
        self.without_retry_after += other.without_retry_after;
        self.broken += other.broken;
        self.unanswered += other.unanswered;
        self.unsent += other.unsent;
    }

    /// All that were answered, whatever the answer.
    pub fn requests(&self) -> u64 {
        self.accepted.total() + self.refused.total()
    }

    pub fn count(&self, status: u16) -> u64 {
        self.statuses.get(&status).copied().unwrap_or(0)
    }
}

/// A load, when it is over.
#[derive(Clone, Debug)]
pub struct Report {
    pub tally: Tally,
    /// From the start to the last answer.
    pub took: Duration,
}

impl Report {
    /// Accepted requests a second.
    pub fn rate(&self) -> f64 {
        let seconds = self.took.as_secs_f64();
        if seconds > 0.0 { self.tally.accepted.total() as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_holds_what_it_says_and_nothing_is_between_places() {
        let mut last = None;
        for micros in (0..100_000).chain([1 << 30, (1 << 36) - 1]) {
            let end = end_of(place(micros));
            assert!(end >= micros && (end - micros) as f64 <= micros as f64 / 64.0, "{micros} is put at {end}");
            assert!(last.is_none_or(|last| last <= end));
            last = Some(end);
        }
        assert_eq!(place(u64::MAX), PLACES - 1);
    }

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99.0), Duration::ZERO);
        (1..=100).for_each(|millis| histogram.record(Duration::from_millis(millis)));
        let mut other = Histogram::default();
        other.add(&histogram);
        for (percent, millis) in [(50.0, 50.0), (99.0, 99.0), (100.0, 100.0)] {
            let found = other.percentile(percent).as_secs_f64() * 1_000.0;
            assert!((found / millis - 1.0).abs() < 0.02, "p{percent} is {found}");
        }
        assert_eq!(other.most(), Duration::from_millis(100));
        assert_eq!(other.total(), 100);
    }
}
