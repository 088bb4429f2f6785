//! Handshakes are answered to anyone who knows the URL: what someone makes of that who means harm.

use http::Method;
use serde_json::json;

use super::{SECRET, answered_in_json, answered_in_text, file, get, known};
use crate::app::{App, Setup};
use crate::client::Sender;

both!(
    what_is_repeated_is_a_text_and_nothing_else,
    what_cannot_be_repeated_is_refused,
    a_wrong_verify_token_is_refused,
    a_disabled_source_answers_no_handshake,
    unsigned_handshakes_are_rationed,
    no_handshake_signs_a_webhook,
);

const SCRIPT: &str = "<script>alert(1)</script>";

async fn what_is_repeated_is_a_text_and_nothing_else(app: App) {
    let dropbox = known(&app, "dropbox").await;
    answered_in_text(&get(&dropbox, "?challenge=%3Cscript%3Ealert(1)%3C/script%3E").await, SCRIPT);
    answered_in_text(&get(&dropbox, "?challenge=a%0D%0ASet-Cookie:%20a=b").await, "a\r\nSet-Cookie: a=b");
    let monday = known(&app, "monday").await;
    for challenge in ["\",\"admin\":true,\"x\":\"", "\\u0000\u{2028}</script>", "{{hmac}}", "{secret}"] {
        let probe = json!({ "challenge": challenge });
        answered_in_json(&monday.post(&probe).await, &probe);
    }
}

async fn what_cannot_be_repeated_is_refused(app: App) {
    let keys = "[[source.handshake]]\nmethod = \"GET\"\nquery = \"c\"\nheaders = { X-C = \"{query:c}\" }\n\
                [[source.handshake]]\nquery = \"c\"\njson = { c = \"{body}\" }";
    let sender = app.sender(&file(keys)).await;
    for query in ["?c=a%0D%0ASet-Cookie:%20a=b", "?c=%00", "?c=%0A", "?c=%7F"] {
        let answer = get(&sender, query).await;
        answer.problem(400, "invalid_request");
        assert!(!answer.headers.contains_key("set-cookie"));
    }
    let post = async |body: Vec<u8>| {
        let request = sender.request(Method::POST, &format!("{}?c=1", sender.path()));
        sender.send(request.header("content-type", "text/plain").body(body)).await
    };
    post(vec![b'x'; 16 * 1024 + 1]).await.problem(400, "invalid_request");
    post(b"\xff\xfe".to_vec()).await.problem(400, "invalid_request");
    answered_in_json(&post(vec![b'x'; 16 * 1024]).await, &json!({ "c": "x".repeat(16 * 1024) }));

    // Of a mebibyte it is not even asked whether it is a challenge.
    let monday = known(&app, "monday").await;
    let large = json!({ "challenge": "x".repeat(1_000_000) });
    monday.post(large).await.problem(401, "signature_missing");
    for challenge in [json!({ "challenge": { "a": 1 } }), json!({ "challenge": ["a"] })] {
        monday.post(challenge).await.problem(400, "invalid_request");
    }
    for body in [&b"\xff\xfe{\"challenge\":\"a\"}"[..], b"{\"challenge\":\"\xff\"}", b"{\"challenge\":\"a\"", b""] {
        monday.send(monday.json(body)).await.problem(401, "signature_missing");
    }
    let long = "x".repeat(40_000);
    assert!(matches!(get(&sender, &format!("?c={long}")).await.status, 400 | 414 | 431));
}

async fn a_wrong_verify_token_is_refused(app: App) {
    let (meta, other) = (known(&app, "meta").await, known(&app, "dropbox").await);
    for token in ["", "x", &other.token, &meta.token[..meta.token.len() - 1], &meta.token.to_uppercase(), SECRET] {
        let token = token.replace(' ', "%20");
        let problem = get(&meta, &format!("?hub.challenge=1158201444&hub.verify_token={token}")).await;
        assert!(!problem.problem(401, "handshake_refused").to_string().contains("1158201444"));
    }
    get(&meta, "?hub.challenge=1158201444").await.problem(401, "handshake_refused");
    let app = app.restart().await;
    let events = app.list("/events?module=m-meta", 10).await;
    assert_eq!(events.len(), 7, "whoever set it up wrong finds out why");
    assert!(events.iter().all(|event| event["cause"] == "handshake_refused" && event["headers"] == json!({})));
}

async fn a_disabled_source_answers_no_handshake(app: App) {
    let keys = "enabled = false\n[[source.handshake]]\nmethod = \"GET\"\nquery = \"c\"\ntext = \"{query:c}\"\n\
                [[source.handshake]]\nquery = \"c\"\ntext = \"{query:c}\"";
    let sender = app.sender(&file(keys)).await;
    get(&sender, "?c=1").await.problem(403, "source_disabled");
    let post = sender.request(Method::POST, &format!("{}?c=1", sender.path()));
    sender.send(post).await.problem(403, "source_disabled");
    get(&sender, "").await.problem(405, "method_not_allowed");
}

async fn unsigned_handshakes_are_rationed(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (dropbox, monday) = (known(&app, "dropbox").await, known(&app, "monday").await);
    for _ in 0..10 {
        answered_in_text(&get(&dropbox, "?challenge=1").await, "1");
    }
    let refused = get(&dropbox, "?challenge=1").await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.retry_after().as_secs(), 1);
    let probe = json!({ "challenge": "1" });
    answered_in_json(&monday.post(&probe).await, &probe);
    app.setup.clock.advance(std::time::Duration::from_secs(1));
    answered_in_text(&get(&dropbox, "?challenge=1").await, "1");

    // What is signed is not: nobody else can use up its share.
    let slack = known(&app, "slack").await;
    let body = r#"{"type":"url_verification","challenge":"1"}"#;
    for _ in 0..15 {
        answered_in_text(&slack.send(super::signed(&app, &slack, "slack", SECRET, body)).await, "1");
    }
}

/// The proof that X asks for is made with the key under which it signs webhooks.
async fn no_handshake_signs_a_webhook(app: App) {
    let x: Sender = known(&app, "x").await;
    for body in [r#"{"code":"A"}"#, "[]", "\"A\"", "code=A"] {
        let query: String = form_urlencoded::byte_serialize(body.as_bytes()).collect();
        let answer = get(&x, &format!("?crc_token={query}")).await;
        answer.problem(400, "invalid_request");
    }
    assert_eq!(app.database().count("m_m_x").await, 0);
}
