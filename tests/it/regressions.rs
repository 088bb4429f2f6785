//! Faults that were found once, each seen from outside.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::app::{App, Setup, text};
use crate::changes::assert_log_is_truth;
use crate::client::{Answer, Sender};
use crate::database::Engine;

both!(
    a_column_renamed_behind_its_back_is_no_match_taken,
    a_record_that_moves_away_leaves_its_match_to_the_next,
    an_empty_event_id_is_none,
    a_flood_of_wrong_bodies_uses_up_the_limit,
    a_module_in_two_files_is_refused,
    a_match_that_a_stored_source_cannot_follow_is_refused,
    a_token_in_a_header_is_not_kept,
    rules_that_could_never_be_kept_are_refused,
);

const LOAD: &str = include_str!("../data/modules/load.toml");
const ORDERS: &str = include_str!("../data/modules/orders.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");

/// A lock that is not to be had costs the events that wanted it, and no connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_held_too_long_is_503_and_poisons_no_connection() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let sender = app.sender(LOAD).await;
    sender.post(json!({ "code": "A" })).await.accepted("created");
    let module = app.database().text("SELECT id FROM modules").await.unwrap();
    let key = module.bytes().fold(0i64, |hash, byte| hash.wrapping_mul(31).wrapping_add(i64::from(byte)));
    let held = app.database().hold_by(AssertSqlSafe(format!("SELECT pg_advisory_lock({key})"))).await;
    // One for each of the two lanes.
    let lane = |number: &usize| tidegate::secret::digest(&format!("c-{number}"))[0] % 2;
    let other = (1..32).find(|number| lane(number) != lane(&0)).expect("a hash is not constant");
    let refused = posts(&sender, [0, other]).await;
    held.let_go().await;
    for answer in refused {
        answer.problem(503, "database_unavailable");
        answer.retry_after();
    }
    for number in 0..32 {
        sender.post(json!({ "code": format!("c-{number}"), "number": number })).await.accepted("created");
    }
    for answer in posts(&sender, 32..64).await {
        answer.accepted("created");
    }
    assert_log_is_truth(&app.admin, app.database(), "load").await;
}

async fn posts(sender: &Sender, numbers: impl IntoIterator<Item = usize>) -> Vec<Answer> {
    let mut clients = JoinSet::new();
    for number in numbers {
        let sender = sender.clone();
        clients.spawn(async move { sender.post(json!({ "code": format!("c-{number}"), "number": number })).await });
    }
    clients.join_all().await
}

async fn a_column_renamed_behind_its_back_is_no_match_taken(app: App) {
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A", "quantity": 0 })).await.accepted("created");
    for (number, column) in (1..).zip(["quantity", "code"]) {
        let (old, new) = (json!({ "type": "stock", "code": "A", "quantity": number }), format!("{column}_gone"));
        let fresh = json!({ "type": "stock", "code": format!("new-{number}"), "quantity": number });
        rename(&app, column, &new).await;
        for event in [&old, &fresh] {
            let refused = sender.post(event).await;
            assert!(matches!(refused.status, 500 | 503), "{column}: {}", refused.text());
            let is_503 = refused.status == 503;
            refused.problem(refused.status, if is_503 { "database_unavailable" } else { "internal_error" });
        }
        rename(&app, &new, column).await;
        sender.post(&old).await.accepted("updated");
        sender.post(&fresh).await.accepted("created");
    }
    assert_log_is_truth(&app.admin, app.database(), "orders").await;
}

async fn rename(app: &App, from: &str, to: &str) {
    let sql = format!("ALTER TABLE m_orders RENAME COLUMN {from} TO {to}");
    app.database().rows(AssertSqlSafe(sql)).await;
}

/// Two events of one transaction: the first gives the record another serial number, the second asks for the old one.
async fn a_record_that_moves_away_leaves_its_match_to_the_next(app: App) {
    let [office, hall] = <[Sender; 2]>::try_from(app.senders(TWO_DOORS, json!({})).await).ok().unwrap();
    // On PostgreSQL these names take the same lane.
    let (code, old_serial, new_serial, first) = ("M2", "S1", "S9", "hold");
    for name in [code, old_serial, first] {
        assert_eq!(tidegate::secret::digest(name)[0] % 2, 0, "{name}");
    }
    let made = office.post(json!({ "id": "0", "code": code, "serial": old_serial })).await.accepted("created");

    let held = app.database().hold("m_machines").await;
    // What keeps the lane busy, so that the other two queue behind it.
    let busy = queued(&app, 1, &office, None, json!({ "id": "1", "code": first })).await;
    let moved = json!({ "id": "2", "code": code, "serial": new_serial });
    let moved = queued(&app, 2, &office, None, moved).await;
    let asked = json!({ "serial": old_serial, "hours": 7 });
    let asked = queued(&app, 3, &hall, Some("2"), asked).await;
    held.let_go().await;

    busy.await.unwrap().accepted("created");
    let moved = moved.await.unwrap().accepted("updated");
    assert_eq!(moved["recordId"], made["recordId"]);
    let asked = asked.await.unwrap().accepted("created");
    assert_ne!(asked["recordId"], made["recordId"]);
    let alone = metric(&app, "tidegate_batch_events_bucket{le=\"1\"}").await;
    assert!(alone < metric(&app, "tidegate_batch_events_count").await, "two of them were in one transaction");

    let fields = |record: Value| record["fields"].clone();
    assert_eq!(
        fields(app.record("machines", &moved).await),
        json!({ "code": code, "serial": new_serial, "place": null, "hours": null })
    );
    assert_eq!(
        fields(app.record("machines", &asked).await),
        json!({ "code": null, "serial": old_serial, "place": null, "hours": 7 })
    );
    assert_eq!(app.database().count("m_machines WHERE serial IS NOT NULL").await, 2);
    assert_log_is_truth(&app.admin, app.database(), "machines").await;
}

/// Posts, and waits until that many events are in the writer's queue.
async fn queued(
    app: &App,
    depth: u64,
    sender: &Sender,
    delivery: Option<&str>,
    event: Value,
) -> tokio::task::JoinHandle<Answer> {
    let mut request = sender.json(event.to_string());
    if let Some(id) = delivery {
        request = request.header("x-delivery", id);
    }
    let sender = sender.clone();
    let post = tokio::spawn(async move { sender.send(request).await });
    let is_queued = async { while metric(app, "tidegate_write_queue_depth").await < depth {} };
    tokio::time::timeout(Duration::from_secs(4), is_queued).await.expect("the event queues");
    post
}

pub async fn metric(app: &App, name: &str) -> u64 {
    let answer = Answer::to(app.request(http::Method::GET, "/metrics")).await.text();
    let line = answer.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {answer}")).parse().expect("a whole number")
}

async fn an_empty_event_id_is_none(app: App) {
    let sender = app.sender(ORDERS).await;
    let first = sender.post(json!({ "type": "stock", "id": "", "code": "A" })).await.accepted("created");
    let second = sender.post(json!({ "type": "stock", "id": "", "code": "B" })).await.accepted("created");
    assert_ne!(first["recordId"], second["recordId"]);
    sender.post(json!({ "type": "stock", "id": "", "code": "B", "note": "x" })).await.accepted("updated");
    assert_eq!(app.database().count("m_orders").await, 2);
    assert_eq!(app.database().count("dedupe").await, 0);
}

/// `slow`: six a minute, two at once.
async fn a_flood_of_wrong_bodies_uses_up_the_limit(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let slow = app.senders(include_str!("../data/modules/limited.toml"), json!({})).await.swap_remove(1);
    for _ in 0..2 {
        slow.send(slow.body("text/plain", "hello")).await.problem(415, "unsupported_media_type");
    }
    slow.send(slow.body("text/plain", "hello")).await.problem(429, "rate_limited");
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
}

async fn a_module_in_two_files_is_refused(app: App) {
    let other = ORDERS.replace("slug = \"shop\"", "slug = \"till\"");
    for (names, texts) in [
        (["one.toml", "two.toml"], [ORDERS, other.as_str()]),
        (["one.toml", "two.toml"], [ORDERS, ORDERS]),
        (["one.toml", "one.toml"], [ORDERS, ORDERS]),
        (["one.toml", "one.toml"], [ORDERS, other.as_str()]),
    ] {
        let files: Vec<_> = names.iter().zip(texts).map(|(name, text)| json!({ "name": name, "text": text })).collect();
        let problem = app.post("/api/v1/apply", json!({ "files": files })).await.problem(422, "invalid_document");
        assert_eq!(problem["errors"][0]["file"], names[1], "{problem}");
        for table in ["modules", "sources", "tokens", "mappings"] {
            assert_eq!(app.database().count(table).await, 0, "{table}");
        }
    }
    app.apply(ORDERS, json!({})).await.done();
}

async fn a_match_that_a_stored_source_cannot_follow_is_refused(app: App) {
    let shop = app.sender(ORDERS).await;
    let till = json!({ "slug": "till", "mapping": { "rule": [{ "from": "$.sku", "to": "code" }] } });
    let till = app.post("/api/v1/modules/orders/sources", till).await.done();
    let till = Sender::new(app.http.clone(), &app.url, "orders", text(&till["token"]));
    till.post(json!({ "sku": "A" })).await.accepted("created");

    let shown = app.see("/modules/orders").await;
    let refused = app.apply(&ORDERS.replace("match = [\"code\"]", "match = [\"note\"]"), json!({})).await;
    let problem = refused.problem(422, "invalid_document");
    assert!(problem["errors"].to_string().contains("till"), "it says which source: {problem}");
    assert_eq!(app.see("/modules/orders").await, shown);
    till.post(json!({ "sku": "A" })).await.accepted("unchanged");
    till.post(json!({ "sku": "B" })).await.accepted("created");
    shop.post(json!({ "type": "stock", "code": "A", "note": "x" })).await.accepted("updated");
    let app = app.restart().await;
    till.at(&app.url).post(json!({ "sku": "C" })).await.accepted("created");
}

/// Proxies pass the path on, and the token with it.
async fn a_token_in_a_header_is_not_kept(app: App) {
    let sender = app.sender(ORDERS).await;
    let request = |body: Value| {
        let request = sender.json(body.to_string()).header("x-original-uri", sender.path());
        let request = request.header("referer", format!("{}{}?x=1", sender.base, sender.path()));
        request.header("x-rewrite", format!("a, {}", sender.token)).header("x-plain", "kept")
    };
    let kept = sender.send(request(json!({ "type": "stock", "code": "A" }))).await.accepted("created");
    let event = app.event(&kept).await;
    assert_eq!(event["headers"]["x-plain"], "kept", "{event}");
    assert!(!event.to_string().contains(&sender.token) && !event.to_string().contains("tgt_"), "{event}");
    // Neither when the event is refused.
    sender.send(request(json!({ "type": "stock" }))).await.problem(422, "judgement_failed");
    let setup = app.stop().await;
    assert_eq!(setup.database().count("events").await, 2);
    assert!(!setup.database().dump().await.contains(&sender.token), "the token is in a table");
}

async fn rules_that_could_never_be_kept_are_refused(app: App) {
    let with = |to: &str, more: &str| ORDERS.replace(to, &format!("{to}\n{more}"));
    let (custom, note) = ("to = \"custom_data.look.color\"", "to = \"note\"");
    for (file, field) in [
        (with(custom, "required = true"), "rule[6].required"),
        (with(custom, r#"default = "a\u0000b""#), "rule[6].default"),
        (with(custom, r#"default = { deep = ["a\u0000b"] }"#), "rule[6].default"),
        (with(note, r#"default = "a\u0000b""#), "rule[2].default"),
    ] {
        let problem = app.apply(&file, json!({})).await.problem(422, "invalid_document");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.len() == 1 && text(&errors[0]["field"]).ends_with(field), "{field}: {problem}");
        assert_eq!(app.database().count("modules").await, 0);
    }
    app.apply(&with(note, "required = true\ndefault = \"ab\""), json!({})).await.done();
}
