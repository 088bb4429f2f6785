//! How fast long work may go.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

const MINUTE: i64 = 60_000_000;

/// So many things a minute, at most; a second's worth of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Pace(i64);

impl Pace {
    pub const MOST: i64 = 1_000_000;

    pub fn a_second(self) -> i64 {
        (self.0 / 60).max(1)
    }

    /// When it may go on after so many.
    pub fn after(self, done: i64, now: Timestamp) -> Timestamp {
        now.after(Duration::from_micros((done * MINUTE / self.0).unsigned_abs()))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("`perMinute` is a number from 1 to {}", Pace::MOST)]
pub struct BadPace;

impl TryFrom<i64> for Pace {
    type Error = BadPace;

    fn try_from(per_minute: i64) -> Result<Self, BadPace> {
        (1..=Self::MOST).contains(&per_minute).then_some(Self(per_minute)).ok_or(BadPace)
    }
}

impl From<Pace> for i64 {
    fn from(pace: Pace) -> Self {
        pace.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_a_seconds_worth_at_once() {
        let now = Timestamp::default();
        for (per_minute, a_second, done, seconds) in [(1, 1, 1, 60), (59, 1, 59, 60), (600, 10, 10, 1), (120, 2, 0, 0)]
        {
            let pace = Pace::try_from(per_minute).unwrap();
            assert_eq!(pace.a_second(), a_second, "{per_minute}");
            assert_eq!(pace.after(done, now), now.after(Duration::from_secs(seconds)), "{per_minute}");
        }
        assert!([0, -1, Pace::MOST + 1].into_iter().all(|wrong| Pace::try_from(wrong).is_err()));
    }
}
