//! Names of fields that move, come again, or are those of SQL.

use http::Method;
use serde_json::json;

use super::{call, fields, patch};
use crate::app::{App, text};
use crate::database::Engine;

both!(
    a_renamed_field_is_exported,
    a_name_that_goes_to_another_field_is_no_word_of_events,
    a_dropped_name_may_be_taken_by_a_renamed_field,
    names_of_statements_are_names,
    a_dry_run_of_a_file_looks_at_records,
);

const PLAIN: &str = "
[module]
slug = \"orders\"
match = [\"code\"]
[module.fields]
code = \"text\"
one = \"text\"
two = \"text\"
first_id = \"text\"
t = \"text\"
[[source]]
slug = \"shop\"
[[source.rule]]
from = \"$.code\"
to = \"code\"
[[source.rule]]
from = \"$.two\"
to = \"two\"
";

async fn a_renamed_field_is_exported(app: App) {
    app.apply(PLAIN, json!({})).await.done();
    fields(&app, json!({ "one": { "rename": "uno" } })).await.done();
    let file = app.get("/api/v1/export?module=orders").await;
    let file = String::from_utf8(file.body).unwrap();
    assert!(file.contains("uno") && !file.contains("marks"), "{file}");
    let again = app.apply(&file, json!({})).await.done();
    assert_eq!(again["modules"][0]["action"], "unchanged", "{again}");
}

async fn a_name_that_goes_to_another_field_is_no_word_of_events(app: App) {
    app.apply(PLAIN, json!({})).await.done();
    let event = json!([{ "name": "order.one", "when": "@.after.one == 'x'", "data": { "code": "@.after.code" } }]);
    patch(&app, "orders", json!({ "events": event })).await.done();
    let swap = json!({ "one": { "rename": "two" }, "two": { "rename": "one" } });
    let problem = fields(&app, swap.clone()).await.problem(409, "conflict");
    assert_eq!(problem["errors"][0]["field"], "events[1]", "{problem}");
    let events = json!([{ "name": "order.one", "when": "@.after.two == 'x'", "data": { "code": "@.after.code" } }]);
    patch(&app, "orders", json!({ "fields": swap, "events": events })).await.done();
}

async fn a_dropped_name_may_be_taken_by_a_renamed_field(app: App) {
    let sender = app.sender(PLAIN).await;
    let before = sender.post(json!({ "code": "A", "two": "kept" })).await.accepted("created");
    fields(&app, json!({ "one": null, "two": { "rename": "one" } })).await.done();
    assert_eq!(app.record("orders", &before).await["fields"]["one"], "kept");
    let after = sender.post(json!({ "code": "A", "two": "new" })).await.accepted("updated");
    assert_eq!(app.record("orders", &after).await["fields"]["one"], "new");
}

async fn names_of_statements_are_names(app: App) {
    let sender = app.sender(PLAIN).await;
    sender.post(json!({ "code": "A" })).await.accepted("created");
    patch(&app, "orders", json!({ "match": ["first_id"] })).await;
    let listed = app.see("/modules/orders/records?sort=t&limit=1").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    let removed =
        if app.database().engine() == Engine::Postgres { "TRUNCATE m_orders" } else { "DELETE FROM m_orders" };
    app.database().run(removed).await;
    app.number_edits().await;
    let last = app.see("/changes").await["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["actor"], "sql", "{last}");
}

async fn a_dry_run_of_a_file_looks_at_records(app: App) {
    let sender = app.sender(PLAIN).await;
    for code in ["A", "B"] {
        sender.post(json!({ "code": code, "two": "same" })).await.accepted("created");
    }
    let file = PLAIN.replace("match = [\"code\"]", "match = [\"two\"]");
    let body = json!({ "files": [{ "name": "test.toml", "text": file }], "secrets": {} });
    let path = "/apply?dryRun=true";
    let problem = call(&app, Method::POST, path, body.clone()).await.problem(409, "conflict");
    let real = app.apply(&file, json!({})).await.problem(409, "conflict");
    assert_eq!(text(&problem["errors"][0]["field"]), text(&real["errors"][0]["field"]), "{problem} {real}");
}
