//! What flows out, through the whole gateway: a webhook comes in, a change is made of it, and whoever asked for it is told,
//! as often as it takes. Time stands still in most of these tests, and what is waited for is always something that the
//! receiver or the API shows.

mod alike;
mod answers;
mod delays;
mod failing;
mod history;
mod hops;
mod named;
mod order;
mod picked;
mod profiles;
mod restarts;
mod standing;

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidegate::clock::Timestamp;

use crate::app::{App, text};
use crate::client::{Answer, Sender};
use crate::receiver::Received;

const ORDERS: &str = include_str!("../data/modules/orders.toml");
/// Longer than anything that a test waits for may take.
const DEADLINE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(5);

/// A webhook that the gateway knows, and its secret.
struct Hook<'a> {
    app: &'a App,
    id: String,
    secret: String,
}

impl<'a> Hook<'a> {
    async fn make(app: &'a App, body: Value) -> Self {
        let answer = app.post("/api/v1/webhooks", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let made = answer.json();
        Self { app, id: text(&made["id"]).to_owned(), secret: text(&made["secret"]).to_owned() }
    }

    async fn see(&self) -> Value {
        self.app.see(&format!("/webhooks/{}", self.id)).await
    }

    async fn call(&self, method: Method, verb: &str, body: Value) -> Answer {
        let request = self.app.request(method, &format!("/api/v1/webhooks/{}{verb}", self.id));
        Answer::to(request.bearer_auth(&self.app.key).body(body.to_string())).await
    }

    async fn turn(&self, verb: &str) -> Value {
        self.call(Method::POST, &format!("/{verb}"), json!({})).await.done()
    }

    async fn patch(&self, body: Value) -> Value {
        self.call(Method::PATCH, "", body).await.done()
    }

    async fn delete(self) {
        assert_eq!(self.call(Method::DELETE, "", json!({})).await.status, 204);
    }

    /// In the order of their changes.
    async fn deliveries(&self) -> Vec<Value> {
        let mut found = self.app.list(&format!("/webhooks/{}/deliveries", self.id), 100).await;
        found.sort_by_key(|delivery| text(&delivery["change"]).to_owned());
        found
    }

    /// Its deliveries as soon as they are as they should be.
    async fn when(&self, what: &str, fits: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        until(what, async || Some(self.deliveries().await).filter(|found| fits(found))).await
    }

    /// As soon as there are so many and each is in this state.
    async fn all(&self, count: usize, state: &str) -> Vec<Value> {
        let are_so = |found: &[Value]| found.len() == count && found.iter().all(|one| one["state"] == state);
        self.when(&format!("{count} deliveries are {state}"), are_so).await
    }

    /// Its only delivery, whole, when so many attempts have been written down.
    async fn attempted(&self, count: usize) -> Value {
        let is_so =
            |found: &[Value]| found.len() == 1 && found[0]["attemptCount"] == count && found[0]["state"] != "sending";
        let found = self.when(&format!("{count} attempts are written down"), is_so).await;
        self.app.see(&format!("/deliveries/{}", text(&found[0]["id"]))).await
    }
}

/// Looks again and again, for as long as a test may wait.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(GLANCE).await;
        }
    };
    tokio::time::timeout(DEADLINE, looking).await.unwrap_or_else(|_| panic!("it never was so that {what}"))
}

/// The gateway's clock, which stands, moves on, and the gateway looks what may be sent now.
fn advance(app: &App, span: Duration) {
    app.setup.clock.advance(span);
    app.gateway().deliveries.nudge();
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// What may be sent now is claimed when this is over: what is still `pending` then has not come to its time.
async fn one_round(app: &App) {
    while app.gateway().deliveries.tick().await.expect("the database answers") {}
}

fn time(value: &Value) -> Timestamp {
    text(value).parse().unwrap()
}

fn unix(at: Timestamp) -> String {
    at.micros().div_euclid(1_000_000).to_string()
}

fn hmac(secret: &str, body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&tidegate::verify::hmac_sha256(secret.as_bytes(), body))
}

async fn order(sender: &Sender, code: &str) {
    sender.post(json!({ "type": "stock", "code": code, "quantity": 1 })).await.accepted("created");
}

async fn note(sender: &Sender, code: &str, note: &str) {
    sender.post(json!({ "type": "stock", "code": code, "note": note })).await.accepted("updated");
}

/// The codes of the records that it was sent, in the order of their arrival.
fn codes(came: &[Received]) -> Vec<String> {
    came.iter().map(|request| text(&request.json()["data"]["code"]).to_owned()).collect()
}

/// Each once, in order.
fn sorted<T: Ord>(found: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut found: Vec<T> = found.into_iter().collect();
    found.sort();
    found
}
