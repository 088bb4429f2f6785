//! What of a request is stored: `keep` and `redact` of its source.

use http::Method;
use serde_json::{Value, json};

use super::{WEB, patch};
use crate::app::{App, text};
use crate::client::{Answer, Sender};

both!(
    payloads_are_kept_as_the_source_says,
    what_is_redacted_is_nowhere_and_rules_see_it,
    each_format_is_redacted_in_its_own,
    what_cannot_be_redacted_is_not_stored,
    headers_and_parameters_are_redacted,
    the_beginning_of_a_refused_body_is_redacted,
    a_body_that_tells_events_apart_is_the_raw_one,
);

const FILE: &str = "[module]\nslug = \"shop\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\ncard = \"text\"\n\
    amount = \"integer\"\n[[source]]\nslug = \"web\"\nrate_limit = { per_minute = 600 }\nKEYS\n[[source.rule]]\n\
    from = \"$..code\"\ntake = \"first\"\nto = \"code\"\n[[source.rule]]\nfrom = \"$.card.number\"\nto = \"card\"\n\
    [[source.rule]]\nfrom = \"$.amount\"\nto = \"amount\"\n[[source.rule]]\nfrom = \"query:holder\"\nto = \"custom_data.holder\"\n";

async fn sender(app: &App, keys: &str) -> Sender {
    app.sender(&FILE.replace("KEYS", keys)).await
}

async fn payload(app: &App, event: &Value) -> Answer {
    app.get(&format!("/api/v1/events/{}/payload", text(&event["id"]))).await
}

/// The one event, once all that waits is written.
async fn last(app: App) -> (App, Value) {
    let app = app.restart().await;
    let newest = app.see("/events?limit=1").await["data"][0].clone();
    (app, newest)
}

async fn payloads_are_kept_as_the_source_says(app: App) {
    let sender = sender(&app, "").await;
    let body = r#"{"code":"A"}"#;
    for (keep, accepted, refused) in [
        ("always", "whole", "whole"),
        ("refused", "none", "whole"),
        ("never", "none", "none"),
        ("always", "whole", "whole"),
    ] {
        patch(&app.admin, WEB, &json!({ "keep": { "payload": keep } })).await.done();
        let answer = sender.post(body).await;
        assert_eq!(answer.status, 202);
        let event = app.event(&answer.json()).await;
        assert_eq!((&event["payload"], &event["bodySize"]), (&json!(accepted), &json!(body.len())), "{keep}");
        if accepted == "none" {
            payload(&app, &event).await.problem(404, "not_found");
        } else {
            assert_eq!(payload(&app, &event).await.body, body.as_bytes());
        }
        sender.post(json!({ "code": keep, "amount": refused })).await.problem(422, "judgement_failed");
    }
    let app = app.restart().await;
    let refused = app.see("/events").await["data"].as_array().unwrap().clone();
    let refused = refused.iter().filter(|event| event["verdict"] == "refused").map(|event| text(&event["payload"]));
    assert_eq!(refused.collect::<Vec<_>>(), ["whole", "none", "whole", "whole"]);
    let table = app.database().dump().await;
    assert!(!table.contains("\"code\":\"never\"") && !table.contains("7b22616d6f756e74223a226e6f6e65"));
}

async fn what_is_redacted_is_nowhere_and_rules_see_it(app: App) {
    let sender = sender(&app, "redact = [\"$.card.number\", \"$..cvv\"]").await;
    let body = r#"{ "code": "A", "card": {"number": "4111", "cvv": 1}, "more": [{"cvv": [2]}], "amount": 10 }"#;
    let answer = sender.post(body).await.accepted("created");
    let record = app.record("shop", &answer).await;
    assert_eq!(record["fields"], json!({ "code": "A", "card": "4111", "amount": 10 }), "rules see all");
    let event = app.event(&answer).await;
    assert_eq!((&event["payload"], &event["bodySize"]), (&json!("redacted"), &json!(body.len())));
    let hidden = json!({
        "code": "A", "card": {"number": "[redacted]", "cvv": "[redacted]"}, "more": [{"cvv": "[redacted]"}], "amount": 10,
    });
    assert_eq!(payload(&app, &event).await.json(), hidden);
    let plain = r#"{"code": "A",  "amount": 1.50e1}"#;
    let answer = sender.post(plain).await.accepted("updated");
    let event = app.event(&answer).await;
    assert_eq!(event["payload"], "whole", "there is nothing to be redacted");
    assert_eq!(payload(&app, &event).await.body, plain.as_bytes());
}

async fn each_format_is_redacted_in_its_own(app: App) {
    let sender = sender(&app, "redact = [\"$..secret\", \"$[*].secret\"]").await;
    for (content_type, body, wanted) in [
        ("application/x-www-form-urlencoded", "code=A&secret=s3cr3t", "code=A&secret=%5Bredacted%5D"),
        (
            "application/xml",
            "<o><code>A</code><secret>s3cr3t</secret></o>",
            "<o><code>A</code><secret>[redacted]</secret></o>",
        ),
        (
            "application/x-ndjson",
            "{\"code\":\"A\"}\n{\"secret\":\"s3cr3t\"}",
            "{\"code\":\"A\"}\n{\"secret\":\"[redacted]\"}",
        ),
    ] {
        let answer = sender.send(sender.body(content_type, body)).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        let event = app.event(&answer.json()).await;
        assert_eq!(event["payload"], "redacted", "{content_type}");
        assert_eq!(String::from_utf8(payload(&app, &event).await.body).unwrap(), wanted);
    }
}

async fn what_cannot_be_redacted_is_not_stored(app: App) {
    let sender = sender(&app, "redact = [\"$.card\", \"$.list[*]\"]").await;
    sender.post("{\"card\": 4111,").await.problem(400, "invalid_json");
    let (app, event) = last(app).await;
    assert_eq!((&event["payload"], &event["bodySize"]), (&json!("none"), &json!(14)));
    let sender = sender.anew(&app.url);
    sender.send(sender.body("text/plain", "card 4111")).await.problem(415, "unsupported_media_type");
    let (app, event) = last(app).await;
    assert_eq!(event["payload"], "none");
    let sender = sender.anew(&app.url);
    let answer = sender.post(json!({ "code": "A", "list": vec![4111; 1_001] })).await.accepted("created");
    assert_eq!(app.event(&answer).await["payload"], "none", "more than a path may select");
    let large = json!({ "code": "A", "list": ["x".repeat(200_000), "y"] });
    let answer = sender.post(large).await.accepted("unchanged");
    let event = app.event(&answer).await;
    assert_eq!(event["payload"], "redacted");
    assert_eq!(payload(&app, &event).await.json(), json!({ "code": "A", "list": ["[redacted]", "[redacted]"] }));
}

async fn headers_and_parameters_are_redacted(app: App) {
    let sender = sender(&app, "redact = [\"header:X-Card\", \"query:holder\", \"query:other\"]").await;
    let path = format!("{}?holder=Jane%20Doe&other=1", sender.path());
    let body = r#"{"code":"A"}"#;
    let request =
        sender.request(Method::POST, &path).header("content-type", "application/json").header("x-card", "4111");
    let answer = sender.send(request.body(body)).await.accepted("created");
    let event = app.event(&answer).await;
    assert_eq!((&event["payload"], &event["query"]), (&json!("redacted"), &json!("holder=%5Bredacted%5D")));
    assert_eq!(event["headers"]["x-card"], "[redacted]");
    assert_eq!(payload(&app, &event).await.body, body.as_bytes());
    assert_eq!(app.record("shop", &answer).await["customData"]["holder"], "Jane Doe", "rules see it");
    let answer = sender.post(body).await;
    assert_eq!(app.event(&answer.json()).await["payload"], "whole", "there is none of them");
}

async fn the_beginning_of_a_refused_body_is_redacted(app: App) {
    let sender = sender(&app, "redact = [\"$.zz\"]").await;
    // Cut as it came, it could not be read.
    let body = format!(r#"{{"amount":"x","card":"4111","filler":"{}","zz":"4222"}}"#, "f".repeat(80_000));
    sender.post(&body).await.problem(422, "judgement_failed");
    let (app, event) = last(app).await;
    assert_eq!((&event["payload"], &event["bodySize"]), (&json!("cut"), &json!(body.len())));
    let kept = payload(&app, &event).await.body;
    assert_eq!(kept.len(), 64 * 1024);
    assert!(!String::from_utf8_lossy(&kept).contains("4222"));
    let sender = sender.anew(&app.url);
    let body = format!(r#"{{"aa":"{}","amount":"x","zz":"4222"}}"#, "f".repeat(80_000));
    sender.post(&body).await.problem(422, "judgement_failed");
    patch(&app.admin, WEB, &json!({ "maxBody": 1024 })).await.done();
    sender.post(&body).await.problem(413, "body_too_large");
    let (app, event) = last(app).await;
    assert_eq!((&event["cause"], &event["payload"]), (&json!("body_too_large"), &json!("none")), "it was not read");
    assert!(!app.database().dump().await.contains("34323232"), "no cut body holds it");
}

async fn a_body_that_tells_events_apart_is_the_raw_one(app: App) {
    let sender = sender(&app, "event_id = \"body\"\nredact = [\"$.card.number\"]").await;
    let body = |card: &str| json!({ "code": "A", "card": { "number": card } });
    sender.post(body("1")).await.accepted("created");
    sender.post(body("2")).await.accepted("updated");
    sender.post(body("1")).await.accepted("duplicate");
}
