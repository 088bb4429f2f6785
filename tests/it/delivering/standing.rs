//! Endpoints that are turned off, turned on and deleted while something is owed to them.

use serde_json::json;

use super::{Hook, ORDERS, advance, codes, one_round, order, seconds};
use crate::app::Setup;
use crate::receiver::{Receiver, Reply};

both!(what_is_owed_waits_for_a_disabled_endpoint, what_is_owed_goes_with_its_endpoint);

async fn what_is_owed_waits_for_a_disabled_endpoint(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([Reply::status(500)]);
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"], "retries": [60, 60] });
    let hook = Hook::make(&app, body).await;
    order(&sender, "A").await;
    let first = hook.attempted(1).await;
    hook.turn("disable").await;
    order(&sender, "B").await;
    advance(&app, seconds(600));
    one_round(&app).await;
    let waits = hook.attempted(1).await;
    assert_eq!((&waits["state"], receiver.received().len()), (&json!("pending"), 1), "nothing is sent");
    let id = hook.id.clone();
    let app = app.restart().await;
    let hook = Hook { app: &app, id, secret: String::new() };
    one_round(&app).await;
    assert_eq!(receiver.received().len(), 1, "nor by the next gateway");
    hook.turn("enable").await;
    let delivery = hook.attempted(2).await;
    assert_eq!((&delivery["state"], &delivery["id"]), (&json!("delivered"), &first["id"]));
    let came = receiver.received();
    assert_eq!(
        (codes(&came), &came[1].body),
        (vec!["A".to_owned(); 2], &came[0].body),
        "B was missed, and is remembered"
    );
}

async fn what_is_owed_goes_with_its_endpoint(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(500));
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"] });
    let (gone, stays) = (Hook::make(&app, body.clone()).await, Hook::make(&app, body).await);
    order(&sender, "A").await;
    gone.attempted(1).await;
    stays.attempted(1).await;
    gone.delete().await;
    assert_eq!(app.database().count("due").await, 1);
    receiver.answer(|_| Reply::status(200));
    advance(&app, seconds(60));
    assert_eq!(stays.attempted(2).await["state"], "delivered");
    one_round(&app).await;
    assert_eq!((receiver.received().len(), app.database().count("due").await), (3, 0));
    assert_eq!(app.database().count("attempts").await, 3, "what was tried stays in the history");
}
