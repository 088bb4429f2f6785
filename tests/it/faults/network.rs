//! What a network can do between gateway and PostgreSQL: each fault comes under load, stays until clients have felt
//! it, and goes.

use std::time::Duration;

use super::books::Books;
use super::load::Load;
use super::proxy::{Proxy, Way};
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::database::Engine;
use crate::process::Process;

/// A fault that makes events late lasts until so many were accepted in it, one that fails them until as many failed.
const FELT: usize = 60;
const FAILED: usize = 8;

/// `name: way, what it does to events` makes a test of each.
macro_rules! faults {
    ($($name:ident: $way:expr, $felt:ident;)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            fault(stringify!($name), $way, Felt::$felt).await;
        }
    )+};
}

enum Felt {
    Late,
    Failed,
}

faults! {
    latency: Way::Late(Duration::from_millis(50)), Late;
    slow_bytes: Way::Slow(64), Late;
    reset: Way::Reset, Failed;
    half_close_to_gateway: Way::EndToGateway, Failed;
    half_close_to_postgres: Way::EndToPostgres, Failed;
    black_hole: Way::BlackHole, Failed;
}

async fn fault(name: &str, way: Way, felt: Felt) {
    let mut setup = Setup::new(Engine::Postgres).await;
    let proxy = Proxy::before(&mut setup).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let mut books = Books::default();
    let load = Load::start(&sender, &books);
    load.accepted(FELT).await;
    proxy.way.send_replace(way);
    match felt {
        Felt::Late => load.accepted(FELT).await,
        Felt::Failed => load.failed(FAILED).await,
    };
    proxy.way.send_replace(Way::Open);
    let took = load.recover(&sender, &process.admin, &mut books).await;
    let fault = format!("{} before PostgreSQL", name.replace('_', " "));
    assert_all_once(&fault, &books, (&process.admin, setup.database()), took).await;
    // A connection that is dead and does not say so costs a deadline of 10 s before it is given up, and a lane may
    // meet several. A transaction that one has left open ends after 15 s, and with it what it held.
    assert!(took < Duration::from_secs(40), "normal again after {took:?}");
}
