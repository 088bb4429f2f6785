//! How many requests a source takes: governor's GCRA over our clock, one limiter a source (a keyed limiter has a single
//! quota for all its keys). A burst passes at once, then one request each 60/n s; a full minute that begins rested can
//! therefore see almost twice the limit. Deliberately not here: who is counted and when (`receive.rs`), and sharing
//! between replicas beyond [`Quota::shared_by`].

pub mod guesses;
pub mod pace;
mod quota;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use governor::RateLimiter;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use http::{HeaderName, HeaderValue};

pub use quota::{BadQuota, Quota, RawQuota};

use crate::clock::Clock;
use crate::id::SourceId;
use crate::problem::{Code, Problem, whole_seconds};

/// The allowance of one source in this process.
#[derive(Debug)]
pub struct Limiter {
    quota: Quota,
    gate: RateLimiter<NotKeyed, Taken, Clock, NoOpMiddleware<Duration>>,
    taken: Taken,
    /// What governor counts time from, by the monotonic clock.
    begun: Duration,
}

/// What was taken so far, as GCRA has it: when a burst would be whole again. Shared with governor, which only ever takes.
#[derive(Clone, Debug, Default)]
struct Taken(Arc<InMemoryState>);

impl StateStore for Taken {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, key: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, decide)
    }
}

/// The allowance is used up; the next request passes after `retry_after`, if no other takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    pub retry_after: Duration,
    /// What the answer tells the sender. Where replicas share a limit, put the whole one here: a sender meets them all.
    pub quota: Quota,
}

impl Limiter {
    pub fn new(quota: Quota, clock: Clock) -> Self {
        let (taken, begun) = (Taken::default(), clock.monotonic());
        Self { quota, gate: RateLimiter::new(quota.governor(), taken.clone(), clock), taken, begun }
    }

    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Takes one request from the allowance. A refused one takes nothing.
    pub fn take(&self) -> Result<(), Over> {
        self.gate.check().map_err(|refused| {
            let retry_after = refused.wait_time_from(self.gate.clock().monotonic());
            Over { retry_after, quota: self.quota }
        })
    }

    /// How many requests would pass at this moment. Takes none.
    pub fn remaining(&self) -> u32 {
        let now =
            u64::try_from(self.gate.clock().monotonic().saturating_sub(self.begun).as_nanos()).unwrap_or(u64::MAX);
        // What decides to replace nothing sees what there is.
        let seen: Result<(), u64> =
            self.taken.measure_and_replace(&NotKeyed::NonKey, |whole| Err(whole.map_or(0, Nanos::as_u64)));
        let missing = u128::from(seen.err().unwrap_or_default().saturating_sub(now));
        let interval = self.quota.governor().replenish_interval().as_nanos().max(1);
        let left = (u128::from(self.quota.burst()) * interval).saturating_sub(missing) / interval;
        u32::try_from(left).unwrap_or(u32::MAX)
    }
}

impl Over {
    /// What stands beside `Retry-After`: the fields of draft-ietf-httpapi-ratelimit-headers (RFC 9651 items with the
    /// policy `default`), and the older `X-RateLimit-*`, whose reset is in seconds from now.
    pub fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let wait = whole_seconds(self.retry_after);
        let (burst, window) = (self.quota.burst(), self.quota.window().as_secs());
        [
            ("ratelimit", format!("\"default\";r=0;t={wait}")),
            ("ratelimit-policy", format!("\"default\";q={burst};w={window}")),
            ("x-ratelimit-limit", burst.to_string()),
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", wait.to_string()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?)))
        .collect()
    }
}

impl From<Over> for Problem {
    fn from(over: Over) -> Self {
        let (wait, quota) = (whole_seconds(over.retry_after), over.quota);
        let detail = format!(
            "This source takes {} requests a minute, {} of them at once. The next one passes in {wait} s.",
            quota.per_minute(),
            quota.burst()
        );
        over.headers()
            .into_iter()
            .fold(Self::new(Code::RateLimited, detail), |problem, (name, value)| problem.with_header(name, value))
            .with_retry_after(over.retry_after)
    }
}

/// The limiters of all sources. A change of configuration makes the next set out of this one.
#[derive(Debug)]
pub struct Limiters {
    clock: Clock,
    by_source: HashMap<SourceId, Arc<Limiter>>,
}

impl Limiters {
    pub fn new(clock: Clock) -> Self {
        Self { clock, by_source: HashMap::new() }
    }

    pub fn of(&self, source: SourceId) -> Option<&Arc<Limiter>> {
        self.by_source.get(&source)
    }

    /// A source whose quota is the same keeps its limiter, so that a reload hands no one a fresh burst.
    #[must_use]
    pub fn renew(&self, wanted: impl IntoIterator<Item = (SourceId, Quota)>) -> Self {
        let kept = |source, quota| self.of(source).filter(|limiter| limiter.quota == quota).cloned();
        let by_source = wanted
            .into_iter()
            .map(|(source, quota)| {
                let fresh = || Arc::new(Limiter::new(quota, self.clock.clone()));
                (source, kept(source, quota).unwrap_or_else(fresh))
            })
            .collect();
        Self { clock: self.clock.clone(), by_source }
    }
}

#[cfg(test)]
mod tests;
