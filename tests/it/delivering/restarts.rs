//! A gateway that stops while deliveries are under way.

use std::collections::BTreeSet;

use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{Hook, ORDERS, advance, order, seconds};
use crate::app::{App, Setup, text};
use crate::receiver::{Gate, Receiver, Reply};

both!(
    what_is_under_way_ends_and_the_rest_goes_on,
    what_was_put_off_goes_on_after_a_restart,
    what_was_left_behind_is_sent
);

async fn what_is_under_way_ends_and_the_rest_goes_on(app: App) {
    let (sender, receiver, gate) = (app.sender(ORDERS).await, Receiver::start().await, Gate::default());
    let held = gate.clone();
    receiver.answer(move |_| Reply::status(200).behind(&held));
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"], "concurrency": 4 });
    let id = Hook::make(&app, body).await.id;
    for number in 0..60 {
        order(&sender, &number.to_string()).await;
    }
    receiver.wait_for(4).await;
    let stopping = app.gateway().stopping.clone();
    let restarted = tokio::spawn(app.restart());
    stopping.cancelled().await;
    gate.open();
    let app = restarted.await.unwrap();
    let hook = Hook { app: &app, id, secret: String::new() };
    let deliveries = hook.all(60, "delivered").await;
    assert!(deliveries.iter().all(|delivery| delivery["attemptCount"] == 1), "{deliveries:?}");
    let came = receiver.received();
    let ids: BTreeSet<_> = came.iter().map(|request| text(&request.json()["id"]).to_owned()).collect();
    assert_eq!((ids.len(), came.len()), (60, 60), "each once: what was under way has ended before the gateway did");
}

async fn what_was_put_off_goes_on_after_a_restart(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([Reply::status(500)]);
    let id = Hook::make(&app, json!({ "url": receiver.url("/"), "events": ["record_created"] })).await.id;
    order(&sender, "A").await;
    Hook { app: &app, id: id.clone(), secret: String::new() }.attempted(1).await;
    let app = app.restart().await;
    let hook = Hook { app: &app, id, secret: String::new() };
    assert_eq!(hook.attempted(1).await["state"], "pending");
    advance(&app, seconds(60));
    assert_eq!(hook.attempted(2).await["state"], "delivered");
    let came = receiver.received();
    assert_eq!((came.len(), &came[0].body), (2, &came[1].body));
}

/// Changes that nobody has made deliveries of yet, and deliveries whose gateway has died.
async fn what_was_left_behind_is_sent(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let id = Hook::make(&app, json!({ "url": receiver.url("/"), "events": ["record_created"] })).await.id;
    order(&sender, "A").await;
    Hook { app: &app, id: id.clone(), secret: String::new() }.attempted(1).await;
    let setup = app.stop().await;
    // As a killed gateway leaves it: claimed by a replica that is gone, or not come to.
    let columns = "id, endpoint_id, seq, part, type, module_id, record_id, rendering";
    let until = setup.clock.now().after(seconds(90)).micros();
    let gone = format!("rep_{}/7", "0".repeat(26));
    let sql = format!(
        "INSERT INTO due ({columns}, ordered, lane, attempts, run_at, claim, created_at) \
         SELECT {columns}, 0, 0, 0, {until}, '{gone}', created_at FROM deliveries; DELETE FROM deliveries; DELETE FROM attempts"
    );
    setup.database().run(AssertSqlSafe(sql)).await;
    let app = setup.start().await;
    let hook = Hook { app: &app, id, secret: String::new() };
    if app.store().has_replicas() {
        // It may still be alive: its lease is waited for.
        advance(&app, seconds(91));
    }
    let delivery = hook.attempted(1).await;
    assert_eq!(delivery["state"], "delivered");
    let came = receiver.received();
    assert_eq!((came.len(), &came[0].body), (2, &came[1].body), "sent again, the same");
}
