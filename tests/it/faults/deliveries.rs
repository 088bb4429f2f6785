//! kill -9 under deliveries: every change reaches every receiver that asked for it, in order where that was asked for,
//! and what is sent again is the same.

use serde_json::Value;
use tokio::time::timeout;

use super::books::Books;
use super::gateways::Gateways;
use super::inbox::{Inbox, Sum};
use super::log::whole;
use super::{DEADLINE, GLANCE, setting, tell};
use crate::app::Setup;
use crate::database::{Engine, Place};

both!(every_change_is_delivered_whatever_is_killed);

/// On each database, unless TIDEGATE_TEST_KILLS says otherwise.
const ROUNDS: usize = 30;
/// Of one round, before the kill; rounds differ by a few, to meet other moments.
const ACCEPTED: usize = 10;
/// Of each of several replicas.
const SHARED: usize = 60;

async fn every_change_is_delivered_whatever_is_killed(setup: Setup) {
    let rounds = setting("TIDEGATE_TEST_KILLS").map_or(ROUNDS, |text| text.parse().expect("a number of kills"));
    let (mut gateways, inbox) = (Gateways::start(&setup, 1).await, Inbox::start().await);
    inbox.subscribe(gateways.admin(), "/in-order", "per_record", &[]).await;
    inbox.subscribe(gateways.admin(), "/as-it-comes", "none", &["record_updated"]).await;
    let mut books = Books::default();
    for round in 0..rounds {
        gateways.round(&mut books, ACCEPTED + 3 * (round % 10), Some(0)).await;
    }
    settled(setup.database()).await;
    let log = whole(gateways.admin()).await;
    let ordered = inbox.assert_complete("/in-order", &log, |_| true);
    let updates = inbox.assert_complete("/as-it-comes", &log, |event| event == "record_updated");
    let fault = format!("{rounds} × kill -9 under deliveries, {:?}", setup.database().engine());
    say(&fault, &log, &[("in order", ordered), ("as it comes", updates)]);
    inbox.assert_ordered("/in-order");
    assert_eq!(log.len(), books.events.len(), "each event made a change");
    assert_settled_once(setup.database(), ordered.deliveries + updates.deliveries).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_make_each_delivery_once() {
    let setup = Setup::new(Engine::Postgres).await;
    let (mut gateways, inbox) = (Gateways::start(&setup, 3).await, Inbox::start().await);
    inbox.subscribe(gateways.admin(), "/shared", "none", &[]).await;
    inbox.subscribe(gateways.admin(), "/in-order", "per_record", &[]).await;
    let mut books = Books::default();
    for _ in 0..3 {
        gateways.round(&mut books, SHARED, None).await;
    }
    settled(setup.database()).await;
    let log = whole(gateways.admin()).await;
    let calm = ["/shared", "/in-order"].map(|path| inbox.assert_complete(path, &log, |_| true));
    say("3 replicas", &log, &[("shared", calm[0]), ("in order", calm[1])]);
    assert_eq!(calm.map(|sum| sum.duplicates), [0, 0], "nothing was killed, and nothing is sent twice");
    let attempts = calm.iter().map(|sum| sum.deliveries + sum.refused).sum::<usize>();
    assert_eq!(setup.database().count("attempts").await, attempts, "the history tells of every attempt");

    for round in 0..3 {
        gateways.round(&mut books, SHARED, Some(round)).await;
    }
    settled(setup.database()).await;
    let log = whole(gateways.admin()).await;
    let sums = ["/shared", "/in-order"].map(|path| inbox.assert_complete(path, &log, |_| true));
    say("3 replicas, each killed once", &log, &[("shared", sums[0]), ("in order", sums[1])]);
    inbox.assert_ordered("/in-order");
    assert_settled_once(setup.database(), sums.iter().map(|sum| sum.deliveries).sum()).await;
}

/// Waits until deliveries of every change were made and nothing is owed any more.
async fn settled(place: &Place) {
    let lag = "SELECT CAST(coalesce(max(c.seq), 0) - max(f.seq) AS text) FROM fanout f LEFT JOIN changes c ON true";
    let done = async {
        while place.text(lag).await.as_deref() != Some("0") || place.count("due").await > 0 {
            tokio::time::sleep(GLANCE).await;
        }
    };
    if timeout(DEADLINE, done).await.is_err() {
        let left = "SELECT CAST(count(*) AS text), endpoint_id, CAST(ordered AS text), CAST(lane AS text), claim, \
            CAST(min(run_at) AS text), CAST(max(attempts) AS text) FROM due GROUP BY endpoint_id, ordered, lane, claim";
        let left = place.rows(left).await;
        panic!("in {DEADLINE:?}: all is delivered; lag {:?}, left {left:#?}", place.text(lag).await);
    }
}

/// `deliveries` holds each once, delivered.
async fn assert_settled_once(place: &Place, wanted: usize) {
    assert_eq!(place.count("deliveries").await, wanted);
    assert_eq!(place.count("deliveries WHERE state <> 'delivered'").await, 0);
    let of_one = "SELECT endpoint_id, seq, part FROM deliveries GROUP BY endpoint_id, seq, part HAVING count(*) > 1";
    assert_eq!(place.count(&format!("({of_one}) d")).await, 0, "one for each endpoint and event");
}

fn say(fault: &str, log: &[Value], sums: &[(&str, Sum)]) {
    let line = |(path, sum): &(&str, Sum)| {
        format!(" | {path}: deliveries {}, duplicates {}, refused {}", sum.deliveries, sum.duplicates, sum.refused)
    };
    tell(&format!("fault: {fault} | changes {}{}", log.len(), sums.iter().map(line).collect::<String>()));
}
