//! Who is let in: module, token, method, source.

use http::Method;
use http::header::{ALLOW, AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use crate::app::App;
use crate::client::{Answer, Sender};
use crate::wire::Wire;

both!(
    a_token_is_taken_in_the_path_and_as_a_bearer,
    unknown_modules_and_tokens_get_one_answer,
    only_post_is_allowed,
    a_disabled_source_takes_nothing,
    what_goes_in_circles_is_refused,
    a_hop_count_beyond_counting_is_too_many,
    what_is_not_there_is_a_problem_too,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const EVENT: &str = r#"{"type":"stock","code":"A"}"#;

/// Where the token is not in the path.
fn bare(sender: &Sender) -> String {
    format!("/api/webhooks/{}", sender.module)
}

async fn to_bare(sender: &Sender, authorization: &str) -> Answer {
    let request = sender.request(Method::POST, &bare(sender)).header("content-type", "application/json");
    sender.send(request.header(AUTHORIZATION, authorization).body(EVENT)).await
}

async fn a_token_is_taken_in_the_path_and_as_a_bearer(app: App) {
    let sender = app.sender(ORDERS).await;
    let first = sender.post(EVENT).await.accepted("created");
    let second = to_bare(&sender, &format!("Bearer {}", sender.token)).await.accepted("unchanged");
    assert_eq!(first["recordId"], second["recordId"]);
    // Schemes are case-insensitive (RFC 9110, 11.1).
    to_bare(&sender, &format!("bearer {}", sender.token)).await.accepted("unchanged");
    let answer = first.as_object().unwrap().keys().collect::<Vec<_>>();
    assert_eq!(answer, ["eventId", "outcome", "recordId"], "the answer is as documented");
}

/// What a caller sees of a problem, but for the number of the request.
fn seen(answer: &Answer) -> (Value, Vec<String>) {
    let mut problem = answer.problem(401, "unauthorized");
    problem["requestId"] = Value::Null;
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
    names.sort();
    (problem, names)
}

async fn unknown_modules_and_tokens_get_one_answer(app: App) {
    let sender = app.sender(ORDERS).await;
    let other = app.sender(&ORDERS.replace("slug = \"orders\"", "slug = \"others\"")).await;
    let unknown = "tgt_00000000000000000000000000000000000000a";
    let mut answers = Vec::new();
    for path in [
        format!("/api/webhooks/orders/{unknown}"),
        format!("/api/webhooks/nothing/{unknown}"),
        format!("/api/webhooks/nothing/{}", sender.token),
        format!("/api/webhooks/orders/{}", other.token),
        format!("/api/webhooks/orders/{}x", sender.token),
        format!("/api/webhooks/orders/{}", &sender.token[..sender.token.len() - 1]),
        format!("/api/webhooks/orders/{}", sender.token.to_uppercase()),
        format!("/api/webhooks/orders/{}/x", sender.token),
        "/api/webhooks/orders/%ff%fe".to_owned(),
        "/api/webhooks/%ff/%00".to_owned(),
        format!("/api/webhooks/orders/{}", "x".repeat(4_000)),
    ] {
        let request = sender.request(Method::POST, &path).header("content-type", "application/json").body(EVENT);
        answers.push((path, sender.send(request).await));
    }
    for authorization in
        ["Bearer ", "Bearer x", &format!("Basic {}", sender.token), &sender.token, &format!("Bearer {}", other.token)]
    {
        answers.push((authorization.to_owned(), to_bare(&sender, authorization).await));
    }
    let none = sender.request(Method::POST, &bare(&sender)).header("content-type", "application/json").body(EVENT);
    answers.push(("no token at all".to_owned(), sender.send(none).await));
    let wanted = seen(&answers[0].1);
    for (how, answer) in &answers {
        assert_eq!(seen(answer), wanted, "{how}");
        assert!(answer.headers.contains_key(WWW_AUTHENTICATE), "{how}");
    }
    assert_eq!(app.database().count("m_orders").await, 0);
    assert_eq!(app.database().count("m_others").await, 0);
}

async fn only_post_is_allowed(app: App) {
    let sender = app.sender(ORDERS).await;
    for path in [sender.path(), bare(&sender), "/api/webhooks/nothing/tgt_x".to_owned()] {
        for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = sender.send(sender.request(method, &path)).await;
            answer.problem(405, "method_not_allowed");
            assert_eq!(answer.headers[ALLOW], "POST");
        }
    }
}

async fn a_disabled_source_takes_nothing(app: App) {
    let senders = app.senders(include_str!("../data/modules/signed.toml"), json!({ "ONE": "1", "TWO": "2" })).await;
    let off = &senders[3];
    off.post(json!({ "code": "A" })).await.problem(403, "source_disabled");
    to_bare(off, &format!("Bearer {}", off.token)).await.problem(403, "source_disabled");
    assert_eq!(app.database().count("m_signed").await, 0);
}

async fn what_goes_in_circles_is_refused(app: App) {
    let sender = app.sender(ORDERS).await;
    let hops = |hops: &str| sender.json(EVENT).header("x-tidegate-hops", hops.to_owned());
    sender.send(hops("9")).await.problem(508, "too_many_hops");
    assert_eq!(app.database().count("m_orders").await, 0);
    sender.send(hops("8")).await.accepted("created");
    let stored = app.database().text("SELECT CAST(hops AS text) FROM changes").await;
    assert!(matches!(stored.as_deref(), Some("8" | "9")), "the change knows how far it came: {stored:?}");
}

async fn a_hop_count_beyond_counting_is_too_many(app: App) {
    let sender = app.sender(ORDERS).await;
    let request = sender.json(EVENT).header("x-tidegate-hops", "4294967296");
    sender.send(request).await.problem(508, "too_many_hops");
}

/// Also what no router knows, and a path that is no text, with one request id and no token in it.
async fn what_is_not_there_is_a_problem_too(app: App) {
    let sender = app.sender(ORDERS).await;
    for path in ["/nothing", "/api/webhooks", "/api/v2/modules", "/api/v1/nothing"] {
        let answer = sender.send(sender.request(Method::GET, path)).await;
        answer.problem(404, "not_found");
    }
    let mut wire = Wire::open(&app.url).await;
    wire.write(b"POST /api/webhooks/orders/\xff\xfe HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    let answer = wire.answer().await;
    assert!(matches!(answer.status, 400 | 401), "{}", answer.text());
}
