//! Secrets that a sender's handshake brings: kept while there is none, in force at once, shown once.

use http::Method;
use serde_json::{Value, json};

use super::{answered, file, signed};
use crate::app::{App, text};
use crate::client::{Answer, Sender};
use crate::seeded::key;

both!(
    the_secret_of_a_handshake_is_kept,
    a_second_secret_is_refused_until_the_first_is_removed,
    of_several_at_once_one_is_kept,
    a_kept_secret_is_shown_once,
    a_kept_secret_is_nowhere_to_be_read,
    applying_again_keeps_a_kept_secret,
    who_may_do_what_with_secrets,
);

const ASANA: &str = "signature = { preset = \"asana\" }";
const NOTION: &str = "signature = { preset = \"notion\" }";
const HOOK: &str = "b537207f20cbfa02357cf448134da559";
const OTHER: &str = "0f9ca3a6bd4a4a5a8a1ee1b0a6b7b8d1";
const TOKEN: &str = "secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl";
const EVENT: &str = r#"{"code":"A","events":[]}"#;
const SOURCE: &str = "/modules/m/sources/s";

async fn shake(sender: &Sender, secret: &str) -> Answer {
    sender.send(sender.json("{}").header("x-hook-secret", secret)).await
}

async fn event(app: &App, sender: &Sender, secret: &str) -> Answer {
    sender.send(signed(app, sender, "asana", secret, EVENT)).await
}

async fn remove(app: &App) -> Answer {
    Answer::to(app.request(Method::DELETE, &format!("/api/v1{SOURCE}/secrets")).bearer_auth(&app.key)).await
}

async fn reveal(app: &App) -> Answer {
    app.post(&format!("/api/v1{SOURCE}/reveal-secret"), json!({})).await
}

/// How many secrets the source has, and whether a handshake has brought it.
async fn secrets(app: &App) -> (Value, Value) {
    let source = app.see(SOURCE).await;
    (json!(source["secrets"].as_array().unwrap().len()), source["keptSecret"].clone())
}

async fn the_secret_of_a_handshake_is_kept(app: App) {
    let sender = app.sender(&file(ASANA)).await;
    assert_eq!(secrets(&app).await, (json!(0), json!(false)));
    event(&app, &sender, HOOK).await.problem(401, "signature_unconfigured");
    let answer = shake(&sender, HOOK).await;
    answered(&answer, "");
    assert_eq!(answer.header("x-hook-secret"), HOOK);
    assert_eq!(event(&app, &sender, HOOK).await.status, 200, "it is in force before the answer is there");
    assert_eq!(event(&app, &sender, "another").await.status, 401);
    assert_eq!(secrets(&app).await, (json!(1), json!(true)));
    let audited =
        app.database().rows("SELECT actor, action, target, address FROM audit ORDER BY seq DESC LIMIT 1").await;
    let audited: Vec<_> = audited[0].iter().map(|text| text.as_deref().unwrap_or_default()).collect();
    assert_eq!(audited, ["handshake", "source.keep-secret", "m/s", "127.0.0.1"]);
    let app = app.restart().await;
    let sender = sender.anew(&app.url);
    assert_eq!(event(&app, &sender, HOOK).await.status, 200);
}

async fn a_second_secret_is_refused_until_the_first_is_removed(app: App) {
    let sender = app.sender(&file(ASANA)).await;
    answered(&shake(&sender, HOOK).await, "");
    answered(&shake(&sender, HOOK).await, "");
    for replay in [OTHER, "another", "x", &HOOK[1..]] {
        let refused = shake(&sender, replay).await;
        let problem = refused.problem(401, "handshake_refused");
        assert!(text(&problem["detail"]).contains("DELETE /api/v1/modules/"), "it says how to take another: {problem}");
        assert!(!refused.headers.contains_key("x-hook-secret"));
    }
    assert_eq!(event(&app, &sender, HOOK).await.status, 200);

    assert_eq!(remove(&app).await.status, 204);
    assert_eq!(secrets(&app).await, (json!(0), json!(false)));
    event(&app, &sender, HOOK).await.problem(401, "signature_unconfigured");
    let audited = app.database().count("audit").await;
    assert_eq!(remove(&app).await.status, 204);
    assert_eq!(app.database().count("audit").await, audited, "there was nothing left to remove");
    shake(&sender, "").await.problem(400, "invalid_request");
    shake(&sender, &"x".repeat(2_000)).await.problem(400, "invalid_request");
    answered(&shake(&sender, OTHER).await, "");
    assert_eq!(event(&app, &sender, OTHER).await.status, 200);
    assert_eq!(event(&app, &sender, HOOK).await.status, 401);

    let given = app.apply(&file(&ASANA.replace(" }", ", secret = \"env:S\" }")), json!({ "S": "given" })).await.done();
    assert_eq!(given["sources"][0]["action"], "updated");
    assert_eq!(secrets(&app).await, (json!(1), json!(false)), "an admin's own replaces it");
    shake(&sender, HOOK).await.problem(401, "handshake_refused");
}

async fn of_several_at_once_one_is_kept(app: App) {
    let sender = app.sender(&file(ASANA)).await;
    let all: Vec<_> = (0..8).map(|number| format!("a long secret, number {number}")).collect();
    let answers = futures_util::future::join_all(all.iter().map(|secret| shake(&sender, secret))).await;
    let mut kept = Vec::new();
    for (secret, answer) in all.iter().zip(&answers) {
        match answer.status {
            200 => kept.push(secret),
            _ => drop(answer.problem(401, "handshake_refused")),
        }
    }
    let [kept] = kept[..] else { panic!("one is kept: {kept:?}") };
    for secret in &all {
        assert_eq!(event(&app, &sender, secret).await.status == 200, secret == kept, "{secret}");
    }
    assert_eq!(app.database().count("secrets").await, 1);
    assert_eq!(app.database().count("audit WHERE actor = 'handshake'").await, 1);
}

async fn a_kept_secret_is_shown_once(app: App) {
    let sender = app.sender(&file(NOTION)).await;
    reveal(&app).await.problem(409, "conflict");
    answered(&sender.post(json!({ "verification_token": TOKEN })).await, "");
    let shown = reveal(&app).await;
    assert_eq!(shown.done(), json!({ "secret": TOKEN }));
    assert_eq!(shown.header("cache-control"), "no-store");
    let again = reveal(&app).await;
    assert!(!again.text().contains(TOKEN) && again.problem(409, "conflict").is_object());
    assert_eq!(secrets(&app).await, (json!(1), json!(true)));
    assert_eq!(app.database().count("audit WHERE action = 'source.reveal-secret'").await, 1);
    let event = signed(&app, &sender, "notion", TOKEN, r#"{"code":"A","type":"page.created"}"#);
    sender.send(event).await.accepted("created");

    // One that an admin gave is never shown.
    let given = NOTION.replace(" }", ", secret = \"env:S\" }");
    app.apply(&file(&given), json!({ "S": "given by hand" })).await.done();
    let refused = reveal(&app).await;
    assert!(!refused.text().contains("given by hand") && refused.problem(409, "conflict").is_object());
    app.post("/api/v1/modules/m/sources/nothing/reveal-secret", json!({})).await.problem(404, "not_found");
    app.post("/api/v1/modules/nothing/sources/s/reveal-secret", json!({})).await.problem(404, "not_found");
}

async fn a_kept_secret_is_nowhere_to_be_read(app: App) {
    let sender = app.sender(&file(NOTION)).await;
    let probe = |token: &str| json!({ "verification_token": token });
    answered(&sender.post(probe(TOKEN)).await, "");
    sender.post(probe("secret_of_the_future")).await.problem(401, "handshake_refused");
    let setup = app.stop().await;
    let dump = setup.database().dump().await;
    assert!(dump.contains("handshake_refused") && dump.contains("keep-secret"), "the dump shows what is there");
    for secret in [TOKEN, "secret_of_the_future"] {
        let hexadecimal = data_encoding::HEXLOWER.encode(secret.as_bytes());
        assert!(!dump.contains(secret) && !dump.to_lowercase().contains(&hexadecimal), "{secret}");
    }
}

async fn applying_again_keeps_a_kept_secret(app: App) {
    let sender = app.sender(&file(ASANA)).await;
    answered(&shake(&sender, HOOK).await, "");
    let actions = |applied: &Value| applied["sources"][0]["action"].clone();
    assert_eq!(actions(&app.apply(&file(ASANA), json!({})).await.done()), "unchanged");
    let changed = format!("{ASANA}\nmax_body = 4096");
    assert_eq!(actions(&app.apply(&file(&changed), json!({})).await.done()), "updated");
    assert_eq!(event(&app, &sender, HOOK).await.status, 200);
    assert_eq!(secrets(&app).await, (json!(1), json!(true)));
    // It is no secret of any other sender.
    app.apply(&file("signature = { preset = \"discord\" }"), json!({})).await.done();
    assert_eq!(secrets(&app).await, (json!(0), json!(false)));
}

async fn who_may_do_what_with_secrets(app: App) {
    let sender = app.sender(&file(NOTION)).await;
    answered(&sender.post(json!({ "verification_token": TOKEN })).await, "");
    let (viewer, editor) = (key(&app, "viewer").await, key(&app, "editor").await);
    let call = async |method: Method, path: &str, key: &str| {
        Answer::to(app.request(method, &format!("/api/v1{SOURCE}{path}")).bearer_auth(key)).await
    };
    for (method, path) in [(Method::POST, "/reveal-secret"), (Method::DELETE, "/secrets")] {
        call(method.clone(), path, "tgk_nobody").await.problem(401, "key_invalid");
        call(method, path, &viewer).await.problem(403, "forbidden");
    }
    assert_eq!(call(Method::GET, "", &viewer).await.status, 200);
    assert_eq!(call(Method::POST, "/reveal-secret", &editor).await.done()["secret"], TOKEN);
    assert_eq!(call(Method::DELETE, "/secrets", &editor).await.status, 204);
}
