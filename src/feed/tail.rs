//! The end of the log: the number of the newest change, and who waits for it to move. Looked at when this replica has
//! committed something, and from time to time for what the others have.

use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::store::{Store, StoreError};

/// How often it is looked at while someone waits.
pub const EVERY: Duration = Duration::from_millis(200);

pub struct Tail {
    last: watch::Sender<i64>,
    nudged: Notify,
}

impl Default for Tail {
    fn default() -> Self {
        Self { last: watch::Sender::new(0), nudged: Notify::new() }
    }
}

impl Tail {
    /// Something was committed here.
    pub fn nudge(&self) {
        if self.last.receiver_count() > 0 {
            self.nudged.notify_one();
        }
    }

    /// One look, if anyone waits.
    pub async fn tick(&self, store: &Store) -> Result<(), StoreError> {
        if self.last.receiver_count() > 0 {
            let last = store.last_change().await?;
            self.last.send_if_modified(|known| std::mem::replace(known, last) != last);
        }
        Ok(())
    }

    /// Returns when it is worth another look.
    pub async fn rest(&self) {
        let nudged = self.nudged.notified();
        if self.last.receiver_count() == 0 {
            nudged.await;
        } else {
            // Whichever comes first.
            let _ = tokio::time::timeout(EVERY, nudged).await;
        }
    }

    pub fn listen(&self) -> watch::Receiver<i64> {
        let receiver = self.last.subscribe();
        self.nudged.notify_one();
        receiver
    }
}
