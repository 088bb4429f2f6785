//! Many at once: a dead receiver among others, and a storm of retries.

use std::fmt::Write as _;

use serde_json::json;
use sqlx::AssertSqlSafe;
use tidegate::id::{DeliveryId, EndpointId};

use super::{ORDERS, make, order, wait_for, wait_for_settled};
use crate::app::{App, Setup, text};
use crate::receiver::{Gate, Receiver, Reply};

both!(a_dead_receiver_delays_nobody, fresh_deliveries_are_not_behind_a_storm_of_retries);

const CONCURRENCY: usize = 16;

async fn a_dead_receiver_delays_nobody(setup: Setup) {
    const HEALTHY: usize = 19;
    const CHANGES: usize = 30;
    // Room for the dead one's share, and as much for all others together.
    let app = setup.with_bounds(|bounds| bounds.attempts = 2 * CONCURRENCY).start().await;
    let (sender, healthy, dead) = (app.sender(ORDERS).await, Receiver::start().await, Receiver::start().await);
    dead.answer(|_| Reply::hang());
    for number in 0..HEALTHY {
        make(&app, json!({ "url": healthy.url(&format!("/{number}")), "events": ["record_created"] })).await;
    }
    make(&app, json!({ "url": dead.url("/"), "events": ["record_created"], "timeout": 30 })).await;
    for number in 0..CHANGES {
        order(&sender, &number.to_string()).await;
    }
    let came = healthy.wait_for(HEALTHY * CHANGES).await;
    for number in 0..HEALTHY {
        let path = format!("/{number}");
        assert_eq!(came.iter().filter(|request| request.path == path).count(), CHANGES, "{path}");
    }
    dead.wait_for(1).await;
    assert!(dead.most_at_once() <= CONCURRENCY, "its share of the attempts, and no more");
    assert!(dead.received().len() <= CONCURRENCY, "none of them has ended");
    assert_eq!(app.database().count("deliveries WHERE state = 'failed'").await, 0);
}

/// As many of a delivery that was settled, put off after a first attempt, and due now.
async fn put_off(app: &App, of: &str, count: usize) {
    let place = app.database();
    let sql = format!("SELECT endpoint_id FROM deliveries WHERE id = '{of}'");
    let endpoint: EndpointId = place.text(AssertSqlSafe(sql)).await.unwrap().parse().unwrap();
    let now = app.setup.clock.now();
    let mut ids = String::new();
    for number in 0..count {
        let id = DeliveryId::of(now, &number.to_string(), endpoint, 0);
        write!(ids, "{}('{id}')", if number == 0 { "" } else { ", " }).unwrap();
    }
    let sql = format!(
        "INSERT INTO due (id, endpoint_id, seq, part, type, module_id, record_id, rendering, ordered, lane, attempts, \
         run_at, claim, created_at) SELECT n.column1, d.endpoint_id, d.seq, d.part, d.type, d.module_id, d.record_id, \
         d.rendering, 0, 1, 1, {now}, NULL, d.created_at FROM deliveries d CROSS JOIN (VALUES {ids}) AS n \
         WHERE d.id = '{of}'",
        now = now.micros()
    );
    place.run(AssertSqlSafe(sql)).await;
}

async fn fresh_deliveries_are_not_behind_a_storm_of_retries(app: App) {
    const STORM: usize = 3_000;
    const FRESH: usize = 100;
    // Of what is claimed ahead, eight for each attempt that may be under way, a quarter is for retries, and is filled up
    // when half of it is used.
    const PART: usize = CONCURRENCY * 8 / 4;
    let (sender, receiver, gate) = (app.sender(ORDERS).await, Receiver::start().await, Gate::default());
    let id = make(&app, json!({ "url": receiver.url("/"), "events": ["record_created"], "timeout": 30 })).await;
    order(&sender, "old").await;
    receiver.wait_for(1).await;
    wait_for_settled(&app).await;
    let old = app.list(&format!("/webhooks/{id}/deliveries"), 10).await;
    let shut = gate.clone();
    receiver.answer(move |_| Reply::status(200).behind(&shut));
    put_off(&app, text(&old[0]["id"]), STORM).await;
    wait_for(&app, "due WHERE lane = 1 AND claim IS NOT NULL", |claimed| claimed > CONCURRENCY).await;
    receiver.wait_for(1 + CONCURRENCY).await;
    for number in 0..FRESH {
        order(&sender, &format!("new {number}")).await;
    }
    wait_for(&app, "due WHERE lane = 0", |fresh| fresh == FRESH).await;
    let claimed = app.database().count("due WHERE lane = 1 AND claim IS NOT NULL").await;
    assert!(claimed <= CONCURRENCY + PART, "the rest of the room is kept for what is fresh: {claimed}");

    gate.open();
    let came = receiver.wait_for(1 + CONCURRENCY + FRESH).await;
    let first = &came[1 + CONCURRENCY..][..FRESH];
    let fresh = first.iter().filter(|request| request.json()["data"]["code"] != "old").count();
    assert!(fresh >= FRESH / 2, "{fresh} of the first {FRESH} are fresh");
    // And the storm abates: neither waits for the 200 ms after which it is looked again.
    let came = receiver.wait_for(1 + CONCURRENCY + FRESH + 500).await;
    let fresh = came.iter().filter(|request| request.json()["data"]["code"] != "old").count();
    assert_eq!((fresh, receiver.most_at_once()), (FRESH, CONCURRENCY));
}
