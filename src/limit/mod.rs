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
use governor::state::{InMemoryState, NotKeyed};
use http::{HeaderName, HeaderValue};

pub use quota::{BadQuota, Quota, RawQuota};

use crate::clock::Clock;
use crate::id::SourceId;
use crate::problem::{Code, Problem, whole_seconds};

/// The allowance of one source in this process.
#[derive(Debug)]
pub struct Limiter {
    quota: Quota,
    gate: RateLimiter<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Duration>>,
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
        Self { quota, gate: RateLimiter::direct_with_clock(quota.governor(), clock) }
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
