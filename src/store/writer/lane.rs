//! One lane: takes what has queued, commits it, answers. It decides what to do about an error, and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::batch::{self, BatchError, Fate};
use super::order::{Order, Work, WriteError};
use super::pace::Pace;
use super::statements::Statements;
use super::{Bounds, Watch};
use crate::clock::Clock;
use crate::store::checkpoint::Checkpoints;
use crate::store::connect::LANE_CONNECTIONS;
use crate::store::error::{Class, classify, is_gone, told};
use crate::store::{Conn, Either, Pool, Store, abandon, acquire};

/// How often one batch is tried when another writer was in the way.
const TRIES: usize = 3;
/// The most records in one transaction, where several events share it.
const MOST_RECORDS: usize = 2_000;
/// How often one batch finds its connection dead before it counts as lost: every idle one may have died at once.
const RECONNECTS: usize = 2 * LANE_CONNECTIONS as usize;

pub(super) struct Lane {
    pool: Pool,
    /// On PostgreSQL the one that served the last batch: going back to the pool would cost a round trip. SQLite's is
    /// everybody's.
    conn: Option<Conn>,
    checkpoints: Option<Arc<Checkpoints>>,
    statements: Statements,
    clock: Clock,
    bounds: Bounds,
    watch: Arc<dyn Watch>,
    waiting: Arc<AtomicUsize>,
    pace: Arc<Pace>,
}

/// What one transaction came to.
enum Run {
    Done(Vec<Fate>),
    /// Every caller gets the same answer.
    Failed(WriteError),
    /// One of the orders cannot be written; which one is not known yet.
    Poisoned(WriteError),
    /// These orders, by place, must each stand alone.
    Apart(Vec<usize>),
}

impl Lane {
    pub fn new(
        store: &Store,
        pool: Pool,
        clock: Clock,
        bounds: Bounds,
        (watch, waiting, pace): (Arc<dyn Watch>, Arc<AtomicUsize>, Arc<Pace>),
    ) -> Self {
        let (checkpoints, statements) = (store.checkpoints.clone(), Statements::new(store.dialect));
        Self { pool, conn: None, checkpoints, statements, clock, bounds, watch, waiting, pace }
    }

    /// Ends when it is told to close and the queue is empty.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Order>, closing: CancellationToken) {
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
        self.conn = None;
        if let Either::Postgres(pool) = &self.pool {
            // Its connections live on this thread, and end with it.
            pool.close().await;
        }
    }

    /// Commits these orders, in as few transactions as their errors allow. What is poisoned is split until the poison
    /// stands alone; what rests on another order comes again after it.
    async fn tick(&mut self, orders: Vec<Order>) {
        let mut groups = parts(orders);
        while let Some(group) = groups.pop_front() {
            let mut group = self.drop_expired(group);
            if group.is_empty() {
                continue;
            }
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
                Run::Apart(places) if group.len() > 1 => {
                    let mut rest = Vec::with_capacity(group.len());
                    for (place, order) in group.into_iter().enumerate() {
                        if places.contains(&place) { groups.push_back(vec![order]) } else { rest.push(order) }
                    }
                    groups.push_front(rest);
                }
                Run::Apart(_) => group.into_iter().for_each(|order| self.reply(order, Err(WriteError::MatchTaken))),
                Run::Failed(error) | Run::Poisoned(error) => {
                    group.into_iter().for_each(|order| self.reply(order, Err(error.clone())));
                }
            }
        }
    }

    /// Nobody waits for an answer as long as this: the sender is told that the database does not answer in time.
    fn drop_expired(&self, group: Vec<Order>) -> Vec<Order> {
        let now = self.clock.monotonic();
        let expired = |order: &Order| now.saturating_sub(order.queued_at) > self.bounds.deadline;
        let (late, kept) = group.into_iter().partition(expired);
        let late: Vec<Order> = late;
        late.into_iter().for_each(|order| self.reply(order, Err(WriteError::Unavailable)));
        kept
    }

    async fn transact(&mut self, orders: &[Order]) -> Run {
        let begun = self.clock.monotonic();
        let (mut tries, mut reconnects) = (0, 0);
        loop {
            let error = match self.attempt(orders).await {
                Ok(fates) => {
                    self.checkpoints.iter().for_each(|log| log.committed());
                    let took = self.clock.monotonic().saturating_sub(begun);
                    self.watch.batch(orders.len(), took);
                    self.pace.learn(orders.len(), took);
                    return Run::Done(fates);
                }
                Err(error) => error,
            };
            match error {
                // The connection had died while it was idle, with the database restarted: once more on another.
                BatchError::NotBegun(error) if is_gone(&error) && reconnects < RECONNECTS => {
                    reconnects += 1;
                    continue;
                }
                // With one writer there was nobody to come first: another index has one of the values.
                BatchError::Taken(places) if tries > 0 || self.has_one_writer() => return Run::Apart(places),
                BatchError::Raced | BatchError::Taken(_) => {}
                BatchError::Database(error) if classify(&error) == Class::Retry => {}
                BatchError::Database(error) if classify(&error) == Class::Unique => {
                    return Run::Poisoned(WriteError::MatchTaken);
                }
                BatchError::Database(error) if classify(&error) == Class::Other => return rejected(orders, &error),
                BatchError::Database(error) | BatchError::NotBegun(error) => return down(&error),
                BatchError::Corrupt(what) => {
                    tracing::error!(%what, "stored data cannot be read");
                    return Run::Poisoned(WriteError::Rejected);
                }
                BatchError::Late => {
                    tracing::error!(deadline = ?self.bounds.deadline, "the database did not answer a batch in time");
                    return Run::Failed(WriteError::Unavailable);
                }
            }
            tries += 1;
            self.watch.retried();
            if tries == TRIES {
                return Run::Poisoned(WriteError::Unavailable);
            }
        }
    }

    /// One transaction, within the deadline. A connection that fails to answer in time, or to begin, is closed.
    async fn attempt(&mut self, orders: &[Order]) -> Result<Vec<Fate>, BatchError> {
        let mut conn = match self.conn.take() {
            Some(conn) => conn,
            None => acquire(&self.pool).await.map_err(BatchError::NotBegun)?,
        };
        let batch = batch::commit(&mut conn, &self.statements, orders, &self.clock);
        let done = tokio::time::timeout(self.bounds.deadline, batch).await.unwrap_or(Err(BatchError::Late));
        match &done {
            Ok(_) if !self.has_one_writer() => self.conn = Some(conn),
            Err(BatchError::Late | BatchError::NotBegun(_)) => abandon(conn),
            _ => {}
        }
        done
    }

    fn has_one_writer(&self) -> bool {
        matches!(self.pool, Either::Sqlite(_))
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

/// The orders in their order, in groups of at most so many records; a larger one stands alone.
fn parts(orders: Vec<Order>) -> VecDeque<Vec<Order>> {
    let (mut parts, mut records) = (VecDeque::from([Vec::new()]), 0);
    for order in orders {
        let count = match &order.work {
            Work::Records { records, .. } => records.len(),
            Work::Ignored { .. } | Work::Repeat { .. } => 0,
        };
        if records + count > MOST_RECORDS && records > 0 {
            parts.push_back(Vec::new());
            records = 0;
        }
        records += count;
        if let Some(last) = parts.back_mut() {
            last.push(order);
        }
    }
    parts
}

fn down(error: &sqlx::Error) -> Run {
    tracing::error!(error = told(error), "the database is not available");
    Run::Failed(WriteError::Unavailable)
}

fn rejected(orders: &[Order], error: &sqlx::Error) -> Run {
    if let [order] = orders {
        tracing::error!(request = %order.entry.request, event = %order.entry.id, source = %order.entry.source, error = told(error), "the database refused an event");
    }
    Run::Poisoned(WriteError::Rejected)
}
