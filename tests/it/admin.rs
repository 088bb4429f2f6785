//! The administration's side: who may call it, what it shows of sources, and what watches over a gateway.

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use crate::seeded::{Settled, redeliver};

both!(
    every_route_asks_for_a_key,
    a_source_is_made_and_its_token_shown_once,
    a_source_that_makes_no_sense_is_refused_whole,
    modules_are_shown_as_they_are,
    a_gateway_says_how_it_is,
    a_wrong_method_is_a_problem_everywhere,
    urls_are_what_senders_see,
    the_public_address_can_be_for_webhooks_alone,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");

/// Those below `/api/v1`.
const ROUTES: &[(Method, &str)] = &[
    (Method::POST, "/apply"),
    (Method::GET, "/modules"),
    (Method::GET, "/modules/orders"),
    (Method::GET, "/modules/orders/records"),
    (Method::GET, "/modules/orders/records/{record}"),
    (Method::GET, "/modules/orders/sources"),
    (Method::POST, "/modules/orders/sources"),
    (Method::GET, "/modules/orders/sources/shop"),
    (Method::DELETE, "/modules/orders/sources/shop/secrets"),
    (Method::POST, "/modules/orders/sources/shop/reveal-secret"),
    (Method::GET, "/presets"),
    (Method::GET, "/changes"),
    (Method::GET, "/changes/stream"),
    (Method::GET, "/profiles"),
    (Method::GET, "/webhooks"),
    (Method::POST, "/webhooks"),
    (Method::GET, "/webhooks/{webhook}"),
    (Method::PATCH, "/webhooks/{webhook}"),
    (Method::DELETE, "/webhooks/{webhook}"),
    (Method::POST, "/webhooks/{webhook}/enable"),
    (Method::POST, "/webhooks/{webhook}/disable"),
    (Method::POST, "/webhooks/{webhook}/rotate-secret"),
    (Method::POST, "/webhooks/{webhook}/promote-secret"),
    (Method::POST, "/webhooks/{webhook}/test"),
    (Method::GET, "/webhooks/{webhook}/deliveries"),
    (Method::GET, "/deliveries/{delivery}"),
    (Method::POST, "/deliveries/{delivery}/retry"),
    (Method::GET, "/jobs"),
    (Method::POST, "/jobs"),
    (Method::GET, "/jobs/{job}"),
    (Method::DELETE, "/jobs/{job}"),
    (Method::GET, "/keys"),
    (Method::POST, "/keys"),
    (Method::GET, "/keys/self"),
    (Method::DELETE, "/keys/key_1"),
    (Method::GET, "/audit"),
    (Method::GET, "/events"),
    (Method::GET, "/events/{event}"),
    (Method::GET, "/events/{event}/payload"),
];

async fn every_route_asks_for_a_key(app: App) {
    let sender = app.sender(ORDERS).await;
    let made = sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let (record, event) = (text(&made["recordId"]), text(&made["eventId"]));
    let webhook = app.post("/api/v1/webhooks", json!({ "url": "tidegate://inspect" })).await.done();
    let webhook = text(&webhook["id"]);
    let delivery = Settled::failed(webhook.parse().unwrap()).put(app.database(), 0, 1).await.remove(0);
    let job = redeliver(&app, json!({ "type": "nothing" })).await;
    let named = [
        ("{record}", record),
        ("{event}", event),
        ("{webhook}", webhook),
        ("{delivery}", &*delivery),
        ("{job}", &*job),
    ];
    let before = app.database().count("audit").await;
    for (method, path) in ROUTES {
        let path = named.iter().fold((*path).to_owned(), |path, (name, id)| path.replace(name, id));
        let path = format!("/api/v1{path}");
        let request = || {
            let request = app.request(method.clone(), &path).header("content-type", "application/json");
            request.body(json!({ "files": [{ "name": "f", "text": ORDERS }], "slug": "x" }).to_string())
        };
        let almost = &app.key[..app.key.len() - 1];
        let keys = [
            format!("Bearer {almost}"),
            format!("Bearer {}", sender.token),
            format!("Basic {}", app.key),
            "Bearer".into(),
        ];
        for key in keys {
            Answer::to(request().header("authorization", key)).await.problem(401, "key_invalid");
        }
        Answer::to(request()).await.problem(401, "key_invalid");
        let in_url = Answer::to(app.request(method.clone(), &format!("{path}?key={}", app.key)).body("{}")).await;
        in_url.problem(401, "key_invalid");
    }
    assert_eq!(app.database().count("audit").await, before, "nothing was done");
    assert!(app.key.starts_with("tgk_"));
    app.see("/modules").await;
}

async fn a_source_is_made_and_its_token_shown_once(app: App) {
    app.sender(ORDERS).await;
    let source = json!({
        "slug": "till",
        "signature": { "header": "X-Sign", "prefix": "v1=", "encoding": "hex", "secret": "a literal secret" },
        "rateLimit": { "perMinute": 100, "burst": 5 },
        "maxBody": 2048,
        "mapping": { "event_id": "$.id", "rule": [
            { "from": "$.sku", "to": "code", "transform": ["trim", { "map": { "a": "A" }, "else": "B" }] },
            { "from": "$.n", "to": "quantity", "default": 1 },
        ] },
    });
    let answer = app.post("/api/v1/modules/orders/sources", source.clone()).await;
    let made = answer.done();
    assert_eq!(made["slug"], "till");
    let sender = Sender::new(app.http.clone(), &app.url, "orders", text(&made["token"]));
    assert_eq!(text(&made["url"]), format!("{}{}", app.url, sender.path()));
    assert!(!answer.text().contains("a literal secret"));

    sender.post(json!({ "sku": " a" })).await.problem(401, "signature_missing");
    let body = br#"{"sku":" a ","id":7}"#;
    let signature = tidegate::verify::hmac_sha256(b"a literal secret", body);
    let signature = format!("v1={}", data_encoding::HEXLOWER.encode(&signature));
    let sent = sender.send(sender.json(*body).header("x-sign", signature)).await.accepted("created");
    let record = app.record("orders", &sent).await;
    assert_eq!((&record["fields"]["code"], &record["fields"]["quantity"]), (&json!("A"), &json!(1)));

    let listed = app.see("/modules/orders/sources").await;
    let slugs: Vec<_> = listed["data"].as_array().unwrap().iter().map(|source| text(&source["slug"])).collect();
    assert_eq!(slugs, ["shop", "till"]);
    assert!(!listed.to_string().contains(&sender.token) && !listed.to_string().contains("a literal secret"));
    assert!(listed["data"].as_array().unwrap().iter().all(|source| source.get("token").is_none()));
    app.post("/api/v1/modules/orders/sources", source.clone()).await.problem(409, "conflict");
    app.post("/api/v1/modules/nothing/sources", source).await.problem(404, "not_found");
}

async fn a_source_that_makes_no_sense_is_refused_whole(app: App) {
    app.sender(ORDERS).await;
    let rule = json!({ "from": "$.sku", "to": "code" });
    for (name, source) in [
        ("a slug that is none", json!({ "slug": "Till 1", "mapping": { "rule": [rule] } })),
        ("no rules", json!({ "slug": "till", "mapping": { "rule": [] } })),
        (
            "a field that is not there",
            json!({ "slug": "till", "mapping": { "rule": [rule, { "from": "$.x", "to": "x" }] } }),
        ),
        (
            "a path that is none",
            json!({ "slug": "till", "mapping": { "rule": [rule, { "from": "x.y", "to": "note" }] } }),
        ),
        ("no rule for the match", json!({ "slug": "till", "mapping": { "rule": [{ "from": "$.x", "to": "note" }] } })),
        (
            "a limit of nothing",
            json!({ "slug": "till", "rateLimit": { "perMinute": 0 }, "mapping": { "rule": [rule] } }),
        ),
    ] {
        let answer = app.post("/api/v1/modules/orders/sources", source).await;
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        let problem = answer.problem(422, "invalid_document");
        let errors = problem["errors"].as_array().unwrap();
        assert!(errors.iter().all(|error| error["detail"].is_string()) && !errors.is_empty(), "{name}: {problem}");
    }
    assert_eq!(app.see("/modules/orders/sources").await["data"].as_array().unwrap().len(), 1);
    let misspelt = app.post("/api/v1/modules/orders/sources", json!({ "slug": "till", "mappings": {} })).await;
    assert!(matches!(misspelt.status, 400 | 422), "{}", misspelt.text());
    let no_json =
        app.request(Method::POST, "/api/v1/apply").bearer_auth(&app.key).header("content-type", "application/json");
    Answer::to(no_json.body("{")).await.problem(400, "invalid_json");
}

async fn modules_are_shown_as_they_are(app: App) {
    app.sender(ORDERS).await;
    app.sender(include_str!("../data/modules/everything.toml")).await;
    let modules = app.see("/modules").await;
    let slugs: Vec<_> = modules["data"].as_array().unwrap().iter().map(|module| text(&module["slug"])).collect();
    assert_eq!(slugs, ["everything", "orders"]);
    let module = app.see("/modules/orders").await;
    assert_eq!((&module["slug"], &module["match"]), (&json!("orders"), &json!(["code"])), "{module}");
    assert!(text(&module["id"]).starts_with("mod_"));
    app.get("/api/v1/modules/nothing").await.problem(404, "not_found");
}

async fn a_gateway_says_how_it_is(app: App) {
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    sender.post("{").await.problem(400, "invalid_json");
    for path in ["/livez", "/readyz"] {
        assert_eq!(Answer::to(app.request(Method::GET, path)).await.status, 200, "{path}");
    }
    let metrics = Answer::to(app.request(Method::GET, "/metrics")).await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.header("content-type").starts_with("text/plain"));
    let text = String::from_utf8(metrics.body).unwrap();
    assert!(text.contains("# TYPE") && text.contains("tidegate"), "{text}");
    assert!(!text.contains(&sender.token), "no metric is named by a token");
}

async fn a_wrong_method_is_a_problem_everywhere(app: App) {
    for (method, path, allowed) in [
        (Method::POST, "/readyz", "GET"),
        (Method::DELETE, "/problems/not_found", "GET"),
        (Method::PUT, "/api/v1/apply", "POST"),
        (Method::PATCH, "/api/v1/events", "GET"),
    ] {
        let answer = Answer::to(app.request(method, path).bearer_auth(&app.key)).await;
        answer.problem(405, "method_not_allowed");
        assert!(answer.header("allow").contains(allowed), "{path}");
    }
}

async fn urls_are_what_senders_see(mut setup: Setup) {
    setup.config.public_url = Some("https://hooks.example.com/in".to_owned());
    let app = setup.start().await;
    let applied = app.apply(ORDERS, json!({})).await.done();
    let source = &applied["sources"][0];
    let wanted = format!("https://hooks.example.com/in/api/webhooks/orders/{}", text(&source["token"]));
    assert_eq!(text(&source["url"]), wanted);
}

async fn the_public_address_can_be_for_webhooks_alone(mut setup: Setup) {
    setup.config.admin_listen = Some(setup.config.listen);
    let app = setup.start().await;
    let hidden = app.get("/api/v1/modules").await;
    hidden.problem(404, "not_found");
    app.post("/api/v1/apply", json!({ "files": [], "secrets": {} })).await.problem(404, "not_found");
    let hook = app.request(Method::POST, "/api/webhooks/orders/tgt_x").body("{}");
    let refused: Value = Answer::to(hook).await.problem(401, "unauthorized");
    assert_eq!(Answer::to(app.request(Method::GET, text(&refused["type"]))).await.status, 200);
}
