//! Clients that break the rules of HTTP, dawdle, or come in great numbers: each is refused or cut off in its time,
//! leaves nothing behind, and keeps no honest one from being served.

#![allow(clippy::print_stdout, reason = "how long it took is for whoever reads the run")]

mod caps;
mod crowds;
mod framing;
mod slow;

use std::time::Duration;

use tidegate::clock::Clock;

use crate::app::{Admin, App, Setup};
use crate::client::Sender;
use crate::database::Engine;

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const LOAD: &str = include_str!("../data/modules/load.toml");
/// Longer than anything here may take: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);

fn event(code: &str) -> String {
    format!(r#"{{"type":"stock","code":"{code}"}}"#)
}

/// Where nothing depends on the database.
async fn setup() -> Setup {
    Setup::new(Engine::Sqlite).await
}

/// Time since it was made.
fn stopwatch() -> impl Fn() -> Duration {
    let clock = Clock::system();
    let begun = clock.monotonic();
    move || clock.monotonic().saturating_sub(begun)
}

/// What a metric says, without its labels' braces: `tidegate_connections`, `…_total{limit="idle_time"}`.
async fn metric(admin: &Admin, name: &str) -> f64 {
    let text = admin.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |number| number.parse().unwrap())
}

async fn reached(admin: &Admin, limit: &str) -> f64 {
    metric(admin, &format!("tidegate_limit_reached_total{{limit=\"{limit}\"}}")).await
}

/// Asks again until it is so.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asked).await.unwrap_or_else(|_| panic!("in time: {what}"));
}

/// A new client is served as ever.
async fn is_served(app: &App, sender: &Sender) {
    let answer = crate::client::Answer::to(sender.json(event("honest")).header("connection", "close")).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(app.get("/livez").await.status, 200);
}
