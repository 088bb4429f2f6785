//! What follows an attempt. Pure: a schedule of three days is a table test.

use std::time::{Duration, UNIX_EPOCH};

use http::header;
use serde::{Deserialize, Serialize};

use super::exchange::{ErrorClass, Failed, Reply};
use crate::clock::Timestamp;

/// However long a receiver asks to be left alone.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);
/// For how long an endpoint rests that is overloaded and does not say for how long.
pub const SHORT_REST: Duration = Duration::from_secs(1);

/// What an endpoint and its profile say about it.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// Seconds to wait after each failed attempt; there is one attempt more.
    pub retries: &'a [u32],
    pub jitter: Jitter,
    pub on_gone: OnGone,
    /// Whether the URL names an address itself: what is not allowed now never will be.
    pub is_literal: bool,
}

/// How much longer the wait becomes: `drawn` of 65,536 parts of so many percent. None by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Jitter {
    pub most_percent: u32,
    /// A random number.
    pub drawn: u16,
}

/// What 410 means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnGone {
    #[default]
    Disable,
    /// A failure as any other: some load balancers say 410, too.
    Retry,
}

/// With `slow`, the whole endpoint rests for at least so long: it said that it is overloaded, or what stands before it
/// did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Delivered,
    Again {
        at: Timestamp,
        slow: Option<Duration>,
    },
    GivenUp {
        slow: Option<Duration>,
    },
    /// The endpoint is to be disabled.
    Gone,
}

/// `attempt` counts from 1.
pub fn next(result: &Result<Reply, Failed>, attempt: u32, rule: Rule<'_>, now: Timestamp) -> Next {
    match result {
        Ok(reply) if (200..300).contains(&reply.status) => Next::Delivered,
        Ok(reply) if reply.status == 410 && rule.on_gone == OnGone::Disable => Next::Gone,
        Ok(reply) => {
            let asked = retry_after(reply, now);
            let is_overloaded = matches!(reply.status, 429 | 502 | 503 | 504);
            let slow = is_overloaded.then(|| asked.map_or(SHORT_REST, |asked| asked.max(SHORT_REST)));
            again(attempt, rule, asked, slow, now)
        }
        Err(failed) if is_final(failed.class, rule) => Next::GivenUp { slow: None },
        Err(_) => again(attempt, rule, None, None, now),
    }
}

/// A name may lead elsewhere tomorrow, an address does not; and what cannot be made today cannot be made tomorrow.
fn is_final(class: ErrorClass, rule: Rule<'_>) -> bool {
    match class {
        ErrorClass::Unsendable => true,
        ErrorClass::TargetNotAllowed => rule.is_literal,
        ErrorClass::Dns | ErrorClass::Connect | ErrorClass::Tls | ErrorClass::Timeout | ErrorClass::Protocol => false,
    }
}

fn again(attempt: u32, rule: Rule<'_>, asked: Option<Duration>, slow: Option<Duration>, now: Timestamp) -> Next {
    let failed = usize::try_from(attempt.max(1) - 1).unwrap_or(usize::MAX);
    let Some(seconds) = rule.retries.get(failed) else { return Next::GivenUp { slow } };
    let wait = rule.jitter.stretch(Duration::from_secs(u64::from(*seconds)));
    Next::Again { at: now.after(wait.max(asked.unwrap_or_default())), slow }
}

impl Jitter {
    fn stretch(self, wait: Duration) -> Duration {
        let parts = u128::from(self.most_percent) * u128::from(self.drawn);
        let more = wait.as_micros() * parts / (100 << 16);
        wait.saturating_add(Duration::from_micros(u64::try_from(more).unwrap_or(u64::MAX)))
    }
}

/// RFC 9110, 10.2.3: whole seconds or a date; at most [`LONGEST_WAIT`]. None for anything else.
fn retry_after(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let text = reply.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|char| char.is_ascii_digit()) {
        // What does not fit is long, too.
        return Some(text.parse().map_or(LONGEST_WAIT, Duration::from_secs).min(LONGEST_WAIT));
    }
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::default().after(since).since(now).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
