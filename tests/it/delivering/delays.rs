//! When it is tried again: the schedules of the seeds, attempt by attempt.

use serde_json::{Value, json};
use tidegate::clock::Timestamp;

use super::{Hook, ORDERS, advance, one_round, order, seconds, time, unix};
use crate::app::{App, Setup};
use crate::receiver::{Received, Receiver, Reply};
use crate::receivers::{Receivers, every_delivery_verifies};

both!(the_delays_are_those_of_the_seeds, the_delays_pass_in_real_time);

/// Profile, seconds before each attempt but the first, and how many percent longer chance may make them. The first four
/// as the seeds print them; the last is the specification's example of a schedule.
const DELAYS: [(&str, &[u64], u32); 5] = [
    ("collecta", &[60, 120, 240, 480, 960], 0),
    ("collectiq", &[60, 300, 1_800, 7_200], 0),
    ("auction-excellence", &[60, 300, 1_800, 7_200, 43_200], 0),
    ("cliq", &[60, 300, 1_800, 7_200], 0),
    ("standard-webhooks", &[5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400], 10),
];

async fn the_delays_are_those_of_the_seeds(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    for (profile, delays, percent) in DELAYS {
        let receiver = Receiver::start().await;
        receiver.answer(|_| Reply::status(500));
        let body = json!({ "url": receiver.url("/"), "profile": profile, "events": ["record_created"] });
        let hook = Hook::make(&app, body).await;
        order(&sender, profile).await;
        let mut times = vec![app.setup.clock.now()];
        for (number, delay) in (1..).zip(delays) {
            let delivery = hook.attempted(number).await;
            assert_eq!((&delivery["state"], &delivery["settledAt"]), (&json!("pending"), &Value::Null), "{profile}");
            let (now, next) = (app.setup.clock.now(), time(&delivery["nextAttemptAt"]));
            let wait = next.since(now);
            let most = seconds(*delay) * (100 + percent) / 100;
            assert!((seconds(*delay)..=most).contains(&wait), "{profile}, {number}: {wait:?} instead of {delay} s");
            advance(&app, wait - seconds(1));
            one_round(&app).await;
            let waits = hook.attempted(number).await;
            assert_eq!(waits["state"], "pending", "{profile}, {number}: a second too early");
            advance(&app, seconds(1));
            times.push(next);
        }
        let delivery = hook.attempted(times.len()).await;
        assert_schedule(&delivery, &times);
        assert_alike(profile, &hook.secret, &receiver.received(), &times);
        hook.delete().await;
    }
}

/// What the history says of a delivery that always failed, at these times.
#[track_caller]
fn assert_schedule(delivery: &Value, times: &[Timestamp]) {
    let last = json!(times.last());
    let told = ["state", "status", "nextAttemptAt", "settledAt"].map(|name| &delivery[name]);
    assert_eq!(told, [&json!("failed"), &json!(500), &Value::Null, &last], "{delivery}");
    let attempts = delivery["attempts"].as_array().unwrap();
    let told = attempts.iter().map(|attempt| json!([attempt["number"], attempt["at"], attempt["nextAttemptAt"]]));
    let wanted = (0..times.len()).map(|place| json!([place + 1, times[place], times.get(place + 1)]));
    assert_eq!(told.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
}

/// One delivery, as often as there are times: the same id and bytes, each signed when it was sent.
#[track_caller]
fn assert_alike(profile: &str, secret: &str, came: &[Received], times: &[Timestamp]) {
    assert_eq!(came.len(), times.len(), "{profile}");
    for (request, at) in came.iter().zip(times) {
        assert_eq!(request.body, came[0].body, "{profile}");
        for name in ["x-webhook-id", "webhook-id", "x-webhook-event"] {
            assert_eq!(request.header(name), came[0].header(name), "{profile}: {name}");
        }
        for name in ["x-webhook-timestamp", "webhook-timestamp"] {
            assert!(request.header(name).is_none_or(|sent| sent == unix(*at)), "{profile}: {name} of {at}");
        }
        every_delivery_verifies(Receivers::at(*at), profile, secret, std::slice::from_ref(request));
    }
}

async fn the_delays_pass_in_real_time(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(500));
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"], "retries": [1, 1] });
    let hook = Hook::make(&app, body).await;
    order(&sender, "A").await;
    let delivery = hook.attempted(3).await;
    assert_eq!((&delivery["state"], receiver.received().len()), (&json!("failed"), 3));
    let attempts = delivery["attempts"].as_array().unwrap();
    for pair in attempts.windows(2) {
        let (sent, next, then) = (time(&pair[0]["at"]), time(&pair[0]["nextAttemptAt"]), time(&pair[1]["at"]));
        assert!(next.since(sent) >= seconds(1) && then >= next, "{delivery}");
    }
    every_delivery_verifies(Receivers::today(), "collecta", &hook.secret, &receiver.received());
}
