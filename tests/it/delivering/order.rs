//! Deliveries of one record that keep their order.

use serde_json::{Value, json};

use super::{Hook, ORDERS, advance, note, one_round, order, seconds};
use crate::app::{App, Setup, text};
use crate::receiver::{Gate, Received, Receiver, Reply};

both!(
    a_failing_delivery_holds_back_those_of_its_record,
    one_that_is_given_up_lets_the_next_go,
    one_of_a_record_is_under_way_at_a_time,
    without_order_one_may_overtake_another,
);

fn body(receiver: &Receiver, ordering: &str, retries: &[u32]) -> Value {
    let events = ["record_created", "record_updated", "record_deleted"];
    json!({ "url": receiver.url("/"), "events": events, "ordering": ordering, "retries": retries })
}

/// Code and version of the records that it was sent.
fn versions(came: &[Received]) -> Vec<String> {
    let version = |body: Value| format!("{}{}", text(&body["data"]["code"]), body["version"]);
    came.iter().map(|request| version(request.json())).collect()
}

fn states(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().map(|delivery| text(&delivery["state"])).collect()
}

async fn a_failing_delivery_holds_back_those_of_its_record(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|request| Reply::status(if request.json()["data"]["code"] == "A" { 500 } else { 200 }));
    let hook = Hook::make(&app, body(&receiver, "per_record", &[60, 60])).await;
    order(&sender, "A").await;
    hook.attempted(1).await;
    note(&sender, "A", "second").await;
    note(&sender, "A", "third").await;
    order(&sender, "B").await;
    note(&sender, "B", "second").await;
    let held = ["pending", "waiting", "waiting", "delivered", "delivered"];
    hook.when("another record goes on", |found| states(found) == held).await;
    advance(&app, seconds(60));
    hook.when("it has failed again", |found| found[0]["attemptCount"] == 2 && states(found) == held).await;
    receiver.answer(|_| Reply::status(200));
    advance(&app, seconds(60));
    let found = hook.all(5, "delivered").await;
    let attempts: Vec<_> = found.iter().map(|delivery| delivery["attemptCount"].clone()).collect();
    assert_eq!(attempts, [3, 1, 1, 1, 1].map(|count| json!(count)));
    let came = versions(&receiver.received());
    assert_eq!(came, ["A1", "B1", "B2", "A1", "A1", "A2", "A3"]);
}

async fn one_that_is_given_up_lets_the_next_go(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([500, 500].map(Reply::status));
    let hook = Hook::make(&app, body(&receiver, "per_record", &[60])).await;
    order(&sender, "A").await;
    hook.attempted(1).await;
    note(&sender, "A", "second").await;
    hook.when("the second waits", |found| states(found) == ["pending", "waiting"]).await;
    let id = hook.id.clone();
    let app = app.restart().await;
    one_round(&app).await;
    assert_eq!(receiver.received().len(), 1, "it waits across a restart");
    advance(&app, seconds(60));
    let hook = Hook { app: &app, id, secret: String::new() };
    hook.when("the second is delivered", |found| states(found) == ["failed", "delivered"]).await;
    assert_eq!(versions(&receiver.received()), ["A1", "A1", "A2"]);
    assert_eq!(app.database().count("due").await, 0);
}

async fn one_of_a_record_is_under_way_at_a_time(app: App) {
    let (sender, receiver, gate) = (app.sender(ORDERS).await, Receiver::start().await, Gate::default());
    let held = gate.clone();
    receiver.answer(move |_| Reply::status(200).behind(&held));
    let hook = Hook::make(&app, body(&receiver, "per_record", &[])).await;
    for code in ["A", "B", "C"] {
        order(&sender, code).await;
    }
    for number in 2..=10 {
        for code in ["A", "B", "C"] {
            note(&sender, code, &number.to_string()).await;
        }
    }
    receiver.wait_for(3).await;
    hook.when("the others wait", |found| states(found).iter().filter(|state| **state == "waiting").count() == 27).await;
    assert_eq!(receiver.most_at_once(), 3);
    gate.open();
    let came = versions(&receiver.wait_for(30).await);
    for code in ["A", "B", "C"] {
        let of_one: Vec<_> = came.iter().filter(|version| version.starts_with(code)).cloned().collect();
        assert_eq!(of_one, (1..=10).map(|number| format!("{code}{number}")).collect::<Vec<_>>());
    }
    assert_eq!(receiver.most_at_once(), 3);
}

async fn without_order_one_may_overtake_another(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([Reply::status(500)]);
    let hook = Hook::make(&app, body(&receiver, "none", &[60])).await;
    order(&sender, "A").await;
    hook.attempted(1).await;
    note(&sender, "A", "second").await;
    hook.when("the second is delivered", |found| states(found) == ["pending", "delivered"]).await;
}
