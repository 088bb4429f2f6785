//! The open connections of one listener: how many there may be, which go when a new one needs room, and the sweep that
//! ends those that are overdue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::line::{Line, Now, Order};
use crate::config::Bounds;

/// Of the connections between requests, as many as this part of all are closed at once to make room: looking for them
/// costs a look at every one.
const ROOM: usize = 64;

pub struct Lines {
    most: usize,
    pub now: Arc<Now>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    next: u64,
    lines: HashMap<u64, Arc<Line>>,
}

/// A connection's place among the open ones, given back when it goes out of scope.
pub struct Place {
    pub line: Arc<Line>,
    id: u64,
    lines: Arc<Lines>,
}

impl Place {
    /// It was to make room, and has begun with a request instead.
    pub fn stays(&self) {
        self.lines.with(|open| open.lines.insert(self.id, Arc::clone(&self.line)));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lines.with(|open| open.lines.remove(&self.id));
    }
}

/// Why there is a place for a new connection.
pub enum Opened {
    Free(Place),
    MadeRoom(Place),
    Full,
}

impl Lines {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, now: Arc::default(), open: Mutex::default() })
    }

    fn with<T>(&self, act: impl FnOnce(&mut Open) -> T) -> T {
        // Whoever panicked has left the map whole.
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn open(self: &Arc<Self>) -> Opened {
        let line = Arc::new(Line::new(Arc::clone(&self.now)));
        self.with(|open| {
            let is_full = open.lines.len() >= self.most;
            if is_full && !open.make_room(self.most.div_ceil(ROOM)) {
                return Opened::Full;
            }
            open.next += 1;
            open.lines.insert(open.next, Arc::clone(&line));
            let place = Place { line, id: open.next, lines: Arc::clone(self) };
            if is_full { Opened::MadeRoom(place) } else { Opened::Free(place) }
        })
    }

    /// For what else the system has no more room for.
    pub fn make_room(&self) -> bool {
        self.with(|open| open.make_room(self.most.div_ceil(ROOM)))
    }

    /// Orders the end of all that is overdue.
    pub fn sweep(&self, bounds: &Bounds) {
        self.with(|open| open.lines.values().for_each(|line| line.sweep(bounds)));
    }

    pub fn tell_all(&self, order: Order) {
        self.with(|open| open.lines.values().for_each(|line| line.tell(order)));
    }

    pub fn is_empty(&self) -> bool {
        self.with(|open| open.lines.is_empty())
    }

    /// Often enough that what is overdue goes soon after its time.
    pub fn period(bounds: &Bounds) -> Duration {
        let shortest = bounds.header_time.min(bounds.idle_time).min(bounds.write_time);
        (shortest / 8).clamp(Duration::from_millis(10), Duration::from_millis(250))
    }
}

impl Open {
    /// Closes those that have gone longest without a request; whether there was one.
    fn make_room(&mut self, many: usize) -> bool {
        let waiting = self.lines.iter().filter_map(|(id, line)| Some((line.between_requests_since()?, *id)));
        let mut waiting = waiting.collect::<Vec<_>>();
        if waiting.len() > many {
            waiting.select_nth_unstable(many - 1);
            waiting.truncate(many);
        }
        for (_, id) in &waiting {
            if let Some(line) = self.lines.remove(id) {
                line.make_room();
            }
        }
        !waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_without_a_request_makes_room() {
        let lines = Lines::new(2);
        let Opened::Free(first) = lines.open() else { panic!("there is room") };
        lines.now.set(Duration::from_secs(1));
        let Opened::Free(second) = lines.open() else { panic!("there is room") };
        let Opened::MadeRoom(third) = lines.open() else { panic!("the first goes") };
        assert_eq!([&first, &second, &third].map(|place| place.line.order()), [Order::Cut, Order::None, Order::None]);
        drop(first);
        second.line.begins();
        third.line.begins();
        assert!(matches!(lines.open(), Opened::Full));
        drop(third);
        assert!(matches!(lines.open(), Opened::Free(_)));
        drop(second);
        assert!(lines.is_empty());
    }
}
