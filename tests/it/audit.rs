//! The audit log: every write leaves one row that says who, what, before, after and from where, and nothing secret.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::client::Answer;
use crate::database::Engine;
use crate::receiver::{Receiver, Reply};
use crate::seeded::{Settled, key, redeliver};

both!(
    what_is_applied_is_told_with_before_and_after,
    every_write_to_a_webhook_is_told,
    other_writes_are_told,
    nothing_secret_is_told,
    rows_are_found_by_what_they_tell,
    rows_go_after_their_time,
    what_is_given_at_the_start_is_told,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const SIGNED: &str = include_str!("../data/modules/signed.toml");

async fn rows(app: &App, query: &str) -> Vec<Value> {
    app.see(&format!("/audit{query}")).await["data"].as_array().unwrap().clone()
}

/// The row of what was done just now, which is the only one of it.
async fn told(app: &App, seen: &mut usize) -> Value {
    let all = rows(app, "").await;
    assert_eq!(all.len(), *seen + 1, "one row more: {:?}", all.first());
    *seen += 1;
    let row = all[0].clone();
    assert_eq!((&row["actorName"], &row["address"]), (&json!("first owner"), &json!("127.0.0.1")), "{row}");
    assert!(text(&row["actor"]).starts_with("key_") && row["at"].is_string(), "{row}");
    row
}

async fn what_is_applied_is_told_with_before_and_after(app: App) {
    let before = rows(&app, "").await.len();
    app.sender(ORDERS).await;
    let all = rows(&app, "").await;
    assert_eq!(all.len(), before + 2, "one for the module, one for its source");
    let [source, module] = [&all[0], &all[1]];
    assert_eq!(
        (&module["action"], &module["target"], &module["before"]),
        (&json!("module.create"), &json!("orders"), &Value::Null)
    );
    assert!(module["after"]["fields"].as_array().unwrap().iter().any(|field| field["name"] == "code"), "{module}");
    assert_eq!(
        (&source["action"], &source["target"], &source["before"]),
        (&json!("source.create"), &json!("orders/shop"), &Value::Null)
    );
    assert_eq!((&source["after"]["mappingVersion"], &source["after"]["secrets"]), (&json!(1), &json!(0)), "{source}");

    let changed = ORDERS.replace("[module.fields]", "[module.fields]\nextra = \"text\"");
    let changed = changed
        .replace("per_minute = 1000000", "per_minute = 5")
        .replace("only = [\"order.*\", \"stock\"]", "only = [\"stock\"]");
    assert_ne!(changed, ORDERS);
    app.apply(&changed, json!({})).await.done();
    let all = rows(&app, "").await;
    assert_eq!(all.len(), before + 4);
    let [source, module] = [&all[0], &all[1]];
    let has_extra = |of: &Value| of["fields"].as_array().unwrap().iter().any(|field| field["name"] == "extra");
    assert!(!has_extra(&module["before"]) && has_extra(&module["after"]), "{module}");
    assert_eq!(source["action"], "source.update", "{source}");
    assert_eq!(
        (&source["before"]["mappingVersion"], &source["after"]["mappingVersion"]),
        (&json!(1), &json!(2)),
        "{source}"
    );
    assert_eq!(source["after"]["settings"]["rate_limit"]["per_minute"], 5, "{source}");
    app.apply(&changed, json!({})).await.done();
    assert_eq!(rows(&app, "").await.len(), before + 4, "nothing was changed");
}

async fn every_write_to_a_webhook_is_told(app: App) {
    let (mut seen, receiver) = (rows(&app, "").await.len(), Receiver::start().await);
    let made = app
        .post("/api/v1/webhooks", json!({ "url": receiver.url("/secret/path"), "headers": { "X-Key": "hush" } }))
        .await
        .done();
    let path = format!("/api/v1/webhooks/{}", text(&made["id"]));
    let row = told(&app, &mut seen).await;
    assert_eq!((&row["action"], &row["target"], &row["before"]), (&json!("webhook.create"), &made["id"], &Value::Null));
    assert_eq!(
        (&row["after"]["url"], &row["after"]["headers"]),
        (&json!(receiver.url("")), &json!(["X-Key"])),
        "{row}"
    );

    let change = async |body: Value| {
        let request = app.request(Method::PATCH, &path).bearer_auth(&app.key).body(body.to_string());
        Answer::to(request).await.done();
    };
    change(json!({ "concurrency": 3 })).await;
    let row = told(&app, &mut seen).await;
    assert_eq!((&row["action"], &row["after"]["concurrency"]), (&json!("webhook.change"), &json!(3)), "{row}");
    assert_ne!(row["before"]["concurrency"], 3);
    change(json!({ "url": receiver.url("/other/path"), "headers": { "X-Key": "hush hush" } })).await;
    let row = told(&app, &mut seen).await;
    assert_eq!(row["after"]["changedUnseen"], json!(["url", "headers"]), "{row}");
    change(json!({ "concurrency": 3 })).await;
    assert_eq!(rows(&app, "").await.len(), seen, "nothing was changed");

    for (verb, action, before, after) in [
        ("disable", "webhook.disable", json!({ "state": "enabled" }), json!({ "state": "disabled", "cause": "admin" })),
        ("enable", "webhook.enable", json!({ "state": "disabled", "cause": "admin" }), json!({ "state": "enabled" })),
        (
            "rotate-secret",
            "webhook.rotate-secret",
            json!({ "secrets": 1 }),
            json!({ "secrets": 2, "overlapSeconds": 86400 }),
        ),
        ("promote-secret", "webhook.promote-secret", json!({ "secrets": 2 }), json!({ "secrets": 1 })),
    ] {
        app.post(&format!("{path}/{verb}"), json!({})).await.done();
        let row = told(&app, &mut seen).await;
        assert_eq!([&row["action"], &row["before"], &row["after"]], [&json!(action), &before, &after]);
    }
    assert_eq!(Answer::to(app.request(Method::DELETE, &path).bearer_auth(&app.key)).await.status, 204);
    let row = told(&app, &mut seen).await;
    assert_eq!(
        (&row["action"], &row["after"], &row["before"]["concurrency"]),
        (&json!("webhook.delete"), &Value::Null, &json!(3))
    );
    let everything = app.get("/api/v1/audit").await.text();
    assert!(
        !everything.contains("/path") && !everything.contains("hush") && !everything.contains("whsec_"),
        "{everything}"
    );
}

async fn other_writes_are_told(app: App) {
    app.senders(SIGNED, json!({ "ONE": "the-first-secret", "TWO": "the-second-secret" })).await;
    let mut seen = rows(&app, "").await.len();
    let path = "/api/v1/modules/signed/sources";
    let source = app.see("/modules/signed/sources/hex").await;
    let active = source["secrets"].as_array().unwrap().len();
    let removed = app.request(Method::DELETE, &format!("{path}/hex/secrets"));
    assert_eq!(Answer::to(removed.bearer_auth(&app.key)).await.status, 204);
    let row = told(&app, &mut seen).await;
    assert_eq!(
        [&row["action"], &row["before"], &row["after"]],
        [&json!("source.remove-secrets"), &json!({ "secrets": active }), &json!({ "secrets": 0 })]
    );

    let webhook = app.post("/api/v1/webhooks", json!({ "url": "tidegate://inspect" })).await.done();
    told(&app, &mut seen).await;
    let delivery = Settled::failed(text(&webhook["id"]).parse().unwrap()).put(app.database(), 0, 1).await.remove(0);
    app.post(&format!("/api/v1/deliveries/{delivery}/retry"), json!({})).await.done();
    let row = told(&app, &mut seen).await;
    assert_eq!(
        [&row["action"], &row["target"], &row["before"]["state"]],
        [&json!("delivery.retry"), &json!(delivery), &json!("failed")]
    );

    let job = redeliver(&app, json!({ "type": "nothing" })).await;
    let row = told(&app, &mut seen).await;
    assert_eq!(
        [&row["action"], &row["target"], &row["after"]["kind"]],
        [&json!("job.create"), &json!(job), &json!("redeliver")]
    );
    assert_eq!(row["after"]["spec"]["type"], "nothing", "{row}");

    let key = app.post("/api/v1/keys", json!({ "name": "a", "role": "viewer" })).await.done();
    let row = told(&app, &mut seen).await;
    assert_eq!(
        [&row["action"], &row["target"], &row["after"]],
        [&json!("key.create"), &key["id"], &json!({ "name": "a", "role": "viewer", "expiresAt": null })]
    );
    let path = format!("/api/v1/keys/{}", text(&key["id"]));
    assert_eq!(Answer::to(app.request(Method::DELETE, &path).bearer_auth(&app.key)).await.status, 204);
    let row = told(&app, &mut seen).await;
    assert_eq!([&row["action"], &row["after"]], [&json!("key.revoke"), &Value::Null]);
}

async fn nothing_secret_is_told(app: App) {
    let senders = app.senders(SIGNED, json!({ "ONE": "the-first-secret", "TWO": "the-second-secret" })).await;
    let key = key(&app, "viewer").await;
    let all = app.get("/api/v1/audit").await.text();
    let digest = tidegate::secret::hex(&tidegate::secret::digest(&key));
    for private in ["the-first-secret", "the-second-secret", &key, &app.key, &digest, &senders[0].token] {
        assert!(!all.contains(private), "{private}");
    }
}

async fn rows_are_found_by_what_they_tell(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let begun = app.setup.clock.now();
    app.sender(ORDERS).await;
    app.setup.clock.advance(Duration::from_secs(60));
    app.sender(SIGNED_ALONE).await;
    let of = async |query: &str| {
        let targets = rows(&app, query).await;
        targets.iter().map(|row| text(&row["target"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("?action=module.create").await, ["alone", "orders"], "newest first");
    assert_eq!(of("?target=orders").await, ["orders/shop", "orders"], "what begins with it");
    assert_eq!(of("?target=orders/").await, ["orders/shop"]);
    let own = app.see("/keys/self").await;
    assert_eq!(of(&format!("?actor={}&action=source.create", text(&own["id"]))).await, ["alone/one", "orders/shop"]);
    assert_eq!(of("?actor=gateway").await, [text(&own["id"])]);
    assert_eq!(of(&format!("?since={}", begun.after(Duration::from_secs(60)))).await, ["alone/one", "alone"]);
    assert_eq!(of(&format!("?until={}&target=orders", begun.after(Duration::from_micros(1)))).await.len(), 2);
    assert_eq!(of(&format!("?until={begun}&target=orders")).await, [""; 0], "the end is not included");
    assert_eq!(app.list("/audit", 2).await, rows(&app, "").await, "page by page");
    app.get("/api/v1/audit?since=yesterday").await.problem(400, "invalid_request");
    app.get("/api/v1/audit?cursor=x").await.problem(400, "invalid_request");
    app.get("/api/v1/audit?colour=red").await.problem(400, "invalid_request");
}

const SIGNED_ALONE: &str = "[module]\nslug = \"alone\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\n\
    [[source]]\nslug = \"one\"\n[[source.rule]]\nfrom = \"$.code\"\nto = \"code\"\n";

async fn rows_go_after_their_time(mut setup: Setup) {
    setup.config.keep.audit = Duration::from_secs(86_400);
    let app = setup.with_stopped_clock().start().await;
    app.sender(ORDERS).await;
    app.setup.clock.advance(Duration::from_secs(86_400));
    app.keep_house().await;
    assert_eq!(rows(&app, "").await.len(), 3, "just as old as they may be");
    key(&app, "viewer").await;
    app.setup.clock.advance(Duration::from_micros(1));
    app.keep_house().await;
    assert_eq!(rows(&app, "").await.len(), 1);
}

async fn what_is_given_at_the_start_is_told(mut setup: Setup) {
    let file = setup.folder().join("orders.toml");
    std::fs::write(&file, ORDERS).unwrap();
    setup.config.apply = vec![file];
    let app = setup.start().await;
    let all = rows(&app, "?actor=startup").await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["actorName"], &all[0]["address"]), (&Value::Null, &Value::Null));
    assert_eq!(rows(&app, "?actor=gateway").await[0]["after"], json!({ "name": "first owner", "role": "owner" }));
}

/// The gateway's own writes, too. On one database: the rule is the same on both.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_does_by_itself_is_told() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let receiver = Receiver::start().await;
    receiver.answer(|_| Reply::status(410));
    let made = app.post("/api/v1/webhooks", json!({ "url": receiver.url("/") })).await.done();
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A", "quantity": 1 })).await.accepted("created");
    let told = async {
        loop {
            if let Some(row) = rows(&app, "?action=webhook.disable").await.first() {
                break row.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let row = tokio::time::timeout(Duration::from_secs(20), told).await.expect("it is disabled");
    assert_eq!(
        [&row["actor"], &row["target"], &row["after"]],
        [&json!("gateway"), &made["id"], &json!({ "state": "disabled", "cause": "gone" })]
    );
}
