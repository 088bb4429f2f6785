//! PATCH and DELETE of a source.

use http::Method;
use serde_json::{Value, json};

use super::{ERP, SHOP, WEB, ask, audited, patch, signed};
use crate::app::{App, Setup, text};
use crate::database::Engine;

both!(
    settings_are_changed_member_by_member,
    a_change_is_of_the_version_that_was_read,
    all_faults_are_told_and_nothing_is_changed,
    what_a_secret_in_a_signature_replaces,
    a_deleted_source_leaves_what_it_brought,
    many_change_sources_at_once,
);

async fn settings_are_changed_member_by_member(app: App) {
    let senders = app.senders(SHOP, json!({ "ERP": "one" })).await;
    let before = app.see(ERP).await;
    assert_eq!((&before["keep"], &before["redact"]), (&json!({ "payload": "always" }), &json!([])));
    let all = json!({
        "enabled": false, "rateLimit": { "perMinute": 30, "burst": 3 }, "maxBody": 2048, "response": { "status": 200 },
        "keep": { "payload": "refused", "for": "36h", "bytes": "2MiB" }, "redact": ["$.card", "header:X-Card"],
        "handshake": [{ "method": "GET", "query": "q", "text": "{query:q}" }],
    });
    let changed = patch(&app.admin, ERP, &all).await.done();
    for name in ["enabled", "rateLimit", "maxBody", "response", "keep", "redact", "handshake"] {
        assert_eq!(changed[name], all[name], "{name}");
    }
    for name in ["id", "signature", "secrets", "tokens", "mapping", "mappingVersion", "createdAt"] {
        assert_eq!(changed[name], before[name], "{name}");
    }
    assert!(changed["version"].as_i64() > before["version"].as_i64());
    assert_eq!(app.see(ERP).await["redact"], all["redact"]);
    signed(&senders[0], "one", r#"{"code":"A"}"#).await.problem(403, "source_disabled");

    let (action, target, detail) = audited(&app).await;
    assert_eq!((&*action, &*target), ("source.change", "shop/erp"));
    assert_eq!((&detail["before"]["enabled"], &detail["after"]["enabled"]), (&json!(true), &json!(false)));

    let merged =
        patch(&app.admin, ERP, &json!({ "keep": { "for": null }, "rateLimit": { "burst": null } })).await.done();
    assert_eq!(merged["keep"], json!({ "payload": "refused", "bytes": "2MiB" }));
    assert_eq!(merged["rateLimit"], json!({ "perMinute": 30, "burst": 30 }));
    let nulls =
        json!({ "enabled": null, "keep": null, "redact": null, "response": null, "handshake": null, "maxBody": null });
    let back = patch(&app.admin, ERP, &nulls).await.done();
    for name in ["enabled", "keep", "redact", "response", "handshake", "maxBody"] {
        assert_eq!(back[name], before[name], "{name}");
    }
    signed(&senders[0], "one", r#"{"code":"A"}"#).await.accepted("created");
    let rows = app.database().count("audit").await;
    let same = patch(&app.admin, ERP, &json!({ "enabled": true })).await.done();
    assert_eq!((&same["version"], app.database().count("audit").await), (&back["version"], rows), "nothing is changed");
}

async fn a_change_is_of_the_version_that_was_read(app: App) {
    app.senders(SHOP, json!({ "ERP": "one" })).await;
    let read = app.get(&format!("/api/v1{ERP}")).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", read.json()["version"]));
    let body = json!({ "maxBody": 4096 });
    let changed = ask(&app.admin, Method::PATCH, ERP, Some(&tag), &body).await;
    changed.done();
    assert_ne!(changed.header("etag"), tag);
    let again = ask(&app.admin, Method::PATCH, ERP, Some(&tag), &json!({ "maxBody": 5000 })).await;
    again.problem(412, "precondition_failed");
    ask(&app.admin, Method::DELETE, ERP, Some(&tag), &json!({})).await.problem(412, "precondition_failed");
    ask(&app.admin, Method::POST, &format!("{ERP}/rotate-token"), Some(&tag), &json!({}))
        .await
        .problem(412, "precondition_failed");
    assert_eq!(app.see(ERP).await["maxBody"], 4096);
}

async fn all_faults_are_told_and_nothing_is_changed(app: App) {
    app.senders(SHOP, json!({ "ERP": "one" })).await;
    let before = app.see(ERP).await;
    let body = json!({
        "rateLimits": {}, "maxBody": "large", "slug": "other", "secret": "s", "mapping": {}, "enabled": "no",
        "keep": { "payloads": "never" },
    });
    let problem = patch(&app.admin, ERP, &body).await.problem(422, "invalid_document");
    let fields = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect::<Vec<_>>();
    assert_eq!(fields, ["enabled", "keep", "mapping", "maxBody", "rateLimits", "secret", "slug"]);
    for (body, field) in [
        (json!({ "maxBody": 1 }), "maxBody"),
        (json!({ "rateLimit": { "perMinute": 0 } }), "rateLimit"),
        (json!({ "keep": { "for": "long", "bytes": "1GiB" } }), "keep.for"),
        (json!({ "redact": ["$.a", "$"] }), "redact[2]"),
        (json!({ "redact": vec!["$.a"; 51] }), "redact[51]"),
        (json!({ "signature": { "preset": "nobody" } }), "signature.preset"),
        (json!({ "signature": { "header": "X-S", "secret": "" } }), "signature.secret"),
        (json!({ "signature": { "preset": "github", "secret": ["a", "b", "c", "d", "e", "f"] } }), "signature.secret"),
        (json!({ "handshake": [{ "method": "PUT" }] }), "handshake"),
    ] {
        let problem = patch(&app.admin, ERP, &body).await.problem(422, "invalid_document");
        assert!(text(&problem["errors"][0]["field"]).starts_with(field), "{body}: {problem}");
    }
    patch(&app.admin, "/modules/shop/sources/none", &json!({})).await.problem(404, "not_found");
    patch(&app.admin, "/modules/none/sources/erp", &json!({})).await.problem(404, "not_found");
    assert_eq!(app.see(ERP).await["version"], before["version"]);
}

async fn what_a_secret_in_a_signature_replaces(app: App) {
    let senders = app.senders(SHOP, json!({ "ERP": "one" })).await;
    let body = r#"{"code":"A"}"#;
    let scheme = json!({ "header": "X-Signature", "prefix": "sha256=" });
    patch(&app.admin, ERP, &json!({ "signature": scheme })).await.done();
    signed(&senders[0], "one", body).await.accepted("created");
    let with_secret = json!({ "header": "X-Signature", "prefix": "sha256=", "secret": ["two", "three"] });
    let changed = patch(&app.admin, ERP, &json!({ "signature": with_secret })).await;
    assert_eq!(changed.done()["secrets"].as_array().unwrap().len(), 2);
    assert!(!changed.text().contains("three"), "it is not shown");
    let (_, _, detail) = audited(&app).await;
    assert_eq!(detail["after"]["secrets"], "replaced");
    signed(&senders[0], "one", body).await.problem(401, "signature_mismatch");
    signed(&senders[0], "three", body).await.accepted("unchanged");
    let unsigned = patch(&app.admin, ERP, &json!({ "signature": null })).await.done();
    assert_eq!((&unsigned["signature"], &unsigned["secrets"]), (&Value::Null, &json!([])));
    senders[0].post(body).await.accepted("unchanged");
}

async fn a_deleted_source_leaves_what_it_brought(app: App) {
    let senders = app.senders(SHOP, json!({ "ERP": "one" })).await;
    let answer = senders[1].post(json!({ "id": "1", "other": "B" })).await.accepted("created");
    senders[1].post(json!({ "id": "2", "other": "B", "amount": "x" })).await.problem(422, "judgement_failed");
    let deleted = ask(&app.admin, Method::DELETE, WEB, None, &json!({})).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    senders[1].post(json!({ "id": "3", "other": "B" })).await.problem(401, "unauthorized");
    app.get(&format!("/api/v1{WEB}")).await.problem(404, "not_found");
    ask(&app.admin, Method::DELETE, WEB, None, &json!({})).await.problem(404, "not_found");
    let (action, target, detail) = audited(&app).await;
    assert_eq!((&*action, &*target, &detail["after"]), ("source.delete", "shop/web", &Value::Null));

    let event = app.event(&answer).await;
    assert!(text(&event["source"]).starts_with("src_"), "it is named by its id: {event}");
    assert_eq!(app.record("shop", &answer).await["fields"]["other"], "B");
    // What only its match made unique is not any more.
    let record = |code: &str| format!(r#"{{"code":"{code}"}}"#);
    signed(&senders[0], "one", &record("A")).await.accepted("created");
    for table in ["tokens", "secrets", "mappings"] {
        assert_eq!(app.database().count(&format!("{table} WHERE source_id NOT IN (SELECT id FROM sources)")).await, 0);
    }
    let unique = match app.database().engine() {
        Engine::Sqlite => "sqlite_schema WHERE type = 'index' AND tbl_name = 'm_shop' AND sql LIKE '%UNIQUE%'",
        Engine::Postgres => {
            "pg_indexes WHERE tablename = 'm_shop' AND indexdef LIKE '%UNIQUE%' AND indexdef NOT LIKE '%_pkey%'"
        }
    };
    assert_eq!(app.database().count(unique).await, 1, "the module's own match");
    // Another one of its name is another one.
    let again = app.senders(SHOP, json!({ "ERP": "one" })).await;
    assert_eq!(again.len(), 1);
    again[0].post(json!({ "id": "1", "other": "B" })).await.accepted("unchanged");
    app.restart().await.see(WEB).await;
}

async fn many_change_sources_at_once(setup: Setup) {
    let app = setup.start().await;
    app.senders(SHOP, json!({ "ERP": "one" })).await;
    let before = app.see(WEB).await["version"].as_i64().unwrap();
    let bodies = [1, 2, 3, 4].map(|number| json!({ "maxBody": 2_000 + number }));
    let change = |place: usize| patch(&app.admin, WEB, &bodies[place]);
    let answers = tokio::join!(change(0), change(1), change(2), change(3));
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        answer.done();
    }
    assert_eq!(app.see(WEB).await["version"], before + 4);
}
