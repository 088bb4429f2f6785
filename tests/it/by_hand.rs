//! Records that an admin writes: checked as an event's are, one change each, and told from what events do.

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::{Admin, App, text};
use crate::changes::assert_log_is_truth;
use crate::client::Answer;

both!(
    a_record_is_made_changed_and_deleted_by_hand,
    every_fault_is_told_at_once,
    custom_data_is_merged,
    a_version_is_asked_for_by_if_match,
    a_value_that_identifies_is_one_records,
    a_record_that_is_deleted_by_hand_stays_deleted_for_what_is_older,
    hands_and_webhooks_at_once_leave_what_the_log_says,
    many_hands_make_one_record,
    every_write_is_in_the_audit_log,
    history_tells_who_wrote_what,
    history_says_when_the_log_begins_later,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const EVERYTHING: &str = include_str!("../data/modules/everything.toml");
const RECORDS: &str = "/api/v1/modules/orders/records";

async fn asked(app: &Admin, method: Method, path: &str, condition: Option<&str>, body: &Value) -> Answer {
    let request = app.request(method, path).bearer_auth(&app.key).header("content-type", "application/json");
    let request = condition.into_iter().fold(request, |request, condition| request.header("if-match", condition));
    Answer::to(request.body(body.to_string())).await
}

async fn patch(app: &Admin, path: &str, body: Value) -> Answer {
    asked(app, Method::PATCH, path, None, &body).await
}

async fn delete(app: &Admin, path: &str) -> Answer {
    asked(app, Method::DELETE, path, None, &Value::Null).await
}

async fn made(app: &Admin, fields: Value) -> Value {
    let answer = app.post(RECORDS, json!({ "fields": fields })).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

fn path(record: &Value) -> String {
    format!("{RECORDS}/{}", text(&record["id"]))
}

/// All changes, oldest first.
async fn log(app: &Admin) -> Vec<Value> {
    app.see("/changes?module=orders").await["data"].as_array().unwrap().clone()
}

async fn a_record_is_made_changed_and_deleted_by_hand(app: App) {
    app.sender(ORDERS).await;
    let answer = app
        .post(
            RECORDS,
            json!({ "fields": { "code": "e\u{301}", "quantity": "7", "price": "1.50" }, "customData": { "a": 1 } }),
        )
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let record = answer.json();
    assert_eq!((answer.header("etag"), answer.header("location")), ("\"1\"", &*path(&record)));
    assert_eq!(
        record["fields"],
        json!({ "code": "\u{e9}", "note": null, "quantity": 7, "price": "1.50", "state": null })
    );
    assert_eq!((&record["customData"], &record["eventId"]), (&json!({ "a": 1 }), &Value::Null));
    assert_eq!(app.get(&path(&record)).await.header("etag"), "\"1\"");

    let changed = patch(&app, &path(&record), json!({ "fields": { "quantity": null, "state": "open" } })).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    let changed = changed.done();
    assert_eq!(
        changed["fields"],
        json!({ "code": "\u{e9}", "note": null, "quantity": null, "price": "1.50", "state": "open" })
    );
    let same = patch(&app, &path(&record), json!({ "fields": { "price": "1.5" } })).await.done();
    assert_eq!(same, changed, "an equal value changes nothing");
    assert_eq!(delete(&app, &path(&record)).await.status, 204);
    app.get(&path(&record)).await.problem(404, "not_found");
    delete(&app, &path(&record)).await.problem(404, "not_found");
    patch(&app, &path(&record), json!({})).await.problem(404, "not_found");

    let log = log(&app).await;
    let told = log.iter().map(|change| (text(&change["op"]), change["version"].as_i64().unwrap())).collect::<Vec<_>>();
    assert_eq!(told, [("insert", 1), ("update", 2), ("delete", 3)], "what changes nothing is no change");
    for change in &log {
        assert_eq!((&change["eventId"], &change["hops"]), (&Value::Null, &json!(0)));
        assert!(text(&change["actor"]).starts_with("key_"), "{change}");
    }
}

async fn every_fault_is_told_at_once(app: App) {
    app.sender(ORDERS).await;
    app.sender(EVERYTHING).await;
    let told = |answer: Answer| {
        let problem = answer.problem(422, "invalid_document");
        let told = problem["errors"].as_array().unwrap().iter();
        let mut told =
            told.map(|error| format!("{} {}", text(&error["field"]), text(&error["code"]))).collect::<Vec<_>>();
        told.sort();
        told
    };
    let all = json!({ "words": 1, "amount": "1,5", "count": 1.5, "done": "yes", "moment": "now", "day": "2026-02-30",
        "state": "shut", "document": "a\u{0}", "wrds": "x" });
    let answer =
        app.post("/api/v1/modules/everything/records", json!({ "fields": all, "customData": { "a\u{0}": 1 } })).await;
    let wanted = [
        "amount not_a_number",
        "code required",
        "count not_integral",
        "customData nul_in_value",
        "day not_a_date",
        "document nul_in_value",
        "done not_a_boolean",
        "moment not_a_timestamp",
        "state not_listed",
        "wrds unknown_field",
    ];
    assert_eq!(told(answer), wanted);
    for (code, why) in [(json!(""), "match_value"), (json!("x".repeat(513)), "match_value"), (Value::Null, "required")]
    {
        assert_eq!(told(app.post(RECORDS, json!({ "fields": { "code": code } })).await), [format!("code {why}")]);
    }
    let record = made(&app, json!({ "code": "A" })).await;
    assert_eq!(
        told(patch(&app, &path(&record), json!({ "fields": { "code": null, "quantity": "x" } })).await),
        ["code required", "quantity not_a_number"]
    );
    for body in [json!({ "felds": {} }), json!([]), json!({ "fields": 1 }), json!({ "customData": null })] {
        app.post(RECORDS, body).await.problem(400, "invalid_request");
    }
    assert_eq!(log(&app).await.len(), 1);
    app.sender(include_str!("../data/modules/two-doors.toml")).await;
    let machines = "/api/v1/modules/machines/records";
    assert_eq!(told(app.post(machines, json!({ "fields": { "place": "x" } })).await), ["code match_value"]);
    let by_serial = app.post(machines, json!({ "fields": { "serial": "S" } })).await.done();
    let at = format!("{machines}/{}", text(&by_serial["id"]));
    assert_eq!(told(patch(&app, &at, json!({ "fields": { "serial": null } })).await), ["code match_value"]);
    patch(&app, &at, json!({ "fields": { "serial": null, "code": "C" } })).await.done();
}

async fn custom_data_is_merged(app: App) {
    app.sender(ORDERS).await;
    let record = made(&app, json!({ "code": "A" })).await;
    for (patched, wanted) in [
        (json!({ "a": { "b": 1, "c": [1, 2] }, "n": 1.50 }), json!({ "a": { "b": 1, "c": [1, 2] }, "n": 1.50 })),
        (json!({ "a": { "b": null, "d": {} } }), json!({ "a": { "c": [1, 2], "d": {} }, "n": 1.50 })),
        (json!({ "a": { "c": [3] }, "n": null }), json!({ "a": { "c": [3], "d": {} } })),
        (json!({ "a": 7 }), json!({ "a": 7 })),
    ] {
        let changed = patch(&app, &path(&record), json!({ "customData": patched })).await.done();
        assert_eq!(changed["customData"], wanted, "{patched}");
    }
    assert_eq!(log(&app).await.last().unwrap()["types"], json!(["custom_data_updated"]));
}

async fn a_version_is_asked_for_by_if_match(app: App) {
    app.sender(ORDERS).await;
    let record = made(&app, json!({ "code": "A" })).await;
    let body = json!({ "fields": { "note": "x" } });
    for condition in ["\"2\"", "W/\"1\"", "1", ""] {
        asked(&app, Method::PATCH, &path(&record), Some(condition), &body).await.problem(412, "precondition_failed");
        asked(&app, Method::DELETE, &path(&record), Some(condition), &body).await.problem(412, "precondition_failed");
    }
    asked(&app, Method::PATCH, &path(&record), Some("\"1\""), &body).await.done();
    asked(&app, Method::PATCH, &path(&record), Some("*"), &json!({ "fields": { "note": "y" } })).await.done();
    asked(&app, Method::DELETE, &path(&record), Some("\"2\""), &body).await.problem(412, "precondition_failed");
    assert_eq!(asked(&app, Method::DELETE, &path(&record), Some("\"3\""), &body).await.status, 204);
}

async fn a_value_that_identifies_is_one_records(app: App) {
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let problem = app.post(RECORDS, json!({ "fields": { "code": "A" } })).await.problem(409, "conflict");
    assert_eq!(
        (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
        (&json!("code"), &json!("match_taken"))
    );
    let record = made(&app, json!({ "code": "B" })).await;
    patch(&app, &path(&record), json!({ "fields": { "code": "A" } })).await.problem(409, "conflict");
    patch(&app, &path(&record), json!({ "fields": { "code": "C" } })).await.done();
    let answer = sender.post(json!({ "type": "stock", "code": "C", "quantity": 1 })).await.accepted("updated");
    assert_eq!(answer["recordId"], record["id"], "an event finds it by its new value");
}

async fn a_record_that_is_deleted_by_hand_stays_deleted_for_what_is_older(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = |at: &str, note: &str| json!({ "type": "stock", "code": "A", "note": note, "at": at });
    let created = sender.post(event("2026-01-02T00:00:00Z", "a")).await.accepted("created");
    let at = format!("{RECORDS}/{}", text(&created["recordId"]));
    assert_eq!(delete(&app, &at).await.status, 204);
    let stale = sender.post(event("2026-01-01T00:00:00Z", "b")).await.accepted("stale");
    assert_eq!(stale["recordId"], created["recordId"]);
    let anew = made(&app, json!({ "code": "A" })).await;
    assert_ne!(anew["id"], created["recordId"]);
    sender.post(event("2026-01-01T00:00:00Z", "b")).await.accepted("stale");
    let newer = sender.post(event("2026-01-03T00:00:00Z", "c")).await.accepted("updated");
    assert_eq!(newer["recordId"], anew["id"]);
}

/// Whatever comes first, the log replayed is the table.
async fn hands_and_webhooks_at_once_leave_what_the_log_says(app: App) {
    let sender = app.sender(ORDERS).await;
    let record = made(&app, json!({ "code": "A" })).await;
    let at = path(&record);
    let mut tasks = JoinSet::new();
    for worker in 0..6 {
        let (sender, at) = (sender.clone(), at.clone());
        let admin = Admin { url: app.url.clone(), key: app.key.clone(), http: app.http.clone() };
        tasks.spawn(async move {
            for round in 0..15 {
                let answer = match worker {
                    0 | 1 => {
                        sender.post(json!({ "type": "stock", "code": "A", "quantity": worker * 100 + round })).await
                    }
                    2 => {
                        sender
                            .post(json!({ "type": "stock", "code": format!("B{}", round % 3), "quantity": round }))
                            .await
                    }
                    3 => patch(&admin, &at, json!({ "fields": { "note": round.to_string() } })).await,
                    4 => patch(&admin, &at, json!({ "customData": { "round": round } })).await,
                    _ if round % 2 == 0 => {
                        admin.post(RECORDS, json!({ "fields": { "code": format!("B{}", round % 3) } })).await
                    }
                    _ => {
                        let all = admin.see("/modules/orders/records?filter[code][prefix]=B").await;
                        match all["data"][0]["id"].as_str() {
                            Some(id) => delete(&admin, &format!("{RECORDS}/{id}")).await,
                            None => continue,
                        }
                    }
                };
                assert!([200, 201, 202, 204, 404, 409].contains(&answer.status), "{}", answer.text());
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_log_is_truth(&app, app.database(), "orders").await;
}

async fn many_hands_make_one_record(app: App) {
    app.sender(ORDERS).await;
    let mut tasks = JoinSet::new();
    for _ in 0..12 {
        let request =
            app.request(Method::POST, RECORDS).bearer_auth(&app.key).header("content-type", "application/json");
        tasks.spawn(Answer::to(request.body(json!({ "fields": { "code": "A" } }).to_string())));
    }
    let mut statuses = Vec::new();
    while let Some(answer) = tasks.join_next().await {
        statuses.push(answer.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [&[201][..], &[409; 11]].concat());
    assert_eq!(log(&app).await.len(), 1);
}

async fn every_write_is_in_the_audit_log(app: App) {
    app.sender(ORDERS).await;
    let record = made(&app, json!({ "code": "A", "note": "a secret thing" })).await;
    patch(&app, &path(&record), json!({ "fields": { "quantity": 5 } })).await.done();
    delete(&app, &path(&record)).await;
    let rows =
        app.database().rows("SELECT action, target, detail FROM audit WHERE action LIKE 'record.%' ORDER BY seq").await;
    let actions = rows.iter().map(|row| row[0].clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(actions, ["record.create", "record.change", "record.delete"]);
    for row in &rows {
        assert_eq!(row[1].as_deref(), record["id"].as_str());
        assert!(!row[2].as_ref().unwrap().contains("secret thing"), "what stood in it is told by the log of changes");
    }
    let change: Value = serde_json::from_str(rows[1][2].as_ref().unwrap()).unwrap();
    assert_eq!(change["after"], json!({ "module": "orders", "version": 2, "fields": ["quantity"] }));
}

async fn history_tells_who_wrote_what(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "code": "A", "note": "a", "color": "red" });
    let created = sender.post(event).await.accepted("created");
    let at = format!("{RECORDS}/{}", text(&created["recordId"]));
    patch(&app, &at, json!({ "fields": { "note": "b", "quantity": 1 } })).await.done();
    app.database().run("UPDATE m_orders SET quantity = 2").await;
    app.number_edits().await;
    let updated = sender.post(json!({ "type": "stock", "code": "A", "price": "2.50" })).await.accepted("updated");

    let history = app.get(&format!("{at}/history")).await.done();
    let told = history["data"].as_array().unwrap();
    assert_eq!(told.iter().map(|one| one["version"].as_i64().unwrap()).collect::<Vec<_>>(), [4, 3, 2, 1]);
    assert_eq!(told[0]["changes"], json!({ "price": { "from": null, "to": "2.50" } }));
    assert_eq!(
        (&told[0]["eventId"], &told[0]["source"], &told[0]["mappingVersion"]),
        (&updated["eventId"], &json!("shop"), &json!(1))
    );
    assert_eq!(
        (&told[1]["actor"], &told[1]["source"], &told[1]["eventId"]),
        (&json!("sql"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        told[2]["changes"],
        json!({ "note": { "from": "a", "to": "b" }, "quantity": { "from": null, "to": 1 } })
    );
    assert_eq!(told[3]["changes"]["custom_data"], json!({ "from": {}, "to": { "look": { "color": "red" } } }));
    assert_eq!((&history["isWhole"], &history["fieldsAreWhole"]), (&json!(true), &json!(true)));
    let writers = &history["fields"];
    assert_eq!(writers["code"]["eventId"], created["eventId"]);
    assert_eq!((&writers["note"]["eventId"], &writers["note"]["changeId"]), (&Value::Null, &told[2]["changeId"]));
    assert!(text(&writers["note"]["actor"]).starts_with("key_"));
    assert_eq!((&writers["quantity"]["actor"], &writers["price"]["source"]), (&json!("sql"), &json!("shop")));
    assert_eq!((&writers["custom_data"]["mappingVersion"], &writers["state"]), (&json!(1), &Value::Null));

    delete(&app, &at).await;
    let pages = app.list(&format!("{}/history", &at["/api/v1".len()..]), 2).await;
    assert_eq!(pages.len(), 5);
    assert_eq!(
        (&pages[0]["op"], &pages[0]["changes"]["price"]),
        (&json!("delete"), &json!({ "from": "2.50", "to": null }))
    );
    app.get(&format!("{RECORDS}/rec_{}/history", "0".repeat(26))).await.problem(404, "not_found");
    app.get(&format!("{at}/history?cursor=x")).await.problem(400, "invalid_request");
}

async fn history_says_when_the_log_begins_later(app: App) {
    app.sender(ORDERS).await;
    let record = made(&app, json!({ "code": "A" })).await;
    patch(&app, &path(&record), json!({ "fields": { "quantity": 5 } })).await.done();
    app.database().run("DELETE FROM changes WHERE op = 'insert'").await;
    let history = app.get(&format!("{}/history", path(&record))).await.done();
    assert_eq!((&history["isWhole"], &history["fields"]["code"]), (&json!(false), &Value::Null));
    app.database().run("DELETE FROM changes").await;
    let history = app.get(&format!("{}/history", path(&record))).await.done();
    assert_eq!((&history["isWhole"], &history["data"]), (&json!(false), &json!([])));
}
