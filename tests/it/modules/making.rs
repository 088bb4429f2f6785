//! A module is made over the API, and is like one of a file.

use serde_json::{Value, json};

use super::{Method, call, log, patch, places};
use crate::app::App;

both!(
    a_module_is_made_and_takes_events,
    every_fault_of_a_new_module_is_told,
    a_name_is_changed_under_its_version,
    events_are_named_and_taken_away,
);

fn tickets() -> Value {
    json!({
        "slug": "tickets", "match": ["code"],
        "fields": { "code": { "type": "text", "required": true }, "amount": "decimal",
            "state": { "type": "status", "values": ["open", "closed"] } },
        "events": [{ "name": "ticket.closed", "when": "@.changes.state.to == 'closed'", "data": { "id": "@.after.code" } }],
    })
}

async fn a_module_is_made_and_takes_events(app: App) {
    let answer = app.post("/api/v1/modules", tickets()).await;
    assert_eq!((answer.status, answer.header("etag")), (201, "\"1\""), "{}", answer.text());
    let made = answer.json();
    assert_eq!((&made["name"], &made["version"], &made["shape"]), (&json!("tickets"), &json!(1), &json!(1)));
    assert_eq!(made, app.see("/modules/tickets").await);
    assert_eq!(made["events"][0]["data"], json!({ "id": "@.after.code" }));
    app.post("/api/v1/modules", tickets()).await.problem(409, "conflict");

    let rule = |name: &str| json!({ "from": format!("$.{name}"), "to": name });
    let mapping = json!({ "rule": [rule("code"), rule("amount"), rule("state")] });
    let source = app.post("/api/v1/modules/tickets/sources", json!({ "slug": "a", "mapping": mapping })).await;
    let url = source.json()["url"].as_str().unwrap().to_owned();
    let post = async |event: Value| app.post(&url.replace(&app.url, ""), event).await;
    post(json!({ "code": "A", "amount": "1.50", "state": "open" })).await.accepted("created");
    post(json!({ "code": "A", "state": "closed" })).await.accepted("updated");
    assert_eq!(log(&app, "ticket.closed").await.len(), 1);
    assert_eq!(app.database().count("audit WHERE action = 'module.create'").await, 1);
}

async fn every_fault_of_a_new_module_is_told(app: App) {
    for (body, wanted) in [
        (json!({}), vec!["slug", "fields", "match"]),
        (
            json!({ "slug": "A b", "match": ["a"], "fields": { "a": "int", "B": "text" } }),
            vec!["slug", "fields.B", "fields.a"],
        ),
        (json!({ "slug": "x", "match": "a", "fields": { "a": "text" }, "nam": "X" }), vec!["nam", "match"]),
        (json!({ "slug": "x", "match": ["b"], "fields": { "a": "decimal" } }), vec!["match"]),
        (json!({ "slug": "x", "match": ["a"], "fields": { "a": "decimal" } }), vec!["match"]),
        (json!({ "slug": "x", "match": ["a"], "fields": {} }), vec!["fields"]),
        (
            json!({ "slug": "x", "match": ["a"], "fields": { "a": "text" }, "events": [{ "name": "module.x", "when": "@.after.b" }] }),
            vec!["events[1].name", "events[1].when"],
        ),
    ] {
        let problem = app.post("/api/v1/modules", body.clone()).await.problem(422, "invalid_document");
        assert_eq!(places(&problem), wanted, "{body}: {problem}");
    }
    app.post("/api/v1/modules", json!([])).await.problem(400, "invalid_request");
    assert_eq!(app.database().count("modules").await, 0);
}

async fn a_name_is_changed_under_its_version(app: App) {
    app.post("/api/v1/modules", tickets()).await.done();
    let changed = patch(&app, "tickets", json!({ "name": "Tickets" })).await;
    assert_eq!((changed.header("etag"), &changed.done()["name"]), ("\"2\"", &json!("Tickets")));
    assert_eq!(patch(&app, "tickets", json!({})).await.done()["version"], 2, "nothing asked is nothing done");
    let when = async |tag: &str, body: Value| {
        let request = app.request(Method::PATCH, "/api/v1/modules/tickets").bearer_auth(&app.key);
        crate::client::Answer::to(request.header("if-match", tag).body(body.to_string())).await
    };
    when("\"1\"", json!({ "name": "Other" })).await.problem(412, "precondition_failed");
    assert_eq!(when("\"2\"", json!({ "name": null })).await.done()["name"], "tickets");
    patch(&app, "none", json!({})).await.problem(404, "not_found");
    for (body, wanted) in [
        (json!({ "slug": "other", "version": 3 }), vec!["slug", "version"]),
        (json!({ "name": 1, "match": null, "fields": [] }), vec!["name", "fields"]),
    ] {
        assert_eq!(places(&patch(&app, "tickets", body).await.problem(422, "invalid_document")), wanted);
    }
    call(&app, Method::PATCH, "/modules/tickets?dryrun=1", json!({})).await.problem(400, "invalid_request");
}

async fn events_are_named_and_taken_away(app: App) {
    app.post("/api/v1/modules", tickets()).await.done();
    let events = json!([{ "name": "ticket.dear", "when": "@.after.amount > 10" }]);
    let module = patch(&app, "tickets", json!({ "events": events })).await.done();
    assert_eq!((&module["events"][0]["name"], &module["shape"]), (&json!("ticket.dear"), &json!(1)));
    assert_eq!(patch(&app, "tickets", json!({ "events": null })).await.done()["events"], json!([]));
    assert_eq!(app.database().count("changes").await, 0, "no record is another by it");
}
