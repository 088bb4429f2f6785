//! How much may be under way: of all endpoints together, and of each, so that a dead one delays nobody else. What was
//! claimed ahead waits here, in bounded number.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::Endpoint;
use crate::clock::{Clock, Timestamp};
use crate::id::EndpointId;
use crate::limit::Limiter;
use crate::record::change::Change;
use crate::store::due::{Due, Lane, Pick};

/// Claimed ahead for each attempt that may be under way, of an endpoint that fares well.
const AHEAD: usize = 8;
/// Of what waits claimed ahead, one part in so many may be what is tried or sent again: what is fresh finds room, and no
/// storm of retries before it.
const OLD: usize = 4;
/// Deliveries in memory, for each attempt that may be under way.
const HELD: usize = 8;
/// The longest that an endpoint rests which says that it is overloaded and not for how long.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Failures in a row from which on an endpoint rests after each: a moment at first, in the end that long.
const FAILURES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A claimed delivery, ready to be sent.
#[derive(Clone, Debug)]
pub struct Job {
    pub due: Due,
    pub change: Arc<Change>,
    /// When the claim runs out.
    pub until: Timestamp,
}

/// How an attempt went, as far as the endpoint's share of attempts is concerned.
#[derive(Clone, Copy, Debug)]
pub enum Went {
    Well,
    /// It failed.
    Badly,
    /// And asks to be left alone, at least so long.
    Overloaded(Duration),
    /// Nothing was sent.
    NotAtAll,
}

pub struct Slots {
    clock: Clock,
    /// Attempts under way at once.
    most: usize,
    under_way: usize,
    held: usize,
    of: HashMap<EndpointId, Slot>,
    /// Moves on, so that no lane and no endpoint is always the last.
    turn: usize,
}

struct Slot {
    under_way: usize,
    /// Attempts that may be under way: halved by a failure, one more with each success, up to `cap`.
    window: usize,
    cap: usize,
    queue: VecDeque<Job>,
    /// Of the queue, those that are tried or sent again.
    old: usize,
    rests_until: Option<Duration>,
    rests: u32,
    /// In a row.
    failures: u32,
    limiter: Option<Limiter>,
    /// Taken from the limiter and not used yet.
    allowed: usize,
}

impl Slots {
    pub fn new(clock: Clock, most: usize) -> Self {
        Self { clock, most, under_way: 0, held: 0, of: HashMap::new(), turn: 0 }
    }

    /// Takes over the endpoints of a new book. Answers what was claimed of others.
    pub fn renew<'a>(&mut self, endpoints: impl Iterator<Item = &'a Arc<Endpoint>>, replicas: u32) -> Vec<Due> {
        let mut kept = HashMap::new();
        for endpoint in endpoints {
            let cap = endpoint.raw.concurrency.div_ceil(replicas.max(1)) as usize;
            let quota = endpoint.quota.map(|quota| quota.shared_by(replicas));
            let mut slot = self.of.remove(&endpoint.id).unwrap_or_else(|| Slot::new(cap));
            slot.window = if slot.window >= slot.cap { cap } else { slot.window.min(cap) };
            slot.cap = cap;
            if slot.limiter.as_ref().map(Limiter::quota) != quota {
                (slot.limiter, slot.allowed) = (quota.map(|quota| Limiter::new(quota, self.clock.clone())), 0);
            }
            kept.insert(endpoint.id, slot);
        }
        let mut dropped = Vec::new();
        for (id, mut slot) in std::mem::replace(&mut self.of, kept) {
            dropped.extend(slot.queue.drain(..).map(|job| job.due));
            // What is under way ends, and finds its place.
            if slot.under_way > 0 {
                self.of.insert(id, Slot { old: 0, cap: 0, window: 0, ..slot });
            }
        }
        self.held = self.held.saturating_sub(dropped.len());
        dropped
    }

    /// How many more of an endpoint may be claimed now. Only whoever claims asks: from then on there is only more room.
    pub fn room(&mut self, endpoint: EndpointId) -> usize {
        let now = self.clock.monotonic();
        let left = (self.most * HELD).saturating_sub(self.held);
        let Some(slot) = self.of.get_mut(&endpoint).filter(|slot| !slot.is_resting(now)) else { return 0 };
        let free = (slot.window + slot.ahead()).saturating_sub(slot.under_way + slot.queue.len());
        slot.allowance(free.min(left))
    }

    /// What to claim of these endpoints: most of the room is for what is fresh, a part for what is tried or sent again;
    /// and whether some of that part was held back.
    pub fn picks<'a>(&mut self, endpoints: impl Iterator<Item = &'a Arc<Endpoint>>) -> (Vec<Pick>, bool) {
        self.turn = self.turn.wrapping_add(1);
        let (mut picks, mut held_back) = (Vec::new(), false);
        for endpoint in endpoints {
            let room = self.room(endpoint.id);
            let mut old = self.of.get(&endpoint.id).map_or(0, Slot::room_of_old);
            for (lane, share) in shares(room, self.turn) {
                let most = if lane == Lane::Fresh { share } else { share.min(old) };
                held_back |= most < share;
                if lane != Lane::Fresh {
                    old -= most;
                }
                picks.extend((most > 0).then_some(Pick { endpoint: endpoint.id, lane, most }));
            }
        }
        let turn = self.turn % picks.len().max(1);
        picks.rotate_left(turn);
        (picks, held_back)
    }

    /// Takes in what was claimed, and answers what may be sent at once.
    pub fn push(&mut self, jobs: Vec<Job>) -> Vec<Job> {
        let mut endpoints = Vec::new();
        for job in jobs {
            let endpoint = job.due.endpoint;
            // The endpoint may be gone by now: the claim runs out, and finds no row.
            let Some(slot) = self.of.get_mut(&endpoint) else { continue };
            slot.allowed = slot.allowed.saturating_sub(1);
            slot.old += usize::from(job.due.lane != Lane::Fresh);
            slot.queue.push_back(job);
            self.held += 1;
            if endpoints.last() != Some(&endpoint) {
                endpoints.push(endpoint);
            }
        }
        let mut next = Vec::new();
        for endpoint in endpoints {
            while let Some(job) = self.next(endpoint) {
                next.push(job);
            }
        }
        next
    }

    /// What may be sent to this endpoint now.
    fn next(&mut self, endpoint: EndpointId) -> Option<Job> {
        let now = self.clock.monotonic();
        let slot = self.of.get_mut(&endpoint).filter(|slot| slot.under_way < slot.window && !slot.is_resting(now))?;
        if self.under_way >= self.most {
            return None;
        }
        let job = slot.queue.pop_front()?;
        slot.old -= usize::from(job.due.lane != Lane::Fresh);
        slot.under_way += 1;
        self.under_way += 1;
        Some(job)
    }

    /// What waited for an endpoint's rest to end, or for a place among the attempts of all, and may be sent now.
    pub fn resume(&mut self) -> Vec<Job> {
        let waiting = self.of.iter().filter(|(_, slot)| !slot.queue.is_empty());
        let endpoints = waiting.map(|(endpoint, _)| *endpoint).collect::<Vec<_>>();
        let mut next = Vec::new();
        for endpoint in endpoints {
            while let Some(job) = self.next(endpoint) {
                next.push(job);
            }
        }
        next
    }

    /// One has ended.
    pub fn done(&mut self, endpoint: EndpointId, went: Went) -> After {
        let now = self.clock.monotonic();
        self.under_way = self.under_way.saturating_sub(1);
        self.held = self.held.saturating_sub(1);
        let mut after = After::default();
        let Some(slot) = self.of.get_mut(&endpoint) else { return after };
        slot.under_way = slot.under_way.saturating_sub(1);
        slot.learn(went, now);
        if slot.is_resting(now) {
            // Others may need the place meanwhile.
            slot.old = 0;
            after.put_back.extend(slot.queue.drain(..).map(|job| job.due));
            self.held = self.held.saturating_sub(after.put_back.len());
        }
        while let Some(job) = self.next(endpoint) {
            after.next.push(job);
        }
        after.room = self.of.get(&endpoint).is_some_and(|slot| slot.queue.len() < slot.full() / 2);
        after
    }

    /// What was claimed and is not under way, to be given back.
    pub fn take_waiting(&mut self) -> Vec<Due> {
        let waiting = self.of.values_mut().flat_map(|slot| {
            slot.old = 0;
            slot.queue.drain(..)
        });
        let taken = waiting.map(|job| job.due).collect::<Vec<_>>();
        self.held = self.held.saturating_sub(taken.len());
        taken
    }

    pub fn under_way(&self) -> usize {
        self.under_way
    }
}

/// What follows the end of an attempt.
#[derive(Default)]
pub struct After {
    /// May be sent now.
    pub next: Vec<Job>,
    /// Was claimed for an endpoint that rests, and is given back.
    pub put_back: Vec<Due>,
    /// More may be claimed.
    pub room: bool,
}

/// How the room of an endpoint is shared out; the smallest rooms go to one lane after the other.
fn shares(room: usize, turn: usize) -> impl Iterator<Item = (Lane, usize)> {
    let (retry, resend) = match room {
        0 => (0, 0),
        1 => (usize::from(turn % 4 == 1), usize::from(turn % 4 == 3)),
        2 | 3 => (usize::from(turn % 2 == 1), usize::from(turn % 4 == 2)),
        room => (room / 4, room / 8 + usize::from(room < 8)),
    };
    let fresh = room - retry - resend;
    [(Lane::Fresh, fresh), (Lane::Retry, retry), (Lane::Resend, resend)].into_iter().filter(|(_, most)| *most > 0)
}

impl Slot {
    fn new(cap: usize) -> Self {
        Self {
            under_way: 0,
            window: cap,
            cap,
            queue: VecDeque::new(),
            old: 0,
            rests_until: None,
            rests: 0,
            failures: 0,
            limiter: None,
            allowed: 0,
        }
    }

    fn is_resting(&self, now: Duration) -> bool {
        self.rests_until.is_some_and(|until| now < until)
    }

    /// How many may be claimed beyond those that may be under way.
    fn ahead(&self) -> usize {
        if self.window >= self.cap && self.limiter.is_none() { self.window * AHEAD } else { 0 }
    }

    /// Of the room, how much may be taken by what is tried or sent again: what is sent at once, and its part of the queue,
    /// when half of that is used up.
    fn room_of_old(&self) -> usize {
        let part = self.ahead() / OLD;
        let queued = if self.old > part / 2 { 0 } else { part - self.old };
        self.window.saturating_sub(self.under_way + self.queue.len()) + queued
    }

    /// The length of a queue that takes no more, of the kind that it is.
    fn full(&self) -> usize {
        let ahead = self.window * AHEAD;
        if self.old > 0 && self.old == self.queue.len() { ahead / OLD } else { ahead }
    }

    /// Of so many, how many the endpoint's rate allows now.
    fn allowance(&mut self, wanted: usize) -> usize {
        let Some(limiter) = &self.limiter else { return wanted };
        while self.allowed < wanted && limiter.take().is_ok() {
            self.allowed += 1;
        }
        self.allowed.min(wanted)
    }

    fn learn(&mut self, went: Went, now: Duration) {
        match went {
            Went::NotAtAll => return,
            Went::Well => {
                self.window = (self.window + 1).min(self.cap);
                (self.rests, self.rests_until, self.failures) = (0, None, 0);
                return;
            }
            Went::Badly | Went::Overloaded(_) => {}
        }
        self.window = (self.window / 2).max(1).min(self.cap);
        self.failures = self.failures.saturating_add(1);
        // Those that were under way together count once.
        if self.is_resting(now) {
            return;
        }
        if let Went::Overloaded(least) = went {
            let rest = least.max(Duration::from_secs(1 << self.rests.min(6))).min(LONGEST_REST.max(least));
            self.rests = self.rests.saturating_add(1);
            self.rests_until = Some(now + rest);
        } else if self.failures > FAILURES {
            let pause = FIRST_PAUSE * (1 << (self.failures - FAILURES).min(10));
            self.rests_until = Some(now + pause.min(LONGEST_PAUSE));
        }
    }
}

#[cfg(test)]
mod tests;
