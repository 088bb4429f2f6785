//! Reading: records, events and payloads through the API.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::client::Sender;
use crate::database::Engine;

both!(
    records_read_as_documented,
    lists_are_whole_page_by_page,
    events_are_filtered,
    what_came_in_is_kept_as_it_came,
    a_proxy_is_believed_when_it_is_trusted,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");

async fn records_read_as_documented(app: App) {
    let sender = app.sender(ORDERS).await;
    let first = sender.post(json!({ "type": "stock", "code": "A", "color": "red" })).await.accepted("created");
    let created = app.record("orders", &first).await;
    let second = sender.post(json!({ "type": "stock", "code": "A", "quantity": 2 })).await.accepted("updated");
    let record = app.record("orders", &second).await;
    sender.post(json!({ "type": "stock", "code": "A", "quantity": 2 })).await.accepted("unchanged");
    assert_eq!(app.record("orders", &second).await, record, "an unchanged record is unchanged in all");

    assert_eq!(
        record,
        json!({
            "id": first["recordId"],
            "module": "orders",
            "fields": { "code": "A", "note": null, "quantity": 2, "price": null, "state": null },
            "customData": { "look": { "color": "red" } },
            "version": 2,
            "createdAt": created["createdAt"],
            "updatedAt": record["updatedAt"],
            "eventId": second["eventId"],
        })
    );
    for time in [&created["createdAt"], &record["updatedAt"]] {
        let time = text(time);
        assert!(time.len() == 27 && time.ends_with('Z'), "six digits, UTC: {time}");
    }
    assert!(text(&record["updatedAt"]) > text(&created["updatedAt"]));

    let missing = format!("/api/v1/modules/orders/records/rec_{}", "0".repeat(26));
    app.get(&missing).await.problem(404, "not_found");
    app.get("/api/v1/modules/orders/records/x").await.problem(404, "not_found");
    app.get("/api/v1/modules/nothing/records").await.problem(404, "not_found");
    app.get(&format!("/api/v1/events/evt_{}", "0".repeat(26))).await.problem(404, "not_found");
}

async fn lists_are_whole_page_by_page(app: App) {
    let sender = app.sender(ORDERS).await;
    for number in 0..7 {
        sender.post(json!({ "type": "stock", "code": number.to_string() })).await.accepted("created");
    }
    let ids = |found: &[Value]| found.iter().map(|item| text(&item["id"]).to_owned()).collect::<Vec<_>>();
    for path in ["/modules/orders/records", "/events"] {
        let whole = ids(&app.list(path, 100).await);
        assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 7, "{path}");
        for limit in [1, 3, 7] {
            assert_eq!(ids(&app.list(path, limit).await), whole, "{path}, {limit} a page");
        }
        for query in ["limit=0", "limit=101", "limit=x", "cursor=%00", "cursor=no-cursor"] {
            app.get(&format!("/api/v1{path}?{query}")).await.problem(400, "invalid_request");
        }
    }
    let events = ids(&app.list("/events", 100).await);
    assert!(events.is_sorted_by(|one, next| one > next), "the newest event comes first");
}

async fn events_are_filtered(app: App) {
    let senders = app.senders(include_str!("../data/modules/two-doors.toml"), json!({})).await;
    let orders = app.sender(ORDERS).await;
    senders[0].post(json!({ "code": "M" })).await.accepted("created");
    senders[1].post(json!({ "serial": "S" })).await.accepted("created");
    senders[1].post(json!({ "serial": "S" })).await.accepted("unchanged");
    orders.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    for (query, count) in [
        ("", 4),
        ("?module=machines", 3),
        ("?module=machines&source=hall", 2),
        ("?module=machines&source=office", 1),
        ("?module=orders", 1),
    ] {
        let events = app.list(&format!("/events{query}"), 1).await;
        assert_eq!(events.len(), count, "{query}: {events:?}");
    }
}

/// The raw bytes, and what is worth knowing about the request; the token is not.
async fn what_came_in_is_kept_as_it_came(app: App) {
    let sender = app.sender(ORDERS).await;
    let body = "{ \"type\":\"stock\",\r\n\t\"id\" : \"7\", \"code\":\"\\u0041\", \"price\": 1.50, \"x\":\"👍\" }";
    let request = sender.body("application/vnd.shop+json", body).header("user-agent", "shop/2").header("cookie", "a=b");
    let response = sender.send(request).await;
    let answer = response.accepted("created");
    let event = app.event(&answer).await;
    for (member, value) in [
        ("id", answer["eventId"].clone()),
        ("requestId", response.header("x-request-id").into()),
        ("module", "orders".into()),
        ("source", "shop".into()),
        ("verdict", "created".into()),
        ("cause", Value::Null),
        ("eventType", "stock".into()),
        ("mappingVersion", 1.into()),
        ("recordIds", json!([answer["recordId"]])),
        ("duplicateOf", Value::Null),
        ("address", "127.0.0.1".into()),
        ("bodySize", body.len().into()),
    ] {
        assert_eq!(event[member], value, "{member}: {event}");
    }
    assert!(event["durationUs"].as_u64().is_some_and(|took| took > 0), "{event}");
    assert!(event["receivedAt"].is_string());
    let headers = event["headers"].to_string();
    assert!(headers.contains("shop/2") && !headers.contains("a=b"), "chosen headers: {headers}");

    let payload = app.get(&format!("/api/v1/events/{}/payload", text(&answer["eventId"]))).await;
    assert_eq!((payload.status, payload.body.as_slice()), (200, body.as_bytes()));

    let bearer = sender.request(http::Method::POST, "/api/webhooks/orders").bearer_auth(&sender.token);
    let answer = sender.send(bearer.header("content-type", "application/json").body(body)).await.accepted("duplicate");
    assert!(!app.event(&answer).await.to_string().contains(&sender.token));
}

async fn a_proxy_is_believed_when_it_is_trusted(setup: Setup) {
    let app = setup.start().await;
    let sender = app.sender(ORDERS).await;
    let event = r#"{"type":"stock","code":"A"}"#;
    let forwarded = |sender: &Sender| sender.json(event).header("x-forwarded-for", "198.51.100.9, 203.0.113.7");
    let direct = sender.send(forwarded(&sender)).await.accepted("created");
    assert_eq!(app.event(&direct).await["address"], "127.0.0.1", "anybody can send the header");

    let mut setup = app.stop().await;
    setup.config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = setup.start().await;
    let sender = sender.at(&app.url);
    let by_proxy = sender.send(forwarded(&sender)).await.accepted("unchanged");
    assert_eq!(app.event(&by_proxy).await["address"], "203.0.113.7", "the last address that the proxy has seen itself");
}

/// Old days can be dropped as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn events_lie_in_partitions_of_days() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    assert_eq!(app.database().count("events").await, 1);
    assert_eq!(app.database().count("events_other").await, 0, "the day has a partition of its own");
}
