//! What is refused for its content, and what a refusal leaves behind: a problem that says why, a row in the event
//! log, and nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tidegate::problem::Code;

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};

both!(
    every_fault_has_its_answer,
    refused_events_are_kept_with_their_cause,
    every_kind_of_refusal_is_kept,
    a_flood_of_refusals_is_rationed,
    a_required_field_is_insisted_on,
    every_problem_has_its_page,
    the_reference_is_served,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");

async fn every_fault_has_its_answer(app: App) {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../data/refusals.json")).unwrap();
    let sender = app.sender(ORDERS).await;
    for vector in &vectors {
        let name = text(&vector["name"]);
        let answer = sender.send(request(&sender, vector)).await;
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        let problem = answer.problem(status, text(&vector["code"]));
        assert_errors(&problem, vector, name);
    }
    for table in ["m_orders", "changes", "dedupe"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
}

fn request(sender: &Sender, vector: &Value) -> RequestBuilder {
    let content_type = vector["type"].as_str().unwrap_or("application/json");
    let mut body = match vector["bodyHex"].as_str() {
        Some(hex) => data_encoding::HEXUPPER.decode(hex.as_bytes()).unwrap(),
        None => text(&vector["body"]).as_bytes().to_vec(),
    };
    if let [open, times, middle, close] = vector["repeat"].as_array().map_or(&[][..], Vec::as_slice) {
        let times = usize::try_from(times.as_u64().unwrap()).unwrap();
        body.extend(text(open).repeat(times).into_bytes());
        body.extend(text(middle).bytes());
        body.extend(text(close).repeat(times).into_bytes());
    }
    body.extend(vector["end"].as_str().unwrap_or_default().bytes());
    let headers = vector["headers"].as_object().into_iter().flatten();
    headers.fold(sender.body(content_type, body), |request, (name, value)| request.header(name, text(value)))
}

/// Just these errors, each with the members that the vector names; and each tells a person what is wrong.
fn assert_errors(problem: &Value, vector: &Value, name: &str) {
    let none = Vec::new();
    let wanted = vector["errors"].as_array().unwrap_or(&none);
    let found = problem["errors"].as_array().unwrap_or(&none);
    assert_eq!(found.len(), wanted.len(), "{name}: {problem}");
    for (found, wanted) in found.iter().zip(wanted) {
        for (member, value) in wanted.as_object().unwrap() {
            assert_eq!(&found[member], value, "{name}: {member}: {problem}");
        }
        assert!(found["code"].is_string() && found["detail"].is_string(), "{name}: {problem}");
    }
}

async fn refused_events_are_kept_with_their_cause(app: App) {
    let sender = app.sender(ORDERS).await;
    let unfit = r#"{"type":"stock","id":"x","code":"A","quantity":"many","price":[]}"#;
    sender.post("{").await.problem(400, "invalid_json");
    sender.send(sender.body("text/plain", "hello")).await.problem(415, "unsupported_media_type");
    let problem = sender.post(unfit).await.problem(422, "judgement_failed");

    // A stop writes what still waits to be written.
    let app = app.restart().await;
    let events = app.list("/events?module=orders&source=shop", 2).await;
    let causes: BTreeSet<_> = events.iter().map(|event| text(&event["cause"])).collect();
    assert_eq!(causes, BTreeSet::from(["invalid_json", "judgement_failed", "unsupported_media_type"]));
    let event = events.iter().find(|event| event["cause"] == "judgement_failed").unwrap();
    assert_eq!(event["verdict"], "refused");
    assert_eq!(event["requestId"], problem["requestId"]);
    assert_eq!(event["errors"], problem["errors"]);
    assert_eq!(
        (&event["module"], &event["source"], &event["eventType"]),
        (&json!("orders"), &json!("shop"), &json!("stock"))
    );
    assert_eq!((&event["recordIds"], &event["duplicateOf"]), (&json!([]), &Value::Null));
    assert_eq!(event["bodySize"], unfit.len());
    let payload = app.get(&format!("/api/v1/events/{}/payload", text(&event["id"]))).await;
    assert_eq!((payload.status, payload.body.as_slice()), (200, unfit.as_bytes()));
}

/// Whatever a request is refused for, once its source is known.
async fn every_kind_of_refusal_is_kept(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let signed = app.senders(include_str!("../data/modules/signed.toml"), json!({ "ONE": "1", "TWO": "2" })).await;
    let limited = app.senders(include_str!("../data/modules/limited.toml"), json!({})).await;
    let doors = app.senders(include_str!("../data/modules/two-doors.toml"), json!({})).await;
    let (hex, bare, off, slow, small) = (&signed[0], &signed[2], &signed[3], &limited[1], &limited[2]);
    hex.post("{}").await.problem(401, "signature_missing");
    hex.send(hex.json("{}").header("x-webhook-signature", "x")).await.problem(401, "signature_malformed");
    let forged = format!("sha256={}", "0".repeat(64));
    hex.send(hex.json("{}").header("x-webhook-signature", forged)).await.problem(401, "signature_mismatch");
    bare.post("{}").await.problem(401, "signature_unconfigured");
    off.post("{}").await.problem(403, "source_disabled");
    slow.post(json!({ "code": "A" })).await.accepted("created");
    slow.post(json!({ "code": "A" })).await.accepted("unchanged");
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
    small.post("x".repeat(2_000)).await.problem(413, "body_too_large");
    small.send(small.json("{}").header("content-encoding", "gzip")).await.problem(415, "unsupported_encoding");
    small.send(small.json("{}").header("x-tidegate-hops", "9")).await.problem(508, "too_many_hops");
    doors[0].post(json!({ "code": "A", "serial": "S" })).await.accepted("created");
    doors[0].post(json!({ "code": "B", "serial": "S" })).await.problem(422, "match_taken");

    let app = app.restart().await;
    let events = app.list("/events", 100).await;
    let refused = events.iter().filter(|event| event["verdict"] == "refused");
    let causes: BTreeSet<_> = refused.map(|event| text(&event["cause"])).collect();
    let wanted = [
        "signature_missing",
        "signature_malformed",
        "signature_mismatch",
        "signature_unconfigured",
        "source_disabled",
        "rate_limited",
        "body_too_large",
        "unsupported_encoding",
        "too_many_hops",
        "match_taken",
    ];
    assert_eq!(causes, BTreeSet::from(wanted));
}

/// Ten rows a second a source, and 64 KiB of a body; the accepted event comes through all the same.
async fn a_flood_of_refusals_is_rationed(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    let large = format!("[\"{}\"", "x".repeat(100_000));
    for _ in 0..50 {
        sender.post(&large).await.problem(400, "invalid_json");
    }
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    app.setup.clock.advance(Duration::from_secs(1));
    sender.post("{").await.problem(400, "invalid_json");

    let app = app.restart().await;
    let database = app.database();
    assert_eq!(database.count("events WHERE verdict = 'refused'").await, 11);
    assert_eq!(database.count("events WHERE verdict = 'created'").await, 1);
    assert_eq!(database.count(&format!("events WHERE body_size = {}", large.len())).await, 10);
    assert_eq!(database.count("events WHERE length(body) > 65536").await, 0);
    assert_eq!(database.count("events WHERE length(body) = 65536").await, 10);
}

async fn a_required_field_is_insisted_on(app: App) {
    let sender = app.sender(include_str!("../data/modules/rules.toml")).await;
    let insisted = |answer: &Answer| {
        let problem = answer.problem(422, "judgement_failed");
        let errors = problem["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1, "{problem}");
        assert_eq!((&errors[0]["to"], &errors[0]["from"]), (&json!("insisted"), &json!("$.insisted")), "{problem}");
    };
    insisted(&sender.post(json!({ "code": "A" })).await);
    insisted(&sender.post(json!({ "code": "A", "insisted": null })).await);
    sender.post(json!({ "code": "A", "insisted": 1 })).await.accepted("created");
    insisted(&sender.post(json!({ "code": "A", "insisted": null })).await);
    sender.post(json!({ "code": "A", "kept": "x" })).await.accepted("updated");

    let problem = sender.post(json!({ "code": "A", "strict": null })).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "null");
    let problem = sender.post(json!({ "code": "A", "strict": "" })).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "empty");
}

async fn every_problem_has_its_page(app: App) {
    for code in Code::ALL {
        let page = Answer::to(app.request(Method::GET, &format!("/problems/{code}"))).await;
        assert_eq!(page.status, 200, "{code}");
        assert!(page.header("content-type").starts_with("text/html"), "{code}");
        let html = String::from_utf8(page.body).unwrap();
        assert!(html.contains(code.as_str()), "{code}: the page names its code");
    }
    Answer::to(app.request(Method::GET, "/problems/no_such_code")).await.problem(404, "not_found");
}

async fn the_reference_is_served(app: App) {
    let page = Answer::to(app.request(Method::GET, "/reference")).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(String::from_utf8(page.body).unwrap().contains("minor_units"));
}
