//! Partitions made ahead, expired event ids forgotten.

use std::time::Duration;

use crate::clock::Clock;
use crate::store::Store;

/// How often it is looked at.
pub const EVERY: Duration = Duration::from_secs(60);

/// One round. Errors are told and left to the next round: nothing here is urgent.
pub async fn tick(store: &Store, clock: &Clock) {
    if let Err(error) = store.make_partitions(clock.now()).await {
        tracing::warn!(%error, "the day partitions of events could not be made");
    }
    loop {
        match store.forget_expired(clock.now()).await {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                tracing::warn!(%error, "expired event ids could not be forgotten");
                break;
            }
        }
    }
}
