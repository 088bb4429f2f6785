//! Webhooks as an admin sees them: made, changed, turned off and on, tried; and what that does to what is sent.

mod commands;
mod mistakes;
mod secrets;
mod trials;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, text};
use crate::client::{Answer, Sender};
use crate::receiver::{Received, Receiver};
use crate::seeded::key;

both!(
    a_webhook_is_made_and_sent_to,
    a_webhook_is_changed_member_by_member,
    a_change_can_be_of_one_version_only,
    a_webhook_is_turned_off_and_on,
    a_deleted_webhook_is_sent_nothing,
    webhooks_are_listed_page_by_page,
    the_page_of_deliveries_is_served,
    many_are_made_at_once,
    who_may_do_what,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const WEBHOOKS: &str = "/api/v1/webhooks";

/// One call with a key, and the version that is meant.
async fn call(app: &App, method: Method, path: &str, body: Value) -> Answer {
    let request = app.request(method, &format!("{WEBHOOKS}{path}")).bearer_auth(&app.key);
    Answer::to(request.body(body.to_string())).await
}

async fn patch(app: &App, id: &str, body: Value) -> Answer {
    call(app, Method::PATCH, &format!("/{id}"), body).await
}

async fn turn(app: &App, id: &str, verb: &str) -> Answer {
    call(app, Method::POST, &format!("/{id}/{verb}"), json!({})).await
}

async fn make(app: &App, body: Value) -> Value {
    let answer = app.post(WEBHOOKS, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn see(app: &App, id: &str) -> Value {
    app.see(&format!("/webhooks/{id}")).await
}

async fn order(sender: &Sender, code: &str) {
    sender.post(json!({ "type": "stock", "code": code, "quantity": 1 })).await.accepted("created");
}

/// The codes of the records that it was sent, in the order of their arrival.
fn codes(came: &[Received]) -> Vec<String> {
    came.iter().map(|request| text(&request.json()["data"]["code"]).to_owned()).collect()
}

fn hmac(secret: &str, body: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&tidegate::verify::hmac_sha256(secret.as_bytes(), body))
}

async fn a_webhook_is_made_and_sent_to(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let answer = app
        .post(
            WEBHOOKS,
            json!({
                "url": receiver.url("/a-path-that-nobody-knows"), "description": "the shop", "modules": ["orders"],
                "events": ["record_created"], "headers": { "X-Team": "a credential", "Authorization": "Bearer b" },
            }),
        )
        .await;
    let made = answer.done();
    assert_eq!((answer.status, answer.header("etag"), answer.header("cache-control")), (201, "\"1\"", "no-store"));
    let (id, secret) = (text(&made["id"]), text(&made["secret"]));
    assert!(id.starts_with("whk_") && secret.starts_with("whsec_"), "{made}");
    let kept = json!({ "X-Team": "(kept secret)", "Authorization": "(kept secret)" });
    assert_eq!((&made["headers"], &made["state"], &made["cause"]), (&kept, &json!("enabled"), &Value::Null));
    let defaults = json!([made["profile"], made["ordering"], made["concurrency"], made["retries"], made["onGone"]]);
    assert_eq!(defaults, json!(["collecta", "none", 16, null, "disable"]));

    let shown = app.get(&format!("{WEBHOOKS}/{id}")).await;
    assert_eq!(shown.header("etag"), "\"1\"");
    let mut without = made.clone();
    without.as_object_mut().unwrap().remove("secret");
    assert_eq!(shown.json(), without, "the secret is shown once, the rest as it was answered");
    let listed = app.get(WEBHOOKS).await;
    assert_eq!(listed.json(), json!({ "data": [without], "nextCursor": null }));

    order(&sender, "A").await;
    sender.post(json!({ "type": "stock", "code": "A", "quantity": 2 })).await.accepted("updated");
    order(&sender, "B").await;
    let mut came = receiver.wait_for(2).await;
    came.sort_by_key(|request| request.body.clone());
    let mut sent = codes(&came);
    sent.sort();
    assert_eq!(sent, ["A", "B"], "only what was asked for");
    for request in &came {
        assert_eq!(request.path, "/a-path-that-nobody-knows");
        assert_eq!(request.header("x-team"), Some("a credential"));
        assert_eq!(request.header("x-webhook-signature"), Some(&*format!("sha256={}", hmac(secret, &request.body))));
        assert_eq!(request.header("x-tidegate-test"), None);
    }
    let kept = app.database().dump().await;
    assert!(!kept.contains("a credential") && !kept.contains(secret), "sealed");
    let audit = app.see("/audit?target=whk_").await;
    assert_eq!((&audit["data"][0]["action"], &audit["data"][1]), (&json!("webhook.create"), &json!(null)));
    assert_eq!(audit["data"][0]["after"]["url"], receiver.url(""), "the path may be a secret");
}

async fn a_webhook_is_changed_member_by_member(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let made = make(
        &app,
        json!({
            "url": receiver.url("/old"), "events": ["record_deleted"], "filter": "@.data.code == 'B'", "timeout": 5,
            "retries": [1, 2], "headers": { "X-One": "1", "X-Two": "2" },
        }),
    )
    .await;
    let id = text(&made["id"]);
    let same = patch(&app, id, json!({ "timeout": 5, "headers": { "x-one": "(kept secret)" } })).await;
    assert_eq!(same.done()["version"], 2, "the spelling of a name is changed, and the value kept");
    assert_eq!(patch(&app, id, json!({ "timeout": 5 })).await.done()["version"], 2, "nothing was changed");
    let asked = json!({
        "url": receiver.url("/new"), "events": ["record_created"], "retries": null, "description": "d",
        "headers": { "X-TWO": null, "X-Three": "3" },
    });
    let answer = patch(&app, id, asked).await;
    let changed = answer.done();
    assert_eq!((answer.header("etag"), &changed["version"]), ("\"3\"", &json!(3)));
    assert!(changed.get("secret").is_none(), "{changed}");
    let settings = json!([changed["events"], changed["filter"], changed["timeout"], changed["retries"]]);
    assert_eq!(settings, json!([["record_created"], "@.data.code == 'B'", 5, null]));
    assert_eq!(changed["headers"], json!({ "x-one": "(kept secret)", "X-Three": "(kept secret)" }));

    order(&sender, "A").await;
    order(&sender, "B").await;
    let came = receiver.wait_for(1).await;
    assert_eq!((codes(&came), came[0].path.as_str()), (vec!["B".to_owned()], "/new"));
    let headers = ["x-one", "x-two", "x-three"].map(|name| came[0].header(name));
    assert_eq!(headers, [Some("1"), None, Some("3")]);
    let cleared = patch(&app, id, json!({ "headers": null, "filter": null })).await.done();
    assert_eq!((&cleared["headers"], &cleared["filter"]), (&json!({}), &Value::Null));
}

async fn a_change_can_be_of_one_version_only(app: App) {
    let made = make(&app, json!({ "url": "tidegate://inspect" })).await;
    let id = text(&made["id"]);
    let meant = async |method: Method, version: &str| {
        let request = app.request(method, &format!("{WEBHOOKS}/{id}")).bearer_auth(&app.key);
        let body = json!({ "description": version }).to_string();
        Answer::to(request.header("if-match", version).body(body)).await
    };
    for version in ["\"2\"", "W/\"1\"", "1"] {
        meant(Method::PATCH, version).await.problem(412, "precondition_failed");
        meant(Method::DELETE, version).await.problem(412, "precondition_failed");
    }
    assert_eq!(meant(Method::PATCH, "\"1\"").await.done()["version"], 2);
    meant(Method::PATCH, "\"1\"").await.problem(412, "precondition_failed");
    // Of two at once that mean the same version one is done.
    let both = tokio::join!(meant(Method::PATCH, "\"2\", \"9\""), meant(Method::PATCH, "\"2\""));
    let mut statuses = [both.0.status, both.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(meant(Method::PATCH, "*").await.done()["version"], 4);
    assert_eq!(meant(Method::DELETE, "\"4\"").await.status, 204);
    meant(Method::DELETE, "*").await.problem(404, "not_found");
}

async fn a_webhook_is_turned_off_and_on(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let made = make(&app, json!({ "url": receiver.url("/"), "events": ["record_created"] })).await;
    let id = text(&made["id"]);
    order(&sender, "A").await;
    receiver.wait_for(1).await;
    let off = turn(&app, id, "disable").await.done();
    assert_eq!((&off["state"], &off["cause"]), (&json!("disabled"), &json!("admin")));
    assert_eq!(turn(&app, id, "disable").await.done(), off, "it is disabled already");
    order(&sender, "B").await;
    let missing = &see(&app, id).await["missed"];
    assert!(missing["from"].is_string() && missing["to"].is_null(), "it still grows: {missing}");

    let on = turn(&app, id, "enable").await.done();
    assert_eq!((&on["state"], &on["cause"], &on["version"]), (&json!("enabled"), &Value::Null, &json!(3)));
    assert_eq!(turn(&app, id, "enable").await.done(), on, "it is enabled already");
    let missed = app.see(&format!("/changes?after={}", text(&on["missed"]["from"]))).await;
    let codes_of = |changes: &Value| -> Vec<Value> {
        changes["data"].as_array().unwrap().iter().map(|change| change["after"]["fields"]["code"].clone()).collect()
    };
    assert_eq!(codes_of(&missed), ["B"], "what was missed begins there");
    assert_eq!(on["missed"]["to"], missed["nextCursor"], "and ends there");
    order(&sender, "C").await;
    let came = receiver.wait_for(2).await;
    assert_eq!(codes(&came), ["A", "C"], "what was missed is not sent by itself");
    let actions = app.database().rows("SELECT action FROM audit WHERE target LIKE 'whk_%' ORDER BY at").await;
    let actions: Vec<_> = actions.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(actions, ["webhook.create", "webhook.disable", "webhook.enable"]);
}

async fn a_deleted_webhook_is_sent_nothing(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let gone = make(&app, json!({ "url": receiver.url("/gone") })).await;
    make(&app, json!({ "url": receiver.url("/stays") })).await;
    let path = format!("/{}", text(&gone["id"]));
    assert_eq!(call(&app, Method::DELETE, &path, json!({})).await.status, 204);
    order(&sender, "A").await;
    let came = receiver.wait_for(1).await;
    assert_eq!(came[0].path, "/stays");
    for (method, rest) in [
        (Method::GET, ""),
        (Method::PATCH, ""),
        (Method::DELETE, ""),
        (Method::POST, "/enable"),
        (Method::POST, "/disable"),
        (Method::POST, "/test"),
        (Method::POST, "/rotate-secret"),
        (Method::POST, "/promote-secret"),
    ] {
        for id in [&*path, "/whk_nothing", "/nothing"] {
            call(&app, method.clone(), &format!("{id}{rest}"), json!({})).await.problem(404, "not_found");
        }
    }
}

async fn webhooks_are_listed_page_by_page(app: App) {
    for number in 0..5 {
        make(&app, json!({ "url": "tidegate://inspect", "description": number.to_string() })).await;
    }
    let all = app.list("/webhooks", 2).await;
    let numbers: Vec<_> = all.iter().map(|one| text(&one["description"])).collect();
    assert_eq!(numbers, ["0", "1", "2", "3", "4"], "oldest first");
    app.get(&format!("{WEBHOOKS}?limit=0")).await.problem(400, "invalid_request");
    app.get(&format!("{WEBHOOKS}?cursor=x")).await.problem(400, "invalid_request");
    let profiles = app.see("/profiles").await;
    let names: Vec<_> = profiles["data"].as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
    assert_eq!(names, ["collecta", "collectiq", "auction-excellence", "cliq", "standard-webhooks"]);
    assert_eq!(profiles["data"][3]["signatures"], json!(["x-cliq-signature"]));
}

async fn the_page_of_deliveries_is_served(app: App) {
    let page = app.request(Method::GET, "/reference/deliveries").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), page.headers()["content-type"].to_str().unwrap()),
        (200, "text/html; charset=utf-8")
    );
    assert!(page.text().await.unwrap().contains("auction-excellence"));
}

async fn many_are_made_at_once(app: App) {
    let made = (0..8).map(|number| {
        let body = json!({ "url": "tidegate://inspect", "description": number.to_string() });
        let request = app.request(Method::POST, WEBHOOKS).bearer_auth(&app.key).body(body.to_string());
        tokio::spawn(Answer::to(request))
    });
    for answer in made.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().status, 201);
    }
    assert_eq!(app.list("/webhooks", 100).await.len(), 8);
}

async fn who_may_do_what(app: App) {
    app.sender(ORDERS).await;
    let made = make(&app, json!({ "url": "tidegate://inspect" })).await;
    let id = text(&made["id"]);
    let (viewer, editor) = (key(&app, "viewer").await, key(&app, "editor").await);
    let as_one = async |method: Method, path: &str, key: &str| {
        let request = app.request(method, &format!("/api/v1{path}")).bearer_auth(key);
        Answer::to(request.body(json!({}).to_string())).await
    };
    let of = |rest: &str| format!("/webhooks/{id}{rest}");
    for path in ["/profiles".to_owned(), "/webhooks".to_owned(), of("")] {
        as_one(Method::GET, &path, "tgk_nobody").await.problem(401, "key_invalid");
        assert_eq!(as_one(Method::GET, &path, &viewer).await.status, 200, "{path}");
    }
    let writes = [
        (Method::POST, "/webhooks".to_owned(), 422),
        (Method::PATCH, of(""), 200),
        (Method::POST, of("/disable"), 200),
        (Method::POST, of("/enable"), 200),
        (Method::POST, of("/test"), 200),
        (Method::POST, of("/rotate-secret"), 200),
        (Method::POST, of("/promote-secret"), 200),
        (Method::DELETE, of(""), 204),
    ];
    let before = app.database().count("audit").await;
    for (method, path, _) in &writes {
        as_one(method.clone(), path, "tgk_nobody").await.problem(401, "key_invalid");
        as_one(method.clone(), path, &viewer).await.problem(403, "forbidden");
    }
    assert_eq!(app.database().count("audit").await, before, "nothing was done");
    for (method, path, status) in writes {
        assert_eq!(as_one(method, &path, &editor).await.status, status, "{path}");
    }
}
