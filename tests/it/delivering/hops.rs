//! Modules may feed each other; what goes round in a circle ends.

use serde_json::{Value, json};

use super::Hook;
use crate::app::App;

both!(a_circle_ends_by_its_hops);

/// What is delivered about a record is what makes its next change.
const ECHO: &str = r#"
[module]
slug = "echo"
match = ["code"]

[module.fields]
code = { type = "text", required = true }
heard = "text"

[[source]]
slug = "itself"
rate_limit = { per_minute = 1000000 }

[[source.rule]]
from = "$.data.code"
to = "code"

[[source.rule]]
from = "$.id"
to = "heard"
"#;
/// How many times it may go on (DESIGN 7).
const MOST: usize = 8;

async fn a_circle_ends_by_its_hops(app: App) {
    let sender = app.sender(ECHO).await;
    let url = format!("{}{}", app.url, sender.path());
    let hook = Hook::make(&app, json!({ "url": url, "retries": [], "filter": "@.type != 'status_change'" })).await;
    sender.post(json!({ "id": "a shout", "data": { "code": "A" } })).await.accepted("created");
    let is_over = |found: &[Value]| found.iter().any(|delivery| delivery["state"] == "failed");
    let deliveries = hook.when("it has ended", is_over).await;
    assert_eq!(deliveries.len(), MOST + 1);
    let (last, others) = deliveries.split_last().unwrap();
    assert!(others.iter().all(|delivery| delivery["status"] == 202 && delivery["state"] == "delivered"), "{others:?}");
    assert_eq!((&last["status"], &last["attemptCount"]), (&json!(508), &json!(1)));
    let changes = app.see("/changes?module=echo").await;
    let changes = changes["data"].as_array().unwrap();
    let hops: Vec<_> = changes.iter().map(|change| change["hops"].clone()).collect();
    assert_eq!(hops, (0..=MOST).map(|hops| json!(hops)).collect::<Vec<_>>());
    for (change, delivery) in changes[1..].iter().zip(&deliveries) {
        assert_eq!(change["after"]["fields"]["heard"], delivery["id"], "each was made by the delivery before it");
    }
    let attempt = &app.see(&format!("/deliveries/{}", last["id"].as_str().unwrap())).await["attempts"][0];
    assert_eq!(attempt["request"]["headers"]["x-tidegate-hops"], (MOST + 1).to_string());
    let answered = attempt["response"]["body"]["text"].as_str().unwrap();
    assert!(answered.contains("too_many_hops"), "{answered}");
    assert_eq!(app.database().count("due").await, 0);
}
