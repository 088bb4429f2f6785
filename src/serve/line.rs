//! One connection as the sweep sees it: what it does and since when, in atomics that its own task writes and the sweep
//! reads. So no request costs a timer, or even a look at the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::Bounds;

/// What a connection does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Opened, and not a byte has come.
    Fresh,
    /// Part of a head has come.
    Head,
    /// A request is under way.
    Busy,
    /// Its answer is made, and not all of it is taken.
    Answering,
    /// All is answered, and nothing new has come.
    Idle,
    /// Refused and closed on our side; what still comes is thrown away.
    Closing,
}

impl Phase {
    const ALL: [Self; 6] = [Self::Fresh, Self::Head, Self::Busy, Self::Answering, Self::Idle, Self::Closing];

    pub fn is_between_requests(self) -> bool {
        matches!(self, Self::Fresh | Self::Head | Self::Idle)
    }
}

/// What a connection's task is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    None,
    /// To end after the request that is under way.
    Finish,
    /// To end if it still does what it did when this was told.
    Cut,
    /// To end at once.
    End,
}

/// How long a refused client may still send what nobody reads.
const LINGER: Duration = Duration::from_secs(1);

/// Milliseconds since the listener began, as of the last sweep. Never zero.
#[derive(Debug)]
pub struct Now(AtomicU64);

impl Default for Now {
    fn default() -> Self {
        Self(AtomicU64::new(1))
    }
}

impl Now {
    pub fn set(&self, since_the_start: Duration) {
        let millis = u64::try_from(since_the_start.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis.saturating_add(1), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub struct Line {
    now: Arc<Now>,
    /// Phase and its beginning in one word, so that the sweep never sees half of a change.
    state: AtomicU64,
    /// Since when the client has not taken enough of its answer; 0 while none waits.
    unread_since: AtomicU64,
    /// What the order to cut was about.
    about: AtomicU64,
    order: AtomicU8,
    wake: Notify,
}

const PHASE_BITS: u32 = 3;

impl Line {
    pub fn new(now: Arc<Now>) -> Self {
        let line = Self {
            state: AtomicU64::new(0),
            unread_since: AtomicU64::new(0),
            about: AtomicU64::new(0),
            order: AtomicU8::new(0),
            wake: Notify::new(),
            now,
        };
        line.enter(Phase::Fresh);
        line
    }

    fn enter(&self, phase: Phase) {
        self.state.store(self.now.get() << PHASE_BITS | phase as u64, Ordering::Relaxed);
    }

    pub fn phase(&self) -> Phase {
        Self::parts(self.state.load(Ordering::Relaxed)).0
    }

    fn parts(state: u64) -> (Phase, u64) {
        let place = usize::try_from(state & ((1 << PHASE_BITS) - 1)).unwrap_or(0);
        (Phase::ALL[place], state >> PHASE_BITS)
    }

    /// Bytes have come. The time of the first head runs from the opening on.
    pub fn heard(&self) {
        match Self::parts(self.state.load(Ordering::Relaxed)) {
            (Phase::Idle, _) => self.enter(Phase::Head),
            (Phase::Fresh, since) => self.state.store(since << PHASE_BITS | Phase::Head as u64, Ordering::Relaxed),
            _ => {}
        }
    }

    /// A head is complete.
    pub fn begins(&self) {
        self.enter(Phase::Busy);
    }

    /// Its answer is made.
    pub fn answers(&self) {
        self.enter(Phase::Answering);
    }

    /// All that was written is with the system.
    pub fn flushed(&self) {
        if self.phase() == Phase::Answering {
            self.enter(Phase::Idle);
        }
    }

    pub fn closes(&self) {
        self.enter(Phase::Closing);
    }

    /// The client does not take what is written. Whether that is news.
    pub fn is_unread(&self) -> bool {
        let news = self.unread_since.load(Ordering::Relaxed) == 0;
        if news {
            self.took_enough();
        }
        news
    }

    /// It has taken some, and the time begins anew.
    pub fn took_enough(&self) {
        self.unread_since.store(self.now.get(), Ordering::Relaxed);
    }

    pub fn took_all(&self) {
        self.unread_since.store(0, Ordering::Relaxed);
    }

    pub fn waits_for_reader(&self) -> bool {
        self.unread_since.load(Ordering::Relaxed) != 0
    }

    /// Since when there is no request under way, if there is none.
    pub fn between_requests_since(&self) -> Option<u64> {
        let (phase, since) = Self::parts(self.state.load(Ordering::Relaxed));
        phase.is_between_requests().then_some(since)
    }

    /// The bound that is exceeded, and what was seen of it. The name is empty where none of the settings is.
    fn overdue(&self, bounds: &Bounds) -> Option<(&'static str, u64)> {
        let now = self.now.get();
        let late = |since: u64, most: Duration| u128::from(now.saturating_sub(since)) > most.as_millis();
        let unread = self.unread_since.load(Ordering::Relaxed);
        if unread != 0 && late(unread, bounds.write_time) {
            return Some(("write_time", unread));
        }
        let state = self.state.load(Ordering::Relaxed);
        let (phase, since) = Self::parts(state);
        let (name, most) = match phase {
            Phase::Fresh | Phase::Head => ("header_time", bounds.header_time),
            Phase::Idle => ("idle_time", bounds.idle_time),
            Phase::Closing => ("", LINGER),
            Phase::Busy | Phase::Answering => return None,
        };
        late(since, most).then_some((name, state))
    }

    /// Orders the end of a connection that is overdue.
    pub fn sweep(&self, bounds: &Bounds) {
        if self.order() != Order::Finish && self.order() != Order::None {
            return;
        }
        if let Some((_, seen)) = self.overdue(bounds) {
            self.about.store(seen, Ordering::Relaxed);
            self.tell(Order::Cut);
        }
    }

    /// Orders the end of a connection that is between requests, unless it is not any more.
    pub fn make_room(&self) {
        let state = self.state.load(Ordering::Relaxed);
        if Self::parts(state).0.is_between_requests() {
            self.about.store(state, Ordering::Relaxed);
            self.tell(Order::Cut);
        }
    }

    pub fn tell(&self, order: Order) {
        self.order.store(order as u8, Ordering::Release);
        self.wake.notify_one();
    }

    pub fn order(&self) -> Order {
        match self.order.load(Ordering::Acquire) {
            0 => Order::None,
            1 => Order::Finish,
            2 => Order::Cut,
            _ => Order::End,
        }
    }

    pub async fn told(&self) {
        self.wake.notified().await;
    }

    /// Whether the order to cut still fits; the name of the bound that is exceeded, if one is. If it does not fit, it
    /// is forgotten.
    pub fn is_cut(&self, bounds: &Bounds) -> Option<&'static str> {
        let about = self.about.load(Ordering::Relaxed);
        let overdue = self.overdue(bounds).filter(|(_, seen)| *seen == about);
        if about == self.state.load(Ordering::Relaxed) || overdue.is_some() {
            return Some(overdue.map_or("", |(name, _)| name));
        }
        // An order that came in between stays.
        let _ = self.order.compare_exchange(Order::Cut as u8, Order::None as u8, Ordering::AcqRel, Ordering::Acquire);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> (Line, Arc<Now>, Bounds) {
        let now = Arc::new(Now::default());
        (Line::new(Arc::clone(&now)), now, Bounds::default())
    }

    #[test]
    fn each_phase_has_its_time() {
        let (line, now, bounds) = line();
        let at = |seconds: f64| now.set(Duration::from_secs_f64(seconds));
        let overdue = || line.overdue(&bounds).map(|(name, _)| name);
        at(9.0);
        line.heard();
        at(10.0);
        assert_eq!((line.phase(), overdue()), (Phase::Head, None));
        at(10.1);
        assert_eq!(overdue(), Some("header_time"), "the first head counts from the opening");
        line.begins();
        at(1_000.0);
        line.heard();
        assert_eq!(overdue(), None, "a request that is under way is bounded elsewhere");
        line.answers();
        line.flushed();
        at(1_075.0);
        assert_eq!((line.phase(), overdue()), (Phase::Idle, None));
        at(1_075.1);
        assert_eq!(overdue(), Some("idle_time"));
        line.heard();
        at(1_085.1);
        assert_eq!(overdue(), None, "a later head counts from its first byte");
        at(1_085.2);
        assert_eq!(overdue(), Some("header_time"));
    }

    #[test]
    fn an_answer_that_nobody_takes_is_overdue_whatever_else_is() {
        let (line, now, bounds) = line();
        line.begins();
        line.answers();
        assert!(line.is_unread());
        now.set(Duration::from_secs(10));
        assert!(!line.is_unread());
        line.took_enough();
        now.set(Duration::from_secs(20));
        assert_eq!(line.overdue(&bounds), None);
        now.set(Duration::from_millis(20_001));
        assert_eq!(line.overdue(&bounds).map(|(name, _)| name), Some("write_time"));
        line.took_all();
        assert_eq!(line.overdue(&bounds), None);
    }

    #[test]
    fn a_request_that_comes_at_the_last_moment_is_served() {
        let (line, now, bounds) = line();
        now.set(Duration::from_secs(11));
        line.sweep(&bounds);
        assert_eq!(line.order(), Order::Cut);
        assert_eq!(line.is_cut(&bounds), Some("header_time"));
        line.begins();
        assert_eq!((line.is_cut(&bounds), line.order()), (None, Order::None));
        line.make_room();
        assert_eq!(line.order(), Order::None);
        line.answers();
        line.flushed();
        line.make_room();
        assert_eq!((line.order(), line.is_cut(&bounds)), (Order::Cut, Some("")));
    }
}
