//! One running gateway: the configuration in force, the database, the writer, and what watches over them.

mod beside;
mod data_dir;
mod last_used;
pub mod metrics;
mod missed;
mod open;
pub mod outbound;
pub mod snapshot;
pub mod usage;

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::config::Config;
use crate::deliver::Deliveries;
use crate::deliver::post::{Poster, System};
use crate::deliver::target::Targets;
use crate::feed::Tail;
use crate::id::{ReplicaId, RequestId};
use crate::limit::guesses::Guesses;
use crate::secret::{SealKey, SecretString};
use crate::store::refusals::Ration;
use crate::store::refusals::Refusals;
use crate::store::writer::{self, Watch, Writer};
use crate::store::{ConnectError, Store, StoreError};
use crate::work::jobs::Jobs;
use crate::work::mail::{Mailer, NoMail, Patience};
use crate::work::redeliver::Redeliver;
use data_dir::DataDir;
pub use data_dir::DataDirError;
use last_used::LastUsed;
use metrics::Metrics;
use missed::Missed;
use open::{Opened, open};
pub use snapshot::{Door, Snapshot};

/// How long a pulse may take.
const PULSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(
        "the database's secrets are sealed with key {database}, and this gateway has key {ours}: give it the same TIDEGATE_SEAL_KEY or seal.key"
    )]
    SealKey { database: String, ours: String },
    #[error("this system gives no thread to write on: {0}")]
    Thread(std::io::Error),
    #[error(transparent)]
    Mail(#[from] NoMail),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: std::net::SocketAddr, error: std::io::Error },
    #[error("cannot apply {file}: {detail}")]
    Apply { file: String, detail: String },
}

/// Who asks, as the listener found out; set on every request before it is routed.
#[derive(Clone, Debug)]
pub struct Peer {
    pub request: RequestId,
    /// The client's address, believed as far as the proxies in between are trusted.
    pub address: std::net::IpAddr,
}

pub struct Gateway {
    pub clock: Clock,
    pub config: Config,
    pub store: Arc<Store>,
    pub seal: SealKey,
    pub metrics: Arc<Metrics>,
    pub writer: Writer,
    pub refusals: Refusals,
    /// Bytes of bodies that may be in memory while they are read and judged.
    pub bodies: Arc<Semaphore>,
    /// The end of the log of changes.
    pub tail: Arc<Tail>,
    /// Places of those who follow the log.
    pub followers: Arc<Semaphore>,
    pub deliveries: Arc<Deliveries>,
    /// Where deliveries may go.
    pub targets: Targets,
    /// Tells the operator.
    pub mailer: Mailer,
    pub jobs: Jobs,
    /// When each API key was last used.
    pub last_used: LastUsed,
    /// Wrong API keys, by address.
    pub guesses: Guesses,
    /// Log lines about them.
    pub guesses_told: Ration,
    snapshot: ArcSwap<Snapshot>,
    reload: tokio::sync::Mutex<()>,
    replica: ReplicaId,
    /// Set when the gateway stops: not ready, and no new connections.
    pub stopping: CancellationToken,
    /// Set when the drain has taken too long: connections end as they are.
    pub cut: CancellationToken,
    /// Set after the last request: what still waits in queues is written, then the tasks end.
    closing: CancellationToken,
    tasks: TaskTracker,
    url: OnceLock<String>,
    _data_dir: DataDir,
}

impl Gateway {
    /// Opens everything and starts what runs beside requests.
    pub async fn start(config: Config, clock: Clock) -> Result<Arc<Self>, StartError> {
        let Opened { data_dir, store, seal, replica } = open(&config, &clock).await?;
        let snapshot = Snapshot::load(&store, &seal, &clock, None).await?;

        let (tasks, closing) = (TaskTracker::new(), CancellationToken::new());
        let metrics = Arc::new(Metrics::new());
        let tail = Arc::new(Tail::default());
        let stopping = CancellationToken::new();
        let targets = Targets::new(config.allow_targets.clone(), config.admin_listen.into_iter().collect());
        let book = outbound::book(&store, (&seal, &clock), &snapshot).await?;
        let poster = Poster::new(targets.clone(), config.egress_proxy.clone(), Arc::new(System::default()));
        let (deliveries, notified) = outbound::start(
            (&store, &clock, replica),
            (poster, book),
            (&metrics, config.bounds.attempts),
            (&tasks, &stopping),
        );
        let watch =
            Committed { metrics: Arc::clone(&metrics), tail: Arc::clone(&tail), deliveries: Arc::clone(&deliveries) };
        let mailer = Mailer::start(config.mail.as_ref(), clock.clone(), Patience::default(), (&tasks, &closing))?;
        let gateway = Arc::new(Self {
            mailer,
            writer: Writer::start(&store, &clock, queue(&config), Arc::new(watch), (&tasks, &closing))
                .map_err(StartError::Thread)?,
            refusals: Refusals::start(Arc::clone(&store), clock.clone(), &tasks, &closing),
            bodies: Arc::new(Semaphore::new(config.bounds.bodies_bytes)),
            followers: Arc::new(Semaphore::new(config.bounds.followers)),
            tail,
            jobs: jobs((&store, &clock, replica), &deliveries),
            deliveries,
            targets,
            last_used: LastUsed::default(),
            guesses: Guesses::new(clock.clone(), config.bounds.wrong_keys),
            guesses_told: Ration::default(),
            snapshot: ArcSwap::from_pointee(snapshot),
            reload: tokio::sync::Mutex::new(()),
            stopping,
            cut: CancellationToken::new(),
            url: OnceLock::new(),
            tasks,
            closing,
            _data_dir: data_dir,
            clock,
            config,
            store,
            seal,
            metrics,
            replica,
        });
        gateway.begin(notified);
        Ok(gateway)
    }

    /// The configuration in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Reads the configuration again. Called by whoever changed it, and by the pulse on every other replica.
    pub async fn reload(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.reload.lock().await;
        self.load().await
    }

    /// Reads the configuration again unless that was done since this version: many events may find out at once that
    /// theirs is outdated.
    pub async fn reload_past(&self, version: i64) -> Result<(), StoreError> {
        let _one_at_a_time = self.reload.lock().await;
        if self.snapshot().version > version { Ok(()) } else { self.load().await }
    }

    /// Carries on to its end whether or not the caller is still there; `None` when it panicked.
    pub async fn uninterrupted<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.tasks.spawn(task).await.ok()
    }

    async fn load(&self) -> Result<(), StoreError> {
        let old = self.snapshot();
        let snapshot = Snapshot::load(&self.store, &self.seal, &self.clock, Some(&old)).await?;
        let book = outbound::book(&self.store, (&self.seal, &self.clock), &snapshot).await?;
        self.snapshot.store(Arc::new(snapshot));
        self.deliveries.take(book);
        Ok(())
    }

    /// One look at the database's pulse; reads the configuration again when it has moved.
    pub async fn pulse(&self) -> Result<(), StoreError> {
        let pulse = tokio::time::timeout(PULSE_WITHIN, self.store.pulse(self.clock.now())).await;
        let Ok(pulse) = pulse else {
            tracing::warn!("the database did not answer the pulse in time");
            return Ok(());
        };
        let pulse = pulse?;
        let snapshot = self.snapshot();
        if (pulse.config_version, pulse.replicas) != (snapshot.version, snapshot.replicas) {
            self.reload().await?;
        }
        Ok(())
    }

    /// Runs a task beside the requests. It must end by itself, soon: stopping waits for it.
    pub fn run_beside(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The text of `/metrics`.
    pub fn metrics_text(&self) -> String {
        let bodies_bytes = self.config.bounds.bodies_bytes.saturating_sub(self.bodies.available_permits());
        let (queue, queue_bytes) = (self.writer.waiting(), self.writer.waiting_bytes());
        self.metrics.render(&metrics::Held { queue, queue_bytes, bodies_bytes })
    }

    /// Says where senders reach this gateway; the configured public URL goes first. Called once, after listening.
    pub fn listens_at(&self, url: String) {
        let url = self.config.public_url.clone().unwrap_or(url);
        // A second call would be a second listener of the same door; the first one stays.
        let _ = self.url.set(url);
    }

    /// Without a slash at its end.
    pub fn url(&self) -> &str {
        self.url.get().map_or("", String::as_str)
    }

    /// After the last request: what waits is written, the background tasks end, the replica leaves, the pools close.
    pub async fn stop(&self) {
        self.stopping.cancel();
        self.closing.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.write_last_used().await;
        self.write_usage().await;
        if let Err(error) = self.store.leave(self.replica).await {
            tracing::warn!(%error, "the replica could not sign off");
        }
        self.store.close().await;
    }
}

/// The bounds of the write queue.
fn queue(config: &Config) -> writer::Bounds {
    writer::Bounds {
        events: config.bounds.queue_events,
        bytes: config.bounds.queue_bytes,
        wait: config.bounds.queue_time,
        batch: config.bounds.batch,
        deadline: config.bounds.database_deadline,
    }
}

fn jobs((store, clock, replica): (&Arc<Store>, &Clock, ReplicaId), deliveries: &Arc<Deliveries>) -> Jobs {
    let (redeliver, missed) = (Redeliver::new(Arc::clone(store)), Missed(Arc::clone(deliveries)));
    Jobs::new(Arc::clone(store), clock.clone(), replica, vec![Arc::new(redeliver), Arc::new(missed)])
}

/// What a committed batch is told to.
struct Committed {
    metrics: Arc<Metrics>,
    tail: Arc<Tail>,
    deliveries: Arc<Deliveries>,
}

impl Watch for Committed {
    fn batch(&self, events: usize, took: std::time::Duration) {
        self.deliveries.nudge();
        self.tail.nudge();
        self.metrics.batch(events, took);
    }

    fn retried(&self) {
        self.metrics.batch_retried();
    }
}

/// The first owner's key, when this gateway's data directory holds it.
pub fn admin_key(config: &Config) -> Option<SecretString> {
    let text = std::fs::read_to_string(crate::config::admin_key_file(&config.data_dir)).ok()?;
    Some(SecretString::from(text.trim().to_owned()))
}
