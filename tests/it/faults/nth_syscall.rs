//! The N-th call that SQLite makes of the system for one batch fails, for every N. The gateway gives the same answer
//! that the data gives, and takes the next event as if nothing had been, without a restart.

use super::books::post;
use super::each_call::{MODULE, Round, Told, assert_told, settle};
use super::strace::{Strace, is_left_out};
use crate::app::Setup;
use crate::database::Engine;
use crate::process::Process;

/// `name: call, error, how often it is met at least` makes a test of each.
macro_rules! calls {
    ($($name:ident: $call:literal, $error:literal, $least:literal;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            every_call($call, $error, $least).await;
        }
    )+};
}

calls! {
    a_write_that_fails: "pwrite64", "EIO", 5;
    a_write_on_a_full_disk: "pwrite64", "ENOSPC", 5;
    a_sync_that_fails: "fdatasync,fsync", "EIO", 1;
}

async fn every_call(call: &str, error: &str, least: usize) {
    let fault = format!("{error} at each {call} of a batch, SQLite");
    if is_left_out(&fault) {
        return;
    }
    let setup = Setup::new(Engine::Sqlite).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(MODULE).await;
    let mut told = Told::default();
    let mut nth = 0;
    loop {
        nth += 1;
        let round = Round(nth);
        let [event, ..] = round.batch();
        settle(&sender, setup.database(), &[round.first()], vec![post(&sender, &round.first()).await]).await;
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:error={error}:when={nth}"));
        let strace = Strace::attach(&process, &["-e", &trace, "-e", &inject]).await;
        let heard = post(&sender, &event).await;
        let is_met = strace.detach().await.contains("(INJECTED)");
        told.add(settle(&sender, setup.database(), &[event], vec![heard]).await);
        if !is_met {
            break;
        }
    }
    told.tell(&format!("{fault}: {} of them", nth - 1));
    assert!(nth > least, "a batch makes {nth} such calls");
    assert_eq!(told.tally.cut_off(), 0, "each is answered");
    assert_told(&process.admin, setup.database(), 2 * nth).await;
}
