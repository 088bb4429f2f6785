//! What judging one event may cost. A small payload can ask for much: a filter that looks at a large value for each of
//! many nodes, for each of many records. Time is not a bound that tests and replays could rely on; this is.

use std::cell::Cell;

/// Units of work that judging one event may take, and some more for each byte of its body: a fraction of a second.
const LEAST: u64 = 20_000_000;
const A_BYTE: u64 = 16;

/// Units of work that are left: about one for a node that is visited, or for some bytes that are compared.
#[derive(Debug)]
pub struct Work(Cell<u64>);

impl Work {
    pub fn new(units: u64) -> Self {
        Self(Cell::new(units))
    }

    /// For an event with a body of so many bytes.
    pub fn of_event(bytes: usize) -> Self {
        Self::new(LEAST + A_BYTE * bytes as u64)
    }

    /// For a single look, where nothing multiplies it.
    pub fn unbounded() -> Self {
        Self::new(u64::MAX)
    }

    /// Takes some; answers whether there was enough. Once there was not, all that follows is cut short.
    pub fn spend(&self, units: usize) -> bool {
        let left = self.0.get().saturating_sub(u64::try_from(units).unwrap_or(u64::MAX));
        self.0.set(left);
        left > 0
    }

    pub fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}
