//! How much is allowed, as an admin writes it: `rate_limit = { per_minute = 60, burst = 10 }`.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most that `per_minute` and `burst` may be. Above it a limit means nothing, and GCRA's unit would near 60 µs.
const MOST: u32 = 1_000_000;

/// A checked rate: both numbers are 1 to 1,000,000. By default 60 a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawQuota", into = "RawQuota")]
pub struct Quota {
    per_minute: NonZeroU32,
    burst: NonZeroU32,
}

/// A rate as it is written and stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawQuota {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    /// Requests that pass at once; `per_minute` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadQuota {
    #[error("say how many requests a minute pass: per_minute = 60")]
    Missing,
    #[error("`{key}` is a number from 1 to 1000000, not {value}")]
    OutOfRange { key: &'static str, value: u32 },
}

impl Quota {
    /// `burst` is `per_minute` when absent.
    pub fn new(per_minute: u32, burst: Option<u32>) -> Result<Self, BadQuota> {
        let bounded = |key, value| match NonZeroU32::new(value) {
            Some(number) if value <= MOST => Ok(number),
            _ => Err(BadQuota::OutOfRange { key, value }),
        };
        let per_minute = bounded("per_minute", per_minute)?;
        let burst = burst.map_or(Ok(per_minute), |burst| bounded("burst", burst))?;
        Ok(Self { per_minute, burst })
    }

    pub fn per_minute(self) -> u32 {
        self.per_minute.get()
    }

    pub fn burst(self) -> u32 {
        self.burst.get()
    }

    /// The part that one of `replicas` enforces, rounded up: together they may allow a little more, never less.
    #[must_use]
    pub fn shared_by(self, replicas: u32) -> Self {
        let replicas = NonZeroU32::new(replicas).unwrap_or(NonZeroU32::MIN);
        let share = |whole: NonZeroU32| NonZeroU32::new(whole.get().div_ceil(replicas.get())).unwrap_or(whole);
        Self { per_minute: share(self.per_minute), burst: share(self.burst) }
    }

    /// The time in which a used-up burst is whole again, in seconds rounded up: a minute unless `burst` was set.
    pub(super) fn window(self) -> Duration {
        let seconds = (u64::from(self.burst()) * 60).div_ceil(u64::from(self.per_minute()));
        Duration::from_secs(seconds)
    }

    pub(super) fn governor(self) -> governor::Quota {
        governor::Quota::per_minute(self.per_minute).allow_burst(self.burst)
    }
}

impl Default for Quota {
    fn default() -> Self {
        const SIXTY: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
        Self { per_minute: SIXTY, burst: SIXTY }
    }
}

impl TryFrom<RawQuota> for Quota {
    type Error = BadQuota;

    fn try_from(raw: RawQuota) -> Result<Self, BadQuota> {
        Self::new(raw.per_minute.ok_or(BadQuota::Missing)?, raw.burst)
    }
}

impl From<Quota> for RawQuota {
    fn from(quota: Quota) -> Self {
        let burst = (quota.burst != quota.per_minute).then_some(quota.burst());
        Self { per_minute: Some(quota.per_minute()), burst }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Quota, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_quota_is_read_checked_and_written_back() {
        assert_eq!(read(r#"{"per_minute": 60}"#), Ok(Quota::default()));
        assert_eq!(serde_json::to_string(&Quota::default()).unwrap(), r#"{"per_minute":60}"#);
        let quota = Quota::new(1_000_000, Some(1)).unwrap();
        assert_eq!(read(&serde_json::to_string(&quota).unwrap()), Ok(quota));
        for (text, says) in [
            (r#"{"per_minute": 0}"#, "`per_minute` is a number from 1 to 1000000, not 0"),
            (r#"{"per_minute": 60, "burst": 0}"#, "`burst` is a number from 1 to 1000000, not 0"),
            (r#"{"per_minute": 1000001}"#, "`per_minute` is a number from 1 to 1000000, not 1000001"),
            (r#"{"per_minute": -1}"#, "expected u32"),
            (r#"{"per_second": 1}"#, "unknown field `per_second`"),
            ("{}", "per_minute = 60"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn replicas_share_rounded_up() {
        let quota = Quota::new(60, Some(10)).unwrap();
        assert_eq!(quota.shared_by(0), quota);
        assert_eq!(quota.shared_by(1), quota);
        assert_eq!(quota.shared_by(7), Quota::new(9, Some(2)).unwrap());
        assert_eq!(quota.shared_by(1_000), Quota::new(1, Some(1)).unwrap());
    }

    #[test]
    fn the_window_is_what_a_burst_needs_to_refill() {
        assert_eq!(Quota::default().window(), Duration::from_secs(60));
        assert_eq!(Quota::new(60, Some(10)).unwrap().window(), Duration::from_secs(10));
        assert_eq!(Quota::new(7, Some(1)).unwrap().window(), Duration::from_secs(9));
    }
}
