//! Refused requests, by a lane of their own and best effort: an accepted event never waits for them, and a flood
//! cannot fill the disk.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::events::{self, NewEvent};
use super::rows::Statement;
use super::writer::Entry;
use super::{Store, acquire, begin};
use crate::clock::Clock;

/// Rows a second and source; the rest is counted by the door's metrics and not kept. So many handshakes are answered, too.
const A_SECOND: u32 = 10;
/// Bytes of a refused body that are kept.
pub const KEPT_BODY: usize = 64 * 1024;
/// Refusals waiting to be written; more are dropped.
const QUEUE: usize = 256;
const BATCH: usize = 64;

#[derive(Debug)]
pub struct Refusal {
    pub entry: Entry,
    /// The problem's code.
    pub cause: &'static str,
    pub errors: Vec<serde_json::Value>,
}

/// The way to the refusals lane. The lane ends when it is told to close and its queue is empty.
#[derive(Clone)]
pub struct Refusals(mpsc::Sender<Refusal>);

impl Refusals {
    pub fn start(store: Arc<Store>, clock: Clock, tasks: &TaskTracker, closing: &CancellationToken) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tasks.spawn(run(store, clock, receiver, closing.clone()));
        Self(sender)
    }

    /// Keeps the refusal if there is room; says whether there was.
    pub fn keep(&self, refusal: Refusal) -> bool {
        self.0.try_send(refusal).is_ok()
    }
}

async fn run(store: Arc<Store>, clock: Clock, mut queue: mpsc::Receiver<Refusal>, closing: CancellationToken) {
    let mut taken = Vec::with_capacity(BATCH);
    let insert = events::insert_statement(store.dialect);
    loop {
        let count = tokio::select! {
            count = queue.recv_many(&mut taken, BATCH) => count,
            () = closing.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        if count == 0 {
            break;
        }
        if let Err(error) = write(&store, &insert, &clock, &taken).await {
            tracing::warn!(%error, lost = taken.len(), "refusals could not be kept");
        }
        taken.clear();
    }
}

pub(super) async fn write(
    store: &Store,
    insert: &Statement,
    clock: &Clock,
    refusals: &[Refusal],
) -> Result<(), super::StoreError> {
    if refusals.is_empty() {
        return Ok(());
    }
    let now = clock.now();
    let rows = refusals.iter().map(|refusal| {
        let errors = (!refusal.errors.is_empty()).then_some(&refusal.errors[..]);
        NewEvent { cause: Some(refusal.cause), errors, ..NewEvent::new(&refusal.entry, "refused", now) }
    });
    let mut conn = acquire(&store.write).await?;
    let mut tx = begin(&mut conn, store.dialect.begin_plan(&[])).await?;
    events::insert(&mut tx, insert, &rows.collect::<Vec<_>>()).await?;
    super::commit(tx).await?;
    Ok(())
}

/// Counts what one source is granted within the running second: rows of refusals, or answers to handshakes. Asked before
/// anything is made of either: a forgery costs a hash and a counter.
#[derive(Debug, Default)]
pub struct Ration(Mutex<(u64, u32)>);

impl Ration {
    pub fn allows(&self, at: Duration) -> bool {
        // A panic while it was held leaves two numbers, which are as good as any.
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if at.as_secs() != counted.0 {
            *counted = (at.as_secs(), 0);
        }
        counted.1 = counted.1.saturating_add(1);
        counted.1 <= A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_rows_a_second() {
        let ration = Ration::default();
        let kept = (0..100).filter(|_| ration.allows(Duration::from_millis(5_100))).count();
        assert_eq!(kept, 10);
        assert!(!ration.allows(Duration::from_millis(5_900)));
        assert!(ration.allows(Duration::from_millis(6_000)));
    }
}
