//! Wrong API keys, slowed down by the address that they come from. A key has 192 random bits, so nobody finds one by
//! trying; this keeps those who try from costing anything, and makes them seen. Only wrong keys are counted: many people
//! share an address, and a right key works there whatever the others do.
//! Deliberately not here: which address is believed (`config/address.rs`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Limiter, Quota};
use crate::clock::Clock;

/// Addresses that are remembered, in two halves: when the young half is full, the old one is forgotten and the young one
/// is the old one from then on. Some 2 MiB.
const HALF: usize = 8_192;

/// What counts as one address: an IPv4 address, or the 64 bits of an IPv6 one that name a network, since a single
/// machine has all that is below them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Network(u64, bool);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(u64::from(u32::from(address)), true),
            IpAddr::V6(address) => Self((u128::from(address) >> 64) as u64, false),
        }
    }
}

pub struct Guesses {
    clock: Clock,
    quota: Quota,
    halves: Mutex<Halves>,
}

#[derive(Default)]
struct Halves {
    young: HashMap<Network, Limiter>,
    old: HashMap<Network, Limiter>,
}

impl Guesses {
    /// So many pass at once, then so many a minute.
    pub fn new(clock: Clock, a_minute: usize) -> Self {
        // The settings keep it within bounds.
        let quota = u32::try_from(a_minute).ok().and_then(|a_minute| Quota::new(a_minute, None).ok());
        let quota = quota.unwrap_or_default();
        Self { clock, quota, halves: Mutex::default() }
    }

    /// Counts one wrong key.
    ///
    /// # Errors
    /// There were too many: how long until the next one is looked at.
    pub fn count(&self, address: IpAddr) -> Result<(), Duration> {
        let network = Network::from(address);
        // A panic while it was held leaves whole limiters.
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        halves.find(network, || Limiter::new(self.quota, self.clock.clone())).take().map_err(|over| over.retry_after)
    }
}

impl Halves {
    fn find(&mut self, network: Network, fresh: impl FnOnce() -> Limiter) -> &Limiter {
        let known = self.old.remove(&network);
        if !self.young.contains_key(&network) && self.young.len() >= HALF {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.entry(network).or_insert_with(|| known.unwrap_or_else(fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    fn guesses() -> (Guesses, Clock) {
        let clock = Clock::manual(Timestamp::from_micros(1_767_323_045_000_000).unwrap());
        (Guesses::new(clock.clone(), 10), clock)
    }

    fn passed(guesses: &Guesses, address: &str, tries: usize) -> usize {
        let address = address.parse().unwrap();
        (0..tries).filter(|_| guesses.count(address).is_ok()).count()
    }

    #[test]
    fn ten_at_once_then_one_each_six_seconds() {
        let (guesses, clock) = guesses();
        assert_eq!(passed(&guesses, "192.0.2.1", 50), 10);
        assert_eq!(passed(&guesses, "192.0.2.2", 50), 10, "another address has its own");
        clock.advance(Duration::from_secs(5));
        assert_eq!(guesses.count("192.0.2.1".parse().unwrap()), Err(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(passed(&guesses, "192.0.2.1", 50), 1);
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(passed(&guesses, "192.0.2.1", 50), 10);
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let (guesses, _) = guesses();
        assert_eq!(passed(&guesses, "2001:db8:0:1::1", 6), 6);
        assert_eq!(passed(&guesses, "2001:db8:0:1:ffff::2", 6), 4);
        assert_eq!(passed(&guesses, "2001:db8:0:2::1", 6), 6);
        assert_eq!(passed(&guesses, "192.0.2.1", 6), 6);
        assert_eq!(passed(&guesses, "::ffff:192.0.2.1", 6), 4, "the same address, as a dual listener sees it");
    }

    #[test]
    fn memory_is_bounded_and_those_who_go_on_are_not_forgotten() {
        let (guesses, _) = guesses();
        assert_eq!(passed(&guesses, "192.0.2.1", 10), 10);
        for number in 0..4 * HALF as u32 {
            guesses.count(IpAddr::from((0x0a00_0000 + number).to_be_bytes())).unwrap();
            if number % 1_000 == 0 {
                assert!(guesses.count("192.0.2.1".parse().unwrap()).is_err());
            }
        }
        let halves = guesses.halves.lock().unwrap();
        assert!(halves.young.len() <= HALF && halves.old.len() <= HALF);
    }
}
