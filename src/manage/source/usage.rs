//! What a source is used for, as the API shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::gateway::{Gateway, Snapshot};
use crate::limit::Quota;
use crate::record::merge::Outcome;
use crate::store::sources::StoredSource;
use crate::store::usage::StoredCount;

/// A handshake is neither accepted nor refused: it is no event.
const HANDSHAKE: &str = "handshake";

/// What came in, by all replicas; what others counted in the last five seconds may be missing. Kept for 90 days.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsageOfSource)]
pub struct UsageView {
    /// The first day that is counted; null when nothing came in.
    since: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    accepted: i64,
    /// The accepted ones by outcome.
    outcomes: BTreeMap<String, i64>,
    /// By the problem's code.
    refused: BTreeMap<String, i64>,
    handshakes: i64,
    limit: LimitView,
}

/// How near the limit the source is now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitOfSource)]
struct LimitView {
    per_minute: u32,
    burst: u32,
    /// Requests that would pass at this moment: what is left of the share of the replica that answers, times the
    /// number of replicas.
    remaining: u32,
}

impl UsageView {
    pub fn new(gateway: &Gateway, source: &StoredSource, counts: &[StoredCount]) -> Self {
        let id = source.id.to_string();
        let own = || counts.iter().filter(|count| count.source_id == id);
        let time = |micros: Option<i64>| micros.and_then(Timestamp::from_micros);
        let first = time(own().map(|count| count.first_day).min());
        let mut usage = Self {
            since: first.map(|day| day.max(source.created_at)),
            last_used_at: time(own().map(|count| count.last_at).max()),
            accepted: 0,
            outcomes: BTreeMap::new(),
            refused: BTreeMap::new(),
            handshakes: 0,
            limit: LimitView::new(&gateway.snapshot(), source),
        };
        for StoredCount { cause, count, .. } in own() {
            if Outcome::ALL.iter().any(|outcome| outcome.as_str() == cause) {
                usage.accepted += count;
                usage.outcomes.insert(cause.clone(), *count);
            } else if cause == HANDSHAKE {
                usage.handshakes += count;
            } else {
                usage.refused.insert(cause.clone(), *count);
            }
        }
        usage
    }
}

impl LimitView {
    fn new(snapshot: &Arc<Snapshot>, source: &StoredSource) -> Self {
        let quota: Quota = source.settings.rate_limit.unwrap_or_default();
        let left = snapshot.limiter(source.id).map_or(quota.burst(), |limiter| {
            let (left, share) = (u64::from(limiter.remaining()), u64::from(limiter.quota().burst()));
            u32::try_from(left * u64::from(quota.burst()) / share.max(1)).unwrap_or(u32::MAX)
        });
        Self { per_minute: quota.per_minute(), burst: quota.burst(), remaining: left.min(quota.burst()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn no_refusal_is_named_as_an_outcome() {
        let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
        assert!(outcomes.chain([HANDSHAKE]).all(|name| Code::find(name).is_none()));
    }
}
