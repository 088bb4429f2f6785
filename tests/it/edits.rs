//! Edits of a module's table by other SQL clients: changes like any other, once each and in order, whoever else writes.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::app::{Admin, App, Setup, text};
use crate::changes::assert_log_is_truth;
use crate::client::Sender;
use crate::database::{Engine, Place};
use crate::process::Process;

mod shell;

both!(
    an_edit_is_a_change,
    many_rows_are_many_changes,
    what_changes_nothing_is_no_change,
    what_is_rolled_back_never_was,
    every_kind_is_told_as_the_record_has_it,
    what_no_field_could_hold_is_refused,
    our_own_writes_are_no_edits,
    an_edit_comes_before_the_event_that_met_it,
    an_event_waits_for_an_edit_on_its_way,
    edits_and_events_of_one_record_keep_their_order,
    an_altered_module_is_watched,
    the_widest_module_is_watched,
    edits_while_the_gateway_is_away_are_told_later,
    tables_of_an_earlier_version_are_watched,
    a_reader_hears_of_an_edit,
    a_killed_gateway_tells_each_edit_once,
    whole_tables_are_edited,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const STOCK: &str = include_str!("../data/modules/stock.toml");
const LOAD: &str = include_str!("../data/modules/load.toml");
const EVERYTHING: &str = include_str!("../data/modules/everything.toml");

async fn log(admin: &Admin) -> Vec<Value> {
    let page = admin.see("/changes?limit=100").await;
    assert_eq!(page["hasMore"], json!(false));
    page["data"].as_array().unwrap().clone()
}

/// Waits until nothing is left to be numbered, without the app at hand.
async fn told(place: &Place) {
    crate::hostile::until("all edits are numbered", async || place.count("edits").await == 0).await;
}

async fn record(admin: &Admin, module: &str, field: &str, value: &str) -> Option<Value> {
    let records = admin.list(&format!("/modules/{module}/records"), 100).await;
    records.into_iter().find(|record| record["fields"][field] == value)
}

async fn an_edit_is_a_change(app: App) {
    app.sender(ORDERS).await;
    let place = app.database();
    place.run("INSERT INTO m_orders (code, quantity, price, state) VALUES ('A', 3, '12.50', 'open')").await;
    app.number_edits().await;
    let made = record(&app, "orders", "code", "A").await.expect("a record like any other");
    assert_eq!((&made["version"], &made["eventId"]), (&json!(1), &Value::Null));
    place.run("UPDATE m_orders SET state = 'closed', quantity = quantity + 1 WHERE code = 'A'").await;
    place.run("UPDATE m_orders SET custom_data = '{\"look\": {\"color\": \"red\"}}'").await;
    place.run("DELETE FROM m_orders").await;
    app.number_edits().await;
    let log = log(&app).await;
    let types: Vec<_> = log.iter().map(|change| (text(&change["op"]), &change["types"], &change["version"])).collect();
    assert_eq!(
        types,
        [
            ("insert", &json!(["record_created"]), &json!(1)),
            ("update", &json!(["record_updated", "status_change"]), &json!(2)),
            ("update", &json!(["custom_data_updated"]), &json!(3)),
            ("delete", &json!(["record_deleted"]), &json!(4)),
        ]
    );
    for change in &log {
        assert_eq!((&change["actor"], &change["eventId"], &change["hops"]), (&json!("sql"), &Value::Null, &json!(0)));
        assert_eq!((&change["recordId"], &change["module"]), (&made["id"], &json!("orders")));
    }
    assert_eq!(log[0]["after"]["fields"], made["fields"]);
    assert_eq!(log[1]["changes"], json!({"quantity": {"from": 3, "to": 4}, "state": {"from": "open", "to": "closed"}}));
    assert_eq!((&log[3]["before"], &log[3]["after"]), (&log[2]["after"], &Value::Null));
}

async fn many_rows_are_many_changes(app: App) {
    let sender = app.sender(ORDERS).await;
    for code in ["a", "b", "c"] {
        sender.post(json!({"id": code, "type": "order.x", "code": code, "quantity": 1})).await.accepted("created");
    }
    app.database().run("UPDATE m_orders SET quantity = 7 WHERE code <> 'b'").await;
    app.database().run("INSERT INTO m_orders (code) VALUES ('d'), ('e')").await;
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 3 + 2 + 2);
    assert_log_is_truth(&app, app.database(), "orders").await;
    let records = app.list("/modules/orders/records", 100).await;
    let codes: Vec<_> = records.iter().map(|record| text(&record["fields"]["code"])).collect();
    assert_eq!(codes[..3], ["a", "b", "c"], "oldest first, whoever made them");
    sender.post(json!({"id": "e2", "type": "order.x", "code": "e", "quantity": 9})).await.accepted("updated");
    assert_log_is_truth(&app, app.database(), "orders").await;
}

async fn what_changes_nothing_is_no_change(app: App) {
    let sender = app.sender(ORDERS).await;
    sender
        .post(json!({"id": 1, "type": "order.x", "code": "A", "quantity": 1, "price": 1.50}))
        .await
        .accepted("created");
    app.database().run("UPDATE m_orders SET quantity = 1, price = price, state = NULL").await;
    app.database().run("UPDATE m_orders SET quantity = 2 WHERE code = 'none'").await;
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 1);
    assert_eq!(record(&app, "orders", "code", "A").await.unwrap()["version"], 1);
}

async fn what_is_rolled_back_never_was(app: App) {
    app.sender(ORDERS).await;
    let held = app.database().hold_by("BEGIN; INSERT INTO m_orders (code) VALUES ('A')").await;
    held.let_go().await;
    app.database()
        .run("BEGIN; INSERT INTO m_orders (code) VALUES ('B'); UPDATE m_orders SET quantity = 1; COMMIT")
        .await;
    app.number_edits().await;
    let log = log(&app).await;
    let told: Vec<_> = log.iter().map(|change| (&change["op"], &change["after"]["fields"]["code"])).collect();
    assert_eq!(told, [(&json!("insert"), &json!("B")), (&json!("update"), &json!("B"))]);
    assert_log_is_truth(&app, app.database(), "orders").await;
}

async fn every_kind_is_told_as_the_record_has_it(app: App) {
    app.sender(EVERYTHING).await;
    let place = app.database();
    let words = r#"it''s "so" \ ä 💶"#;
    place
        .run(AssertSqlSafe(format!(
            "INSERT INTO m_everything (code, words, amount, count, done, moment, day, document, state, custom_data) VALUES \
             ('A', '{words}', '-0012345678901234567890.120', 9223372036854775807, true, '2026-01-02T05:04:05.1234569+02:00', \
             '2024-02-29', '{{\"b\": 1.50, \"a\": [12345678901234567890, null]}}', 'in progress', '{{\"k\": 1.0}}')"
        )
        .replace("-0012", "-12")))
        .await;
    place.run("UPDATE m_everything SET moment = '1969-12-31 23:59:59.5Z', done = false, amount = '0.10'").await;
    place.run("UPDATE m_everything SET document = NULL, moment = NULL, day = NULL, amount = NULL, done = NULL").await;
    app.number_edits().await;
    let log = log(&app).await;
    let fields = json!({
        "code": "A", "words": words.replace("''", "'"), "amount": "-12345678901234567890.120", "count": 9_223_372_036_854_775_807_i64,
        "done": true, "moment": "2026-01-02T03:04:05.123457Z", "day": "2024-02-29",
        "document": {"a": [serde_json::from_str::<Value>("12345678901234567890").unwrap(), null], "b": serde_json::from_str::<Value>("1.50").unwrap()},
        "state": "in progress",
    });
    let mut wanted = json!({"fields": fields, "customData": serde_json::from_str::<Value>(r#"{"k": 1.0}"#).unwrap()});
    if place.engine() == Engine::Sqlite {
        // Cut, as we do it ourselves; PostgreSQL rounds.
        wanted["fields"]["moment"] = json!("2026-01-02T03:04:05.123456Z");
    }
    assert_eq!(log[0]["after"], wanted);
    assert_eq!(log[1]["changes"]["moment"]["to"], "1969-12-31T23:59:59.500000Z");
    assert_eq!((&log[1]["changes"]["done"]["to"], &log[1]["changes"]["amount"]["to"]), (&json!(false), &json!("0.10")));
    assert_eq!(log[2]["changes"].as_object().unwrap().len(), 5);
    assert_log_is_truth(&app, place, "everything").await;
}

async fn what_no_field_could_hold_is_refused(app: App) {
    app.sender(EVERYTHING).await;
    app.sender(STOCK).await;
    let place = app.database();
    place.run("INSERT INTO m_everything (code) VALUES ('A')").await;
    place.run("INSERT INTO m_stock (code, amount) VALUES ('A', 1)").await;
    let sqlite = place.engine() == Engine::Sqlite;
    for (set, by_us) in [
        ("moment = 'tomorrow'", sqlite),
        ("moment = '2026-02-30T00:00:00Z'", sqlite),
        ("moment = '2026-02-20T25:00:00Z'", sqlite),
        ("moment = '2026-02-20T00:00:00.5.5Z'", sqlite),
        ("moment = 'infinity'", true),
        ("moment = '12000-01-01T00:00:00Z'", true),
        ("day = '2026-02-30'", sqlite),
        ("day = 'infinity'", true),
        ("amount = 'much'", sqlite),
        ("amount = 'NaN'", true),
        ("amount = '1.2.3'", sqlite),
        ("amount = '7.'", sqlite),
        ("amount = '-'", sqlite),
        ("done = 2", false),
        ("document = '{'", false),
        ("custom_data = '[]'", true),
        ("custom_data = NULL", false),
        ("state = 'Open'", true),
        ("code = NULL", true),
        ("_id = 'rec_01h455vb4pex5vsknk084sn02q'", true),
    ] {
        // PostgreSQL reads more into a text than others do.
        if !sqlite && ["amount = '7.'", "moment = 'tomorrow'"].contains(&set) {
            continue;
        }
        let why = place.refused(AssertSqlSafe(format!("UPDATE m_everything SET {set}"))).await;
        assert_eq!(why.contains("tidegate: "), by_us, "{set}: {why}");
    }
    let long = format!("UPDATE m_everything SET amount = '{}'", "9".repeat(101));
    assert!(place.refused(AssertSqlSafe(long)).await.contains("100 digits"));
    let why = place.refused("INSERT INTO m_stock (code) VALUES ('B')").await;
    assert!(why.contains("tidegate: amount: a required field needs a value"), "{why}");
    let why = place.refused("INSERT INTO m_stock (_id, code, amount) VALUES ('7', 'B', 1)").await;
    assert!(why.contains("tidegate: _id"), "{why}");
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 2);
    assert_eq!(record(&app, "everything", "code", "A").await.unwrap()["version"], 1);
}

async fn our_own_writes_are_no_edits(app: App) {
    let sender = app.sender(STOCK).await;
    let at = |minute: i32| format!("2026-01-01T10:{minute:02}:00Z");
    let event = |id: i32, code: &str, serial: &str, amount: i32| json!({"id": id, "at": at(id), "code": code, "serial": serial, "amount": amount});
    sender.post(event(1, "a", "s", 1)).await.accepted("created");
    sender.post(event(2, "a", "s", 2)).await.accepted("updated");
    sender.post(event(3, "a", "other", 2)).await.accepted("updated");
    let place = app.database();
    place.run("UPDATE m_stock SET custom_data = '{ \"b\": 1,  \"a\": 2 }'").await;
    // Only the guard moves; what another client wrote stays as it is.
    sender.post(event(4, "a", "other", 2)).await.accepted("unchanged");
    sender.post(json!({"id": 5, "at": at(5), "op": "delete", "code": "a"})).await.accepted("deleted");
    app.number_edits().await;
    let actors = log(&app).await.into_iter().map(|change| change["actor"] == "sql").collect::<Vec<_>>();
    assert_eq!(actors, [false, false, false, true, false]);
    assert_log_is_truth(&app, place, "stock").await;
}

/// The batch itself numbers it: in the log it never comes after the event that rests on it.
async fn an_edit_comes_before_the_event_that_met_it(app: App) {
    let sender = app.sender(LOAD).await;
    sender.post(json!({"id": 0, "code": "A", "number": 0})).await.accepted("created");
    for number in 1..40 {
        app.database().run("UPDATE m_load SET number = -1").await;
        sender.post(json!({"id": number, "code": "A", "number": number})).await.accepted("updated");
    }
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 79);
    assert_log_is_truth(&app, app.database(), "load").await;
}

/// The client has the row when the event comes, and commits while that waits for it.
async fn an_event_waits_for_an_edit_on_its_way(app: App) {
    let sender = app.sender(LOAD).await;
    sender.post(json!({"id": 1, "code": "A", "number": 1})).await.accepted("created");
    for number in 2..6 {
        let held = app.database().hold_by("BEGIN; UPDATE m_load SET number = number + 100").await;
        let event = sender.json(json!({"id": number, "code": "A", "number": number}).to_string());
        let waiting = tokio::spawn(crate::client::Answer::to(event));
        app.database().run("SELECT 1").await;
        held.commit().await;
        waiting.await.unwrap().accepted("updated");
    }
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 9);
    assert_log_is_truth(&app, app.database(), "load").await;
}

async fn edits_and_events_of_one_record_keep_their_order(app: App) {
    let sender = app.sender(LOAD).await;
    let place = app.setup.shared_database();
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let (sender, place) = (sender.clone(), std::sync::Arc::clone(&place));
        clients.spawn(async move {
            for number in 0..25 {
                post(&sender, client, number).await;
                let code = if number % 5 == 0 { format!("own-{client}-{number}") } else { "shared".to_owned() };
                let sql = match number % 5 {
                    0 => format!("INSERT INTO m_load (code, number) VALUES ('{code}', 1)"),
                    4 => format!("DELETE FROM m_load WHERE code = 'shared' AND number > 10 AND {client} = 0"),
                    _ => format!("UPDATE m_load SET number = coalesce(number, 0) + 1000 WHERE code IN ('{code}', 'own-{client}-0')"),
                };
                place.run(AssertSqlSafe(sql)).await;
            }
        });
    }
    while let Some(done) = clients.join_next().await {
        done.unwrap();
    }
    app.number_edits().await;
    assert_eq!(place.count("edits").await, 0);
    assert_log_is_truth(&app, &place, "load").await;
}

async fn post(sender: &Sender, client: usize, number: usize) {
    let event = json!({"id": format!("{client}-{number}"), "code": "shared", "number": number * 4 + client});
    sender.post(event).await.done();
}

async fn an_altered_module_is_watched(app: App) {
    let sender = app.sender(LOAD).await;
    sender.post(json!({"id": 1, "code": "A", "number": 1})).await.accepted("created");
    app.database().run("UPDATE m_load SET number = 2").await;
    let wider = LOAD.replace(
        "number = \"integer\"",
        "number = \"integer\"\nnote = \"text\"\nstate = { type = \"status\", values = [\"it's\"] }",
    );
    app.apply(&wider, json!({})).await.done();
    app.database().run("UPDATE m_load SET note = 'new', state = 'it''s'").await;
    app.database().refused("UPDATE m_load SET state = 'its'").await;
    app.number_edits().await;
    let mut log = log(&app).await;
    assert_eq!(log.remove(2)["op"], "module.altered", "edits of the old shape stand before it");
    assert_eq!(log.len(), 3);
    assert_eq!(log[1]["changes"], json!({"number": {"from": 1, "to": 2}}));
    let moved = json!({"note": {"from": null, "to": "new"}, "state": {"from": null, "to": "it's"}});
    assert_eq!((&log[2]["changes"], &log[2]["version"]), (&moved, &json!(3)));
}

/// As many fields as there may be, of every type.
async fn the_widest_module_is_watched(app: App) {
    let kinds = ["text", "decimal", "timestamp", "date", "boolean", "integer", "json"];
    let field = |place: usize| format!("f{place} = \"{}\"\n", kinds[place % kinds.len()]);
    let fields: String = (0..200).map(field).collect();
    let rule = "[[source]]\nslug = \"main\"\n[[source.rule]]\nfrom = \"$.a\"\nto = \"f0\"\n";
    app.sender(&format!("[module]\nslug = \"wide\"\nmatch = [\"f0\"]\n[module.fields]\n{fields}{rule}")).await;
    app.database().run("INSERT INTO m_wide (f0, f1, f2) VALUES ('A', '1.0', '2026-01-02T03:04:05Z')").await;
    app.database().run("UPDATE m_wide SET f199 = '2026-01-02', f193 = true WHERE f0 = 'A'").await;
    app.number_edits().await;
    let log = log(&app).await;
    let moved = json!({"f193": {"from": null, "to": true}, "f199": {"from": null, "to": "2026-01-02"}});
    assert_eq!(log[1]["changes"], moved, "{log:?}");
    assert_log_is_truth(&app, app.database(), "wide").await;
}

async fn edits_while_the_gateway_is_away_are_told_later(app: App) {
    let sender = app.sender(LOAD).await;
    sender.post(json!({"id": 1, "code": "A", "number": 1})).await.accepted("created");
    let setup = app.stop().await;
    setup.database().run("UPDATE m_load SET number = 2").await;
    setup.database().run("INSERT INTO m_load (code) VALUES ('B')").await;
    let app = setup.start().await;
    told(app.database()).await;
    assert_eq!(log(&app).await.len(), 3);
    assert_log_is_truth(&app, app.database(), "load").await;
}

/// Takes the table back to what it was before there were edits.
async fn make_old(place: &Place) {
    if place.engine() == Engine::Postgres {
        place.run("DROP FUNCTION edit_m_load() CASCADE").await;
        place.run("ALTER TABLE m_load ALTER _id DROP DEFAULT, ALTER _created_at DROP DEFAULT, ALTER _updated_at DROP DEFAULT").await;
    } else {
        let index = place.text("SELECT sql FROM sqlite_schema WHERE tbl_name = 'm_load' AND name LIKE 'match_%'").await;
        place
            .run(
                "CREATE TABLE old (_id TEXT PRIMARY KEY, _version INTEGER NOT NULL DEFAULT 0, _event_id TEXT, \
                 _guard TEXT NOT NULL DEFAULT '{}', _created_at TEXT NOT NULL, _updated_at TEXT NOT NULL, \
                 custom_data TEXT NOT NULL DEFAULT '{}', code TEXT, number INTEGER) STRICT; \
                 INSERT INTO old SELECT * FROM m_load; DROP TABLE m_load; ALTER TABLE old RENAME TO m_load; \
                 CREATE INDEX operators_own ON m_load (number)",
            )
            .await;
        place.run(AssertSqlSafe(index.unwrap())).await;
    }
    place.run("UPDATE modules SET triggers = 0").await;
}

async fn tables_of_an_earlier_version_are_watched(app: App) {
    let sender = app.sender(LOAD).await;
    sender.post(json!({"id": 1, "code": "A", "number": 1})).await.accepted("created");
    let setup = app.stop().await;
    make_old(setup.database()).await;
    let app = setup.start().await.restart().await;
    app.database().run("UPDATE m_load SET number = 2").await;
    app.database().run("INSERT INTO m_load (code) VALUES ('B')").await;
    app.database().refused("INSERT INTO m_load (code) VALUES ('B')").await;
    app.number_edits().await;
    assert_eq!(log(&app).await.len(), 3);
    assert_log_is_truth(&app, app.database(), "load").await;
    if app.database().engine() == Engine::Sqlite {
        assert_eq!(app.database().count("sqlite_schema WHERE name = 'operators_own'").await, 1);
    }
}

async fn a_reader_hears_of_an_edit(app: App) {
    app.sender(LOAD).await;
    let asked = app.request(http::Method::GET, "/api/v1/changes?after=latest&wait=30").bearer_auth(&app.key);
    let waiting = tokio::spawn(crate::client::Answer::to(asked));
    let mut number = 0;
    while !waiting.is_finished() {
        number += 1;
        app.database().run(AssertSqlSafe(format!("INSERT INTO m_load (code) VALUES ('{number}')"))).await;
    }
    let page = waiting.await.unwrap().json();
    assert_eq!(page["data"][0]["actor"], "sql", "{page}");
}

async fn a_killed_gateway_tells_each_edit_once(setup: Setup) {
    let mut process = Process::start(&setup).await;
    process.admin.sender(LOAD).await;
    let place = setup.shared_database();
    let mut made = 0;
    for _ in 0..3 {
        let edits = std::sync::Arc::clone(&place);
        let editing = tokio::spawn(async move {
            for number in made..made + 30 {
                edits.run(AssertSqlSafe(format!("INSERT INTO m_load (code, number) VALUES ('{number}', 0)"))).await;
            }
        });
        crate::hostile::until("some are told", async || place.count("changes").await > made).await;
        process.kill();
        editing.await.unwrap();
        made += 30;
        process = Process::start(&setup).await;
    }
    told(&place).await;
    assert_eq!(place.count("changes").await, made);
    assert_log_is_truth(&process.admin, &place, "load").await;
}

/// More than is numbered in one go, while events come in.
async fn whole_tables_are_edited(app: App) {
    let sender = app.sender(LOAD).await;
    let place = app.database();
    let series = match place.engine() {
        Engine::Postgres => "SELECT 'n' || n, n FROM generate_series(1, 1300) n",
        Engine::Sqlite => {
            "SELECT 'n' || n, n FROM (WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 1300) SELECT n FROM s)"
        }
    };
    place.run(AssertSqlSafe(format!("INSERT INTO m_load (code, number) {series}"))).await;
    for number in 1..=3 {
        sender
            .post(json!({"id": number, "code": format!("n{}", 1300 - number), "number": 0}))
            .await
            .accepted("updated");
    }
    place.run("UPDATE m_load SET number = number + 1").await;
    if place.engine() == Engine::Postgres {
        place.run("TRUNCATE m_load").await;
    } else {
        place.run("DELETE FROM m_load").await;
    }
    sender.post(json!({"id": 4, "code": "n1", "number": 0})).await.accepted("created");
    app.number_edits().await;
    assert_eq!(place.count("changes").await, 3 * 1300 + 3 + 1);
    assert_log_is_truth(&app, place, "load").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_tell_each_edit_once() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let sender = app.sender(LOAD).await;
    let other = app.setup.replica().start().await;
    let elsewhere = sender.at(&other.url);
    let place = app.setup.shared_database();
    let editing = {
        let place = std::sync::Arc::clone(&place);
        tokio::spawn(async move {
            for number in 0..60 {
                let sql = format!(
                    "INSERT INTO m_load (code) VALUES ('{number}'); UPDATE m_load SET number = {number} WHERE code = 'shared'"
                );
                place.run(AssertSqlSafe(sql)).await;
            }
        })
    };
    let mut number = 0;
    while !editing.is_finished() {
        number += 1;
        tokio::join!(post(&sender, 0, number), post(&elsewhere, 1, number), app.number_edits(), other.number_edits());
    }
    editing.await.unwrap();
    app.number_edits().await;
    assert_eq!(place.count("changes WHERE actor = 'sql' AND op = 'insert'").await, 60);
    assert_log_is_truth(&app, &place, "load").await;
    other.stop().await;
}
