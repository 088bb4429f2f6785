//! Records that events delete, and what stays of them so that an older event does not bring them back.

use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{App, Setup};
use crate::changes::{assert_log_is_truth, changes};

both!(
    a_deleted_record_stays_gone_for_older_events,
    a_delete_needs_no_more_than_the_match,
    a_delete_that_meets_nothing_is_ignored,
    a_tombstone_is_met_by_every_match,
    deletes_and_creates_of_one_batch_fold,
    a_tombstone_is_forgotten_with_the_event_ids,
);

const STOCK: &str = include_str!("../data/modules/stock.toml");

fn event(id: &str, at: &str, amount: i64) -> Value {
    json!({ "id": id, "at": format!("2026-01-01T{at}:00Z"), "code": "A", "serial": "S", "amount": amount })
}

fn delete(id: &str, at: &str) -> Value {
    json!({ "id": id, "at": format!("2026-01-01T{at}:00Z"), "op": "delete", "code": "A" })
}

async fn a_deleted_record_stays_gone_for_older_events(app: App) {
    let sender = app.sender(STOCK).await;
    let made = sender.post(event("1", "10:00", 1)).await.accepted("created");
    let stale = sender.post(delete("2", "09:00")).await.accepted("stale");
    assert_eq!(stale["recordId"], made["recordId"]);
    let gone = sender.post(delete("3", "11:00")).await.accepted("deleted");
    assert_eq!(gone["recordId"], made["recordId"]);
    assert_eq!(app.database().count("m_stock").await, 0);
    let path = format!("/api/v1/modules/stock/records/{}", made["recordId"].as_str().unwrap());
    app.get(&path).await.problem(404, "not_found");
    sender.post(delete("3", "11:00")).await.accepted("duplicate");

    let late = sender.post(event("4", "10:30", 2)).await.accepted("stale");
    assert_eq!(late["recordId"], made["recordId"]);
    sender.post(delete("5", "10:45")).await.accepted("stale");
    sender.post(delete("6", "12:00")).await.accepted("ignored");
    let app = app.restart().await;
    let sender = sender.at(&app.url);
    sender.post(event("7", "10:59", 3)).await.accepted("stale");

    let again = sender.post(event("8", "11:00", 4)).await.accepted("created");
    assert_ne!(again["recordId"], made["recordId"], "a record of its own");
    assert_eq!(app.record("stock", &again).await["version"], 1);
    assert_log_is_truth(&app.admin, app.database(), "stock").await;

    let log = changes(app.database()).await;
    let told: Vec<_> = log.iter().map(|change| (change.op.as_str(), change.version)).collect();
    assert_eq!(told, [("insert", 1), ("delete", 2), ("insert", 1)]);
    assert_eq!(log[1].before.as_ref().unwrap()["amount"], 1);
    assert_eq!(log[1].after, None);
}

async fn a_delete_needs_no_more_than_the_match(app: App) {
    let sender = app.sender(STOCK).await;
    sender.post(event("1", "10:00", 1)).await.accepted("created");
    // Other rules are not asked: this amount would be refused.
    sender.post(json!({ "op": "delete", "code": "A", "amount": "many" })).await.accepted("deleted");
    let problem = sender.post(json!({ "op": "delete", "amount": 1 })).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(problem["errors"][0]["code"], "match_value");
    // Without a time it left the guard that stood: what is older than the last event stays away.
    sender.post(event("2", "09:00", 1)).await.accepted("stale");
    sender.post(event("3", "10:00", 1)).await.accepted("created");
}

async fn a_delete_that_meets_nothing_is_ignored(app: App) {
    let sender = app.sender(STOCK).await;
    let answer = sender.post(delete("1", "10:00")).await.accepted("ignored");
    assert_eq!(app.event(&answer).await["cause"], "delete_when");
    for table in ["changes", "dedupe", "tombstones"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
    sender.post(event("1", "10:00", 1)).await.accepted("created");
    sender.post(delete("2", "10:00")).await.accepted("deleted");
}

/// Each source has a guard of its own, and may find the record by another field.
async fn a_tombstone_is_met_by_every_match(app: App) {
    let senders = app.senders(STOCK, json!({})).await;
    let [shop, hall] = senders.as_slice() else { panic!("two sources") };
    shop.post(event("1", "10:00", 1)).await.accepted("created");
    let in_hall = |millis: i64, amount: i64| json!({ "at": millis, "serial": "S", "code": "A", "amount": amount });
    hall.post(in_hall(5_000, 2)).await.accepted("updated");
    shop.post(delete("2", "11:00")).await.accepted("deleted");
    hall.post(in_hall(4_999, 3)).await.accepted("stale");
    shop.post(event("3", "10:59", 3)).await.accepted("stale");
    hall.post(in_hall(5_000, 4)).await.accepted("created");
    // Another source has made the record anew; what was too old for the one before is too old for this one.
    shop.post(event("4", "10:59", 9)).await.accepted("stale");
    hall.post(json!({ "op": "delete", "serial": "S", "at": 6_000 })).await.accepted("deleted");
    hall.post(in_hall(5_999, 5)).await.accepted("stale");
    assert_log_is_truth(&app.admin, app.database(), "stock").await;
}

/// While the database is held all of them queue, and then go as one or few batches, in the order in which they came.
async fn deletes_and_creates_of_one_batch_fold(app: App) {
    let sender = app.sender(STOCK).await;
    sender.post(event("0", "08:00", 0)).await.accepted("created");
    let held = app.database().hold("m_stock").await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..24 {
        let sender = sender.clone();
        clients.spawn(async move {
            let at = format!("09:{number:02}");
            let (id, amount) = (format!("e{number}"), i64::from(number));
            let body = if number % 3 == 2 { delete(&id, &at) } else { event(&id, &at, amount) };
            sender.post(body).await.json()["outcome"].as_str().unwrap().to_owned()
        });
    }
    held.let_go().await;
    let mut told = Vec::new();
    while let Some(outcome) = clients.join_next().await {
        told.push(outcome.unwrap());
    }
    assert_log_is_truth(&app.admin, app.database(), "stock").await;
    let ops: Vec<_> = changes(app.database()).await.into_iter().map(|change| change.op).collect();
    assert_eq!(ops.iter().filter(|op| *op == "delete").count(), told.iter().filter(|told| *told == "deleted").count());
}

async fn a_tombstone_is_forgotten_with_the_event_ids(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(STOCK).await;
    sender.post(event("1", "10:00", 1)).await.accepted("created");
    sender.post(delete("2", "11:00")).await.accepted("deleted");
    assert_eq!(app.database().count("tombstones").await, 2, "one for each match");
    app.setup.clock.advance(Duration::from_secs(7 * 24 * 3_600 - 1));
    sender.post(event("3", "10:30", 2)).await.accepted("stale");
    app.setup.clock.advance(Duration::from_secs(1));
    sender.post(event("4", "10:30", 2)).await.accepted("created");
    app.keep_house().await;
    assert_eq!(app.database().count("tombstones").await, 0);
}
