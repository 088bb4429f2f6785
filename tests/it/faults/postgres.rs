//! PostgreSQL is killed, or stands still, under load.

use std::time::Duration;

use super::books::Books;
use super::cluster::Cluster;
use super::kills::percentile;
use super::load::Load;
use super::setting;
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::process::Process;

/// Unless TIDEGATE_TEST_POSTGRES_KILLS says otherwise.
const ROUNDS: usize = 30;
/// Between two kills.
const ACKNOWLEDGED: usize = 40;
const STANDSTILL: Duration = Duration::from_secs(10);

/// One gateway lives through all of it. Every second time the backends are not even asked to end.
#[tokio::test(flavor = "multi_thread")]
async fn kills_of_postgres_lose_nothing() {
    let rounds = setting("TIDEGATE_TEST_POSTGRES_KILLS").map_or(ROUNDS, |text| text.parse().expect("a number"));
    let mut cluster = Cluster::start().await;
    let setup = Setup::on_server(cluster.url());
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let (mut books, mut recoveries) = (Books::default(), Vec::new());
    for round in 0..rounds {
        let load = Load::start(&sender, &books);
        load.accepted(ACKNOWLEDGED + 3 * (round % 10)).await;
        if round.is_multiple_of(2) {
            cluster.stop_immediately().await
        } else {
            cluster.kill().await
        }
        // Events that wait meanwhile are written then, or refused: a gateway waits for its database for a few seconds.
        cluster.start_again().await;
        recoveries.push(load.recover(&sender, &process.admin, &mut books).await);
    }
    let (median, slow) = (percentile(&mut recoveries, 50), percentile(&mut recoveries, 95));
    super::tell(&format!("PostgreSQL ready to normal, {rounds} times: median {median:?}, p95 {slow:?}"));
    let fault = format!("{rounds} × kill of PostgreSQL (immediate stop, SIGKILL in turn)");
    assert_all_once(&fault, &books, (&process.admin, setup.database()), slow).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standstill_of_postgres_is_waited_for_or_503() {
    let cluster = Cluster::start().await;
    let setup = Setup::on_server(cluster.url());
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let mut books = Books::default();
    let load = Load::start(&sender, &books);
    load.accepted(100).await;
    cluster.signal("STOP");
    // The fault is that time passes.
    tokio::time::sleep(STANDSTILL).await;
    cluster.signal("CONT");
    let took = load.recover(&sender, &process.admin, &mut books).await;
    assert!(took < Duration::from_secs(10), "normal within seconds: {took:?}");
    assert_all_once("SIGSTOP of PostgreSQL for 10 s", &books, (&process.admin, setup.database()), took).await;
}
