//! What cannot be a webhook: every fault is told at once, by the member that it is in.

use http::Method;
use serde_json::{Value, json};

use super::{ORDERS, WEBHOOKS, call, make, patch};
use crate::app::{App, Setup, text};
use crate::client::Answer;
use crate::receiver::Receiver;

both!(
    every_fault_is_told_by_its_member,
    all_faults_are_told_at_once,
    a_change_is_looked_at_as_a_whole,
    a_name_that_is_near_is_told,
    a_target_is_checked_wherever_it_is_met,
);

/// The members that a refusal names.
#[track_caller]
fn faults(answer: &Answer) -> Vec<String> {
    let problem = answer.problem(422, "invalid_document");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| !text(&error["detail"]).is_empty()), "{problem}");
    errors.iter().map(|error| text(&error["field"]).to_owned()).collect()
}

async fn every_fault_is_told_by_its_member(app: App) {
    app.sender(ORDERS).await;
    let long = "x".repeat(2_000);
    let headers: Value =
        (0..21).map(|number| (format!("X-{number}"), json!("v"))).collect::<serde_json::Map<_, _>>().into();
    for (member, value, field) in [
        ("url", json!("ftp://example.com/"), "url"),
        ("url", json!("https://user:word@example.com/"), "url"),
        ("url", json!("http://169.254.169.254/latest"), "url"),
        ("url", json!("http://10.0.0.1/"), "url"),
        ("url", json!(7), "url"),
        ("description", json!(long), "description"),
        ("events", json!("record_created"), "events"),
        ("events", json!(["record_created", "order.shipped"]), "events"),
        ("modules", json!(["nothing"]), "modules"),
        ("filter", json!("@.data.code =="), "filter"),
        ("profile", json!("none"), "profile"),
        ("ordering", json!("strict"), "ordering"),
        ("perMinute", json!(0), "perMinute"),
        ("concurrency", json!(201), "concurrency"),
        ("retries", json!([604_801]), "retries"),
        ("timeout", json!(31), "timeout"),
        ("onGone", json!("ignore"), "onGone"),
        ("secret", json!(""), "secret"),
        ("secret", json!(long), "secret"),
        ("secret", json!(["a", "b"]), "secret"),
        ("headers", json!([]), "headers"),
        ("headers", headers, "headers"),
        ("headers", json!({ "X-A": long.repeat(5) }), "headers"),
        ("headers", json!({ "a b": "c" }), "headers.a b"),
        ("headers", json!({ "X-A": "b\r\nX-C: d" }), "headers.X-A"),
        ("headers", json!({ "X-Webhook-Signature": "mine" }), "headers.X-Webhook-Signature"),
        ("headers", json!({ "Host": "mine" }), "headers.Host"),
        ("state", json!("disabled"), "state"),
        ("tiemout", json!(1), "tiemout"),
    ] {
        let mut body = json!({ "url": "https://example.com/hooks" });
        body[member] = value;
        let answer = app.post(WEBHOOKS, body.clone()).await;
        assert_eq!(faults(&answer), [field], "{body}: {}", answer.text());
        assert!(!answer.text().contains("mine") && !answer.text().contains("X-C"), "{}", answer.text());
    }
    app.post(WEBHOOKS, json!([])).await.problem(400, "invalid_request");
    let twice = app.request(Method::POST, WEBHOOKS).bearer_auth(&app.key).body(r#"{"url":"a","url":"b"}"#);
    Answer::to(twice).await.problem(400, "duplicate_key");
    assert_eq!(app.list("/webhooks", 100).await, [] as [Value; 0], "nothing was made");
    let standard = json!({ "url": "https://a.example/", "profile": "standard-webhooks", "secret": "no base64!" });
    assert_eq!(faults(&app.post(WEBHOOKS, standard).await), ["secret"]);
}

async fn all_faults_are_told_at_once(app: App) {
    app.sender(ORDERS).await;
    let answer = app
        .post(
            WEBHOOKS,
            json!({
                "url": "nowhere", "events": ["x.y"], "modules": ["z"], "filter": "@.a ==", "profile": "none",
                "perMinute": 0, "concurrency": 0, "timeout": 0, "secret": "", "headers": { "a b": "c" },
            }),
        )
        .await;
    let mut found = faults(&answer);
    found.sort();
    let wanted = [
        "concurrency",
        "events",
        "filter",
        "headers.a b",
        "modules",
        "perMinute",
        "profile",
        "secret",
        "timeout",
        "url",
    ];
    assert_eq!(found, wanted, "{}", answer.text());
    assert_eq!(faults(&app.post(WEBHOOKS, json!({ "secret": 1, "timeout": "a" })).await), ["secret", "url", "timeout"]);
}

async fn a_change_is_looked_at_as_a_whole(app: App) {
    let body = json!({ "url": "tidegate://inspect", "secret": "just words", "headers": { "X-Cliq-Signature": "1" } });
    let made = make(&app, body).await;
    let id = text(&made["id"]);
    for (body, fields) in [
        (json!({ "timeout": 0, "events": ["no.such"] }), &["timeout", "events"][..]),
        (json!({ "url": null }), &["url"]),
        (json!({ "profile": "cliq" }), &["headers.X-Cliq-Signature"]),
        (json!({ "profile": "standard-webhooks" }), &["secret"]),
        (json!({ "secret": "another" }), &["secret"]),
        (json!({ "state": "disabled", "id": "whk_1" }), &["id", "state"]),
        (json!({ "headers": { "X-B": "(kept secret)" } }), &["headers.X-B"]),
    ] {
        let answer = patch(&app, id, body.clone()).await;
        assert_eq!(faults(&answer), fields, "{body}: {}", answer.text());
    }
    assert_eq!(super::see(&app, id).await["version"], 1, "nothing was changed");
    for body in [json!({ "overlap": 604_801 }), json!({ "secret": "" })] {
        let answer = call(&app, Method::POST, &format!("/{id}/rotate-secret"), body).await;
        assert_eq!(faults(&answer).len(), 1, "{}", answer.text());
    }
    let odd = call(&app, Method::POST, &format!("/{id}/rotate-secret"), json!({ "overlap": -1 })).await;
    odd.problem(400, "invalid_request");
}

async fn a_name_that_is_near_is_told(app: App) {
    app.sender(&format!("{ORDERS}\n[[module.event]]\nname = \"order.sold\"\nwhen = \"@.op == 'insert'\"\n")).await;
    let told = async |body: Value| {
        let answer = app.post(WEBHOOKS, body).await;
        assert_eq!(faults(&answer).len(), 1, "{}", answer.text());
        text(&answer.json()["errors"][0]["detail"]).to_owned()
    };
    let url = "tidegate://inspect";
    for (body, wanted) in [
        (json!({ "url": url, "events": ["record_craeted"] }), "did you mean `record_created`?"),
        (json!({ "url": url, "events": ["order.slod"] }), "did you mean `order.sold`?"),
        (json!({ "url": url, "events": ["endpoint.disable"] }), "did you mean `endpoint.disabled`?"),
        (json!({ "url": url, "modules": ["order"] }), "did you mean `orders`?"),
        (json!({ "url": url, "perminute": 1 }), "did you mean `perMinute`?"),
        (json!({ "url": url, "events": ["endpoint.disabled"], "modules": ["orders"] }), "has no module"),
    ] {
        let detail = told(body.clone()).await;
        assert!(detail.contains(wanted), "{body}: {detail}");
    }
    make(&app, json!({ "url": url, "events": ["order.sold", "endpoint.disabled"] })).await;
    app.sender(&ORDERS.replace("slug = \"orders\"", "slug = \"others\"")).await;
    let detail = told(json!({ "url": url, "events": ["order.sold"], "modules": ["others"] })).await;
    assert!(detail.contains("`orders`, which `modules` leaves out"), "{detail}");
}

async fn a_target_is_checked_wherever_it_is_met(mut setup: Setup) {
    let receiver = Receiver::start().await;
    let app = setup.clone().start().await;
    app.sender(ORDERS).await;
    let made = make(&app, json!({ "url": receiver.url("/") })).await;
    let path = format!("/{}/test", text(&made["id"]));
    assert_eq!(call(&app, Method::POST, &path, json!({})).await.done()["status"], 200);
    app.stop().await;
    // Closed since.
    setup.config.allow_targets.clear();
    let app = setup.start().await;
    let refused = json!({ "url": receiver.url("/") });
    assert_eq!(faults(&app.post(WEBHOOKS, refused.clone()).await), ["url"]);
    assert_eq!(faults(&patch(&app, text(&made["id"]), refused).await), ["url"]);
    assert_eq!(faults(&call(&app, Method::POST, &path, json!({})).await), ["url"]);
    assert_eq!(receiver.received().len(), 1, "nothing more came");
    // A name is judged when it is dialled.
    let url = receiver.url("/").replace("127.0.0.1", "localhost");
    let answer = app.post(WEBHOOKS, json!({ "url": url })).await;
    let tested = call(&app, Method::POST, &format!("/{}/test", text(&answer.done()["id"])), json!({})).await.done();
    assert_eq!((&tested["error"]["class"], &tested["status"]), (&json!("target_not_allowed"), &Value::Null));
    assert_eq!(receiver.received().len(), 1, "nothing more came");
}
