//! Brings the edits of other SQL clients into the log when no batch comes by that would.

use std::time::Duration;

use super::Tail;
use crate::clock::Clock;
use crate::store::{Store, StoreError};

/// How often it is looked whether there are any: one look-up that locks nothing.
pub const EVERY: Duration = Duration::from_millis(200);

/// Numbers all edits that there are, and tells those who wait for changes.
pub async fn tick(store: &Store, clock: &Clock, tail: &Tail) -> Result<(), StoreError> {
    while store.number_edits(clock.now()).await? > 0 {
        tail.nudge();
    }
    Ok(())
}
