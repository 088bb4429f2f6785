//! The parts put together: deliveries made, claimed, sent, settled, until the gateway stops.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{Letter, Sent, failed};
use super::book::Book;
use super::exchange::ErrorClass;
use super::failing::Notice;
use super::fanout::{MOST_BYTES, MOST_CHANGES, Room, owed};
use super::post::Poster;
use super::render::Rendering;
use super::settler;
use super::slots::{Job, Slots, Went};
use crate::clock::{self, Clock, Timestamp};
use crate::id::ReplicaId;
use crate::store::due::{Due, Made};
use crate::store::settle::Settled;
use crate::store::{Store, StoreError};

/// How often it is looked for what may be sent now, and for what other replicas have committed.
const EVERY: Duration = Duration::from_millis(200);
/// How often a gateway without endpoints moves its cursor along.
const IDLE: Duration = Duration::from_secs(2);
/// How long a claim holds: longer than an attempt takes, with time to wait for its turn.
const LEASE: Duration = Duration::from_secs(90);
/// Left of a lease when an attempt begins, beyond its timeout.
const SPARE: Duration = Duration::from_secs(15);
/// How long attempts may still take when the gateway stops.
const DRAIN: Duration = Duration::from_secs(10);
/// Outcomes that wait to be written down.
const UNSETTLED: usize = 256;
/// Renderings at hand.
const RENDERINGS: usize = 1_000;

#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Attempts under way at once, to all endpoints together.
    pub attempts: usize,
}

/// What is told of the work; the gateway turns it into metrics.
pub trait Watch: Send + Sync + 'static {
    /// `outcome` is `delivered`, `failed`, `again` or a class of errors.
    fn attempted(&self, outcome: &'static str, took: Duration);
}

pub struct Deliveries {
    pub(super) store: Arc<Store>,
    pub(super) clock: Clock,
    pub(super) watch: Arc<dyn Watch>,
    poster: Poster,
    replica: ReplicaId,
    book: ArcSwap<Book>,
    slots: Mutex<Slots>,
    /// Up to where deliveries were made, as far as is known here.
    cursor: AtomicI64,
    claims: AtomicU64,
    wake: Notify,
    left_over: AtomicBool,
    /// The endpoints in force are not those of the book: whoever can read them is asked to.
    pub outdated: Notify,
    settle: mpsc::Sender<Settled>,
    renderings: Mutex<HashMap<String, Arc<Rendering>>>,
    kept: Mutex<HashSet<String>>,
    /// What the operator is to be told.
    pub notices: mpsc::Sender<Notice>,
    /// Attempts end, whatever has become of them.
    cut: CancellationToken,
    /// The last attempt has ended.
    pub(super) drained: CancellationToken,
    tasks: TaskTracker,
}

impl Deliveries {
    /// Starts the tasks; they end when `stopping` is cancelled and what is under way has ended.
    pub fn start(
        (store, clock, replica): (Arc<Store>, Clock, ReplicaId),
        (poster, book): (Poster, Book),
        bounds: Bounds,
        (watch, notices): (Arc<dyn Watch>, mpsc::Sender<Notice>),
        (tasks, stopping): (&TaskTracker, &CancellationToken),
    ) -> Arc<Self> {
        let (settle, settled) = mpsc::channel(UNSETTLED);
        let slots = Slots::new(clock.clone(), bounds.attempts);
        let deliveries = Arc::new(Self {
            slots: Mutex::new(slots),
            book: ArcSwap::from_pointee(book),
            cursor: AtomicI64::new(-1),
            claims: AtomicU64::new(0),
            wake: Notify::new(),
            left_over: AtomicBool::new(true),
            outdated: Notify::new(),
            renderings: Mutex::default(),
            kept: Mutex::default(),
            cut: CancellationToken::new(),
            drained: CancellationToken::new(),
            tasks: TaskTracker::new(),
            store,
            clock,
            watch,
            poster,
            replica,
            settle,
            notices,
        });
        // There is nothing to be put back yet.
        let _ = deliveries.renew_slots();
        tasks.spawn(settler::run(Arc::clone(&deliveries), settled));
        tasks.spawn(Arc::clone(&deliveries).run(stopping.clone()));
        deliveries
    }

    /// Something was committed here. Without endpoints nobody waits for it, and the cursor follows in its own time.
    pub fn nudge(&self) {
        if self.book.load().enabled().next().is_some() {
            self.wake.notify_one();
        }
    }

    /// There may be more to claim.
    pub(super) fn more(&self) {
        self.left_over.store(true, Ordering::Relaxed);
        self.nudge();
    }

    /// The endpoints in force from now on.
    pub fn take(self: &Arc<Self>, book: Book) {
        self.book.store(Arc::new(book));
        let claimed = self.renew_slots();
        self.wake.notify_one();
        if !claimed.is_empty() {
            let deliveries = Arc::clone(self);
            self.tasks.spawn(async move { deliveries.put_back(&claimed).await });
        }
    }

    pub fn book(&self) -> Arc<Book> {
        self.book.load_full()
    }

    pub fn poster(&self) -> &Poster {
        &self.poster
    }

    /// What was claimed of endpoints that nothing is sent to any more.
    fn renew_slots(&self) -> Vec<Due> {
        let book = self.book.load();
        self.slots().renew(book.enabled(), book.replicas)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self: Arc<Self>, stopping: CancellationToken) {
        if !self.store.has_replicas() {
            // The only gateway there is: whoever held a claim is gone.
            self.end_leases(&[self.replica]).await;
        }
        while !stopping.is_cancelled() {
            let rest = match self.tick().await {
                Ok(true) => continue,
                Ok(false) if self.book.load().enabled().next().is_none() => IDLE,
                Ok(false) => EVERY,
                Err(error) => {
                    tracing::warn!(%error, "deliveries could not be made or claimed");
                    EVERY
                }
            };
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(rest) => {}
                () = stopping.cancelled() => {}
            }
        }
        self.drain().await;
    }

    /// One round: deliveries made of the log, and claimed as far as there is room. Says whether it is worth another at
    /// once.
    pub async fn tick(self: &Arc<Self>) -> Result<bool, StoreError> {
        let waited = self.slots().resume();
        waited.into_iter().for_each(|job| self.begin(job));
        let more = self.fan_out().await?;
        Ok(self.claim().await? || more)
    }

    async fn fan_out(self: &Arc<Self>) -> Result<bool, StoreError> {
        let book = self.book();
        let from = match self.cursor.load(Ordering::Relaxed) {
            -1 => self.find_cursor(&book).await?,
            from => from,
        };
        if book.enabled().next().is_none() {
            let last = self.store.last_change().await?;
            if last > from {
                self.make((from, last), &book, Vec::new()).await?;
            }
            return Ok(false);
        }
        let changes = self.store.changes_above(from, MOST_CHANGES, MOST_BYTES).await?;
        if changes.is_empty() {
            return Ok(false);
        }
        let now = self.clock.now();
        let (claim, until) = (self.new_claim(), now.after(LEASE));
        let of = book.enabled().map(|endpoint| endpoint.id).collect::<Vec<_>>();
        let of = of.into_iter().map(|id| (id, self.slots().room(id))).collect();
        let owed = owed(&book, changes, Room { of, claim: &claim, now, until });
        if owed.outdated {
            self.outdated.notify_one();
        }
        if owed.to == 0 {
            return Ok(false);
        }
        self.keep(&owed.renderings).await?;
        if !self.make((from, owed.to), &book, owed.due).await? {
            // Another replica made them; or the endpoints have changed, and there is a word when they are known.
            return Ok(self.cursor.load(Ordering::Relaxed) > from);
        }
        if owed.left_over {
            self.left_over.store(true, Ordering::Relaxed);
        }
        self.launch(owed.jobs);
        Ok(true)
    }

    async fn find_cursor(&self, book: &Book) -> Result<i64, StoreError> {
        let (seq, epoch) = self.store.fanned_out().await?;
        if epoch != book.epoch {
            self.outdated.notify_one();
        }
        self.cursor.store(seq, Ordering::Relaxed);
        Ok(seq)
    }

    /// Whether they were made by this call.
    async fn make(
        &self,
        (from, to): (i64, i64),
        book: &Book,
        due: Vec<crate::store::due::NewDue>,
    ) -> Result<bool, StoreError> {
        match self.store.make_due((from, to), book.epoch, &due).await? {
            Made::Done => {
                self.cursor.store(to, Ordering::Relaxed);
                Ok(true)
            }
            Made::Outdated => {
                self.find_cursor(book).await?;
                Ok(false)
            }
        }
    }

    /// Documents are there before the first delivery that names them.
    pub(super) async fn keep(&self, made: &[Arc<super::book::Made>]) -> Result<(), StoreError> {
        let known = |id: &str| self.kept.lock().is_ok_and(|kept| kept.contains(id));
        let new = made.iter().filter(|made| !known(&made.id)).collect::<Vec<_>>();
        if new.is_empty() {
            return Ok(());
        }
        let documents = new.iter().map(|made| (made.id.clone(), made.document.clone())).collect::<Vec<_>>();
        self.store.keep_renderings(&documents).await?;
        if let Ok(mut kept) = self.kept.lock() {
            kept.extend(documents.into_iter().map(|(id, _)| id));
        }
        if let Ok(mut at_hand) = self.renderings.lock() {
            at_hand.extend(new.into_iter().map(|made| (made.id.clone(), Arc::clone(&made.rendering))));
        }
        Ok(())
    }

    /// Says whether there is likely more.
    async fn claim(self: &Arc<Self>) -> Result<bool, StoreError> {
        let book = self.book();
        let (mut picks, held_back) = self.slots().picks(book.enabled());
        if picks.is_empty() {
            return Ok(false);
        }
        let now = self.clock.now();
        if !self.left_over.swap(held_back, Ordering::Relaxed) {
            picks = self.store.ready(picks, now).await?;
        }
        if picks.is_empty() {
            return Ok(false);
        }
        let until = now.after(LEASE);
        let claimed = self.store.claim(&picks, &self.new_claim(), (now, until)).await?;
        if claimed.is_empty() {
            return Ok(false);
        }
        self.left_over.store(true, Ordering::Relaxed);
        let jobs = self.with_changes(claimed, until).await?;
        self.launch(jobs);
        Ok(true)
    }

    /// Claimed deliveries with their changes. Those whose changes do not fit into memory now are given back.
    async fn with_changes(&self, claimed: Vec<Due>, until: Timestamp) -> Result<Vec<Job>, StoreError> {
        let mut numbers = claimed.iter().map(|due| due.seq).collect::<Vec<_>>();
        numbers.sort_unstable();
        numbers.dedup();
        let changes = self.store.changes_of(&numbers, MOST_BYTES).await?;
        let last = changes.last().map_or(0, |change| change.seq);
        let changes: HashMap<i64, _> = changes.into_iter().map(|change| (change.seq, Arc::new(change))).collect();
        let (mut jobs, mut lost, mut later) = (Vec::new(), Vec::new(), Vec::new());
        for due in claimed {
            match changes.get(&due.seq) {
                Some(change) => jobs.push(Job { change: Arc::clone(change), due, until }),
                None if due.seq > last => later.push(due),
                None => lost.push(due),
            }
        }
        jobs.sort_by_key(|job| (job.due.endpoint, job.due.seq, job.due.part));
        self.store.give_back(&later, self.clock.now()).await?;
        for due in lost {
            self.unsendable(due, "its change is not kept any more").await;
        }
        Ok(jobs)
    }

    fn launch(self: &Arc<Self>, jobs: Vec<Job>) {
        let next = self.slots().push(jobs);
        next.into_iter().for_each(|job| self.begin(job));
    }

    fn begin(self: &Arc<Self>, job: Job) {
        let deliveries = Arc::clone(self);
        self.tasks.spawn(async move {
            let endpoint = job.due.endpoint;
            let cut = deliveries.cut.clone();
            let went = tokio::select! {
                went = deliveries.attempt(job) => went,
                () = cut.cancelled() => Went::NotAtAll,
            };
            let after = deliveries.slots().done(endpoint, went);
            after.next.into_iter().for_each(|job| deliveries.begin(job));
            deliveries.put_back(&after.put_back).await;
            if after.room && deliveries.left_over.load(Ordering::Relaxed) {
                deliveries.wake.notify_one();
            }
        });
    }

    async fn attempt(&self, job: Job) -> Went {
        let book = self.book();
        let now = self.clock.now();
        let endpoint = book.endpoint(job.due.endpoint).filter(|endpoint| endpoint.enabled);
        let Some(endpoint) = endpoint.filter(|endpoint| now.after(endpoint.timeout() + SPARE) < job.until) else {
            self.put_back(&[job.due]).await;
            return Went::NotAtAll;
        };
        let rendering = match self.rendering(&job.due.rendering).await {
            Ok(Some(rendering)) => rendering,
            Ok(None) => {
                self.unsendable(job.due, "what its body is made by is not kept any more").await;
                return Went::NotAtAll;
            }
            Err(error) => {
                tracing::warn!(%error, "a delivery could not be rendered");
                self.put_back(&[job.due]).await;
                return Went::NotAtAll;
            }
        };
        let letter = Letter {
            endpoint,
            delivery: job.due.id,
            event: &job.due.event,
            change: &job.change,
            rendering: &rendering,
            number: job.due.attempts + 1,
            retried_from: job.due.retried_from,
            test: false,
        };
        let sent = letter.send(&self.poster, &self.clock).await;
        let went = self.judge(&letter, &sent, &job.due).await;
        self.watch.attempted(outcome(&sent), sent.exchange.timings.total);
        went
    }

    async fn judge(&self, letter: &Letter<'_>, sent: &Sent, due: &Due) -> Went {
        let (next, fate, went) = letter.judge(sent, self.clock.now(), u16::from_be_bytes(clock::random()));
        let gone = matches!(next, super::retry::Next::Gone);
        let settled = Settled { due: due.clone(), attempt: letter.history(sent), fate, gone };
        // The other end is gone only when the gateway ends; the lease runs out then.
        let _ = self.settle.send(settled).await;
        went
    }

    async fn unsendable(&self, due: Due, why: &str) {
        let at = self.clock.now();
        let exchange = failed(ErrorClass::Unsendable, why);
        let _ = self.settle.send(settler::unsent(due, at, &exchange)).await;
    }

    async fn put_back(&self, claimed: &[Due]) {
        if let Err(error) = self.store.give_back(claimed, self.clock.now()).await {
            tracing::warn!(%error, "claimed deliveries could not be given back; their leases run out");
        }
    }

    /// By its address; read once, and kept at hand.
    pub async fn rendering(&self, id: &str) -> Result<Option<Arc<Rendering>>, StoreError> {
        if let Some(found) = self.renderings.lock().ok().and_then(|at_hand| at_hand.get(id).cloned()) {
            return Ok(Some(found));
        }
        let Some(document) = self.store.rendering(id).await? else { return Ok(None) };
        let corrupt = |_| StoreError::Corrupt(format!("the rendering {id}"));
        let rendering = Arc::new(Rendering::read(&document).map_err(corrupt)?);
        if let Ok(mut at_hand) = self.renderings.lock() {
            if at_hand.len() >= RENDERINGS {
                at_hand.clear();
            }
            at_hand.insert(id.to_owned(), Arc::clone(&rendering));
        }
        Ok(Some(rendering))
    }

    /// A name under which deliveries are claimed; no other claim has it.
    fn new_claim(&self) -> String {
        format!("{}/{}", self.replica, self.claims.fetch_add(1, Ordering::Relaxed))
    }

    /// Claims of all but these replicas end.
    pub async fn end_leases(&self, live: &[ReplicaId]) {
        match self.store.end_leases(live, self.clock.now()).await {
            Ok(0) => {}
            Ok(deliveries) => {
                tracing::info!(deliveries, "deliveries that a gateway left behind are taken over");
                self.left_over.store(true, Ordering::Relaxed);
                self.nudge();
            }
            Err(error) => tracing::warn!(%error, "leases of gateways that are gone could not be ended"),
        }
    }

    /// What is under way ends, within bounds; the rest is given back.
    async fn drain(self: &Arc<Self>) {
        let waiting = self.slots().take_waiting();
        self.put_back(&waiting).await;
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_err() {
            tracing::warn!(attempts = self.slots().under_way(), "attempts were still under way and are cut off");
            self.cut.cancel();
            self.tasks.wait().await;
        }
        self.drained.cancel();
    }
}

fn outcome(sent: &Sent) -> &'static str {
    match &sent.exchange.result {
        Ok(reply) if (200..300).contains(&reply.status) => "delivered",
        Ok(_) => "refused",
        Err(failed) => failed.class.as_str(),
    }
}
