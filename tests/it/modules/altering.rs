//! Every way of altering a module that has records, sources and edits by SQL that wait.

use serde_json::{Value, json};

use super::follow::assert_log_can_be_followed;
use super::{ORDERS, fields, log, order, patch, trial};
use crate::app::{App, Setup, text};
use crate::database::Engine;

both!(
    a_renamed_field_keeps_its_values_and_its_mappings,
    fields_swap_their_names,
    a_dropped_field_is_gone_and_may_come_again,
    values_are_converted,
    a_match_is_changed,
    a_deleted_record_is_remembered_under_another_name,
    edits_that_wait_are_told_by_the_old_names,
    what_was_not_yet_sent_is_sent_as_it_was,
    columns_of_dropped_fields_go_when_it_is_quiet,
);

async fn a_renamed_field_keeps_its_values_and_its_mappings(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({ "quantity": 3, "note": "x" })).await;
    let asked = json!({ "fields": { "code": { "rename": "sku" }, "quantity": { "rename": "amount" } } });
    let would = trial(&app, asked.clone()).await;
    let renamed = json!([{ "from": "code", "to": "sku" }, { "from": "quantity", "to": "amount" }]);
    assert_eq!(would["does"], json!({ "renamed": renamed }));
    assert_eq!((&would["mappings"], &would["inTheWay"]), (&json!([{ "source": "shop", "version": 2 }]), &json!([])));
    assert_eq!(app.see("/modules/orders").await["version"], 1, "a trial does nothing");

    let module = patch(&app, "orders", asked).await.done();
    assert_eq!((&module["match"], &module["shape"], &module["version"]), (&json!(["sku"]), &json!(2), &json!(2)));
    let source = app.see("/modules/orders/sources/shop").await;
    let targets: Vec<_> = source["mapping"]["rule"].as_array().unwrap().iter().map(|rule| text(&rule["to"])).collect();
    assert_eq!(targets, ["sku", "note", "amount", "price", "state", "custom_data.look.color"]);
    assert_eq!(source["mappingVersion"], 2);
    let kept = app.database().text("SELECT document FROM mappings WHERE version = 1").await.unwrap();
    assert!(kept.contains("\"to\":\"code\""), "the version that was stays: {kept}");

    let answer = order(&sender, "A", json!({ "quantity": 4 })).await;
    assert_eq!(answer["outcome"], "updated", "it is found by the same values");
    let record = app.record("orders", &answer).await;
    assert_eq!(record["fields"], json!({ "sku": "A", "note": "x", "amount": 4, "price": null, "state": null }));
    assert_eq!(app.database().text("SELECT sku FROM m_orders WHERE amount = 4").await.as_deref(), Some("A"));
    app.database().run("UPDATE m_orders SET amount = 5").await;
    app.database().refused("INSERT INTO m_orders (sku) VALUES ('A')").await;
    app.number_edits().await;
    let app = app.restart().await;
    let told = &log(&app, "module.altered").await[0];
    assert_eq!(told["after"]["fields"]["renamed"], renamed);
    assert_eq!((&told["after"]["fields"]["module"], &told["module"]), (&json!("orders"), &Value::Null));
    assert_log_can_be_followed(&app, "orders").await;
    assert_eq!(app.database().count("audit WHERE action = 'module.change'").await, 1);
}

async fn fields_swap_their_names(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({ "note": "n" })).await;
    fields(&app, json!({ "code": { "rename": "note" }, "note": { "rename": "code" } })).await.done();
    let answer = order(&sender, "A", json!({ "note": "m" })).await;
    assert_eq!(answer["outcome"], "updated");
    let record = app.record("orders", &answer).await;
    assert_eq!((&record["fields"]["note"], &record["fields"]["code"]), (&json!("A"), &json!("m")));
    assert_log_can_be_followed(&app, "orders").await;
}

async fn a_dropped_field_is_gone_and_may_come_again(app: App) {
    let sender = app.sender(&without(ORDERS, "note")).await;
    order(&sender, "A", json!({})).await;
    app.database().run("UPDATE m_orders SET note = 'old'").await;
    fields(&app, json!({ "note": null })).await.done();
    let shown = &app.list("/modules/orders/records", 100).await[0]["fields"];
    assert!(shown.get("note").is_none(), "dropped at once for readers: {shown}");
    app.database().refused("SELECT note FROM m_orders").await;
    fields(&app, json!({ "note": "integer" })).await.done();
    app.database().run("UPDATE m_orders SET note = 7").await;
    order(&sender, "A", json!({ "quantity": 1 })).await;
    assert_eq!(app.list("/modules/orders/records", 100).await[0]["fields"]["note"], 7);
    fields(&app, json!({ "note": null })).await.done();
    app.number_edits().await;
    assert_log_can_be_followed(&app, "orders").await;
}

/// The file without the rule of one field.
fn without(file: &str, field: &str) -> String {
    file.replace(&format!("[[source.rule]]\nfrom = \"$.{field}\"\nto = \"{field}\"\n"), "")
}

async fn values_are_converted(app: App) {
    let sender = app.sender(ORDERS).await;
    for (code, note) in
        [("1", json!("7")), ("2", Value::Null), ("3", json!("9223372036854775807")), ("4", json!("1e2"))]
    {
        order(&sender, code, json!({ "note": note, "quantity": 5, "price": "1.50", "state": "open" })).await;
    }
    let asked = json!({
        "note": { "type": "integer" }, "quantity": "decimal", "price": "text", "state": { "type": "text" },
        "code": { "type": "integer", "rename": "number" },
    });
    fields(&app, asked).await.done();
    let rows = app.list("/modules/orders/records", 100).await;
    let told = rows.iter().map(|row| row["fields"].clone()).collect::<Vec<_>>();
    let row = |number: i64, note: Value| json!({ "number": number, "note": note, "quantity": "5", "price": "1.50", "state": "open" });
    let last = row(3, json!(9_223_372_036_854_775_807_i64));
    assert_eq!(told, [row(1, json!(7)), row(2, Value::Null), last, row(4, json!(100))]);
    // The index is one of numbers by now.
    order(&sender, "4e0", json!({ "note": "8" })).await;
    assert_eq!(app.list("/modules/orders/records", 100).await.len(), 4);
    app.database().refused("INSERT INTO m_orders (number) VALUES (4)").await;
    assert_log_can_be_followed(&app, "orders").await;
}

async fn a_match_is_changed(app: App) {
    let sender = app.sender(ORDERS).await;
    order(&sender, "A", json!({ "note": "x", "quantity": 1 })).await;
    order(&sender, "B", json!({ "note": "y", "quantity": 1 })).await;
    let module = patch(&app, "orders", json!({ "match": ["note", "quantity"] })).await.done();
    assert_eq!(module["match"], json!(["note", "quantity"]));
    assert_eq!(order(&sender, "C", json!({ "note": "x", "quantity": 1 })).await["outcome"], "updated");
    assert_eq!(order(&sender, "C", json!({ "note": "x", "quantity": 2 })).await["outcome"], "created");
    let altered = &log(&app, "module.altered").await[0]["after"]["fields"];
    assert_eq!(altered["match"], json!({ "from": ["code"], "to": ["note", "quantity"] }));
    let app = app.restart().await;
    assert_eq!(order(&sender.at(&app.url), "D", json!({ "note": "y", "quantity": 1 })).await["outcome"], "updated");
}

/// What a deleted record leaves behind is named by what the field is known by, whatever it is called.
async fn a_deleted_record_is_remembered_under_another_name(app: App) {
    let file = ORDERS.replace("occurred_at = \"$.at\"", "occurred_at = \"$.at\"\ndelete_when = \"@.op == 'delete'\"");
    let sender = app.sender(&file).await;
    let at = |second: u8| format!("2026-01-02T03:04:{second:02}Z");
    let event = |second, op: &str| json!({ "type": "stock", "code": "A", "at": at(second), "op": op });
    sender.post(event(10, "put")).await.accepted("created");
    sender.post(event(20, "delete")).await.accepted("deleted");
    fields(&app, json!({ "code": { "rename": "sku" } })).await.done();
    sender.post(event(15, "put")).await.accepted("stale");
    fields(&app, json!({ "code": "text" })).await.done();
    sender.post(event(16, "put")).await.accepted("stale");
    sender.post(event(21, "put")).await.accepted("created");
}

async fn edits_that_wait_are_told_by_the_old_names(app: App) {
    let sender = app.sender(ORDERS).await;
    for (number, name) in ["amount", "quantity", "amount"].into_iter().enumerate() {
        let old = if name == "amount" { "quantity" } else { "amount" };
        order(&sender, &format!("{number}"), json!({ "quantity": 1 })).await;
        let sql = format!("UPDATE m_orders SET {old} = {old} + 10");
        app.database().run(sqlx::AssertSqlSafe(sql)).await;
        fields(&app, json!({ old: { "rename": name } })).await.done();
        assert_eq!(app.database().count("edits").await, 0, "they are numbered in the same transaction");
    }
    assert_log_can_be_followed(&app, "orders").await;
}

/// Deliveries are made of changes that tell of the old shape, by an endpoint that was away meanwhile.
async fn what_was_not_yet_sent_is_sent_as_it_was(app: App) {
    let sender = app.sender(ORDERS).await;
    let receiver = crate::receiver::Receiver::start().await;
    let body = json!({ "url": receiver.url("/"), "events": ["status_change"] });
    let hook = app.post("/api/v1/webhooks", body).await.done();
    let path = format!("/api/v1/webhooks/{}", text(&hook["id"]));
    app.post(&format!("{path}/disable"), json!({})).await.done();
    order(&sender, "A", json!({ "state": "open", "price": "1.50" })).await;
    order(&sender, "A", json!({ "state": "closed" })).await;
    fields(&app, json!({ "state": { "rename": "phase" }, "price": { "rename": "cost" } })).await.done();
    let seen = log(&app, "status_change").await;
    assert_eq!(seen.len(), 1, "the log tells it as what it was: {seen:?}");
    app.post(&format!("{path}/enable"), json!({})).await.done();
    app.post("/api/v1/jobs", json!({ "kind": "missed", "webhook": hook["id"] })).await.done();
    let came = receiver.wait_for(1).await;
    let data = &came[0].json()["data"];
    assert_eq!((&data["state"], &data["price"]), (&json!("closed"), &json!("1.50")), "{data}");
    order(&sender, "A", json!({ "state": "open" })).await;
    let came = receiver.wait_for(2).await;
    assert_eq!(came[1].json()["data"]["phase"], "open", "{}", came[1]);
}

async fn columns_of_dropped_fields_go_when_it_is_quiet(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(&without(ORDERS, "note")).await;
    order(&sender, "A", json!({})).await;
    let many = if app.database().engine() == Engine::Sqlite { 2_000 } else { 10 };
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many}) \
         INSERT INTO m_orders (code, note) SELECT 'c' || i, 'x' FROM n"
    );
    app.database().run(sqlx::AssertSqlSafe(sql)).await;
    fields(&app, json!({ "note": null, "quantity": { "type": "text" } })).await.done();
    let columns = async || app.database().count("dropped_columns").await;
    assert_eq!(columns().await, 2);
    app.keep_house().await;
    if app.database().engine() == Engine::Sqlite {
        assert_eq!(columns().await, 2, "a large table is not written anew while events come in");
        app.setup.clock.advance(std::time::Duration::from_secs(61));
        app.keep_house().await;
    }
    assert_eq!(columns().await, 0);
    let all = match app.database().engine() {
        Engine::Sqlite => "pragma_table_info('m_orders')",
        Engine::Postgres => "pg_attribute WHERE attrelid = 'm_orders'::regclass AND attnum > 0 AND NOT attisdropped",
    };
    assert_eq!(app.database().count(all).await, 7 + 4);
    order(&sender, "A", json!({ "quantity": 2 })).await;
    app.database().run("UPDATE m_orders SET quantity = '3' WHERE code = 'A'").await;
}
