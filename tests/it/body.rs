//! Bodies and heads that are too large or too slow, and answers that come before the body has ended.

use std::time::Duration;

use serde_json::json;

use crate::app::{App, Setup};
use crate::client::Sender;
use crate::wire::Wire;

both!(
    a_body_is_as_large_as_its_source_takes,
    a_body_that_is_announced_too_large_is_not_waited_for,
    a_body_without_length_is_stopped_where_it_is_too_large,
    an_early_answer_to_a_large_body_can_be_read,
    a_body_that_comes_too_slowly_is_given_up,
    a_body_in_pieces_is_one_body,
    heads_that_are_too_large_are_refused,
    heads_of_too_many_fields_are_refused,
    identity_is_no_encoding,
);

const LIMITED: &str = include_str!("../data/modules/limited.toml");
const ORDERS: &str = include_str!("../data/modules/orders.toml");
const MIB: usize = 1024 * 1024;

/// The source that takes 1 KiB.
async fn small(app: &App) -> Sender {
    app.senders(LIMITED, json!({})).await.swap_remove(2)
}

/// JSON of just this length.
fn of_length(length: usize) -> String {
    let empty = r#"{"type":"stock","code":"A","x":""}"#;
    empty.replace(r#""x":"""#, &format!(r#""x":"{}""#, "x".repeat(length - empty.len())))
}

async fn a_body_is_as_large_as_its_source_takes(app: App) {
    let (small, usual) = (small(&app).await, app.sender(ORDERS).await);
    small.post(of_length(1_024)).await.accepted("created");
    small.post(of_length(1_025)).await.problem(413, "body_too_large");
    usual.post(of_length(MIB)).await.accepted("created");
    usual.post(of_length(MIB + 1)).await.problem(413, "body_too_large");
}

async fn a_body_that_is_announced_too_large_is_not_waited_for(app: App) {
    let mut wire = Wire::post(&small(&app).await, "content-type: application/json\r\ncontent-length: 1025").await;
    wire.answer().await.problem(413, "body_too_large");
}

/// The rest of the body never comes, and the answer does.
async fn a_body_without_length_is_stopped_where_it_is_too_large(app: App) {
    let mut wire = Wire::post(&small(&app).await, "content-type: application/json\r\ntransfer-encoding: chunked").await;
    for _ in 0..5 {
        wire.write(format!("100\r\n{}\r\n", " ".repeat(256)).as_bytes()).await.unwrap();
    }
    wire.answer().await.problem(413, "body_too_large");
}

/// To a client that reads while it writes, and to one that writes to the end, as far as it can, before it reads.
async fn an_early_answer_to_a_large_body_can_be_read(app: App) {
    let sender = app.sender(ORDERS).await;
    let mut forged = sender.clone();
    forged.token.push('x');
    for (sender, status, code) in [(&sender, 413, "body_too_large"), (&forged, 401, "unauthorized")] {
        sender.post(of_length(8 * MIB)).await.problem(status, code);
        for head in [format!("content-length: {}", 8 * MIB), "transfer-encoding: chunked".to_owned()] {
            let mut wire = Wire::post(sender, &format!("content-type: application/json\r\n{head}")).await;
            let piece = if head.starts_with("transfer") {
                format!("10000\r\n{}\r\n", " ".repeat(65_536))
            } else {
                " ".repeat(65_536)
            };
            for _ in 0..128 {
                if wire.write(piece.as_bytes()).await.is_err() {
                    break;
                }
            }
            wire.answer().await.problem(status, code);
        }
    }
}

async fn a_body_that_comes_too_slowly_is_given_up(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.progress_time = Duration::from_millis(300)).start().await;
    let sender = app.sender(ORDERS).await;
    let mut wire = Wire::post(&sender, "content-type: application/json\r\ncontent-length: 100").await;
    wire.write(b"{\"type\":").await.unwrap();
    wire.answer().await.problem(408, "body_timeout");
    assert!(wire.is_closed().await, "what is given up is closed");

    let setup = app.stop().await.with_bounds(|bounds| {
        bounds.progress_time = Duration::from_secs(60);
        bounds.body_time = Duration::from_millis(300);
    });
    let app = setup.start().await;
    let mut wire =
        Wire::post(&sender.at(&app.url), "content-type: application/json\r\ntransfer-encoding: chunked").await;
    wire.write(b"8\r\n{\"type\":\r\n").await.unwrap();
    wire.answer().await.problem(408, "body_timeout");
    assert_eq!(app.database().count("m_orders").await, 0);
}

async fn a_body_in_pieces_is_one_body(app: App) {
    let sender = app.sender(ORDERS).await;
    let mut wire = Wire::post(&sender, "content-type: application/json\r\ntransfer-encoding: chunked").await;
    let body = r#"{"type":"stock","code":"👍"}"#.as_bytes();
    for byte in body {
        wire.write(&[b"1\r\n", [*byte].as_slice(), b"\r\n"].concat()).await.unwrap();
    }
    wire.write(b"0\r\n\r\n").await.unwrap();
    let answer = wire.answer().await.accepted("created");
    assert_eq!(app.record("orders", &answer).await["fields"]["code"], "👍");
    let payload = app.get(&format!("/api/v1/events/{}/payload", answer["eventId"].as_str().unwrap())).await;
    assert_eq!(payload.body, body);
}

async fn heads_that_are_too_large_are_refused(app: App) {
    let sender = app.sender(ORDERS).await;
    for length in [16_384, 60_000] {
        let large = "x".repeat(length);
        let mut wire = Wire::post(&sender, &format!("content-length: 0\r\nx-large: {large}")).await;
        wire.answer().await.problem(431, "headers_too_large");
    }
    let large = sender.json(r#"{"type":"stock","code":"A"}"#).header("x-large", "x".repeat(8_000));
    sender.send(large).await.accepted("created");
}

async fn heads_of_too_many_fields_are_refused(app: App) {
    let sender = app.sender(ORDERS).await;
    let many = (0..1_000).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    let mut wire = Wire::post(&sender, &format!("content-length: 0\r\n{}", many.trim_end())).await;
    wire.answer().await.problem(431, "headers_too_large");
}

async fn identity_is_no_encoding(app: App) {
    let sender = app.sender(ORDERS).await;
    let request = sender.json(r#"{"type":"stock","code":"A"}"#).header("content-encoding", "identity");
    sender.send(request).await.accepted("created");
    for content_type in ["application/vnd.shop+json", "application/json; charset=utf-8", "Application/JSON"] {
        sender.send(sender.body(content_type, r#"{"type":"stock","code":"A"}"#)).await.accepted("unchanged");
    }
}
