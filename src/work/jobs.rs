//! Jobs: long work in small steps. One step at a time, under a claim that each step renews; what a step writes and how
//! far it brings the job is one transaction of the store, so that a job goes on where it was, whatever ends the process.
//! What there is to do is a [`Kind`], which whoever starts the gateway hands over.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::sync::{Mutex, Notify, OnceCell};

use crate::clock::{Clock, Timestamp};
use crate::id::ReplicaId;
use crate::store::jobs::{Claimed, Progress, Then};
use crate::store::{Store, StoreError};

/// Jobs that one gateway does at once; the others wait in order.
const AT_ONCE: usize = 2;
/// How often it is looked for jobs that another gateway was asked for, or has left behind.
const EVERY: Duration = Duration::from_secs(2);
/// Before a step is tried again that the database did not take.
const PAUSE: Duration = Duration::from_secs(2);
/// What is said of a step that met something that trying again does not mend; the log says more.
const BROKEN: &str = "a step failed; the gateway's log says why";

/// Futures of a trait that is used as an object.
pub type Task<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One kind of long work.
pub trait Kind: Send + Sync + 'static {
    /// As it is asked for, and as the jobs' rows name it.
    fn name(&self) -> &'static str;

    /// What exactly is asked for, and how much that is. Writes nothing.
    fn count(&self, asked: Map<String, Value>, now: Timestamp) -> Task<'_, Result<Counted, Refused>>;

    /// The next step, from the job's cursor on: short against [`crate::store::jobs::LEASE`], bounded in memory, and
    /// written in one transaction with [`Progress`].
    fn step<'a>(&'a self, job: &'a Claimed, now: Timestamp) -> Task<'a, Result<Stepped, Broken>>;
}

#[derive(Clone, Debug)]
pub struct Counted {
    /// What the steps go by: a JSON object, checked, with nothing left open.
    pub spec: Value,
    pub total: i64,
    /// What fits and will be left alone.
    pub skipped: i64,
}

/// Why there is no such job.
#[derive(Debug)]
pub enum Refused {
    /// What is wrong with what was asked for.
    Spec(String),
    /// What is asked for makes sense, but not as things stand.
    Conflict(String),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a step has come to.
#[derive(Clone, Debug)]
pub enum Stepped {
    On(Progress),
    /// The job is someone else's, or has ended; nothing was done.
    Lost,
}

/// Why a step was not done.
#[derive(Debug)]
pub enum Broken {
    Store(StoreError),
    /// The job cannot go on, for this reason, which is shown.
    Failed(String),
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A gateway's share of the jobs.
pub struct Jobs {
    store: Arc<Store>,
    clock: Clock,
    replica: ReplicaId,
    kinds: Vec<Arc<dyn Kind>>,
    /// Held for the whole of a round: there is never a second one.
    held: Mutex<Vec<Held>>,
    claims: AtomicU64,
    wake: Notify,
    begun: OnceCell<()>,
}

/// A job that is done here.
struct Held {
    job: Claimed,
    kind: Arc<dyn Kind>,
    next_at: Timestamp,
    is_over: bool,
}

impl Jobs {
    pub fn new(store: Arc<Store>, clock: Clock, replica: ReplicaId, kinds: Vec<Arc<dyn Kind>>) -> Self {
        let (held, claims, wake) = (Mutex::default(), AtomicU64::new(0), Notify::new());
        Self { store, clock, replica, kinds, held, claims, wake, begun: OnceCell::new() }
    }

    pub fn kind(&self, name: &str) -> Option<&Arc<dyn Kind>> {
        self.kinds.iter().find(|kind| kind.name() == name)
    }

    pub fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|kind| kind.name())
    }

    /// A job was made.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    /// Before the first round: what an earlier process held may be taken again.
    async fn begin(&self) {
        if let Err(error) = self.store.free_jobs(self.replica).await {
            tracing::warn!(%error, "jobs of an earlier start wait until its claim on them ends");
        }
    }

    /// One round: takes jobs as far as there is room, and does a step of each that is due. Says how long the next
    /// round may wait.
    pub async fn tick(&self) -> Duration {
        self.begun.get_or_init(|| self.begin()).await;
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Err(error) = self.take(&mut held, now).await {
            tracing::warn!(%error, "jobs could not be looked for");
        }
        let due = held.iter().enumerate().filter(|(_, held)| held.next_at <= now);
        let steps = due.map(|(place, held)| {
            let (kind, job) = (Arc::clone(&held.kind), held.job.clone());
            // A task of its own, so that a step that panics ends its job and no other.
            (place, tokio::spawn(async move { kind.step(&job, now).await }))
        });
        for (place, step) in steps.collect::<Vec<_>>() {
            let outcome = step.await;
            self.settle(&mut held[place], outcome, now).await;
        }
        held.retain(|held| !held.is_over);
        let next = held.iter().map(|held| held.next_at.since(self.clock.now())).min();
        next.unwrap_or(EVERY).min(EVERY)
    }

    /// Waits for the next round, or for a nudge.
    pub async fn rest(&self, span: Duration) {
        // Either is a reason to look.
        let _ = tokio::time::timeout(span, self.wake.notified()).await;
    }

    /// After the last round: whoever comes next may go on at once.
    pub async fn let_go(&self) {
        for held in self.held.lock().await.drain(..) {
            if let Err(error) = self.store.release_job(&held.job, held.next_at, self.clock.now()).await {
                tracing::warn!(job = %held.job.job.id, %error, "a job could not be given back; it goes on when its lease has ended");
            }
        }
    }

    async fn take(&self, held: &mut Vec<Held>, now: Timestamp) -> Result<(), StoreError> {
        let names = self.kinds().collect::<Vec<_>>();
        while held.len() < AT_ONCE {
            let claim = format!("{}/{}", self.replica, self.claims.fetch_add(1, Ordering::Relaxed));
            let Some(job) = self.store.take_job(&names, &claim, now).await? else { break };
            let Some(kind) = self.kind(&job.job.kind).cloned() else { break };
            held.push(Held { job, kind, next_at: now, is_over: false });
        }
        Ok(())
    }

    async fn settle(
        &self,
        held: &mut Held,
        outcome: Result<Result<Stepped, Broken>, tokio::task::JoinError>,
        now: Timestamp,
    ) {
        let reason = match outcome {
            Ok(Ok(Stepped::On(progress))) => return held.advance(progress),
            Ok(Ok(Stepped::Lost)) => {
                held.is_over = true;
                return;
            }
            Ok(Err(Broken::Store(error @ (StoreError::Unavailable(_) | StoreError::Conflict)))) => {
                tracing::warn!(job = %held.job.job.id, %error, "a step of a job is tried again");
                held.next_at = now.after(PAUSE);
                return;
            }
            Ok(Err(Broken::Store(error))) => {
                tracing::error!(job = %held.job.job.id, %error, "a step of a job failed");
                BROKEN.to_owned()
            }
            Ok(Err(Broken::Failed(reason))) => reason,
            Err(_) => {
                tracing::error!(job = %held.job.job.id, "a step of a job met a bug");
                BROKEN.to_owned()
            }
        };
        match self.store.fail_job(&held.job, &reason, self.clock.now()).await {
            Ok(()) => held.is_over = true,
            Err(error) => {
                tracing::warn!(job = %held.job.job.id, %error, "a job's end could not be written; its step is tried again");
                held.next_at = now.after(PAUSE);
            }
        }
    }
}

impl Held {
    fn advance(&mut self, progress: Progress) {
        let job = &mut self.job.job;
        job.done += progress.done;
        job.skipped += progress.skipped;
        job.cursor = progress.cursor;
        match progress.then {
            Then::Next(at) => self.next_at = at,
            Then::Finished => self.is_over = true,
        }
    }
}
