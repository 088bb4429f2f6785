//! API keys: made, used, expired, revoked, and what happens to those who try.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::Method;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::time::timeout;

use crate::app::{Admin, App, Setup, text};
use crate::client::Answer;
use crate::database::Engine;
use crate::process::tidegate;
use crate::seeded::key;

both!(
    a_key_is_made_used_and_revoked,
    what_makes_no_sense_is_no_key,
    an_expired_key_opens_nothing,
    the_last_owner_stays,
    there_is_room_for_a_thousand,
    who_may_do_what_with_keys,
    keys_that_open_nothing_look_alike,
    wrong_keys_are_slowed_down_and_right_ones_are_not,
    addresses_are_believed_as_far_as_proxies_are,
    when_a_key_was_used_is_written_now_and_then,
    who_is_locked_out_makes_a_new_owner,
    keys_on_the_command_line,
);

const DAY: Duration = Duration::from_secs(86_400);

fn ask(app: &Admin, key: &str, path: &str) -> RequestBuilder {
    app.request(Method::GET, &format!("/api/v1{path}")).bearer_auth(key)
}

async fn status(app: &Admin, key: &str) -> u16 {
    Answer::to(ask(app, key, "/presets")).await.status
}

async fn make(app: &Admin, body: Value) -> Value {
    let answer = app.post("/api/v1/keys", body).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{}", answer.text());
    answer.json()
}

async fn revoke(app: &Admin, id: &str) -> Answer {
    Answer::to(app.request(Method::DELETE, &format!("/api/v1/keys/{id}")).bearer_auth(&app.key)).await
}

async fn a_key_is_made_used_and_revoked(app: App) {
    let made = make(&app, json!({ "name": "  dashboard ", "role": "viewer" })).await;
    let (id, key) = (text(&made["id"]), text(&made["key"]));
    assert!(key.starts_with("tgk_") && key.len() == 43 && id.starts_with("key_"), "{made}");
    let own = app.see("/keys/self").await;
    assert_eq!(
        (&own["name"], &own["createdBy"], &own["role"]),
        (&json!("first owner"), &json!("gateway"), &json!("owner"))
    );
    assert_eq!(
        ["name", "role", "state", "expiresAt", "revokedAt", "lastUsedAt"].map(|name| made[name].clone()),
        [json!("dashboard"), json!("viewer"), json!("live"), Value::Null, Value::Null, Value::Null]
    );
    assert_eq!(made["createdBy"], own["id"]);
    assert_eq!(status(&app, key).await, 200, "at once");
    let seen = Answer::to(ask(&app, key, "/keys/self")).await.done();
    assert_eq!((&seen["id"], seen["lastUsedAt"].is_string()), (&made["id"], true));
    let listed = app.get("/api/v1/keys").await;
    assert!(!listed.text().contains(key) && !app.database().dump().await.contains(key));
    let names =
        listed.json()["data"].as_array().unwrap().iter().map(|key| text(&key["name"]).to_owned()).collect::<Vec<_>>();
    assert_eq!(names, ["dashboard", "first owner"], "newest first");
    assert_eq!(app.list("/keys", 1).await.len(), 2, "page by page");

    assert_eq!(revoke(&app, id).await.status, 204);
    Answer::to(ask(&app, key, "/presets")).await.problem(401, "key_invalid");
    assert_eq!(revoke(&app, id).await.status, 204, "it is revoked, as was asked");
    let row = &app.see("/keys").await["data"][0];
    assert_eq!((&row["state"], row["revokedAt"].is_string()), (&json!("revoked"), true));
    let told = app.see(&format!("/audit?target={id}")).await;
    let actions =
        told["data"].as_array().unwrap().iter().map(|row| text(&row["action"]).to_owned()).collect::<Vec<_>>();
    assert_eq!(actions, ["key.revoke", "key.create"]);
    revoke(&app, "key_00000000000000000000000000").await.problem(404, "not_found");
}

async fn what_makes_no_sense_is_no_key(app: App) {
    let long = "x".repeat(101);
    for (body, fields) in [
        (json!({ "name": " ", "role": "viewer" }), vec!["name"]),
        (json!({ "name": long, "role": "viewer", "expiresInDays": 0 }), vec!["name", "expiresInDays"]),
        (
            json!({ "name": "a\u{1b}[2J", "role": "viewer", "expiresAt": "2020-01-01T00:00:00Z" }),
            vec!["name", "expiresAt"],
        ),
        (json!({ "name": "a", "role": "viewer", "expiresInDays": 3651 }), vec!["expiresInDays"]),
        (
            json!({ "name": "a", "role": "viewer", "expiresInDays": 1, "expiresAt": "2099-01-01T00:00:00Z" }),
            vec!["expiresInDays"],
        ),
    ] {
        let problem = app.post("/api/v1/keys", body).await.problem(422, "invalid_document");
        let found = problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect::<Vec<_>>();
        assert_eq!(found, fields, "{problem}");
    }
    for body in [
        json!({}),
        json!({ "name": "a" }),
        json!({ "name": "a", "role": "root" }),
        json!({ "name": "a", "role": "viewer", "expiresAt": "tomorrow" }),
        json!({ "name": "a", "role": "viewer", "colour": "red" }),
    ] {
        app.post("/api/v1/keys", body).await.problem(400, "invalid_request");
    }
    assert_eq!(app.database().count("api_keys").await, 1);
}

async fn an_expired_key_opens_nothing(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let days = make(&app, json!({ "name": "a", "role": "viewer", "expiresInDays": 1 })).await;
    let at = make(&app, json!({ "name": "b", "role": "editor", "expiresAt": "2026-03-05T14:00:00+02:00" })).await;
    assert_eq!(
        (&days["expiresAt"], &at["expiresAt"]),
        (&json!("2026-03-05T12:00:00.000000Z"), &json!("2026-03-05T12:00:00.000000Z"))
    );
    app.setup.clock.advance(DAY - Duration::from_micros(1));
    for made in [&days, &at] {
        assert_eq!(status(&app, text(&made["key"])).await, 200);
    }
    app.setup.clock.advance(Duration::from_micros(1));
    for made in [&days, &at] {
        assert_eq!(status(&app, text(&made["key"])).await, 401, "by the clock, without a change of configuration");
    }
    let listed = app.see("/keys").await;
    let of = |name: &str| {
        listed["data"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!([of("a"), of("b"), of("first owner")], ["expired", "expired", "live"]);
}

async fn the_last_owner_stays(app: App) {
    let own = app.see("/keys/self").await;
    let first = text(&own["id"]);
    let refused = revoke(&app, first).await.problem(409, "conflict");
    assert!(text(&refused["detail"]).contains("make another"), "{refused}");
    make(&app, json!({ "name": "for a while", "role": "owner", "expiresInDays": 30 })).await;
    key(&app, "editor").await;
    revoke(&app, first).await.problem(409, "conflict");
    let second = make(&app, json!({ "name": "second", "role": "owner" })).await;
    assert_eq!(revoke(&app, first).await.status, 204, "the key that asks may go, too");
    assert_eq!(status(&app, &app.key).await, 401);
    let next = Admin { key: text(&second["key"]).to_owned(), url: app.url.clone(), http: app.http.clone() };
    revoke(&next, text(&second["id"])).await.problem(409, "conflict");
}

async fn there_is_room_for_a_thousand(app: App) {
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 998) \
        INSERT INTO api_keys (id, name, role, digest, created_at, expires_at) \
        SELECT 'key_' || substr('0000000000000000000000' || (1000 + i), -26 + 0), 'n', 'viewer', 'd' || i, 0, NULL FROM n";
    let padded = match app.database().engine() {
        Engine::Sqlite => many.replace("substr('0000000000000000000000' || (1000 + i), -26 + 0)", "printf('%026d', i)"),
        Engine::Postgres => {
            many.replace("substr('0000000000000000000000' || (1000 + i), -26 + 0)", "lpad(i::text, 26, '0')")
        }
    };
    app.database().run(AssertSqlSafe(padded)).await;
    make(&app, json!({ "name": "the last", "role": "viewer" })).await;
    let one_more = json!({ "name": "one more", "role": "viewer" });
    app.post("/api/v1/keys", one_more.clone()).await.problem(409, "conflict");
    app.database().run("UPDATE api_keys SET expires_at = 1 WHERE digest = 'd1'").await;
    make(&app, one_more).await;
}

async fn who_may_do_what_with_keys(app: App) {
    for role in ["viewer", "editor"] {
        let key = key(&app, role).await;
        assert_eq!(Answer::to(ask(&app, &key, "/keys/self")).await.done()["role"], role);
        for path in ["/keys", "/audit"] {
            Answer::to(ask(&app, &key, path)).await.problem(403, "forbidden");
        }
        for (method, path) in [(Method::POST, "/api/v1/keys"), (Method::DELETE, "/api/v1/keys/key_1")] {
            let body = json!({ "name": "mine", "role": "owner" }).to_string();
            Answer::to(app.request(method, path).bearer_auth(&key).body(body)).await.problem(403, "forbidden");
        }
    }
    assert_eq!(app.database().count("api_keys").await, 3);
}

async fn keys_that_open_nothing_look_alike(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let expired = make(&app, json!({ "name": "a", "role": "viewer", "expiresInDays": 1 })).await;
    let revoked = make(&app, json!({ "name": "b", "role": "viewer" })).await;
    revoke(&app, text(&revoked["id"])).await;
    app.setup.clock.advance(DAY);
    let mut answers = vec![Answer::to(app.request(Method::GET, "/api/v1/presets")).await];
    for key in ["tgk_0", text(&expired["key"]), text(&revoked["key"])] {
        answers.push(Answer::to(ask(&app, key, "/presets")).await);
    }
    let told = answers.iter().map(|answer| {
        let mut problem = answer.problem(401, "key_invalid");
        problem["requestId"] = Value::Null;
        (problem, answer.header("www-authenticate").to_owned(), answer.headers.len())
    });
    let told = told.collect::<Vec<_>>();
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

async fn wrong_keys_are_slowed_down_and_right_ones_are_not(setup: Setup) {
    let app = setup.with_stopped_clock().with_bounds(|bounds| bounds.wrong_keys = 10).start().await;
    for number in 0..10 {
        assert_eq!(status(&app, &format!("tgk_{number}")).await, 401);
        Answer::to(app.request(Method::GET, "/api/v1/presets")).await.problem(401, "key_invalid");
    }
    let over = Answer::to(ask(&app, "tgk_10", "/presets")).await;
    let told = over.problem(429, "too_many_wrong_keys");
    assert!(text(&told["detail"]).contains("6 s") && over.retry_after() == Duration::from_secs(6), "{told}");
    assert_eq!(status(&app, &app.key).await, 200, "a right key is taken at any time");
    app.setup.clock.advance(Duration::from_secs(6));
    assert_eq!(status(&app, "tgk_11").await, 401);
    assert_eq!(status(&app, "tgk_12").await, 429);
    let metrics = Answer::to(app.request(Method::GET, "/metrics")).await.text();
    assert!(metrics.contains("tidegate_wrong_keys_total{answered=\"key_invalid\"} 11\n"), "{metrics}");
    assert!(metrics.contains("tidegate_wrong_keys_total{answered=\"too_many_wrong_keys\"} 2\n"), "{metrics}");
    assert!(metrics.contains("tidegate_limit_reached_total{limit=\"wrong_keys\"} 2\n"), "{metrics}");
}

async fn addresses_are_believed_as_far_as_proxies_are(mut setup: Setup) {
    let from = |app: &Admin, address: &str| ask(app, "tgk_0", "/presets").header("x-forwarded-for", address);
    let few = |setup: Setup| setup.with_stopped_clock().with_bounds(|bounds| bounds.wrong_keys = 1);
    let app = few(setup.clone()).start().await;
    Answer::to(from(&app, "192.0.2.1")).await.problem(401, "key_invalid");
    Answer::to(from(&app, "192.0.2.2")).await.problem(429, "too_many_wrong_keys");
    app.stop().await;
    setup.config.trusted_proxies = vec![format!("{}/32", IpAddr::V4(Ipv4Addr::LOCALHOST)).parse().unwrap()];
    let app = few(setup).start().await;
    for address in ["192.0.2.1", "192.0.2.2", "2001:db8:1:2::1", "2001:db8:1:3::1"] {
        Answer::to(from(&app, address)).await.problem(401, "key_invalid");
    }
    for address in ["192.0.2.1", "203.0.113.9, 192.0.2.2", "2001:db8:1:2::ffff"] {
        Answer::to(from(&app, address)).await.problem(429, "too_many_wrong_keys");
    }
}

async fn when_a_key_was_used_is_written_now_and_then(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let made = make(&app, json!({ "name": "a", "role": "viewer" })).await;
    let written = async |app: &App| {
        let sql = format!("SELECT CAST(last_used_at AS text) FROM api_keys WHERE id = '{}'", text(&made["id"]));
        app.database().text(AssertSqlSafe(sql)).await
    };
    for _ in 0..3 {
        app.setup.clock.advance(Duration::from_secs(1));
        assert_eq!(status(&app, text(&made["key"])).await, 200);
    }
    assert_eq!(written(&app).await, None, "no request waits for it");
    assert_eq!(app.see("/keys").await["data"][0]["lastUsedAt"], "2026-03-04T12:00:03.000000Z");
    app.gateway().write_last_used().await;
    let at = app.setup.clock.now().micros();
    assert_eq!(written(&app).await, Some(at.to_string()));
    app.setup.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&app, text(&made["key"])).await, 200);
    let app = app.restart().await;
    assert_eq!(written(&app).await, Some((at + 1_000_000).to_string()), "and what was left at the end");
    assert_eq!(app.see("/keys").await["data"][0]["lastUsedAt"], "2026-03-04T12:00:04.000000Z");
}

/// By SQL, which whoever runs the gateway has.
async fn who_is_locked_out_makes_a_new_owner(app: App) {
    app.database().run("UPDATE api_keys SET revoked_at = 1").await;
    let old = app.key.clone();
    let app = app.restart().await;
    assert_ne!(app.key, old);
    assert_eq!((status(&app, &old).await, status(&app, &app.key).await), (401, 200));
    assert_eq!(app.see("/audit?action=key.create").await["data"].as_array().unwrap().len(), 2);
}

async fn keys_on_the_command_line(app: App) {
    let run = |arguments: &[&str], key: &str| {
        tidegate(app.setup.folder(), arguments, &[("TIDEGATE_URL", &*app.url), ("TIDEGATE_KEY", key)])
    };
    let (code, said) =
        run(&["key", "create", "deploy", "--role", "editor", "--expires-in-days", "90", "--json"], &app.key);
    assert_eq!(code, 0, "{said}");
    let made: Value = serde_json::from_str(&said).unwrap();
    let (id, key) = (text(&made["id"]), text(&made["key"]));
    let (code, said) = run(&["key", "create", "board", "--role", "viewer"], &app.key);
    assert!(code == 0 && said.starts_with("tgk_") && said.contains("shown once"), "{said}");
    let (code, said) = run(&["key", "self", "--json"], key);
    assert_eq!((code, serde_json::from_str::<Value>(&said).unwrap()["name"].clone()), (0, json!("deploy")));
    let (code, said) = run(&["key", "list"], &app.key);
    assert!(code == 0 && said.lines().count() == 4 && said.contains("first owner  owner"), "{said}");
    assert_eq!(run(&["key", "list"], key).0, 1, "an editor does not see keys");
    assert_eq!(run(&["key", "create", "x", "--role", "root"], &app.key).0, 2);
    assert_eq!(run(&["key", "revoke", id], &app.key).0, 0);
    assert_eq!(run(&["key", "revoke", "key_1"], &app.key).0, 1);
    let (code, said) = run(&["key", "self", "--json"], key);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["error"]["code"]), (1, &json!("key_invalid")));
    let (code, said) = run(&["audit", "--target", "key_"], &app.key);
    assert!(code == 0 && said.lines().count() == 5 && said.contains("key.revoke"), "{said}");
    let (code, said) = run(&["audit", "--action", "key.revoke", "--limit", "1", "--json"], &app.key);
    let page: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &page["data"][0]["target"], &page["data"][0]["before"]["name"]),
        (0, &json!(id), &json!("deploy"))
    );
}

/// A key works, and stops working, on every replica within a second; and no request asks the database who it is from.
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_in_force_on_every_replica() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let other = app.setup.replica().start().await;
    let made = make(&app, json!({ "name": "a", "role": "viewer" })).await;
    let key = text(&made["key"]);
    let turned = async |wanted: u16| {
        let turned = async {
            while status(&other, key).await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(5), turned).await.expect("it is in force within moments");
    };
    turned(200).await;
    app.database().close_the_door().await;
    assert_eq!((status(&app, key).await, status(&app, "tgk_0").await), (200, 401));
    app.database().open_the_door().await;
    assert_eq!(revoke(&app, text(&made["id"])).await.status, 204);
    turned(401).await;
}
