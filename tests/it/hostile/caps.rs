//! Every bound bites: a small value is met over HTTP, what happens is what the page says, and the metric counts it.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;

use super::{LOAD, ORDERS, event, is_served, metric, reached, setup, stopwatch, until};
use crate::app::{App, Setup};
use crate::client::Sender;
use crate::database::Engine;
use crate::wire::Wire;

/// A request that has begun: the gateway asks for its body.
async fn begun(sender: &Sender, length: usize) -> Wire {
    let head = format!("content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {length}");
    let mut wire = Wire::post(sender, &head).await;
    assert_eq!(wire.answer().await.status, 100);
    wire
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_make_room() {
    let app = setup().await.with_bounds(|bounds| bounds.connections = 8).start().await;
    let sender = app.sender(ORDERS).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::open(&app.url).await;
        wire.write(b"POST /").await.unwrap();
        silent.push(wire);
    }
    for number in 0..20 {
        let answer =
            crate::client::Answer::to(sender.json(event(&format!("c-{number}"))).header("connection", "close"));
        answer.await.accepted("created");
    }
    assert!(silent[0].is_closed().await, "the one that was silent longest has gone");
    assert!(reached(&app, "connections").await >= 12.0);
    assert_eq!(metric(&app, "tidegate_connections_turned_away_total").await, 0.0);
    until("no more are open than may be", async || metric(&app, "tidegate_connections").await <= 8.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_cap_are_told_so() {
    let app = setup().await.with_bounds(|bounds| bounds.connections = 4).start().await;
    let sender = app.sender(ORDERS).await;
    let mut under_way = Vec::new();
    for _ in 0..4 {
        under_way.push(begun(&sender, event("held").len()).await);
    }
    for _ in 0..3 {
        let mut wire = Wire::post(&sender, &format!("content-length: {}", event("x").len())).await;
        // It may be closed by then.
        let _ = wire.write(event("x").as_bytes()).await;
        let refused = wire.answer().await;
        refused.problem(503, "too_many_connections");
        refused.retry_after();
        assert!(wire.is_closed().await);
    }
    for wire in &mut under_way {
        wire.write(event("held").as_bytes()).await.unwrap();
        assert_eq!(wire.answer().await.status, 202, "what was under way is not disturbed");
    }
    is_served(&app, &sender).await;
    assert_eq!(metric(&app, "tidegate_connections_turned_away_total").await, 3.0);
    assert_eq!(app.database().count("events").await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_are_bounded_as_set() {
    let app =
        setup().await.with_bounds(|bounds| (bounds.header_bytes, bounds.header_fields) = (2_048, 20)).start().await;
    let sender = app.sender(ORDERS).await;
    let (large, many) = (format!("x-a: {}", "x".repeat(2_048)), vec!["x-a: 1"; 21].join("\r\n"));
    for (head, limit) in [(large, "header_bytes"), (many, "header_fields")] {
        let mut wire = Wire::post(&sender, &head).await;
        wire.answer().await.problem(431, "headers_too_large");
        assert!(wire.is_closed().await);
        assert_eq!(reached(&app, limit).await, 1.0, "{limit}");
    }
    is_served(&app, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_as_set() {
    let app =
        setup().await.with_bounds(|bounds| (bounds.max_body, bounds.max_body_ceiling) = (100, 2_000)).start().await;
    let sender = app.sender(ORDERS).await;
    sender.post(event(&"x".repeat(100))).await.problem(413, "body_too_large");
    assert_eq!(reached(&app, "max_body").await, 1.0);
    let file = ORDERS.replace("event_id", "max_body = 2001\nevent_id");
    let refused = app.apply(&file, json!({})).await.problem(422, "invalid_document");
    assert!(refused["detail"].as_str().unwrap().contains("from 1024 to 2000"), "{refused}");
    let large = format!("{}{}", event("A"), " ".repeat(1_500));
    app.apply(&file.replace("2001", "2000"), json!({})).await.done();
    sender.post(large.clone()).await.accepted("created");
    // What was saved under a higher ceiling takes no more than the one of today.
    let app = app.stop().await.with_bounds(|bounds| bounds.max_body_ceiling = 1_100).start().await;
    sender.at(&app.url).post(large.clone()).await.problem(413, "body_too_large");
}

/// Bytes of a body that is not complete count, and are given back however it ends.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_in_memory_are_bounded_together() {
    let app = setup().await.with_bounds(|bounds| bounds.bodies_bytes = 1_000).start().await;
    let sender = app.sender(ORDERS).await;
    let mut half = begun(&sender, 900).await;
    half.write(" ".repeat(700).as_bytes()).await.unwrap();
    until("it is in memory", async || metric(&app, "tidegate_bodies_bytes").await == 700.0).await;
    let refused = sender.post(event(&"x".repeat(400))).await;
    refused.problem(503, "queue_full");
    refused.retry_after();
    assert_eq!(reached(&app, "bodies_bytes").await, 1.0);
    is_served(&app, &sender).await;
    drop(half);
    until("it is given back", async || metric(&app, "tidegate_bodies_bytes").await == 0.0).await;
    sender.post(event(&"x".repeat(400))).await.accepted("created");
}

/// Bytes of events that wait for the writer, as the gauge shows them.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_bounded_and_shown() {
    let app = setup().await.with_bounds(|bounds| bounds.queue_bytes = 3_000).start().await;
    let sender = app.sender(LOAD).await;
    let held = app.database().hold("m_load").await;
    let mut clients = JoinSet::new();
    for number in 0..10 {
        let (sender, body) = (sender.clone(), json!({ "code": format!("c-{number}"), "x": "x".repeat(700) }));
        clients.spawn(async move { sender.post(body).await });
    }
    let first = clients.join_next().await.unwrap().unwrap();
    first.problem(503, "queue_full");
    let bytes = metric(&app, "tidegate_write_queue_bytes").await;
    assert!((700.0..=3_000.0).contains(&bytes), "{bytes}");
    held.let_go().await;
    let written = clients.join_all().await.iter().filter(|answer| answer.status == 202).count();
    assert!((1..=4).contains(&written), "{written}");
    until("it is empty", async || metric(&app, "tidegate_write_queue_bytes").await == 0.0).await;
    assert_eq!(app.database().count("changes").await, written);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_takes_as_many_events_as_set() {
    let app = setup().await.with_bounds(|bounds| bounds.batch = 1).start().await;
    let sender = app.sender(LOAD).await;
    let held = app.database().hold("m_load").await;
    let mut clients = JoinSet::new();
    for number in 0..16 {
        let sender = sender.clone();
        clients.spawn(async move { sender.post(json!({ "code": format!("c-{number}") })).await });
    }
    until("all wait", async || metric(&app, "tidegate_write_queue_depth").await == 16.0).await;
    held.let_go().await;
    clients.join_all().await.iter().for_each(|answer| drop(answer.accepted("created")));
    assert_eq!(metric(&app, "tidegate_batch_events_count").await, 16.0);
}

/// Whatever it waits for: here, for a table that another client has locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_the_api_ends() {
    let setup = Setup::new(Engine::Postgres).await;
    let app = setup.with_bounds(|bounds| bounds.api_time = Duration::from_millis(500)).start().await;
    app.sender(LOAD).await.post(json!({ "code": "A" })).await.accepted("created");
    let path = "/api/v1/modules/load/records";
    let held = app.database().hold("m_load").await;
    let asked = stopwatch();
    let refused = app.get(path).await;
    println!("a request to the API: answered after {} ms, of 500 ms", asked().as_millis());
    refused.problem(503, "database_unavailable");
    refused.retry_after();
    assert_eq!(reached(&app, "api_time").await, 1.0);
    held.let_go().await;
    app.get(path).await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_as_long_as_set() {
    let app = setup().await.with_bounds(|bounds| bounds.drain = Duration::from_millis(300)).start().await;
    let sender = app.sender(ORDERS).await;
    let mut wire = begun(&sender, 100).await;
    let (told, mut idle) = (stopwatch(), Wire::open(&app.url).await);
    let setup = app.stop().await;
    println!("a stop with a request under way: {} ms, of 300 ms", told().as_millis());
    assert!(told() >= Duration::from_millis(300) && told() < Duration::from_secs(5));
    assert!(wire.is_closed().await && idle.is_closed().await);
    assert_eq!(setup.database().count("m_orders").await, 0);
}

/// The page is served at both places, and each line of it can be set.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_limits_is_served() {
    let app: App = setup().await.start().await;
    let page = app.get("/reference/limits").await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(app.get("/reference").await.text().contains("href=\"/reference/limits\""));
    for limit in tidegate::config::LIMITS {
        assert!(page.text().contains(&format!("id=\"{}\"", limit.name)), "{}", limit.name);
    }
}
