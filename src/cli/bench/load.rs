//! The load: connections that post signed events of 1 KiB, as cheaply as can be, since it often shares the machine with
//! what it measures. One thread runs all connections; a request is a few copies and the last blocks of its HMAC.
//!
//! A closed loop sends the next request of a connection when the last is answered. An open loop sends at a rate, whatever
//! the answers do, and counts latencies from the moment a request was meant to leave: a stall is felt by all that
//! should have been sent meanwhile. That moment is kept to a millisecond, the timer's step, and lateness counts.

mod event;
mod pace;
mod report;
mod target;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
pub use event::{BODY, Events, KEYS};
pub use pace::Pace;
use pace::{Schedule, Slot};
pub use report::{Histogram, Report, Tally};
pub use target::{BadTarget, Target, module_file};
use wire::Wire;

/// How long answers may take once nothing more is sent.
const GRACE: Duration = Duration::from_secs(15);
/// Between two tries of a connection that keeps breaking.
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot connect to {0}: {1}")]
    Connect(String, std::io::Error),
    #[error("this system gives no thread to send from: {0}")]
    Thread(std::io::Error),
    #[error("the load ended by a bug in it")]
    Panicked,
}

/// What is to be sent, and for how long.
#[derive(Clone, Debug)]
pub struct Load {
    pub target: Arc<Target>,
    pub connections: usize,
    pub pace: Pace,
    pub span: Duration,
}

/// A load under way. Dropping it lets it go on to its end.
pub struct Running {
    course: Arc<Course>,
    thread: JoinHandle<Result<(), LoadError>>,
}

/// What the connections of one load share.
struct Course {
    load: Load,
    clock: Clock,
    schedule: Schedule,
    /// What came since it was last taken away.
    tally: Mutex<Tally>,
    /// Everything up to the last taking.
    before: Mutex<Tally>,
    last_answer: Mutex<Duration>,
    stop: CancellationToken,
}

impl Load {
    /// On a thread of its own. Needs a tokio runtime around it.
    pub fn start(self) -> Running {
        let clock = Clock::system();
        let course = Arc::new(Course {
            schedule: Schedule::new(self.pace, self.span),
            load: self,
            clock,
            tally: Mutex::default(),
            before: Mutex::default(),
            last_answer: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let sent = Arc::clone(&course);
        let thread = tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(LoadError::Thread)?.block_on(send(&sent))
        });
        Running { course, thread }
    }

    /// To its end.
    ///
    /// # Errors
    /// The target cannot be reached, or no longer.
    pub async fn run(self) -> Result<Report, LoadError> {
        self.start().finish().await
    }
}

impl Running {
    /// What came since the last call; the report still holds all.
    pub fn take(&self) -> Tally {
        let tally = std::mem::take(&mut *locked(&self.course.tally));
        locked(&self.course.before).add(&tally);
        tally
    }

    /// Sends nothing more; what is in flight is waited for.
    pub fn stop(&self) {
        self.course.stop.cancel();
    }

    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// # Errors
    /// The target cannot be reached, or no longer.
    pub async fn finish(self) -> Result<Report, LoadError> {
        self.thread.await.unwrap_or(Err(LoadError::Panicked))?;
        let mut tally = std::mem::take(&mut *locked(&self.course.before));
        tally.add(&locked(&self.course.tally));
        let took = *locked(&self.course.last_answer);
        Ok(Report { tally, took })
    }
}

async fn send(course: &Arc<Course>) -> Result<(), LoadError> {
    let mut connections = JoinSet::new();
    for _ in 0..course.load.connections {
        connections.spawn(connection(Arc::clone(course)));
    }
    let deadline = tokio::time::sleep(course.load.span + GRACE);
    tokio::pin!(deadline);
    let mut done = Ok(());
    loop {
        tokio::select! {
            ended = connections.join_next() => match ended {
                None => break,
                Some(ended) => if let Err(error) = ended.unwrap_or(Err(LoadError::Panicked)) {
                    // The first says why; the others would say the same.
                    course.stop.cancel();
                    done = done.and(Err(error));
                }
            },
            () = &mut deadline => {
                locked(&course.tally).unanswered += connections.len() as u64;
                break;
            }
        }
    }
    connections.shutdown().await;
    done
}

async fn connection(course: Arc<Course>) -> Result<(), LoadError> {
    let target = &course.load.target;
    let mut wire = connect(target).await?;
    let mut request = Vec::with_capacity(2 * BODY);
    while let Some(slot) = course.next().await {
        target.write(&mut request);
        let due = course.due(slot);
        let mut answer = wire.exchange(&request).await;
        if answer.is_err() && wire.may_have_been_idle() {
            // It was closed while nothing was sent; the event id makes a second sending harmless.
            wire = connect(target).await?;
            answer = wire.exchange(&request).await;
        }
        match answer {
            Ok(answer) => {
                course.record(&answer, due);
                if answer.closes {
                    wire = connect(target).await?;
                }
            }
            Err(_) => {
                locked(&course.tally).broken += 1;
                tokio::time::sleep(PAUSE).await;
                wire = connect(target).await?;
            }
        }
    }
    Ok(())
}

async fn connect(target: &Target) -> Result<Wire, LoadError> {
    Wire::connect(target.address).await.map_err(|error| LoadError::Connect(target.host.clone(), error))
}

impl Course {
    /// Waits for the next request's turn; none when the load is over.
    async fn next(&self) -> Option<Slot> {
        loop {
            if self.stop.is_cancelled() {
                return None;
            }
            let now = self.clock.monotonic();
            let slot = self.schedule.next(now)?;
            if self.schedule.is_given_up(slot, now) {
                locked(&self.tally).unsent += 1;
                continue;
            }
            let Slot::At(due) = slot else { return Some(slot) };
            if due > now {
                tokio::select! {
                    () = tokio::time::sleep(due - now) => {}
                    () = self.stop.cancelled() => return None,
                }
            }
            return Some(slot);
        }
    }

    /// From when its latency counts.
    fn due(&self, slot: Slot) -> Duration {
        match slot {
            Slot::Now => self.clock.monotonic(),
            Slot::At(due) => due,
        }
    }

    fn record(&self, answer: &wire::Answer, due: Duration) {
        let now = self.clock.monotonic();
        locked(&self.tally).answered(answer, now.saturating_sub(due));
        *locked(&self.last_answer) = now;
    }
}

/// Nobody panics while holding one of these; what is in it counts either way.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
