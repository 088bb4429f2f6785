//! What becomes of events that are accepted, as scenarios: a sequence of posts, each with its outcome and the record
//! that stands after it.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::app::{App, text};
use crate::changes::{assert_log_is_truth, changes};
use crate::client::{Answer, Sender};

both!(
    scenarios_go_as_written,
    a_duplicate_repeats_the_first_answer,
    what_was_ignored_or_refused_can_be_sent_again,
    a_duplicate_is_one_before_the_rules_are_asked,
    sources_of_one_module_meet_in_its_records,
    a_match_value_that_another_record_holds_is_refused,
    match_values_are_handed_over_and_swapped,
    forms_are_read_like_json,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");

fn module(name: &str) -> &'static str {
    match name {
        "orders" => ORDERS,
        "rules" => include_str!("../data/modules/rules.toml"),
        other => panic!("no module {other}"),
    }
}

async fn scenarios_go_as_written(app: App) {
    let scenarios: Vec<Value> = serde_json::from_str(include_str!("../data/outcomes.json")).unwrap();
    for (number, scenario) in scenarios.iter().enumerate() {
        // A module of its own for each, so that they do not meet.
        let (name, slug) = (text(&scenario["module"]), format!("scenario-{number}"));
        let file = module(name).replace(&format!("slug = \"{name}\""), &format!("slug = \"{slug}\""));
        let sender = app.sender(&file).await;
        let before = changes(app.database()).await.len();
        play(&app, &sender, scenario).await;
        let made = changes(app.database()).await.len() - before;
        assert_eq!(scenario["changes"].as_u64(), Some(made as u64), "{}: changes", scenario["scenario"]);
    }
}

async fn play(app: &App, sender: &Sender, scenario: &Value) {
    let mut firsts = BTreeMap::new();
    for step in scenario["steps"].as_array().unwrap() {
        let why = format!("{}: {}", scenario["scenario"], step["why"]);
        let headers: HeaderMap = step["headers"].as_object().into_iter().flatten().map(header).collect();
        let answer = sender.send(sender.json(step["post"].to_string()).headers(headers)).await;
        assert_eq!(answer.json()["outcome"], step["outcome"], "{why}: {}", answer.text());
        let answer = answer.accepted(text(&step["outcome"]));
        let duplicate_of = step["of"].as_str().map(|id| &firsts[id]);
        assert_eq!(answer.get("duplicateOf"), duplicate_of, "{why}: {answer}");
        if let Some(id) = step["post"]["id"].as_str() {
            firsts.entry(id.to_owned()).or_insert_with(|| answer["eventId"].clone());
        }
        if let Some(version) = step.get("version") {
            let record = app.record(&sender.module, &answer).await;
            assert_eq!(&record["version"], version, "{why}: {record}");
            assert_shows(&record, step, &why);
        }
        let event = app.event(&answer).await;
        assert_eq!(event["verdict"], step["outcome"], "{why}: {event}");
    }
}

fn header((name, value): (&String, &Value)) -> (http::HeaderName, http::HeaderValue) {
    (name.parse().unwrap(), text(value).parse().unwrap())
}

/// The record has the fields that the step names, and just the `customData`.
fn assert_shows(record: &Value, step: &Value, why: &str) {
    for (name, value) in step["fields"].as_object().into_iter().flatten() {
        assert_eq!(&record["fields"][name], value, "{why}: {name}");
    }
    if let Some(custom) = step.get("customData") {
        assert_eq!(&record["customData"], custom, "{why}");
    }
}

/// Also after a restart: what makes a duplicate is kept where the records are.
async fn a_duplicate_repeats_the_first_answer(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "once", "code": "A", "quantity": 1 });
    let first = sender.post(&event).await.accepted("created");
    let second = sender.post(&event).await.accepted("duplicate");
    let app = app.restart().await;
    let third = sender.at(&app.url).post(&event).await.accepted("duplicate");
    for again in [&second, &third] {
        assert_eq!(again["recordId"], first["recordId"]);
        assert_eq!(again["duplicateOf"], first["eventId"]);
        assert_ne!(again["eventId"], first["eventId"]);
        let shown = app.event(again).await;
        assert_eq!((&shown["verdict"], &shown["duplicateOf"]), (&json!("duplicate"), &first["eventId"]), "{shown}");
        assert_eq!(shown["recordIds"], json!([first["recordId"]]), "{shown}");
    }
    assert_eq!(app.database().count("events").await, 3);
    assert_eq!(app.database().count("changes").await, 1);
    assert_eq!(app.database().count("dedupe").await, 1);
}

/// Only what was applied takes its event id: a resend after a fix works.
async fn what_was_ignored_or_refused_can_be_sent_again(app: App) {
    let sender = app.sender(ORDERS).await;
    let ignored = json!({ "type": "invoice", "id": "i", "code": "I" });
    let refused = json!({ "type": "stock", "id": "r", "code": "R", "quantity": "3 pieces" });
    sender.post(&ignored).await.accepted("ignored");
    sender.post(&refused).await.problem(422, "judgement_failed");
    assert_eq!(app.database().count("dedupe").await, 0);

    let fixed = ORDERS.replace("\"stock\"]", "\"stock\", \"invoice\"]");
    app.apply(&fixed, json!({})).await.done();
    sender.post(&ignored).await.accepted("created");
    let corrected = json!({ "type": "stock", "id": "r", "code": "R", "quantity": "3" });
    sender.post(&corrected).await.accepted("created");
}

/// Dedupe stands before each, match and rules (DESIGN 4, order of judgement): a resend of what was applied is a
/// duplicate, though the mapping would refuse it by now.
async fn a_duplicate_is_one_before_the_rules_are_asked(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "1", "code": "A", "note": "as text" });
    let first = sender.post(&event).await.accepted("created");
    app.apply(&ORDERS.replace("to = \"note\"", "to = \"note\"\ntransform = [{ scale = 2 }]"), json!({})).await.done();
    let again = sender.post(&event).await.accepted("duplicate");
    assert_eq!(again["duplicateOf"], first["eventId"]);
}

async fn sources_of_one_module_meet_in_its_records(app: App) {
    let senders = app.senders(TWO_DOORS, json!({})).await;
    let [office, hall] = senders.as_slice() else { panic!("two sources") };
    let made = office
        .post(json!({ "id": "1", "at": "2026-05-01T00:00:00Z", "code": "M1", "serial": "S1", "place": "north" }))
        .await
        .accepted("created");
    let told = deliver(hall, "1", json!({ "at": "2020-01-01T00:00:00Z", "serial": "S1", "hours": 7 })).await;
    let told = told.accepted("updated");
    assert_eq!(told["recordId"], made["recordId"], "found by its serial number");
    assert_eq!(
        app.record("machines", &told).await["fields"],
        json!({ "code": "M1", "serial": "S1", "place": "north", "hours": 7 }),
        "one source's time says nothing of another's"
    );
    let older = deliver(hall, "2", json!({ "at": "2019-01-01T00:00:00Z", "serial": "S1", "hours": 6 })).await;
    older.accepted("stale");
    let twin = office.post(json!({ "id": "1x", "at": "2026-05-01T00:00:00Z", "code": "M1", "place": "south" })).await;
    twin.accepted("updated");
    // An id is a source's own: the office's "1" has not taken the hall's.
    deliver(hall, "1", json!({ "serial": "S1", "hours": 8 })).await.accepted("duplicate");
    assert_log_is_truth(&app.admin, app.database(), "machines").await;
}

async fn deliver(sender: &Sender, id: &str, body: Value) -> Answer {
    sender.send(sender.json(body.to_string()).header("x-delivery", id)).await
}

async fn a_match_value_that_another_record_holds_is_refused(app: App) {
    let senders = app.senders(TWO_DOORS, json!({})).await;
    let [office, hall] = senders.as_slice() else { panic!("two sources") };
    office.post(json!({ "code": "M1", "serial": "S1" })).await.accepted("created");
    office.post(json!({ "code": "M2", "serial": "S2" })).await.accepted("created");
    hall.post(json!({ "serial": "S3", "hours": 1 })).await.accepted("created");
    for (code, serial) in [("M1", "S2"), ("M2", "S3"), ("M4", "S1")] {
        let taken = office.post(json!({ "id": "t", "code": code, "serial": serial, "place": "x" })).await;
        taken.problem(422, "match_taken");
    }
    assert_eq!(app.database().count("m_machines").await, 3);
    assert_eq!(app.database().count("m_machines WHERE place IS NOT NULL").await, 0, "nothing of them was written");
    assert_eq!(app.database().count("dedupe").await, 0);
    // What was refused takes no id.
    office.post(json!({ "id": "t", "code": "M1", "serial": "S9" })).await.accepted("updated");
    office.post(json!({ "code": "M4", "serial": "S1" })).await.accepted("created");
    assert_log_is_truth(&app.admin, app.database(), "machines").await;
}

/// What counts is how the records stand in the end, not in which order a database looks at them.
async fn match_values_are_handed_over_and_swapped(app: App) {
    let file = TWO_DOORS.replace("slug = \"office\"", "slug = \"office\"\neach = \"$[*]\"");
    let senders = app.senders(&file, json!({})).await;
    let office = &senders[0];
    let machine = |code: &str, serial: Option<&str>| json!({ "code": code, "serial": serial });
    office.post(json!([machine("A", Some("S1")), machine("B", None)])).await.accepted("created");
    for event in [
        json!([machine("B", Some("S1")), machine("A", None)]),
        json!([machine("B", None), machine("A", Some("S1"))]),
        json!([machine("A", Some("S2")), machine("B", Some("S1"))]),
        json!([machine("A", Some("S1")), machine("B", Some("S2"))]),
        json!([machine("A", None), machine("C", Some("S1"))]),
    ] {
        office.post(&event).await.json();
        let stands = app.list("/modules/machines/records", 100).await;
        for wanted in event.as_array().unwrap() {
            let found = stands.iter().find(|record| record["fields"]["code"] == wanted["code"]).unwrap();
            assert_eq!(found["fields"]["serial"], wanted["serial"], "{event}");
        }
    }
    let taken =
        office.post(json!([machine("D", Some("S2")), machine("E", Some("S3"))])).await.problem(422, "match_taken");
    assert!(taken["errors"].as_array().unwrap().iter().any(|error| error["to"] == "serial"), "{taken}");
    assert_log_is_truth(&app.admin, app.database(), "machines").await;
}

async fn forms_are_read_like_json(app: App) {
    let sender = app.sender(ORDERS).await;
    let wrapped = "payload=%7B%22type%22%3A%22stock%22%2C%22code%22%3A%22B%22%2C%22price%22%3A1.50%7D";
    for (body, outcome, price) in [
        ("type=stock&id=f1&code=A+1&price=12.50&state=open", "created", json!("12.50")),
        ("type=stock&id=f1&code=A+1&price=13", "duplicate", json!("12.50")),
        (wrapped, "created", json!("1.50")),
    ] {
        let form = sender.body("application/x-www-form-urlencoded; charset=UTF-8", body);
        let answer = sender.send(form).await.accepted(outcome);
        let record = app.record("orders", &answer).await;
        assert_eq!(record["fields"]["price"], price, "{record}");
    }
}
