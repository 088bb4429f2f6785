//! Previews: what they show is what then happens, and nothing of it is written.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::agree::event::Event;
use crate::agree::module::Module;
use crate::agree::rng::Rng;
use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use crate::mappings::signer::Letter;
use crate::mappings::{modules, signed, told};

both!(
    what_is_previewed_of_a_vendor_happens,
    what_is_previewed_of_random_events_happens,
    a_preview_writes_nothing,
    each_rule_tells_what_it_did,
    a_draft_is_tried_before_it_is_saved,
    an_event_of_the_log_is_previewed,
    what_cannot_be_previewed_is_told,
    a_preview_is_bounded,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");
/// Long enough for any rate limit to let another event in.
const A_WHILE: std::time::Duration = std::time::Duration::from_secs(5);

async fn preview(app: &App, of: (&str, &str), asked: Value) -> Answer {
    app.post(&format!("/api/v1/modules/{}/sources/{}/mapping/preview", of.0, of.1), asked).await
}

fn headers(letter: &Letter) -> Map<String, Value> {
    letter.headers.iter().map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap()))).collect()
}

/// A record as it is shown, without what nobody can know before it is there.
fn known(record: &Value) -> Value {
    let mut record = record.clone();
    for name in ["id", "eventId"] {
        record.as_object_mut().unwrap().remove(name);
    }
    record
}

/// What was previewed is what the answer to the event says, and what stands afterwards.
async fn assert_happened(app: &App, module: &str, foreseen: &Value, told: &Value, why: &str) {
    if foreseen["event"]["duplicateOf"].is_string() {
        assert_eq!(told["outcome"], "duplicate", "{why}: {foreseen}");
        return;
    }
    assert_eq!(told["outcome"], foreseen["verdict"], "{why}: {foreseen} {told}");
    let alone = [json!({ "recordId": told["recordId"], "outcome": told["outcome"] })];
    let records = told["records"].as_array().map_or(&alone[..], Vec::as_slice);
    let previewed = foreseen["records"].as_array().unwrap();
    if previewed.is_empty() {
        assert_eq!(told["recordId"], Value::Null, "{why}");
        return;
    }
    assert_eq!(previewed.len(), records.len(), "{why}: {foreseen} {told}");
    for (previewed, record) in previewed.iter().zip(records) {
        assert_eq!(previewed["outcome"], record["outcome"], "{why}: {foreseen} {told}");
        let id = previewed["recordId"].as_str().or(record["recordId"].as_str());
        assert!(previewed["recordId"].is_null() || previewed["recordId"] == record["recordId"], "{why}: {previewed}");
        let Some(id) = id else { continue };
        let stands = app.get(&format!("/api/v1/modules/{module}/records/{id}")).await;
        match &previewed["resulting"] {
            Value::Null => drop(stands.problem(404, "not_found")),
            resulting => assert_eq!(known(&stands.done()), known(resulting), "{why}"),
        }
    }
}

/// Every step of every file in mappings/.
async fn what_is_previewed_of_a_vendor_happens(setup: Setup) {
    for module in modules() {
        let app = Setup::new(setup.database().engine()).await.with_stopped_clock().start().await;
        let (signer, secrets) = module.signer();
        let applied = app.apply(&module.text, secrets).await.done();
        let source = &applied["sources"][0];
        let sender = Sender::new(app.http.clone(), &app.url, &module.name, text(&source["token"]));
        for step in module.steps() {
            app.setup.clock.advance(A_WHILE);
            let letter = signed(&app, &sender, signer.as_ref(), step.letter());
            let body = String::from_utf8(letter.body.clone()).unwrap();
            let asked = json!({ "body": body, "headers": headers(&letter) });
            let foreseen = preview(&app, (&module.name, text(&source["slug"])), asked).await.done();
            let answer = sender.send(sender.body(step.content_type(), letter.body).headers(letter.headers)).await;
            let told = told(&app, &sender, &answer).await;
            let why = format!("{}, {}", module.name, step.name);
            assert_happened(&app, &module.name, &foreseen, &told, &why).await;
        }
    }
}

/// Random modules with several sources, and random events: refusals, taken values, duplicates and all.
async fn what_is_previewed_of_random_events_happens(setup: Setup) {
    const CASES: u64 = 12;
    const EVENTS: usize = 20;
    let app = setup.with_stopped_clock().start().await;
    let texts = crate::naughty::texts();
    let mut verdicts = BTreeMap::new();
    for seed in 0..CASES {
        let mut rng = Rng::new(7_000 + seed);
        let (module, applied) = loop {
            let module = Module::random(&mut rng, &format!("case-{seed}"));
            let answer = app.apply(&module.file, json!({})).await;
            if answer.status == 200 {
                break (module, answer.done());
            }
        };
        let mut sent: Vec<Vec<Event>> = module.sources.iter().map(|_| Vec::new()).collect();
        for number in 0..EVENTS {
            app.setup.clock.advance(A_WHILE);
            let place = rng.below(sent.len());
            let event = Event::random(&mut rng, &texts, &module.sources[place], number, &sent[place]);
            let source = &applied["sources"][place];
            let sender = Sender::new(app.http.clone(), &app.url, &module.slug, text(&source["token"]));
            let Some(asked) = asked(&event) else { continue };
            let foreseen = preview(&app, (&module.slug, text(&source["slug"])), asked).await.done();
            let answer = crate::agree::send(&sender, &event).await;
            let why = format!("seed {seed}, event {number}: {event:?}\n{}", module.file);
            *verdicts.entry(text(&foreseen["verdict"]).to_owned()).or_insert(0) += 1;
            if answer.status == 202 {
                assert_happened(&app, &module.slug, &foreseen, &answer.json(), &why).await;
            } else {
                let problem = answer.json();
                assert_eq!((text(&foreseen["verdict"]), &foreseen["cause"]), ("refused", &problem["code"]), "{why}");
                if problem["code"] == "judgement_failed" {
                    assert_eq!(foreseen["errors"], problem["errors"], "{why}");
                }
            }
            sent[place].push(event);
        }
    }
    for verdict in ["created", "updated", "unchanged", "stale", "ignored", "refused"] {
        assert!(verdicts.contains_key(verdict), "{verdicts:?}");
    }
}

/// What is not UTF-8 cannot be given as a text.
fn asked(event: &Event) -> Option<Value> {
    let body = String::from_utf8(event.body.clone()).ok()?;
    let content_type = if event.form { "application/x-www-form-urlencoded" } else { "application/json" };
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(event.query.as_bytes()) {
        query.entry(name.into_owned()).or_default().push(value.into_owned());
    }
    let headers: BTreeMap<_, _> = event.headers.iter().cloned().collect();
    (headers.len() == event.headers.len())
        .then(|| json!({ "body": body, "contentType": content_type, "headers": headers, "query": query }))
}

async fn a_preview_writes_nothing(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "1", "code": "A", "quantity": 1, "at": "2026-03-01T00:00:00Z" });
    let told = sender.post(&event).await.accepted("created");
    let rows = async || {
        let dump = app.database().dump().await;
        let mut rows: Vec<_> = dump.lines().map(str::to_owned).collect();
        rows.sort_unstable();
        rows
    };
    let before = rows().await;
    let draft =
        json!({ "match": ["note"], "rule": [{ "from": "$.code", "to": "note" }, { "from": "$.x", "to": "code" }] });
    for (asked, verdict) in [
        (json!({ "payload": event }), "unchanged"),
        (json!({ "payload": { "type": "stock", "id": "2", "code": "A", "quantity": 2 } }), "updated"),
        (json!({ "payload": { "type": "stock", "id": "3", "code": "B", "quantity": 2 } }), "created"),
        (json!({ "payload": { "type": "stock", "code": "A", "at": "2025-03-01T00:00:00Z" } }), "stale"),
        (json!({ "payload": { "type": "other" } }), "ignored"),
        (json!({ "payload": { "type": "stock", "quantity": "many" } }), "refused"),
        (json!({ "payload": null }), "ignored"),
        (json!({ "body": "{" }), "refused"),
        (json!({ "eventId": told["eventId"] }), "unchanged"),
        (json!({ "payload": { "code": "Z", "x": "Y" }, "mapping": draft }), "created"),
    ] {
        let foreseen = preview(&app, ("orders", "shop"), asked.clone()).await.done();
        assert_eq!(foreseen["verdict"], verdict, "{asked}: {foreseen}");
    }
    assert_eq!(rows().await, before);
}

async fn each_rule_tells_what_it_did(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let rules = json!([
        { "from": "$.lines[*].sku", "to": "code", "take": "last", "transform": ["trim", { "prefix": "X-" }] },
        { "from": "const:cheap", "to": "note", "when": "@.price < 10" },
        { "from": "header:X-Note", "to": "note", "transform": ["uppercase"] },
        { "from": "$.lines[*]", "to": "quantity", "take": "count" },
        { "from": "$.price", "to": "price", "transform": [{ "scale": -2 }] },
        { "from": "$.state", "to": "state", "default": "open" },
        { "from": "$.nothing['it''s'].here".replace("''", "\\'"), "to": "custom_data.deep.est", "on_missing": "null" },
    ]);
    let asked = json!({
        "payload": { "lines": [{ "sku": " a " }, { "sku": " b " }], "price": 1999.0, "state": "shut" },
        "headers": { "X-Note": "careful" },
        "mapping": { "event_id": "header:X-Note", "rule": rules },
    });
    let foreseen = preview(&app, ("orders", "shop"), asked.clone()).await.done();
    assert_eq!((&foreseen["verdict"], &foreseen["cause"]), (&json!("refused"), &json!("judgement_failed")));
    assert_eq!(foreseen["event"], json!({ "type": null, "id": { "value": "careful" }, "duplicateOf": null }));
    assert_eq!((&foreseen["mappingVersion"], &foreseen["errors"][0]["rule"]), (&Value::Null, &json!(6)));
    let rules = foreseen["nodes"][0]["rules"].as_array().unwrap();
    let sku = json!({
        "rule": 1, "from": "$.lines[*].sku", "to": "code", "turn": "applied", "found": 2,
        "nodes": [{ "path": "$.lines[0].sku", "value": " a " }, { "path": "$.lines[1].sku", "value": " b " }],
        "raw": { "value": " b " },
        "transforms": [{ "transform": "trim", "value": "b" }, { "transform": { "prefix": "X-" }, "value": "X-b" }],
        "put": { "puts": "value", "value": { "value": "X-b" } },
    });
    assert_eq!(rules[0], sku);
    assert_eq!((&rules[1]["turn"], &rules[1]["put"]), (&json!("when"), &Value::Null));
    assert_eq!(rules[2]["nodes"], json!([{ "path": "header:X-Note", "value": "careful" }]));
    assert_eq!((&rules[3]["found"], &rules[3]["nodes"][1]["path"]), (&json!(2), &json!("$.lines[1]")));
    assert_eq!((&rules[4]["raw"]["value"], &rules[4]["put"]["value"]["value"]), (&json!("1999.0"), &json!("19.990")));
    assert_eq!((&rules[5]["error"]["code"], &rules[5]["put"]), (&json!("not_listed"), &Value::Null));
    assert_eq!((&rules[6]["found"], &rules[6]["put"]), (&Value::Null, &json!({ "puts": "null" })));

    let mut fits = asked;
    fits["payload"]["state"] = json!("closed");
    let foreseen = preview(&app, ("orders", "shop"), fits).await.done();
    assert_eq!((&foreseen["verdict"], &foreseen["errors"]), (&json!("created"), &json!([])));
    let record = &foreseen["records"][0];
    assert_eq!((&record["existing"], &record["resulting"]["id"]), (&Value::Null, &Value::Null));
    assert_eq!(record["match"], json!({ "code": "X-b" }));
    assert_eq!(record["resulting"]["customData"], json!({ "deep": { "est": null } }));
    assert_eq!(record["changes"]["quantity"], json!({ "from": null, "to": 2 }));
}

async fn a_draft_is_tried_before_it_is_saved(app: App) {
    let senders = app.senders(TWO_DOORS, json!({})).await;
    senders[0].post(json!({ "code": "A", "serial": "1", "place": "here" })).await.accepted("created");
    senders[0].post(json!({ "code": "B", "serial": "2", "place": "here" })).await.accepted("created");
    let rules = json!([{ "from": "$.place", "to": "place" }, { "from": "$.serial", "to": "serial" }]);
    let asked = |payload: Value, matching: &str| json!({ "payload": payload, "mapping": { "match": [matching], "rule": rules } });
    // A match that has no index yet, and one that would give a record what another is found by.
    let foreseen = preview(&app, ("machines", "office"), asked(json!({ "place": "there" }), "place")).await.done();
    assert_eq!((&foreseen["verdict"], &foreseen["records"][0]["recordId"]), (&json!("created"), &Value::Null));
    let taken = asked(json!({ "place": "there", "serial": "2" }), "place");
    let foreseen = preview(&app, ("machines", "office"), taken).await.done();
    assert_eq!((&foreseen["verdict"], &foreseen["cause"]), (&json!("refused"), &json!("match_taken")));
    let problem =
        preview(&app, ("machines", "office"), asked(json!({}), "plaec")).await.problem(422, "invalid_document");
    assert_eq!(problem["errors"][0]["field"], "match");
    assert!(text(&problem["errors"][0]["detail"]).contains("did you mean `place`"), "{problem}");
    let bad = json!({ "payload": {}, "mapping": { "rule": [{ "form": "$.a", "to": "code" }, { "from": "$.b[", "to": "x" }] } });
    let problem = preview(&app, ("machines", "office"), bad).await.problem(422, "invalid_document");
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["rule[1].form", "rule[2].from", "rule[2].to"], "{problem}");
}

async fn an_event_of_the_log_is_previewed(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "7", "code": "A", "quantity": 1 });
    let told = sender.post(&event).await.accepted("created");
    let asked = json!({ "eventId": told["eventId"] });
    let foreseen = preview(&app, ("orders", "shop"), asked.clone()).await.done();
    assert_eq!(foreseen["verdict"], "unchanged");
    assert_eq!(foreseen["event"]["duplicateOf"], told["eventId"]);
    assert_eq!(foreseen["records"][0]["recordId"], told["recordId"]);
    // A refused one, by a draft that takes it.
    let refused = sender.post(json!({ "type": "stock", "code": "B", "quantity": "many" })).await;
    refused.problem(422, "judgement_failed");
    let log = || async { app.list("/events?module=orders", 10).await };
    let mut events = log().await;
    while events.len() < 2 {
        tokio::task::yield_now().await;
        events = log().await;
    }
    let refused = events.iter().find(|event| event["verdict"] == "refused").unwrap();
    let rules = json!([{ "from": "$.code", "to": "code" }, { "from": "$.quantity", "to": "note" }]);
    let asked = json!({ "eventId": refused["id"], "mapping": { "rule": rules } });
    let foreseen = preview(&app, ("orders", "shop"), asked).await.done();
    assert_eq!(
        (&foreseen["verdict"], &foreseen["records"][0]["resulting"]["fields"]["note"]),
        (&json!("created"), &json!("many"))
    );
}

async fn what_cannot_be_previewed_is_told(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    for asked in [
        json!({}),
        json!({ "payload": {}, "body": "" }),
        json!({ "payload": {}, "headers": { "a b": "" } }),
        json!({ "payload": {}, "query": { "a": 5 } }),
        json!({ "payloads": {} }),
        json!({ "payload": {}, "contentType": "\n" }),
    ] {
        preview(&app, ("orders", "shop"), asked).await.problem(400, "invalid_request");
    }
    preview(&app, ("orders", "shop"), json!({ "eventId": "evt_1" })).await.problem(404, "not_found");
    preview(&app, ("orders", "none"), json!({ "payload": {} })).await.problem(404, "not_found");
    for (asked, cause) in [
        (json!({ "body": "a", "contentType": "text/plain" }), "unsupported_media_type"),
        (json!({ "body": "" }), "empty_body"),
        (json!({ "body": "x".repeat(2_000_000) }), "body_too_large"),
        (json!({ "body": "{\"a\":1,\"a\":2}" }), "duplicate_key"),
    ] {
        let foreseen = preview(&app, ("orders", "shop"), asked).await.done();
        assert_eq!((&foreseen["verdict"], &foreseen["cause"]), (&json!("refused"), &json!(cause)));
    }
}

async fn a_preview_is_bounded(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let rules: Vec<_> =
        (0..100).map(|place| json!({ "from": "$.text", "to": format!("custom_data.a{place}") })).collect();
    let rules = [vec![json!({ "from": "$.code", "to": "code" })], rules].concat();
    let items: Vec<_> = (0..500).map(|place| json!({ "code": place.to_string(), "text": "x".repeat(300) })).collect();
    let asked = json!({ "payload": { "items": items }, "mapping": { "each": "$.items[*]", "rule": rules } });
    let answer = preview(&app, ("orders", "shop"), asked).await;
    let foreseen = answer.done();
    assert!(answer.body.len() < 16 * 1024 * 1024, "{}", answer.body.len());
    assert_eq!(
        (&foreseen["nodesInAll"], &foreseen["recordsInAll"], &foreseen["cut"]),
        (&json!(500), &json!(500), &json!(true))
    );
    let lengths = ["nodes", "records"].map(|name| foreseen[name].as_array().unwrap().len());
    assert_eq!((lengths, &foreseen["verdict"]), ([100, 100], &json!("created")));
    let long = json!({ "payload": { "type": "stock", "code": "A", "note": "é".repeat(100_000) } });
    let foreseen = preview(&app, ("orders", "shop"), long).await.done();
    let note = &foreseen["nodes"][0]["rules"][1]["raw"];
    assert_eq!((note["cut"].as_bool(), text(&note["value"]).len()), (Some(true), 64 * 1024));
    assert_eq!(foreseen["cut"], false);
}
