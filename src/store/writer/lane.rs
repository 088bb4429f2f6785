//! One lane: takes what has queued, commits it, answers. It decides what to do about an error, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::batch::{self, BatchError, Fate};
use super::order::{Order, WriteError};
use super::statements::Statements;
use super::{Bounds, Watch};
use crate::clock::Clock;
use crate::store::error::{Class, classify, told};
use crate::store::{Pool, Store};

/// How often one batch is tried when another writer was in the way.
const TRIES: usize = 3;

pub(super) struct Lane {
    pool: Pool,
    statements: Statements,
    clock: Clock,
    bounds: Bounds,
    watch: Arc<dyn Watch>,
    waiting: Arc<AtomicUsize>,
}

/// What one transaction came to.
enum Run {
    Done(Vec<Fate>),
    /// Every caller gets the same answer.
    Failed(WriteError),
    /// One of the orders cannot be written; which one is not known yet.
    Poisoned(WriteError),
}

impl Lane {
    pub fn new(store: &Store, clock: Clock, bounds: Bounds, watch: Arc<dyn Watch>, waiting: Arc<AtomicUsize>) -> Self {
        let statements = Statements::new(store.dialect);
        Self { pool: store.lanes.clone(), statements, clock, bounds, watch, waiting }
    }

    /// Ends when it is told to close and the queue is empty.
    pub async fn run(self, mut queue: mpsc::Receiver<Order>, closing: CancellationToken) {
        let mut taken = Vec::with_capacity(self.bounds.batch);
        loop {
            let count = tokio::select! {
                count = queue.recv_many(&mut taken, self.bounds.batch) => count,
                () = closing.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            };
            if count == 0 {
                break;
            }
            self.tick(std::mem::take(&mut taken)).await;
        }
    }

    /// Commits these orders, in as few transactions as their errors allow. A deque of groups: what is poisoned is
    /// split until the poison stands alone, what must wait for its twin comes again.
    async fn tick(&self, orders: Vec<Order>) {
        let mut groups = std::collections::VecDeque::from([orders]);
        while let Some(mut group) = groups.pop_front() {
            match self.transact(&group).await {
                Run::Done(fates) => {
                    let again = self.answer(group, fates);
                    if !again.is_empty() {
                        groups.push_back(again);
                    }
                }
                Run::Poisoned(_) if group.len() > 1 => {
                    let second = group.split_off(group.len() / 2);
                    groups.push_front(second);
                    groups.push_front(group);
                }
                Run::Failed(error) | Run::Poisoned(error) => {
                    group.into_iter().for_each(|order| self.reply(order, Err(error.clone())));
                }
            }
        }
    }

    async fn transact(&self, orders: &[Order]) -> Run {
        let begun = self.clock.monotonic();
        let mut reconnected = false;
        for _ in 0..TRIES {
            let attempt = batch::commit(&self.pool, &self.statements, orders, &self.clock);
            match tokio::time::timeout(self.bounds.deadline, attempt).await {
                Ok(Ok(fates)) => {
                    self.watch.batch(orders.len(), self.clock.monotonic().saturating_sub(begun));
                    return Run::Done(fates);
                }
                Ok(Err(BatchError::Raced)) => self.watch.retried(),
                // The connection had died while it was idle, with the database restarted: once more on a new one.
                Ok(Err(BatchError::NotBegun(sqlx::Error::Io(_) | sqlx::Error::Tls(_)))) if !reconnected => {
                    reconnected = true
                }
                Ok(Err(BatchError::NotBegun(error))) => return down(&error),
                Ok(Err(BatchError::Database(error))) => match classify(&error) {
                    Class::Retry => self.watch.retried(),
                    Class::Down => return down(&error),
                    Class::Unique => return Run::Poisoned(WriteError::MatchTaken),
                    Class::Other => return rejected(orders, &error),
                },
                Ok(Err(BatchError::Corrupt(what))) => {
                    tracing::error!(%what, "stored data cannot be read");
                    return Run::Poisoned(WriteError::Rejected);
                }
                Err(_) => {
                    tracing::error!(deadline = ?self.bounds.deadline, "the database did not answer a batch in time");
                    return Run::Failed(WriteError::Unavailable);
                }
            }
        }
        // Another writer was first three times over; for a single order it is another index that keeps refusing.
        if orders.len() == 1 { Run::Failed(WriteError::MatchTaken) } else { Run::Poisoned(WriteError::Unavailable) }
    }

    /// Answers what was decided and returns the orders that have to be run again.
    fn answer(&self, orders: Vec<Order>, fates: Vec<Fate>) -> Vec<Order> {
        let mut again = Vec::new();
        for (order, fate) in orders.into_iter().zip(fates) {
            match fate {
                Fate::Settled(written) => self.reply(order, written),
                Fate::Again => again.push(order),
            }
        }
        again
    }

    fn reply(&self, order: Order, written: super::Written) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        // The caller may be gone; the event is committed or not all the same.
        let _ = order.reply.send(written);
    }
}

fn down(error: &sqlx::Error) -> Run {
    tracing::error!(error = told(error), "the database is not available");
    Run::Failed(WriteError::Unavailable)
}

fn rejected(orders: &[Order], error: &sqlx::Error) -> Run {
    if let [order] = orders {
        tracing::error!(event = %order.entry.id, source = %order.entry.source, error = told(error), "the database refused an event");
    }
    Run::Poisoned(WriteError::Rejected)
}
