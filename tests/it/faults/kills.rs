//! kill -9 in the middle of load: what was acknowledged is there, once; what was not can be sent again.

use std::time::Duration;

use tidegate::clock::Clock;

use super::books::{Books, is_ready};
use super::load::Load;
use super::verdict::assert_all_once;
use super::{DEADLINE, setting};
use crate::app::Setup;
use crate::process::Process;

both!(nothing_acknowledged_is_lost);

/// On each database, unless TIDEGATE_TEST_KILLS says otherwise.
const ROUNDS: usize = 100;
/// Of one round, before the kill; rounds differ by a few, to meet other moments.
const ACKNOWLEDGED: usize = 20;

async fn nothing_acknowledged_is_lost(setup: Setup) {
    let rounds = setting("TIDEGATE_TEST_KILLS").map_or(ROUNDS, |text| text.parse().expect("a number of kills"));
    let mut process = Process::start(&setup).await;
    let mut sender = process.admin.sender(super::LOAD).await;
    let (mut books, mut starts) = (Books::default(), Vec::new());
    for round in 0..rounds {
        let load = Load::start(&sender, &books);
        load.accepted(ACKNOWLEDGED + 3 * (round % 20)).await;
        process.kill();
        load.stop(&mut books).await;
        let took;
        (process, took) = started(&setup).await;
        starts.push(took);
        sender = sender.anew(&process.admin.url);
        books.send_again(&sender).await;
    }
    let fault = format!("{rounds} × kill -9 of the gateway, {:?}", setup.database().engine());
    let (median, slow) = (percentile(&mut starts, 50), percentile(&mut starts, 95));
    super::tell(&format!(
        "start after a kill to ready, {rounds} times: median {median:?}, p95 {slow:?}, most {:?}",
        starts.last()
    ));
    assert_all_once(&fault, &books, (&process.admin, setup.database()), slow).await;
    assert!(slow < Duration::from_secs(10), "a start takes {slow:?}");
}

/// A gateway that is ready, and how long that took from the start of its process.
async fn started(setup: &Setup) -> (Process, Duration) {
    let clock = Clock::system();
    let begun = clock.monotonic();
    let process = Process::start(setup).await;
    let ready = async { while !is_ready(&process.admin).await {} };
    tokio::time::timeout(DEADLINE, ready).await.expect("it is ready in time");
    let took = clock.monotonic() - begun;
    (process, took)
}

pub fn percentile(spans: &mut [Duration], percent: usize) -> Duration {
    spans.sort_unstable();
    spans[(spans.len() * percent).div_ceil(100).saturating_sub(1)]
}
