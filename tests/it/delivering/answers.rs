//! What a receiver's answer means for the delivery, and for the endpoint's others.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{Hook, ORDERS, advance, codes, one_round, order, seconds, time};
use crate::app::{Setup, text};
use crate::receiver::{Receiver, Reply};

both!(
    a_receiver_says_when_to_come_again,
    an_overloaded_endpoint_rests,
    a_failure_of_another_kind_holds_nobody_back,
    who_is_gone_is_disabled,
    who_is_gone_may_be_tried_again,
    a_redirect_is_not_followed,
    any_success_is_one,
);

/// `Retry-After`, and seconds until the next attempt, where the schedule says 60.
const RETRY_AFTER: [(&str, u64); 14] = [
    ("120", 120),
    ("30", 60),
    ("0", 60),
    ("Wed, 04 Mar 2026 12:05:00 GMT", 300),
    ("Wednesday, 04-Mar-26 12:05:00 GMT", 300),
    ("Wed Mar  4 12:05:00 2026", 300),
    ("Wed, 04 Mar 2026 11:00:00 GMT", 60),
    ("Wed, 04 Mar 2099 12:00:00 GMT", 86_400),
    ("1e30", 60),
    ("1000000000000000000000000000000", 86_400),
    ("-5", 60),
    ("120.5", 60),
    ("", 60),
    ("tomorrow", 60),
];

async fn a_receiver_says_when_to_come_again(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, now) = (app.sender(ORDERS).await, app.setup.clock.now());
    for status in [500, 503] {
        for (value, wait) in RETRY_AFTER {
            let receiver = Receiver::start().await;
            receiver.answer(move |_| Reply::with(status, &[("Retry-After", value)], ""));
            let body = json!({ "url": receiver.url("/"), "retries": [60], "events": ["record_created"] });
            let hook = Hook::make(&app, body).await;
            order(&sender, &format!("{status} {value}")).await;
            let delivery = hook.attempted(1).await;
            let next = time(&delivery["nextAttemptAt"]);
            assert_eq!(next.since(now), seconds(wait), "{status}, Retry-After: {value}");
            hook.delete().await;
        }
    }
}

async fn an_overloaded_endpoint_rests(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    for (status, after, rest) in
        [(429, "", 1), (502, "", 1), (503, "", 1), (504, "", 1), (429, "90", 90), (503, "1e30", 1)]
    {
        let receiver = Receiver::start().await;
        receiver.answer_in_turn([Reply::with(status, &[("Retry-After", after)], "")]);
        let body = json!({ "url": receiver.url("/"), "retries": [600], "events": ["record_created"] });
        let hook = Hook::make(&app, body).await;
        order(&sender, &format!("{status} {after} first")).await;
        hook.attempted(1).await;
        let second = format!("{status} {after} second");
        order(&sender, &second).await;
        hook.when("both are there", |found| found.len() == 2).await;
        advance(&app, seconds(rest) - Duration::from_micros(1));
        one_round(&app).await;
        assert_eq!(states(&hook.deliveries().await), ["pending"; 2], "{status} {after}: it rests");
        advance(&app, Duration::from_micros(1));
        assert_eq!(codes(&receiver.wait_for(2).await)[1], second);
        hook.when("the second is delivered", |found| states(found) == ["pending", "delivered"]).await;
        hook.delete().await;
    }
}

fn states(deliveries: &[Value]) -> Vec<&str> {
    deliveries.iter().map(|delivery| text(&delivery["state"])).collect()
}

async fn a_failure_of_another_kind_holds_nobody_back(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    for status in [301, 400, 404, 408, 418, 500, 501, 599] {
        let receiver = Receiver::start().await;
        receiver.answer_in_turn([Reply::status(status)]);
        let body = json!({ "url": receiver.url("/"), "retries": [600], "events": ["record_created"] });
        let hook = Hook::make(&app, body).await;
        order(&sender, &format!("{status} first")).await;
        let delivery = hook.attempted(1).await;
        assert_eq!((&delivery["state"], &delivery["status"]), (&json!("pending"), &json!(status)));
        order(&sender, &format!("{status} second")).await;
        hook.when("the second is delivered", |found| states(found) == ["pending", "delivered"]).await;
        hook.delete().await;
    }
}

async fn who_is_gone_is_disabled(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, gone, watcher) = (app.sender(ORDERS).await, Receiver::start().await, Receiver::start().await);
    gone.answer(|_| Reply::status(410));
    let other = json!({ "url": watcher.url("/"), "events": ["endpoint.disabled"] });
    let other = Hook::make(&app, other).await;
    let hook = Hook::make(&app, json!({ "url": gone.url("/a-secret"), "events": ["record_created"] })).await;
    order(&sender, "A").await;
    let delivery = hook.attempted(1).await;
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("failed"), &json!(410)));
    let body = watcher.wait_for(1).await[0].json();
    let seen = hook.see().await;
    assert_eq!((&seen["state"], &seen["cause"]), (&json!("disabled"), &json!("gone")), "{seen}");
    let now = json!(app.setup.clock.now());
    let told = ["event", "module", "record_id", "version", "timestamp"].map(|name| &body[name]);
    assert_eq!(told, [&json!("endpoint.disabled"), &Value::Null, &Value::Null, &Value::Null, &now], "{body}");
    let data = ["endpoint", "host", "cause", "failing_since"].map(|name| &body["data"][name]);
    assert_eq!(data, [&json!(hook.id), &json!("127.0.0.1"), &json!("gone"), &now], "{body}");
    let logged = app.see("/changes").await["data"].as_array().unwrap().last().unwrap().clone();
    let told = (&logged["types"], &logged["actor"], &logged["module"]);
    assert_eq!(told, (&json!(["endpoint.disabled"]), &json!("gateway"), &Value::Null), "{logged}");
    other.all(1, "delivered").await;

    order(&sender, "B").await;
    one_round(&app).await;
    assert_eq!((hook.deliveries().await.len(), gone.received().len()), (1, 1), "nothing more is made for it");
}

async fn who_is_gone_may_be_tried_again(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([Reply::status(410)]);
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"], "onGone": "retry" });
    let hook = Hook::make(&app, body).await;
    order(&sender, "A").await;
    hook.attempted(1).await;
    advance(&app, seconds(60));
    let delivery = hook.attempted(2).await;
    assert_eq!((&delivery["state"], &hook.see().await["state"]), (&json!("delivered"), &json!("enabled")));
}

async fn a_redirect_is_not_followed(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver, other) = (app.sender(ORDERS).await, Receiver::start().await, Receiver::start().await);
    let hook = Hook::make(&app, json!({ "url": receiver.url("/"), "retries": [], "concurrency": 1 })).await;
    for (number, status) in [300, 301, 302, 303, 307, 308].into_iter().enumerate() {
        let to = other.url("/here");
        receiver.answer(move |_| Reply::with(status, &[("Location", &to)], ""));
        order(&sender, &status.to_string()).await;
        let found = hook.all(number + 1, "failed").await;
        assert_eq!(found[number]["status"], status);
        // One that only fails rests for a while after each.
        advance(&app, seconds(10));
    }
    assert_eq!((receiver.received().len(), other.received().len()), (6, 0));
    let tried = hook.call(Method::POST, "/test", json!({ "type": "record_created" })).await.done();
    assert_eq!((&tried["status"], &tried["isSuccess"]), (&json!(308), &json!(false)));
    assert_eq!(other.received().len(), 0, "a test does not follow it either");
}

async fn any_success_is_one(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let hook = Hook::make(&app, json!({ "url": receiver.url("/"), "concurrency": 1 })).await;
    for (number, status) in [200, 201, 202, 204, 226, 299].into_iter().enumerate() {
        // Whatever its body says.
        receiver.answer(move |_| Reply::with(status, &[], if status == 204 { "" } else { r#"{"error":"no"}"# }));
        order(&sender, &status.to_string()).await;
        let found = hook.all(number + 1, "delivered").await;
        assert_eq!((&found[number]["status"], &found[number]["attemptCount"]), (&json!(status), &json!(1)));
    }
}
