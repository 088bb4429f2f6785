//! When the next request is due.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How requests follow one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Each connection sends when its last request is answered.
    Closed,
    /// So many requests a second, over all connections.
    Open {
        per_second: f64,
        /// A request that finds no free connection for so long is not sent, and counted. None: it is sent late.
        give_up: Option<Duration>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    Now,
    /// Since the load began.
    At(Duration),
}

pub(super) struct Schedule {
    pace: Pace,
    span: Duration,
    taken: AtomicU64,
}

impl Schedule {
    pub fn new(pace: Pace, span: Duration) -> Self {
        Self { pace, span, taken: AtomicU64::new(0) }
    }

    /// None once the span is over.
    pub fn next(&self, now: Duration) -> Option<Slot> {
        match self.pace {
            Pace::Closed => (now < self.span).then_some(Slot::Now),
            Pace::Open { per_second, .. } => {
                let number = self.taken.fetch_add(1, Ordering::Relaxed);
                let due = Duration::try_from_secs_f64(number as f64 / per_second).unwrap_or(Duration::MAX);
                // Late requests are still sent, but not for ever.
                (due < self.span && now < 2 * self.span).then_some(Slot::At(due))
            }
        }
    }

    pub fn is_given_up(&self, slot: Slot, now: Duration) -> bool {
        match (self.pace, slot) {
            (Pace::Open { give_up: Some(patience), .. }, Slot::At(due)) => now.saturating_sub(due) > patience,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_open_loop_goes_by_the_clock_and_not_by_answers() {
        let patience = Some(Duration::from_millis(100));
        let schedule = Schedule::new(Pace::Open { per_second: 4.0, give_up: patience }, SECOND);
        let late = Duration::from_millis(800);
        let taken: Vec<_> = std::iter::from_fn(|| schedule.next(late)).collect();
        assert_eq!(taken, [0, 250, 500, 750].map(|millis| Slot::At(Duration::from_millis(millis))));
        let given_up: Vec<_> = taken.iter().map(|slot| schedule.is_given_up(*slot, late)).collect();
        assert_eq!(given_up, [true, true, true, false]);
    }

    #[test]
    fn a_closed_loop_ends_with_its_span() {
        let schedule = Schedule::new(Pace::Closed, SECOND);
        assert_eq!(schedule.next(SECOND / 2), Some(Slot::Now));
        assert_eq!(schedule.next(SECOND), None);
    }
}
