//! Receivers that misbehave, and targets that are forbidden: each costs its one attempt, and nobody else anything.

mod beast;
mod crowd;
mod kinds;
mod memory;
mod targets;

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::time::timeout;

use crate::app::{Admin, App, text};
use crate::client::Sender;
use crate::receiver::Receiver;
use beast::{Beast, Way};
use kinds::{Ends, GIBBERISH, Kind, kinds};

both!(each_misbehaviour_costs_one_attempt);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const WEBHOOKS: &str = "/api/v1/webhooks";
/// Longer than anything that a test waits for may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Seconds that a beast is given.
const PATIENCE: u32 = 2;
/// A name that no resolver asks anybody for: its first part is longer than names are.
const NO_NAME: &str = "http://nobody-has-a-name-that-is-longer-than-the-sixty-three-letters-of-a-label.invalid:8080/";

async fn make(admin: &Admin, body: Value) -> String {
    let answer = admin.post(WEBHOOKS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    text(&answer.json()["id"]).to_owned()
}

async fn order(sender: &Sender, code: &str) {
    sender.post(json!({ "type": "stock", "code": code })).await.accepted("created");
}

/// Until so many rows are there, or none.
async fn wait_for(app: &App, from: &str, is_there: impl Fn(usize) -> bool) {
    let waiting = async {
        while !is_there(app.database().count(from).await) {
            tokio::task::yield_now().await;
        }
    };
    if timeout(DEADLINE, waiting).await.is_err() {
        let rows = app.database().rows(AssertSqlSafe(format!("SELECT CAST(count(*) AS text) FROM {from}"))).await;
        panic!("{from}: {rows:?} after {DEADLINE:?}");
    }
}

async fn wait_for_settled(app: &App) {
    wait_for(app, "due", |left| left == 0).await;
}

/// The only delivery of a webhook, with its attempts.
async fn delivery(app: &App, webhook: &str) -> Value {
    let all = app.list(&format!("/webhooks/{webhook}/deliveries"), 10).await;
    assert_eq!(all.len(), 1, "{all:?}");
    app.see(&format!("/deliveries/{}", text(&all[0]["id"]))).await
}

fn strict(url: &str) -> Value {
    json!({
        "url": url, "events": ["record_created"], "filter": "@.data.code == 'zoo'", "retries": [], "timeout": PATIENCE,
        "onGone": "retry",
    })
}

async fn each_misbehaviour_costs_one_attempt(app: App) {
    let (sender, healthy) = (app.sender(ORDERS).await, Receiver::start().await);
    let canary = Beast::new(Way::Holds(Vec::new())).await;
    let mut zoo = Vec::new();
    for kind in kinds(&format!("http://{}/", canary.address)) {
        let beast = Beast::new(kind.way.clone()).await;
        let id = make(&app, strict(&format!("{}://{}/", kind.scheme, beast.address))).await;
        zoo.push((kind, beast, id));
    }
    let unknown = make(&app, strict(NO_NAME)).await;
    let well = make(&app, json!({ "url": healthy.url("/"), "events": ["record_created"] })).await;
    order(&sender, "zoo").await;
    for number in 0..5 {
        order(&sender, &number.to_string()).await;
    }
    healthy.wait_for(6).await;
    wait_for_settled(&app).await;

    let mut timed_out = Vec::new();
    for (kind, beast, id) in &zoo {
        let delivery = delivery(&app, id).await;
        assert_ended(kind, beast, &delivery);
        if kind.ends == Ends::Broken("timeout") {
            timed_out.push(text(&delivery["settledAt"]).to_owned());
        }
    }
    let unknown = delivery(&app, &unknown).await;
    assert_eq!((&unknown["state"], &unknown["errorClass"]), (&json!("failed"), &json!("dns")), "{unknown}");
    let first = timed_out.iter().min().unwrap();
    let delivered = app.list(&format!("/webhooks/{well}/deliveries?state=delivered"), 10).await;
    assert_eq!(delivered.len(), 6);
    assert!(delivered.iter().all(|one| text(&one["settledAt"]) < &**first), "none waits for a beast: {delivered:?}");
    assert_eq!(canary.connections(), 0, "nobody follows");
    assert_eq!(app.database().count("attempts").await, zoo.len() + 1 + 6);
}

#[track_caller]
fn assert_ended(kind: &Kind, beast: &Beast, delivery: &Value) {
    let name = kind.name;
    let attempts = delivery["attempts"].as_array().unwrap();
    assert_eq!((attempts.len(), &delivery["attemptCount"]), (1, &json!(1)), "{name}: {delivery}");
    let attempt = &attempts[0];
    let (response, error) = (&attempt["response"], &attempt["error"]);
    match kind.ends {
        Ends::Delivered(status, kept) => {
            let told = (&delivery["state"], &response["status"], &response["body"]["size"]);
            assert_eq!(told, (&json!("delivered"), &json!(status), &json!(kept)), "{name}: {attempt}");
        }
        Ends::Refused(status) => {
            assert_eq!((&delivery["state"], &response["status"]), (&json!("failed"), &json!(status)), "{name}");
        }
        Ends::Broken(class) => {
            let told = (&delivery["state"], &error["class"], response);
            assert_eq!(told, (&json!("failed"), &json!(class), &Value::Null), "{name}: {error} {response}");
            assert!(!text(&error["detail"]).is_empty() && !text(&error["detail"]).contains(GIBBERISH), "{error}");
        }
    }
    let kept = response["body"]["text"].as_str().or(response["body"]["base64"].as_str()).unwrap_or_default();
    assert!(kept.len() <= 64 * 1024, "{name}: {} bytes are kept", kept.len());
    assert_eq!(attempt["nextAttemptAt"], Value::Null, "{name}");
    let time = attempt["timings"]["total"].as_f64().unwrap();
    assert!(time < f64::from(PATIENCE * 1_000 + 3_000), "{name} took {time} ms");
    assert_eq!(beast.connections(), usize::from(!matches!(kind.way, Way::Absent)), "{name}");
}
