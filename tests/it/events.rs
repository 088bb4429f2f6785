//! Events that modules name: which changes they are, in the feed, and what stops a file that names them wrongly. The
//! three systems of the seeds are played whole: `tests/data/events/SYSTEM.json` holds what is sent, the types of the
//! change that comes of it, and by event the data that is told of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path as File;

use http::Method;
use serde_json::{Map, Value, json};
use tidegate::condition::path::{Found, Path};
use tidegate::config::Bounds;
use tidegate::record::change::{Change, Fields};
use tidegate::record::shape::Shape;
use tidegate::source::document::Document;

use crate::app::{App, Setup, text};
use crate::client::Sender;

both!(
    the_events_of_the_seeds_fire_each_on_its_change,
    an_event_is_told_by_what_moved,
    events_change_with_their_file,
    the_feed_picks_named_events_out,
    a_file_with_bad_events_is_refused,
);

const TICKETS: &str = include_str!("../data/modules/tickets.toml");

/// What each system promises its customers (the seeds' own lists).
pub const SYSTEMS: [(&str, &[&str]); 3] = [
    (
        "collectiq",
        &[
            "buyer_request.created",
            "buyer_request.matched",
            "buyer_request.archived",
            "match.completed",
            "offer.created",
            "offer.accepted",
            "offer.rejected",
            "offer.countered",
            "trade.initiated",
            "trade.paid",
            "trade.shipped",
            "trade.completed",
            "trade.cancelled",
            "hold.created",
            "hold.expired",
            "hold.deposit_paid",
            "inventory.created",
            "inventory.updated",
            "inventory.deleted",
            "live_session.started",
            "live_session.ended",
            "reserve.placed",
        ],
    ),
    (
        "auction-excellence",
        &[
            "submission.created",
            "submission.updated",
            "inspection.created",
            "inspection.defect_added",
            "problem.created",
            "problem.status_changed",
            "problem.assigned",
            "problem.action_completed",
            "message.created",
            "message.edited",
            "message.deleted",
            "channel.created",
            "channel.archived",
            "member.invited",
            "member.joined",
            "member.role_changed",
            "member.removed",
        ],
    ),
    (
        "cliq",
        &[
            "issue.created",
            "issue.updated",
            "issue.deleted",
            "issue.status_changed",
            "issue.assigned",
            "comment.created",
            "comment.updated",
            "comment.deleted",
            "project.created",
            "project.updated",
            "project.deleted",
            "member.joined",
            "member.left",
            "member.role_changed",
        ],
    ),
];

fn read(path: &str) -> String {
    fs::read_to_string(File::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// A system's module file; who sends is not what is tested here, so nothing is signed.
pub fn module_file(system: &str) -> String {
    let file = read(&format!("mappings/{system}.toml"));
    file.lines().filter(|line| !line.starts_with("signature = ")).map(|line| format!("{line}\n")).collect()
}

/// What is sent of a system, and what comes of it.
pub fn steps(system: &str) -> Vec<Value> {
    serde_json::from_str(&read(&format!("tests/data/events/{system}.json"))).unwrap()
}

fn shape(file: &str) -> Shape {
    let checked = Document::read("test.toml", file).check(&Bounds::default());
    checked.unwrap_or_else(|errors| panic!("{errors:#?}")).shape
}

async fn the_events_of_the_seeds_fire_each_on_its_change(app: App) {
    for (system, promised) in SYSTEMS {
        let file = module_file(system);
        let shape = shape(&file);
        let named: Vec<_> = shape.events.iter().map(|event| event.name.as_str()).collect();
        assert_eq!(named, promised, "{system}");
        let steps = steps(system);
        let sender = app.sender(&file).await;
        for step in &steps {
            sender.post(&step["payload"]).await.done();
        }
        let changes = log(&app, &format!("module={system}")).await;
        assert_eq!(changes.len(), steps.len(), "{system}: each step is one change");
        let mut fired = BTreeSet::new();
        for (change, step) in changes.iter().zip(&steps) {
            assert_eq!(change["types"], step["types"], "{system}: {step}");
            assert_eq!(data(change, &shape), step["data"], "{system}: {}", step["payload"]);
            fired.extend(change["types"].as_array().unwrap().iter().map(|name| text(name).to_owned()));
        }
        let silent: Vec<_> = promised.iter().filter(|name| !fired.contains(**name)).collect();
        assert!(silent.is_empty(), "{system}: no step is {silent:?}");
    }
}

/// What is told of each named event of a change, by name.
fn data(change: &Value, shape: &Shape) -> Value {
    let document = parsed(change, shape).document(shape);
    let events = shape.events.iter().filter(|event| event.is(&document));
    events.map(|event| (event.name.clone(), told(event.data.as_ref().unwrap(), &document))).collect()
}

/// A change of the API as the log holds it.
fn parsed(change: &Value, shape: &Shape) -> Change {
    let row = |row: &Value| -> Option<Fields> {
        let mut fields = row["fields"].as_object()?.clone();
        fields.insert("custom_data".to_owned(), row["customData"].clone());
        Some(fields)
    };
    Change {
        seq: 1,
        id: text(&change["id"]).to_owned(),
        at: text(&change["at"]).parse().unwrap(),
        module: Some(shape.module),
        record: text(&change["recordId"]).to_owned(),
        op: text(&change["op"]).to_owned(),
        version: change["version"].as_i64().unwrap(),
        shape: 1,
        before: row(&change["before"]),
        after: row(&change["after"]),
        moved: change["changes"].as_object().unwrap().clone(),
        event: None,
        actor: text(&change["actor"]).to_owned(),
        hops: 0,
    }
}

/// The tree of an event's data, with what its paths find.
fn told(tree: &Value, document: &Value) -> Value {
    if let Some(pairs) = tree.as_array() {
        let members = pairs.iter().map(|pair| (text(&pair[0]).to_owned(), told(&pair[1], document)));
        return Value::Object(members.collect::<Map<_, _>>());
    }
    if let Some(fixed) = text(tree).strip_prefix("const:") {
        return fixed.into();
    }
    let path = Path::compile(&text(tree).replacen('@', "$", 1)).unwrap();
    match path.find(document).unwrap() {
        Found::One(value) => value.clone(),
        _ => Value::Null,
    }
}

/// All changes that the feed shows.
async fn log(app: &App, query: &str) -> Vec<Value> {
    let page = app.see(&format!("/changes?{query}")).await;
    assert_eq!(page["hasMore"], json!(false), "one page is enough for a test");
    page["data"].as_array().unwrap().clone()
}

/// Each payload, and the types of the change that it makes.
const TICKET: [(&str, &[&str]); 9] = [
    (r#"{"code": "a", "state": "open", "amount": "9.5"}"#, &["record_created"]),
    (r#"{"code": "a", "state": "closed", "amount": 10.00}"#, &["record_updated", "status_change", "ticket.dearer"]),
    (r#"{"code": "a", "amount": 9.99}"#, &["record_updated"]),
    (r#"{"code": "a", "state": "held"}"#, &["record_updated", "status_change"]),
    (r#"{"code": "a", "state": "closed"}"#, &["record_updated", "status_change"]),
    (
        r#"{"code": "a", "state": "open", "amount": 100, "note": {"level": "urgent"}}"#,
        &[
            "record_updated",
            "status_change",
            "custom_data_updated",
            "ticket.reopened",
            "ticket.dearer",
            "ticket.urgent",
        ],
    ),
    (r#"{"code": "a", "note": {"level": "usual"}}"#, &["custom_data_updated"]),
    (r#"{"code": "a", "note": {"level": "urgent"}}"#, &["custom_data_updated", "ticket.urgent"]),
    (r#"{"code": "a", "gone": true}"#, &["record_deleted", "ticket.lost"]),
];

async fn fill(sender: &Sender) {
    for (payload, _) in TICKET {
        sender.post(payload).await.done();
    }
}

async fn an_event_is_told_by_what_moved(app: App) {
    fill(&app.sender(TICKETS).await).await;
    let log = log(&app, "").await;
    assert_eq!(log.len(), TICKET.len());
    for (change, (payload, types)) in log.iter().zip(TICKET) {
        assert_eq!(change["types"], json!(types), "{payload}");
    }
    let shape = shape(TICKETS);
    let document = parsed(&log[1], &shape).document(&shape);
    let dearer = shape.events.iter().find(|event| event.name == "ticket.dearer").unwrap();
    let data = told(dearer.data.as_ref().unwrap(), &document).to_string();
    assert_eq!(data, r#"{"amounts":{"new":10.00,"old":9.5},"code":"a","kind":"ticket"}"#, "digits are kept");
}

/// Without its events.
fn plain() -> String {
    let (head, tail) = TICKETS.split_once("[[module.event]]").unwrap();
    format!("{head}[[source]]{}", tail.split_once("[[source]]").unwrap().1)
}

async fn events_change_with_their_file(app: App) {
    let sender = app.sender(&plain()).await;
    let action = async |file: &str| app.apply(file, json!({})).await.done()["modules"][0]["action"].clone();
    fill(&sender).await;
    assert_eq!(action(TICKETS).await, "updated");
    assert_eq!(action(TICKETS).await, "unchanged");
    let module = app.see("/modules/tickets").await;
    assert_eq!(module["shape"], json!(1), "events are no shape of the records");
    let shown: Vec<_> = module["events"].as_array().unwrap().iter().map(|event| text(&event["name"])).collect();
    assert_eq!(shown, ["ticket.reopened", "ticket.dearer", "ticket.urgent", "ticket.lost"]);
    let data = json!({
        "code": "@.after.code", "kind": "const:ticket", "amounts": {"old": "@.before.amount", "new": "@.after.amount"},
    });
    assert_eq!(module["events"][1]["data"], data);
    assert_eq!(module["events"][0]["data"], Value::Null);
    assert_eq!(log(&app, "type=ticket.lost").await.len(), 1, "what was logged before is told by what is named now");
    sender.post(json!({"code": "b", "state": "open"})).await.accepted("created");
    let other = TICKETS.replace("'closed' && @.changes.state.to", "'held' && @.changes.state.to");
    assert_eq!(action(&other).await, "updated");
    assert_eq!(log(&app, "type=ticket.reopened").await.len(), 0);
    assert_eq!(action(&plain()).await, "updated");
    assert_eq!(app.see("/modules/tickets").await["events"], json!([]));
    app.get("/api/v1/changes?type=ticket.lost").await.problem(400, "invalid_request");
    let again = TICKETS.replace("amount = \"decimal\"", "amount = \"decimal\"\nnote = \"text\"");
    assert_eq!(action(&again).await, "updated");
    assert_eq!(app.see("/modules/tickets").await["shape"], json!(2));
    let app = app.restart().await;
    assert_eq!(log(&app, "type=ticket.lost").await.len(), 1);
}

async fn the_feed_picks_named_events_out(app: App) {
    fill(&app.sender(TICKETS).await).await;
    app.sender(include_str!("../data/modules/stock.toml")).await;
    assert_eq!(log(&app, "type=ticket.dearer").await.len(), 2);
    assert_eq!(log(&app, "module=tickets&type=ticket.urgent").await.len(), 2);
    assert_eq!(log(&app, "module=stock&type=record_created").await.len(), 0);
    for (query, detail) in [
        ("type=ticket.dearest", "did you mean `ticket.dearer`?"),
        ("type=paid", "ticket.reopened, ticket.dearer, ticket.urgent, ticket.lost"),
        ("module=stock&type=ticket.lost", "endpoint.disabled, module.altered, module.deleted"),
    ] {
        let problem = app.get(&format!("/api/v1/changes?{query}")).await.problem(400, "invalid_request");
        assert!(text(&problem["detail"]).ends_with(detail), "{query}: {problem}");
    }
    let request = app.request(Method::GET, "/api/v1/changes/stream?type=ticket.lost").bearer_auth(&app.key);
    let mut stream = request.send().await.unwrap();
    let mut said = String::new();
    while !said.contains("\n\n") || !said.contains("event: change") {
        let chunk = stream.chunk().await.unwrap().expect("the stream goes on");
        said.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    assert!(said.contains(r#""types":["record_deleted","ticket.lost"]"#), "{said}");
}

async fn a_file_with_bad_events_is_refused(setup: Setup) {
    let app = setup.start().await;
    for (right, wrong, field, detail) in [
        ("changes.state.from == 'closed'", "changes.state.from = 'closed'", "module.event[1].when", "`==`"),
        ("@.op == 'delete'", "@.op == 'deleted'", "module.event[4].when", "did you mean 'delete'?"),
        ("ticket.urgent", "ticket.dearer", "module.event[3].name", "already"),
        ("@.before.amount\"", "@.before.price\"", "module.event[2].data.amounts.old", "not a field"),
        ("[[module.event]]\nname = \"ticket.reopened\"", "[[module.event]]", "module.event[1].name", "no `name`"),
    ] {
        let file = TICKETS.replacen(right, wrong, 1);
        assert_ne!(file, TICKETS, "{right}");
        let problem = app.apply(&file, json!({})).await.problem(422, "invalid_document");
        let error = &problem["errors"][0];
        assert_eq!((&problem["errors"].as_array().unwrap().len(), text(&error["field"])), (&1, field), "{problem}");
        assert!(text(&error["detail"]).contains(detail) && error["line"].is_u64(), "{problem}");
    }
    app.get("/api/v1/modules/tickets").await.problem(404, "not_found");
}
