//! Tokens and secrets are replaced, with a time in which both work.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ERP, SHOP, WEB, audited, patch, rotate, signed, with_token};
use crate::app::{App, Setup, text};
use crate::database::Engine;

both!(
    both_tokens_work_until_the_overlap_ends,
    a_revoked_token_is_unknown_at_once,
    tokens_are_few_and_overlaps_are_bounded,
    both_secrets_count_until_the_overlap_ends,
    a_secret_is_one_of_the_scheme,
    applying_again_keeps_what_was_rotated,
    what_has_ended_is_forgotten,
);

const BODY: &str = r#"{"code":"A"}"#;

fn hour() -> Duration {
    Duration::from_secs(3_600)
}

async fn order(sender: &crate::client::Sender, number: u32) -> u16 {
    sender.post(json!({ "id": number.to_string(), "other": "B" })).await.status
}

async fn both_tokens_work_until_the_overlap_ends(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let old = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    app.setup.clock.advance(Duration::from_secs(1));
    let rotated = rotate(&app.admin, WEB, "token", json!({ "overlap": 3600 })).await;
    assert_eq!(rotated.header("cache-control"), "no-store");
    let rotated = rotated.done();
    assert_eq!(rotated["previousExpiresAt"], "2026-03-04T13:00:01.000000Z");
    assert_eq!(rotated["url"], format!("{}/api/webhooks/shop/{}", app.url, text(&rotated["token"])));
    let new = with_token(&app.admin, &rotated);
    assert_ne!(new.token, old.token);
    assert_eq!((order(&old, 1).await, order(&new, 2).await), (202, 202));
    let tokens = app.see(WEB).await["tokens"].clone();
    assert_eq!(tokens[0]["expiresAt"], rotated["previousExpiresAt"]);
    assert_eq!((&tokens[1]["expiresAt"], tokens.as_array().unwrap().len()), (&Value::Null, 2));
    assert!(tokens.as_array().unwrap().iter().all(|token| token["lastUsedAt"].is_string()), "{tokens}");
    let (action, target, detail) = audited(&app).await;
    assert_eq!((&*action, &*target), ("source.rotate-token", "shop/web"));
    assert_eq!(detail["after"]["tokens"].as_array().unwrap().len(), 2);

    app.setup.clock.advance(hour() - Duration::from_micros(1));
    assert_eq!(order(&old, 3).await, 202);
    app.setup.clock.advance(Duration::from_micros(1));
    old.post(json!({ "id": "4", "other": "B" })).await.problem(401, "unauthorized");
    assert_eq!(order(&new, 5).await, 202);
    assert_eq!(app.see(WEB).await["tokens"].as_array().unwrap().len(), 1);
    let app = app.restart().await;
    assert_eq!((order(&old.anew(&app.url), 6).await, order(&new.anew(&app.url), 7).await), (401, 202));
}

async fn a_revoked_token_is_unknown_at_once(app: App) {
    let old = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    assert_eq!(order(&old, 1).await, 202);
    let new = with_token(&app.admin, &rotate(&app.admin, WEB, "token", json!({ "overlap": 0 })).await.done());
    assert_eq!(order(&old, 2).await, 401);
    assert_eq!(order(&new, 3).await, 202);
    assert_eq!(app.database().count("tokens").await, 2, "one a source");
}

async fn tokens_are_few_and_overlaps_are_bounded(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let first = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    let problem =
        rotate(&app.admin, WEB, "token", json!({ "overlap": 2_592_001 })).await.problem(422, "invalid_document");
    assert_eq!(problem["errors"][0]["field"], "overlap");
    for _ in 0..4 {
        app.setup.clock.advance(Duration::from_secs(1));
        rotate(&app.admin, WEB, "token", json!({ "overlap": 2_592_000 })).await.done();
    }
    rotate(&app.admin, WEB, "token", json!({})).await.problem(409, "conflict");
    assert_eq!(order(&first, 1).await, 202);
    let ends = app.see(WEB).await["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["expiresAt"].clone())
        .collect::<Vec<_>>();
    assert_eq!(ends[0], "2026-04-03T12:00:01.000000Z", "no later rotation makes it last longer");
    let last = with_token(&app.admin, &rotate(&app.admin, WEB, "token", json!({ "overlap": 0 })).await.done());
    assert_eq!((order(&first, 2).await, order(&last, 3).await), (401, 202));
}

async fn both_secrets_count_until_the_overlap_ends(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(0);
    let rotated = rotate(&app.admin, ERP, "secret", json!({ "overlap": 3600 })).await;
    assert_eq!(rotated.header("cache-control"), "no-store");
    let rotated = rotated.done();
    let made = text(&rotated["secret"]);
    assert!(made.starts_with("whsec_"));
    assert_eq!(
        (rotated["secrets"].as_array().unwrap().len(), &rotated["previousExpiresAt"]),
        (2, &json!("2026-03-04T13:00:00.000000Z"))
    );
    for secret in ["one", made] {
        assert_eq!(signed(&sender, secret, BODY).await.status, 202, "{secret}");
    }
    let given = rotate(&app.admin, ERP, "secret", json!({ "secret": "three", "overlap": 60 })).await.done();
    assert_eq!((&given["secret"], given["secrets"].as_array().unwrap().len()), (&json!("three"), 3));
    let after = |app: &App, seconds| app.setup.clock.advance(Duration::from_secs(seconds));
    after(&app, 60);
    for (secret, status) in [("one", 401), (made, 401), ("three", 202)] {
        assert_eq!(signed(&sender, secret, BODY).await.status, status, "{secret}");
    }
    let seen = app.see(ERP).await;
    assert_eq!(seen["secrets"], json!([{ "createdAt": "2026-03-04T12:00:00.000000Z", "expiresAt": null }]));
    rotate(&app.admin, ERP, "secret", json!({ "secret": "four", "overlap": 0 })).await.done();
    assert_eq!((signed(&sender, "three", BODY).await.status, signed(&sender, "four", BODY).await.status), (401, 202));
    let (action, _, detail) = audited(&app).await;
    assert_eq!(action, "source.rotate-secret");
    assert!(!detail.to_string().contains("four"));
}

async fn a_secret_is_one_of_the_scheme(app: App) {
    app.senders(SHOP, json!({ "ERP": "one" })).await;
    rotate(&app.admin, WEB, "secret", json!({})).await.problem(409, "conflict");
    for (body, field) in [(json!({ "secret": "" }), "secret"), (json!({ "overlap": 9_999_999 }), "overlap")] {
        let problem = rotate(&app.admin, ERP, "secret", body).await.problem(422, "invalid_document");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    patch(&app.admin, ERP, &json!({ "signature": { "preset": "svix", "secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0" } }))
        .await
        .done();
    let problem =
        rotate(&app.admin, ERP, "secret", json!({ "secret": "not base64!" })).await.problem(422, "invalid_document");
    assert_eq!(problem["errors"][0]["field"], "secret");
    assert!(!problem.to_string().contains("not base64!"));
}

/// What a file says of secrets counts when it says something new.
async fn applying_again_keeps_what_was_rotated(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(0);
    let token = with_token(&app.admin, &rotate(&app.admin, ERP, "token", json!({})).await.done());
    rotate(&app.admin, ERP, "secret", json!({ "secret": "two", "overlap": 60 })).await.done();
    let applied = app.apply(SHOP, json!({ "ERP": "one" })).await.done();
    assert!(applied["sources"].as_array().unwrap().iter().all(|source| source["action"] == "unchanged"), "{applied}");
    assert_eq!((signed(&sender, "one", BODY).await.status, signed(&token, "two", BODY).await.status), (202, 202));
    // Also once the old one has ended, and is forgotten.
    app.setup.clock.advance(Duration::from_secs(61));
    app.keep_house().await;
    app.apply(SHOP, json!({ "ERP": "one" })).await.done();
    app.apply(SHOP, json!({})).await.done();
    assert_eq!((signed(&token, "one", BODY).await.status, signed(&token, "two", BODY).await.status), (401, 202));
    // The file catches up, in the middle of the next rotation.
    rotate(&app.admin, ERP, "secret", json!({ "secret": "three", "overlap": 60 })).await.done();
    let applied = app.apply(SHOP, json!({ "ERP": "three" })).await.done();
    assert_eq!(applied["sources"][0]["action"], "updated");
    assert_eq!((signed(&token, "two", BODY).await.status, signed(&token, "three", BODY).await.status), (202, 202));
    assert_eq!(app.apply(SHOP, json!({ "ERP": "three" })).await.done()["sources"][0]["action"], "unchanged");
    // Another one replaces all.
    assert_eq!(app.apply(SHOP, json!({ "ERP": "four" })).await.done()["sources"][0]["action"], "updated");
    for (secret, status) in [("two", 401), ("three", 401), ("four", 202)] {
        assert_eq!(signed(&token, secret, BODY).await.status, status, "{secret}");
    }
}

async fn what_has_ended_is_forgotten(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    app.senders(SHOP, json!({ "ERP": "one" })).await;
    rotate(&app.admin, ERP, "token", json!({ "overlap": 60 })).await.done();
    rotate(&app.admin, ERP, "secret", json!({ "overlap": 60 })).await.done();
    app.keep_house().await;
    assert_eq!((app.database().count("tokens").await, app.database().count("secrets").await), (3, 2));
    app.setup.clock.advance(Duration::from_secs(60));
    app.keep_house().await;
    assert_eq!((app.database().count("tokens").await, app.database().count("secrets").await), (2, 1));
}

/// What one replica has changed is in force on another after its next pulse; an end, at its time, without one.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_follow() {
    let one = Setup::new(Engine::Postgres).await.with_stopped_clock().start().await;
    let here = one.senders(SHOP, json!({ "ERP": "one" })).await;
    let two = one.setup.replica().start().await;
    let there = |sender: &crate::client::Sender| sender.at(&two.url);
    let fresh = with_token(&one.admin, &rotate(&one.admin, WEB, "token", json!({ "overlap": 60 })).await.done());
    rotate(&one.admin, ERP, "secret", json!({ "secret": "two", "overlap": 60 })).await.done();
    two.gateway().pulse().await.unwrap();
    assert_eq!((order(&there(&fresh), 1).await, order(&there(&here[1]), 2).await), (202, 202));
    assert_eq!(signed(&there(&here[0]), "two", BODY).await.status, 202);
    one.setup.clock.advance(Duration::from_secs(60));
    assert_eq!((order(&there(&fresh), 3).await, order(&there(&here[1]), 4).await), (202, 401));
    assert_eq!(signed(&there(&here[0]), "one", BODY).await.status, 401);
    patch(&one.admin, WEB, &json!({ "enabled": false })).await.done();
    two.gateway().pulse().await.unwrap();
    assert_eq!(order(&there(&fresh), 5).await, 403);
    super::ask(&one.admin, http::Method::DELETE, WEB, None, &json!({})).await;
    two.gateway().pulse().await.unwrap();
    assert_eq!(order(&there(&fresh), 6).await, 401);
}
