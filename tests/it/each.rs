//! Several records of one event: all of them or none, and an answer that lists them.

use serde_json::{Value, json};

use crate::app::{App, Setup};
use crate::changes::assert_log_is_truth;
use crate::client::{Answer, Sender};

both!(
    every_node_becomes_a_record,
    all_records_or_none,
    a_record_met_twice_in_one_event_folds,
    nothing_to_do_is_ignored_and_can_be_sent_again,
    nodes_are_bounded,
    what_is_taken_is_bounded,
    a_duplicate_lists_the_records,
    records_of_an_event_are_deleted,
    several_large_events_at_once,
    what_looks_at_too_much_is_refused,
    nodes_that_hold_one_another_are_not_copied,
    a_large_record_is_not_changed_without_end,
    many_nodes_are_counted,
);

const LINES: &str = include_str!("../data/modules/lines.toml");

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["records"].as_array().unwrap().iter().map(|record| record["outcome"].as_str().unwrap()).collect()
}

fn line(line: i64, sku: &str) -> Value {
    json!({ "line": line, "sku": sku, "price": "1.50", "kind": "goods" })
}

async fn post(sender: &Sender, event: &Value) -> Answer {
    let path = format!("{}?buyer=Ann%20B&x=1&buyer=Other", sender.path());
    let request = sender.request(http::Method::POST, &path).header("content-type", "application/json");
    sender.send(request.body(event.to_string())).await
}

async fn every_node_becomes_a_record(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(LINES).await;
    let mut items = json!([line(1, " A "), line(2, "B"), line(3, "C"), line(99, "not this")]);
    items[1]["price"] = json!(0);
    items[2]["kind"] = json!("unknown");
    let event = json!({ "type": "order", "id": "e1", "order": "O-1", "items": items });
    let answer = post(&sender, &event).await.accepted("created");
    assert_eq!(outcomes(&answer), ["created", "created", "created"]);
    assert_eq!(answer["recordId"], answer["records"][0]["recordId"]);
    for (place, (sku, price, kind)) in
        [("A", "1.50", "goods"), ("B", "0", "gift"), ("C", "1.50", "other")].into_iter().enumerate()
    {
        let record = app
            .see(&format!("/modules/lines/records/{}", answer["records"][place]["recordId"].as_str().unwrap()))
            .await;
        let wanted = json!({ "order_id": "O-1", "line": place + 1, "sku": sku, "price": price, "buyer": "Ann B",
            "seen_at": "2026-03-04T12:00:00.000000Z", "kind": kind });
        assert_eq!(record["fields"], wanted);
    }
    let shown = app.event(&answer).await;
    assert_eq!(shown["recordIds"].as_array().unwrap().len(), 3, "{shown}");
    assert_eq!(shown["query"], "buyer=Ann%20B&buyer=Other", "what no rule looks at is not kept: {shown}");

    let mut items = json!([line(1, "A"), line(2, "B2"), line(4, "D")]);
    items[0]["price"] = json!(1.5);
    let event = json!({ "type": "order", "id": "e2", "order": "O-1", "items": items });
    let answer = post(&sender, &event).await.accepted("created");
    assert_eq!(outcomes(&answer), ["unchanged", "updated", "created"], "the one that weighs most names the event");
    assert_log_is_truth(&app.admin, app.database(), "lines").await;
}

async fn all_records_or_none(app: App) {
    let sender = app.sender(LINES).await;
    let mut items = json!([line(1, "A"), line(2, "B"), line(3, "C"), line(4, "D")]);
    items[1]["price"] = json!("cheap");
    items[2]["line"] = json!(null);
    items[3]["kind"] = json!("goodz");
    let mut event = json!({ "type": "order", "id": "e1", "order": "O-1", "items": items });
    let problem = post(&sender, &event).await.problem(422, "judgement_failed");
    let errors = problem["errors"].as_array().unwrap();
    let told = errors.iter().map(|error| (error["index"].as_u64(), error["to"].as_str(), error["code"].as_str()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (Some(1), Some("price"), Some("not_a_number")),
            (Some(2), Some("line"), Some("match_value")),
            (Some(3), Some("kind"), Some("not_listed")),
        ]
    );
    // What only the merge can see: a required field that would be left empty.
    event["items"] = json!([line(1, "A"), { "line": 2 }, line(3, "C")]);
    let problem = post(&sender, &event).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["index"], 1, "{problem}");
    assert_eq!((&problem["errors"][0]["to"], &problem["errors"][0]["code"]), (&json!("sku"), &json!("required")));
    for table in ["m_lines", "changes", "dedupe"] {
        assert_eq!(app.database().count(table).await, 0, "{table}: nothing of it was written");
    }
    event["items"] = json!([line(1, "A")]);
    post(&sender, &event).await.accepted("created");
}

async fn a_record_met_twice_in_one_event_folds(app: App) {
    let sender = app.sender(LINES).await;
    let event =
        json!({ "type": "order", "id": "e1", "order": "O-1", "items": [line(1, "A"), line(1, "B"), line(1, "B")] });
    let answer = post(&sender, &event).await.accepted("created");
    assert_eq!(outcomes(&answer), ["created", "updated", "unchanged"]);
    let record = app.record("lines", &answer).await;
    assert_eq!((&record["fields"]["sku"], &record["version"]), (&json!("B"), &json!(2)));
    assert_log_is_truth(&app.admin, app.database(), "lines").await;
}

async fn nothing_to_do_is_ignored_and_can_be_sent_again(app: App) {
    let sender = app.sender(LINES).await;
    for (event, cause) in [
        (json!({ "id": "e", "order": "O-1", "items": [] }), "each"),
        (json!({ "id": "e", "order": "O-1" }), "each"),
        (json!({ "id": "e", "order": "O-1", "items": [line(99, "X")] }), "each"),
        (json!({ "id": "e", "order": "O-1", "test": true, "items": [line(1, "A")] }), "when"),
        (json!({ "id": "e", "order": "O-1", "cancelled": true, "items": [line(1, "A")] }), "delete_when"),
    ] {
        let answer = post(&sender, &event).await.accepted("ignored");
        assert_eq!(app.event(&answer).await["cause"], cause);
        assert_eq!(app.database().count("dedupe").await, 0, "{cause}");
    }
    let event = json!({ "id": "e", "order": "O-1", "items": [line(1, "A")] });
    post(&sender, &event).await.accepted("created");
    let none = json!({ "id": "e", "order": "O-1", "items": [] });
    post(&sender, &none).await.accepted("duplicate");
}

async fn nodes_are_bounded(app: App) {
    let sender = app.sender(LINES).await;
    let event = |count: i64| {
        let items: Vec<_> = (100..100 + count).map(|number| line(number, "A")).collect();
        json!({ "type": "order", "order": "O-1", "items": items })
    };
    let problem = post(&sender, &event(1_001)).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "too_many_nodes", "{problem}");
    let answer = post(&sender, &event(1_000)).await.accepted("created");
    assert_eq!(outcomes(&answer).len(), 1_000);
    assert_eq!(app.database().count("m_lines").await, 1_000);
    assert_eq!(app.database().count("changes").await, 1_000);
}

/// A few kilobytes must not become gigabytes: what is taken from the document again for every node is counted.
async fn what_is_taken_is_bounded(app: App) {
    let file = LINES.replace("from = \"$.sku\"", "from = \"root:$.sku\"");
    let sender = app.sender(&file).await;
    let items: Vec<_> = (100..1_100).map(|number| line(number, "A")).collect();
    let event = json!({ "type": "order", "order": "O-1", "sku": "x".repeat(200_000), "items": items });
    let problem = post(&sender, &event).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "too_large", "{problem}");
    assert_eq!(app.database().count("m_lines").await, 0);
}

async fn a_duplicate_lists_the_records(app: App) {
    let sender = app.sender(LINES).await;
    let event = json!({ "type": "order", "id": "e1", "order": "O-1", "items": [line(1, "A"), line(2, "B")] });
    let first = post(&sender, &event).await.accepted("created");
    let again = post(&sender, &event).await.accepted("duplicate");
    assert_eq!(again["duplicateOf"], first["eventId"]);
    assert_eq!(outcomes(&again), ["duplicate", "duplicate"]);
    let ids = |answer: &Value| {
        answer["records"].as_array().unwrap().iter().map(|record| record["recordId"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&again), ids(&first));
}

async fn records_of_an_event_are_deleted(app: App) {
    let sender = app.sender(LINES).await;
    let event =
        json!({ "type": "order", "id": "e1", "order": "O-1", "items": [line(1, "A"), line(2, "B"), line(3, "C")] });
    post(&sender, &event).await.accepted("created");
    let mixed = json!({ "id": "e2", "order": "O-1", "items": [{ "line": 1, "gone": true }, line(2, "B2"), { "line": 7, "gone": true }] });
    let answer = post(&sender, &mixed).await.accepted("deleted");
    assert_eq!(outcomes(&answer), ["deleted", "updated", "ignored"]);
    assert_eq!(answer["records"][2]["recordId"], Value::Null);
    let all = json!({ "id": "e3", "order": "O-1", "cancelled": true, "items": [{ "line": 2 }, { "line": 3 }] });
    assert_eq!(outcomes(&post(&sender, &all).await.accepted("deleted")), ["deleted", "deleted"]);
    assert_eq!(app.database().count("m_lines").await, 0);
    assert_log_is_truth(&app.admin, app.database(), "lines").await;
}

/// They queue together and are too many records for one transaction.
async fn several_large_events_at_once(app: App) {
    let sender = app.sender(LINES).await;
    let mut clients = tokio::task::JoinSet::new();
    for order in 0..6 {
        let sender = sender.clone();
        let items: Vec<_> = (100..1_000).map(|number| line(number, "A")).collect();
        let event = json!({ "type": "order", "order": format!("O-{order}"), "items": items });
        clients.spawn(async move { post(&sender, &event).await.accepted("created") });
    }
    while let Some(answer) = clients.join_next().await {
        assert_eq!(outcomes(&answer.unwrap()).len(), 900);
    }
    assert_eq!(app.database().count("m_lines").await, 5_400);
}

/// A file with these keys of the source and one rule for `value`; records are found by `$.id`.
fn module(kind: &str, source: &str, rule: &str) -> String {
    format!(
        "[module]\nslug = \"wide\"\nmatch = [\"id\"]\n[module.fields]\nid = \"text\"\nvalue = \"{kind}\"\n\
         [[source]]\nslug = \"s\"\nrate_limit = {{ per_minute = 1000000 }}\n{source}\n\
         [[source.rule]]\nfrom = \"$.id\"\nto = \"id\"\n[[source.rule]]\nto = \"value\"\n{rule}\n"
    )
}

/// Small payloads that ask for seconds or minutes of work.
async fn what_looks_at_too_much_is_refused(app: App) {
    let nodes = |count: usize| (0..count).map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let each = "each = \"$.items[*]\"";
    let numbers = json!({ "items": nodes(1_000), "nums": vec![1; 50_000] });
    let text = json!({ "items": nodes(900), "a": "ab".repeat(25_000) });
    let objects = json!({ "id": 1, "a": nodes(5_000), "b": nodes(5_000), "items": nodes(5_000) });
    for (source, rule, event) in [
        (each, "from = \"root:$.nums[?@ == 17]\"\ntake = \"count\"", &numbers),
        (each, "from = \"root:$..nope\"\ntake = \"count\"", &numbers),
        (each, "from = \"$.id\"\nwhen = \"search($.a, 'a[ab]{50}c')\"", &text),
        (
            each,
            "from = \"root:$.a\"\ntransform = [\"lowercase\", \"uppercase\", \"trim\", { split = \"x\", part = 5 }]\non_null = \"keep\"",
            &text,
        ),
        ("", "from = \"$.items[?$.a == $.b]\"\ntake = \"count\"", &objects),
    ] {
        let sender = app
            .sender(
                &module("text", source, rule)
                    .replace("wide", &format!("wide-{}", app.database().count("modules").await)),
            )
            .await;
        let problem = sender.post(event).await.problem(422, "judgement_failed");
        assert_eq!(problem["errors"][0]["code"], "too_costly", "{rule}: {problem}");
        let little = json!({ "id": 7, "items": [{ "id": 1 }], "nums": [17], "a": "abc", "b": "abd" });
        sender.post(little).await.accepted("created");
    }
}

async fn nodes_that_hold_one_another_are_not_copied(app: App) {
    let sender = app.sender(&module("json", "", "from = \"$..a\"\ntake = \"json\"")).await;
    let nested = (0..97).fold(format!("[{}0]", "0,".repeat(100_000)), |inner, _| format!("{{\"a\":{inner}}}"));
    let problem = sender.post(format!("{{\"id\":1,\"n\":{nested}}}")).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "too_large", "{problem}");
    sender.post(r#"{"id":1,"n":{"a":{"a":2}}}"#).await.accepted("created");
}

async fn a_large_record_is_not_changed_without_end(app: App) {
    let file = module("integer", "each = \"$[*]\"", "from = \"$.n\"");
    let file = format!("{file}[[source.rule]]\nfrom = \"$.text\"\nto = \"custom_data.text\"\n");
    let sender = app.sender(&file).await;
    sender.post(json!([{ "id": "x", "n": 0, "text": "t".repeat(900_000) }])).await.accepted("created");
    let often: Vec<_> = (1..=1_000).map(|n| json!({ "id": "x", "n": n })).collect();
    let problem = sender.post(json!(often)).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "too_large", "{problem}");
    assert_eq!(app.database().count("changes").await, 1, "nothing of it was written");
    sender.post(json!(often[..5])).await.accepted("updated");
    assert_eq!(app.database().count("changes").await, 6);
}

async fn many_nodes_are_counted(app: App) {
    let sender = app.sender(&module("integer", "", "from = \"$.items[*]\"\ntake = \"count\"")).await;
    let answer = sender.post(json!({ "id": 1, "items": vec![0; 2_048] })).await.accepted("created");
    assert_eq!(app.record("wide", &answer).await["fields"]["value"], 2_048);
}
