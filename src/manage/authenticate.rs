//! From an API key to a caller, by the configuration in force: no call costs a round trip for it.

use std::net::IpAddr;

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem, whole_seconds};
use crate::store::keys::StoredKey;

/// `token` is what stood behind `Bearer`. Unknown, expired, revoked and absent keys get the same answer.
pub fn authenticate(gateway: &Gateway, token: Option<&str>, address: IpAddr) -> Result<Caller, Problem> {
    let token = token.ok_or_else(|| Problem::from(Code::KeyInvalid))?;
    let (snapshot, now) = (gateway.snapshot(), gateway.clock.now());
    match snapshot.key(token) {
        Some(key) if key.is_live(now) => {
            gateway.last_used.note(key.id, now);
            Ok(Caller::key(key.id, key.role, Some(address.to_string())))
        }
        known => Err(refused(gateway, known, address)),
    }
}

/// Whether a caller who was let in once would be let in now; for those who stay for long.
pub fn is_still_welcome(gateway: &Gateway, caller: &Caller) -> bool {
    let key = caller.actor.parse().ok().and_then(|id| gateway.snapshot().live_until(id));
    key.is_some_and(|end| end.is_none_or(|end| end > gateway.clock.now()))
}

/// A right key passes before anything is counted, so that nobody can lock out those who share their address.
fn refused(gateway: &Gateway, known: Option<&StoredKey>, address: IpAddr) -> Problem {
    let problem = match gateway.guesses.count(address) {
        Ok(()) => Problem::from(Code::KeyInvalid),
        Err(wait) => {
            gateway.metrics.reached("wrong_keys");
            let detail = format!(
                "too many wrong API keys came from this address; the next one is looked at in {} s, and a valid one at any \
                 time",
                whole_seconds(wait)
            );
            Problem::new(Code::TooManyWrongKeys, detail).with_retry_after(wait)
        }
    };
    gateway.metrics.wrong_key(problem.code().as_str());
    if gateway.guesses_told.allows(gateway.clock.monotonic()) {
        let expired = known.map(|key| tracing::field::display(key.id));
        tracing::warn!(%address, expired, answered = problem.code().as_str(), "an API key that is not valid");
    }
    problem
}
