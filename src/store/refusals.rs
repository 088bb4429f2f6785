//! Refused requests, by a lane of their own and best effort: an accepted event never waits for them, and a flood
//! cannot fill the disk.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dialect::sql;
use super::events::{self, NewEvent};
use super::writer::Entry;
use super::{Store, acquire, begin};
use crate::clock::Clock;
use crate::id::SourceId;

/// Rows a second and source; the rest is counted by the door's metrics and not kept.
const ROWS_A_SECOND: u32 = 10;
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
    let mut ration = Ration::default();
    let mut taken = Vec::with_capacity(BATCH);
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
        taken.retain(|refusal| ration.allows(refusal.entry.source, clock.monotonic()));
        if let Err(error) = write(&store, &clock, &taken).await {
            tracing::warn!(%error, lost = taken.len(), "refusals could not be kept");
        }
        taken.clear();
    }
}

async fn write(store: &Store, clock: &Clock, refusals: &[Refusal]) -> Result<(), super::StoreError> {
    if refusals.is_empty() {
        return Ok(());
    }
    let now = clock.now();
    let mut bodies = Vec::new();
    let rows = refusals.iter().map(|refusal| {
        let row = NewEvent::new(&refusal.entry, "refused", now, &mut bodies);
        let errors = (!refusal.errors.is_empty()).then_some(&refusal.errors[..]);
        NewEvent { cause: Some(refusal.cause), errors, ..row }
    });
    let rows = serde_json::to_string(&rows.collect::<Vec<_>>());
    let rows = rows.map_err(|error| super::StoreError::Corrupt(error.to_string()))?;
    let mut conn = acquire(&store.write).await?;
    let mut tx = begin(&mut conn, store.dialect.begin_plan(&[])).await?;
    events::insert(&mut tx, sql(events::insert_text(store.dialect)), rows, bodies).await?;
    super::commit(tx).await?;
    Ok(())
}

/// Counts rows a source within the running second.
#[derive(Default)]
struct Ration {
    second: u64,
    rows: HashMap<SourceId, u32>,
}

impl Ration {
    fn allows(&mut self, source: SourceId, at: Duration) -> bool {
        if at.as_secs() != self.second {
            self.second = at.as_secs();
            self.rows.clear();
        }
        let rows = self.rows.entry(source).or_default();
        *rows += 1;
        *rows <= ROWS_A_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn ten_rows_a_second_and_source() {
        let mut ration = Ration::default();
        let (noisy, quiet) = (SourceId::new(Timestamp::default()), SourceId::new(Timestamp::default()));
        let kept = (0..100).filter(|_| ration.allows(noisy, Duration::from_millis(5_100))).count();
        assert_eq!(kept, 10);
        assert!(ration.allows(quiet, Duration::from_millis(5_900)));
        assert!(ration.allows(noisy, Duration::from_millis(6_000)));
    }
}
