//! Group commit. A judged event is handed to a lane; the lane takes what has queued while its last commit ran and
//! commits it as one transaction, then every caller gets its answer. There is no artificial delay.
//!
//! Lanes are for speed only: row locks keep records right. SQLite has one lane because it has one writer.

mod batch;
mod claims;
mod fold;
pub mod foresee;
pub mod hand;
mod lane;
mod log;
mod order;
mod pace;
mod rows;
mod statements;
mod thread;
mod tombstones;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use order::{Dedupe, Entry, Receipt, Work, WriteError, Written};

use super::{Pool, Store};
use crate::clock::Clock;
use lane::Lane;
use order::Order;
use pace::Pace;

/// How long an event id is remembered, and what a deleted record leaves behind.
pub const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3_600);

/// The bounds of the write queue. What does not fit is refused at once, never kept in memory.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Events waiting in all lanes together.
    pub events: usize,
    /// Bytes of bodies and of what was judged of them, waiting in all lanes together.
    pub bytes: usize,
    /// How long an event waits to be written, where that is the rule and not a burst.
    pub wait: Duration,
    /// Events in one transaction.
    pub batch: usize,
    /// How long a batch may take before its callers are told that the database does not answer.
    pub deadline: Duration,
}

/// What the writer tells of its work; the gateway turns it into metrics.
pub trait Watch: Send + Sync + 'static {
    fn batch(&self, events: usize, took: Duration);
    fn retried(&self);
}

pub struct Writer {
    lanes: Vec<mpsc::Sender<Order>>,
    bytes: Arc<Semaphore>,
    capacity: usize,
    waiting: Arc<AtomicUsize>,
    pace: Arc<Pace>,
    clock: Clock,
}

impl Writer {
    /// Starts the lanes, each on a thread of its own. They end when `closing` is cancelled and their queues are empty; `tasks` waits for them.
    pub fn start(
        store: &Store,
        clock: &Clock,
        bounds: Bounds,
        watch: Arc<dyn Watch>,
        (tasks, closing): (&TaskTracker, &CancellationToken),
    ) -> io::Result<Self> {
        if let Some(checkpoints) = store.checkpoints.clone() {
            let closing = closing.clone();
            tasks.spawn(async move { checkpoints.run(closing).await });
        }
        let waiting = Arc::new(AtomicUsize::new(0));
        let pace = Arc::new(Pace::new(bounds.wait, store.lanes.len(), bounds.batch));
        let start = |pool: &Pool| {
            let (sender, receiver) = mpsc::channel(bounds.events.div_ceil(store.lanes.len()));
            let shared = (Arc::clone(&watch), Arc::clone(&waiting), Arc::clone(&pace));
            let lane = Lane::new(store, pool.clone(), clock.clone(), bounds, shared);
            thread::spawn(lane.run(receiver, closing.clone()), tasks)?;
            Ok(sender)
        };
        let lanes = store.lanes.iter().map(start).collect::<io::Result<_>>()?;
        let bytes = Arc::new(Semaphore::new(bounds.bytes));
        Ok(Self { lanes, bytes, capacity: bounds.bytes, waiting, pace, clock: clock.clone() })
    }

    /// Returns when the first of the lanes has ended.
    pub async fn lane_ended(&self) {
        let ends = self.lanes.iter().map(|lane| Box::pin(lane.closed()));
        let mut ends = ends.collect::<Vec<_>>();
        std::future::poll_fn(|context| {
            let ended = ends.iter_mut().any(|end| end.as_mut().poll(context).is_ready());
            if ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Events accepted into the queue and not yet answered.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Memory that those events have claimed, as it is bounded.
    pub fn waiting_bytes(&self) -> usize {
        self.capacity.saturating_sub(self.bytes.available_permits())
    }

    /// Whether one more event would be written soon enough; the sender of one that would not is told so at once.
    pub fn admits(&self) -> bool {
        self.pace.admits(self.waiting(), self.clock.monotonic())
    }

    /// Tells how late a task gets its turn at the moment: events wait there, too.
    pub fn turns_are_late(&self, late: Duration) {
        self.pace.door(late);
    }

    /// Commits one judged event. When this returns `Ok`, the event, its records and changes are on disk.
    pub async fn write(&self, entry: Entry, work: Work) -> Written {
        let weight = match &work {
            Work::Records { weight, .. } => *weight,
            Work::Ignored { .. } | Work::Repeat { .. } => 0,
        };
        // One that is larger than the whole queue goes alone.
        let bytes = u32::try_from((entry.body.len() + weight).min(self.capacity)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).map_err(|_| WriteError::QueueFull)?;
        let (reply, answer) = oneshot::channel();
        let lane = &self.lanes[self.lane_of(&entry, &work)];
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if lane.try_send(Order { entry, work, reply, queued_at: self.clock.monotonic(), permit }).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(WriteError::QueueFull);
        }
        answer.await.unwrap_or(Err(WriteError::Unavailable))
    }

    /// The same record always takes the same lane, so that its events fold instead of waiting for each other's locks.
    fn lane_of(&self, entry: &Entry, work: &Work) -> usize {
        if self.lanes.len() == 1 {
            return 0;
        }
        let first = match work {
            Work::Records { records, .. } => records.first(),
            Work::Ignored { .. } | Work::Repeat { .. } => None,
        };
        let mut hash = Sha256::new();
        match first {
            Some(record) => record.key.iter().for_each(|part| hash.update(part.text().as_bytes())),
            None => hash.update(entry.id.to_string()),
        }
        let digest = hash.finalize();
        usize::from(digest[0]) % self.lanes.len()
    }
}
