//! What runs beside requests: each a loop with an end.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Gateway, last_used, usage};
use crate::deliver::Notice;
use crate::feed::mover;
use crate::work::{events, housekeeping};

/// How often the configuration's version is polled; a change is in force everywhere within a second.
const PULSE: std::time::Duration = std::time::Duration::from_millis(500);
/// How often it is looked at how busy the threads are.
const TURN: std::time::Duration = std::time::Duration::from_millis(20);
/// Every how many pulses this replica says that it is alive.
const BEAT: u32 = 6;

impl Gateway {
    /// What runs beside requests.
    pub(super) fn begin(self: &Arc<Self>, notified: mpsc::Receiver<Notice>) {
        self.tasks.spawn(Arc::clone(self).watch());
        self.tasks.spawn(Arc::clone(self).watch_lanes());
        self.tasks.spawn(Arc::clone(self).watch_turns());
        self.tasks.spawn(Arc::clone(self).watch_tail());
        self.tasks.spawn(Arc::clone(self).watch_edits());
        self.tasks.spawn(Arc::clone(self).watch_endpoints());
        self.tasks.spawn(Arc::clone(self).tell_operator(notified));
        self.tasks.spawn(Arc::clone(self).keep_house());
        self.tasks.spawn(Arc::clone(self).watch_events());
        self.tasks.spawn(Arc::clone(self).watch_keys());
        self.tasks.spawn(Arc::clone(self).keep_count());
        self.tasks.spawn(Arc::clone(self).do_jobs());
    }

    async fn watch(self: Arc<Self>) {
        let mut beats = 0u32;
        while self.waited(PULSE).await {
            beats = beats.wrapping_add(1);
            if let Err(error) = self.pulse().await {
                tracing::warn!(%error, "the configuration could not be read");
            }
            if beats.is_multiple_of(BEAT) {
                self.metrics.upkeep();
                self.look_at_deliveries().await;
                if let Err(error) = self.store.beat(self.replica, self.clock.now()).await {
                    tracing::warn!(%error, "the heartbeat could not be written");
                }
            }
        }
    }

    /// What is owed, for the metrics; and what gateways that are gone have left behind.
    async fn look_at_deliveries(&self) {
        let now = self.clock.now();
        match self.store.backlog().await {
            Ok(backlog) => self.metrics.backlog(&backlog, now),
            Err(error) => tracing::warn!(%error, "the backlog of deliveries could not be read"),
        }
        if self.store.has_replicas() {
            match self.store.live_replicas(now).await {
                Ok(live) if live.contains(&self.replica) => self.deliveries.end_leases(&live).await,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the live replicas could not be read"),
            }
        }
    }

    /// A lane ends when it is told to. One that ends before that has met a bug, and its queue would refuse everything
    /// for ever: the gateway stops, and whoever started it starts it anew.
    async fn watch_lanes(self: Arc<Self>) {
        tokio::select! {
            () = self.writer.lane_ended() => {}
            () = self.closing.cancelled() => return,
        }
        if !self.closing.is_cancelled() {
            tracing::error!("a lane of the writer ended by itself; the gateway stops");
            self.stopping.cancel();
        }
    }

    /// A task like those of requests, which knows when it should have had its turn.
    async fn watch_turns(self: Arc<Self>) {
        let mut begun = self.clock.monotonic();
        while self.waited(TURN).await {
            let now = self.clock.monotonic();
            self.writer.turns_are_late(now.saturating_sub(begun).saturating_sub(TURN));
            begun = now;
        }
    }

    async fn watch_tail(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            if let Err(error) = self.tail.tick(&self.store).await {
                tracing::warn!(%error, "the end of the log could not be read");
            }
            tokio::select! {
                () = self.tail.rest() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Deliveries find out first that endpoints have changed elsewhere.
    async fn watch_endpoints(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.deliveries.outdated.notified() => {}
                () = self.stopping.cancelled() => return,
            }
            if let Err(error) = self.reload().await {
                tracing::warn!(%error, "the configuration could not be read");
            }
        }
    }

    async fn tell_operator(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Some(notice) => self.mailer.send(&notice.subject, &notice.text),
                    None => return,
                },
                () = self.stopping.cancelled() => return,
            }
        }
    }

    async fn watch_edits(self: Arc<Self>) {
        while self.waited(mover::EVERY).await {
            if let Err(error) = mover::tick(&self.store, &self.clock, &self.tail).await {
                tracing::warn!(%error, "edits by SQL could not be numbered");
            }
        }
    }

    async fn keep_house(self: Arc<Self>) {
        while self.waited(housekeeping::EVERY).await {
            // A batch that is broken off is undone, and the next start goes on with it.
            tokio::select! {
                () = housekeeping::tick(&self.store, &self.clock, &self.config.keep) => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// Apart from the rest of the house: it may have much to do.
    async fn watch_events(self: Arc<Self>) {
        while self.waited(events::EVERY).await {
            tokio::select! {
                () = self.keep_events() => {}
                () = self.stopping.cancelled() => {}
            }
        }
    }

    /// One round of what is kept of events.
    pub async fn keep_events(&self) {
        let rules = self.snapshot().sources.iter().map(events::Rule::from).collect::<Vec<_>>();
        events::tick(&self.store, &self.clock, self.config.keep.events, &rules).await;
    }

    /// What is left when the gateway stops is written after the last request.
    async fn watch_keys(self: Arc<Self>) {
        while self.waited(last_used::EVERY).await {
            self.write_last_used().await;
        }
    }

    async fn keep_count(self: Arc<Self>) {
        while self.waited(usage::EVERY).await {
            self.write_usage().await;
        }
    }

    /// A step that is under way when the gateway stops is finished; the job goes on elsewhere, or later.
    async fn do_jobs(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            let rest = self.jobs.tick().await;
            // What a step has made due goes at once.
            self.deliveries.nudge();
            tokio::select! {
                () = self.jobs.rest(rest) => {}
                () = self.stopping.cancelled() => {}
            }
        }
        self.jobs.let_go().await;
    }

    /// Waits; `false` when the gateway stops.
    async fn waited(&self, span: std::time::Duration) -> bool {
        tokio::time::timeout(span, self.stopping.cancelled()).await.is_err()
    }
}
