//! Partitions made ahead, expired event ids forgotten, what was kept for long enough removed, and columns of fields that
//! were dropped.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::config::Keep;
use crate::store::{Store, StoreError};

/// How often it is looked at.
pub const EVERY: Duration = Duration::from_secs(60);
/// Between two batches, so that others have their turn.
const REST: Duration = Duration::from_millis(10);
/// A delivery that was being sent again when it was removed still finds its change.
const AFTER_DELIVERIES: Duration = Duration::from_secs(3_600);

/// For how long it is counted what sources are used for.
const USAGE: Duration = Duration::from_secs(90 * 86_400);

/// One round. Errors are told and left to the next round: nothing here is urgent.
pub async fn tick(store: &Store, clock: &Clock, keep: &Keep) {
    let now = clock.now();
    told("the day partitions could not be made", store.make_partitions(now).await);
    batches("expired event ids could not be forgotten", || store.forget_expired(now)).await;

    batches("old rows of the audit log could not be removed", || store.remove_audit(now.before(keep.audit))).await;
    let counted = now.before(USAGE).midnight();
    batches("old counts of sources could not be removed", || store.forget_usage(counted, now)).await;

    let (deliveries, changes) = ends(keep, now);
    let dropped = told("old days of deliveries could not be dropped", store.drop_partitions(deliveries).await);
    let removed = batches("old deliveries could not be removed", || store.remove_deliveries(deliveries)).await;
    // A body is made from its change: as long as a delivery is there, it can be sent again.
    if dropped && removed {
        batches("old changes could not be removed", || store.remove_changes(changes)).await;
    }
    told("shapes of old changes could not be forgotten", store.forget_shapes().await);
    told("columns of dropped fields could not be removed", store.remove_columns(now).await);
}

/// From before which instants deliveries go, and changes. Deliveries go by whole days (UTC), as they lie in storage.
fn ends(keep: &Keep, now: Timestamp) -> (Timestamp, Timestamp) {
    let deliveries = now.before(keep.deliveries).midnight();
    (deliveries, now.before(keep.changes).min(deliveries.before(AFTER_DELIVERIES)))
}

/// Batch after batch until nothing is left; `false` when one failed.
async fn batches<F: Future<Output = Result<bool, StoreError>>>(failed: &str, mut next: impl FnMut() -> F) -> bool {
    loop {
        match next().await {
            Ok(true) => tokio::time::sleep(REST).await,
            done => return told(failed, done),
        }
    }
}

fn told<T>(failed: &str, done: Result<T, StoreError>) -> bool {
    done.map_err(|error| tracing::warn!(%error, "{failed}")).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_outlives_the_deliveries_that_are_made_of_it() {
        let now: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        let days = |days: u64| Duration::from_secs(days * 86_400);
        for (changes, deliveries, expected) in [
            (30, 30, ("2026-03-01T00:00:00.000000Z", "2026-02-28T23:00:00.000000Z")),
            (30, 10, ("2026-03-21T00:00:00.000000Z", "2026-03-01T12:00:00.000000Z")),
        ] {
            let (deliveries, changes) =
                ends(&Keep { changes: days(changes), deliveries: days(deliveries), ..Keep::default() }, now);
            assert_eq!((&*deliveries.to_string(), &*changes.to_string()), expected);
        }
    }
}
