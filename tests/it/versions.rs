//! Versions of a mapping: by files and by the API, side by side; differences, and going back.

use serde_json::{Value, json};

use crate::app::{App, text};
use crate::client::Answer;

both!(
    a_mapping_is_put_and_its_history_says_how,
    a_mapping_that_says_the_same_makes_no_version,
    an_edit_meets_the_version_that_it_was_made_for,
    every_mistake_is_told_at_once,
    a_match_that_is_new_gets_its_index,
    two_versions_are_compared,
    an_earlier_version_is_restored,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const TWO_DOORS: &str = include_str!("../data/modules/two-doors.toml");
const SHOP: &str = "/api/v1/modules/orders/sources/shop/mapping";

async fn put(app: &App, mapping: Value, note: &str) -> Answer {
    app.put(SHOP, json!({ "mapping": mapping, "note": note }), None).await
}

/// Version, origin, file and note of each, newest first.
async fn history(app: &App) -> Vec<Value> {
    let versions = app.list("/modules/orders/sources/shop/mapping/versions", 2).await;
    let said = |one: &Value| json!([one["version"], one["origin"], one["file"], one["note"], one["inForce"]]);
    versions.iter().map(said).collect()
}

async fn a_mapping_is_put_and_its_history_says_how(app: App) {
    let sender = app.sender(ORDERS).await;
    let stands = app.get(SHOP).await;
    assert_eq!((stands.header("etag"), &stands.done()["author"].as_str().is_some()), ("\"1\"", &true));
    let mut mapping = stands.json()["mapping"].clone();
    mapping["rule"][1]["transform"] = json!(["uppercase"]);
    let answer = put(&app, mapping.clone(), "louder").await;
    assert_eq!(answer.header("etag"), "\"2\"");
    let made = answer.done();
    assert_eq!((&made["version"], &made["mapping"], &made["inForce"]), (&json!(2), &mapping, &json!(true)));
    assert_eq!(made, app.see("/modules/orders/sources/shop/mapping").await);
    assert_eq!(made, app.see("/modules/orders/sources/shop/mapping/versions/2").await);
    let told = sender.post(json!({ "type": "stock", "code": "A", "note": "quiet" })).await.accepted("created");
    assert_eq!(app.record("orders", &told).await["fields"]["note"], "QUIET");
    assert_eq!(app.event(&told).await["mappingVersion"], 2);

    app.apply(ORDERS, json!({})).await.done();
    let file = json!("test.toml");
    let wanted = [
        json!([3, "file", file, null, true]),
        json!([2, "api", null, "louder", false]),
        json!([1, "file", file, null, false]),
    ];
    assert_eq!(history(&app).await, wanted);
    let app = app.restart().await;
    assert_eq!(history(&app).await, wanted);
    let made = json!({ "slug": "other", "mapping": { "rule": [{ "from": "$.code", "to": "code" }] } });
    app.post("/api/v1/modules/orders/sources", made).await.done();
    assert_eq!(app.see("/modules/orders/sources/other/mapping").await["origin"], "api");
    // One of before there were origins.
    app.database().run("UPDATE mappings SET origin = NULL WHERE version = 1").await;
    assert_eq!(app.see("/modules/orders/sources/shop/mapping/versions/1").await["origin"], Value::Null);
    for path in ["versions/4", "versions/0", "versions/x", "versions/99999999999999999999"] {
        app.get(&format!("{SHOP}/{path}")).await.problem(404, "not_found");
    }
}

async fn a_mapping_that_says_the_same_makes_no_version(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let stands = app.see("/modules/orders/sources/shop/mapping").await;
    let audited = app.database().count("audit").await;
    let answer = put(&app, stands["mapping"].clone(), "not kept").await;
    assert_eq!((answer.header("etag"), answer.done()), ("\"1\"", stands.clone()));
    let restored = app.post(&format!("{SHOP}/versions/1/restore"), json!({})).await;
    assert_eq!(restored.done(), stands);
    assert_eq!((app.database().count("mappings").await, app.database().count("audit").await), (1, audited));
}

async fn an_edit_meets_the_version_that_it_was_made_for(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let mut mapping = app.see("/modules/orders/sources/shop/mapping").await["mapping"].clone();
    mapping["when"] = json!("@.code != 'X'");
    let body = json!({ "mapping": mapping });
    app.put(SHOP, body.clone(), Some("\"2\"")).await.problem(412, "precondition_failed");
    assert_eq!(app.put(SHOP, body.clone(), Some("\"1\"")).await.header("etag"), "\"2\"");
    app.put(SHOP, body, Some("\"1\"")).await.problem(412, "precondition_failed");
    let restore = app.request(http::Method::POST, &format!("{SHOP}/versions/1/restore")).bearer_auth(&app.key);
    Answer::to(restore.header("if-match", "\"1\"")).await.problem(412, "precondition_failed");
    let restore = app.request(http::Method::POST, &format!("{SHOP}/versions/1/restore")).bearer_auth(&app.key);
    assert_eq!(Answer::to(restore.header("if-match", "\"2\"")).await.done()["version"], 3);
}

async fn every_mistake_is_told_at_once(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let mapping = json!({
        "evnt_type": "$.type",
        "event_id": "$.id[",
        "when": 5,
        "match": ["cood"],
        "rule": [
            { "from": "$.code", "to": "code" },
            { "form": "$.note", "to": "note" },
            { "from": "$.quantity[", "to": "quantty", "take": "all" },
            { "from": "$.x", "to": "custom_data.x", "transform": ["shout"] },
            "no rule",
        ],
    });
    let problem = put(&app, mapping, "").await.problem(422, "invalid_document");
    let mut fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    fields.sort_unstable();
    let wanted =
        ["event_id", "evnt_type", "match", "rule[2].form", "rule[3].take", "rule[4].transform", "rule[5]", "when"];
    assert_eq!(fields, wanted, "{problem}");
    assert_eq!(app.see("/modules/orders/sources/shop/mapping").await["version"], 1);
    for mapping in [json!([]), json!("x"), json!(null), json!({})] {
        put(&app, mapping, "").await.problem(422, "invalid_document");
    }
    put(&app, json!({ "rule": [] }), &"x".repeat(1_001)).await.problem(400, "invalid_request");
    let file = json!({ "mapping": {}, "notes": "" });
    app.put(SHOP, file, None).await.problem(400, "invalid_request");
    app.put("/api/v1/modules/orders/sources/none/mapping", json!({ "mapping": {} }), None)
        .await
        .problem(404, "not_found");
}

async fn a_match_that_is_new_gets_its_index(app: App) {
    let senders = app.senders(TWO_DOORS, json!({})).await;
    let path = "/api/v1/modules/machines/sources/office/mapping";
    senders[0].post(json!({ "code": "A", "place": "here" })).await.accepted("created");
    let rules = json!([{ "from": "$.place", "to": "place" }, { "from": "$.code", "to": "code" }]);
    let by_place = json!({ "mapping": { "match": ["place"], "rule": rules } });
    let answer = app.put(path, by_place.clone(), None).await;
    assert_eq!(answer.done()["version"], 2);
    let told = senders[0].post(json!({ "code": "B", "place": "here" })).await.accepted("updated");
    assert_eq!(app.record("machines", &told).await["fields"]["code"], "B");
    // Two at one place: back to the code, and then not to the place again.
    let by_code = json!({ "mapping": { "rule": rules } });
    app.put(path, by_code, None).await.done();
    senders[0].post(json!({ "code": "C", "place": "here" })).await.accepted("created");
    let problem = app.put(path, by_place, None).await.problem(409, "conflict");
    assert!(text(&problem["detail"]).contains("a match is unique"), "{problem}");
    let restored = app.post(&format!("{path}/versions/2/restore"), json!({})).await;
    restored.problem(409, "conflict");
    assert_eq!(app.see("/modules/machines/sources/office/mapping").await["version"], 3);
}

async fn two_versions_are_compared(app: App) {
    app.apply(ORDERS, json!({})).await.done();
    let mut mapping = app.see("/modules/orders/sources/shop/mapping").await["mapping"].clone();
    mapping["rule"].as_array_mut().unwrap().remove(5);
    mapping["rule"][1]["transform"] = json!(["trim"]);
    mapping["rule"].as_array_mut().unwrap().push(json!({ "from": "$.x", "to": "custom_data.x" }));
    mapping["each"] = json!("$.items[*]");
    put(&app, mapping, "").await.done();
    let diff = app.see("/modules/orders/sources/shop/mapping/diff").await;
    let wanted = json!({
        "from": 1, "to": 2,
        "rules": {
            "added": [{ "place": 6, "rule": { "from": "$.x", "to": "custom_data.x" } }],
            "removed": [{ "place": 6, "rule": { "from": "$.color", "to": "custom_data.look.color" } }],
            "changed": [{ "place": 2, "from": "$.note", "to": "note", "members": { "transform": { "from": null, "to": ["trim"] } } }],
            "moved": [], "reordered": false,
        },
        "keys": { "each": { "from": null, "to": "$.items[*]" } },
    });
    assert_eq!(diff, wanted);
    let back = app.see("/modules/orders/sources/shop/mapping/diff?from=2&to=1").await;
    assert_eq!(back["rules"]["added"], diff["rules"]["removed"]);
    let same = app.see("/modules/orders/sources/shop/mapping/diff?from=2&to=2").await;
    assert_eq!((&same["rules"]["changed"], &same["keys"]), (&json!([]), &json!({})));
    app.get(&format!("{SHOP}/diff?from=7")).await.problem(404, "not_found");
    app.get(&format!("{SHOP}/diff?form=1")).await.problem(400, "invalid_request");
}

async fn an_earlier_version_is_restored(app: App) {
    let sender = app.sender(ORDERS).await;
    let first = app.see("/modules/orders/sources/shop/mapping").await["mapping"].clone();
    let rules = json!({ "rule": [{ "from": "$.code", "to": "code" }] });
    put(&app, rules, "less").await.done();
    let restored = app.post(&format!("{SHOP}/versions/1/restore"), json!({ "note": "it was better" })).await.done();
    assert_eq!((&restored["version"], &restored["mapping"]), (&json!(3), &first));
    assert_eq!((&restored["note"], &restored["origin"]), (&json!("restores version 1: it was better"), &json!("api")));
    let told = sender.post(json!({ "type": "stock", "code": "A", "note": "n" })).await.accepted("created");
    assert_eq!(app.record("orders", &told).await["fields"]["note"], "n");
    app.post(&format!("{SHOP}/versions/9/restore"), json!({})).await.problem(404, "not_found");
    // One whose field is gone since.
    let gone = "UPDATE mappings SET document = replace(document, '\"quantity\"', '\"amount\"') WHERE version = 1";
    app.database().run(gone).await;
    let problem = app.post(&format!("{SHOP}/versions/1/restore"), json!({})).await.problem(422, "invalid_document");
    assert!(text(&problem["detail"]).starts_with("version 1 does not fit the module as it is now"), "{problem}");
    assert_eq!(problem["errors"][0]["field"], "rule[3].to");
    let sql = "SELECT detail FROM audit WHERE action = 'mapping.restore'";
    let audited: Value = serde_json::from_str(&app.database().text(sql).await.unwrap()).unwrap();
    assert_eq!(audited, json!({ "before": { "version": 2 }, "after": { "version": 3 } }));
}
