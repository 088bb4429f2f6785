//! What senders ask before they send, each as its vendor does, by HTTP; and what is answered to accepted webhooks by
//! sources that say so themselves. What someone makes of it who means harm is in `hostile.rs`, secrets that a handshake
//! brings in `kept.rs`.

mod hostile;
mod kept;
mod responses;

use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tidegate::verify::hmac_sha256;
use tidegate::verify::sign::sign;
use tidegate::verify::{Scheme, Signed};

use crate::app::App;
use crate::client::{Answer, Sender};

both!(
    challenges_in_a_post_are_answered,
    signed_challenges_are_answered_only_where_they_are_signed,
    challenges_in_a_get_are_answered,
    a_head_is_answered_where_it_is_asked,
    a_get_tells_nothing_of_a_source_without_handshake,
    an_intent_to_receive_is_tried,
    handshakes_are_neither_counted_nor_kept,
    a_handshake_of_its_own_is_answered,
);

/// Of every test here: its secret where it has one, and the key with which its sender signs.
pub const SECRET: &str = "a secret of at least thirty-two bytes";
/// RFC 8032, 7.1, test 3.
const DISCORD_SEED: &str = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
const DISCORD_PUBLIC: &str = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";

/// A module with one source; `keys` are the lines of the source.
pub fn file(keys: &str) -> String {
    format!(
        "[module]\nslug = \"m\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\n[[source]]\nslug = \"s\"\n{keys}\n\
         [[source.rule]]\nfrom = \"$.code\"\nto = \"code\"\n"
    )
}

/// A sender that the catalogue knows.
pub async fn known(app: &App, preset: &str) -> Sender {
    let secret = if preset == "discord" { DISCORD_PUBLIC } else { SECRET };
    let keys = format!("signature = {{ preset = \"{preset}\", secret = \"env:S\" }}");
    let module = format!("m-{preset}");
    let file = file(&keys).replace("slug = \"m\"", &format!("slug = \"{module}\""));
    app.senders(&file, json!({ "S": secret })).await.swap_remove(0)
}

/// The request as the preset's vendor signs it.
pub fn signed(app: &App, sender: &Sender, preset: &str, secret: &str, body: &str) -> RequestBuilder {
    let scheme: Scheme = serde_json::from_value(json!({ "preset": preset })).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("twitch-eventsub-message-id", HeaderValue::from_static("e76c6bd4"));
    let (path, url) = (sender.path(), format!("{}{}", sender.base, sender.path()));
    let request =
        Signed { method: "POST", url: &url, path: &path, query: None, headers: &headers, body: body.as_bytes() };
    let made = sign(&scheme, secret.as_bytes(), request, app.setup.clock.now()).unwrap();
    for (name, value) in made.headers {
        headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    sender.json(body).headers(headers)
}

/// What stands on every answer to a handshake.
#[track_caller]
fn answered(answer: &Answer, body: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(String::from_utf8_lossy(&answer.body), body);
    assert_eq!((answer.header("cache-control"), answer.header("x-content-type-options")), ("no-store", "nosniff"));
}

#[track_caller]
fn answered_in_text(answer: &Answer, body: &str) {
    answered(answer, body);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
}

#[track_caller]
fn answered_in_json(answer: &Answer, json: &Value) {
    answered(answer, &json.to_string());
    assert_eq!(answer.header("content-type"), "application/json");
}

async fn get(sender: &Sender, query: &str) -> Answer {
    sender.send(sender.request(Method::GET, &format!("{}{query}", sender.path()))).await
}

async fn challenges_in_a_post_are_answered(app: App) {
    let graph = known(&app, "microsoft-graph").await;
    let path = format!("{}?validationToken=Validation%3A%20Testing%20client%20app", graph.path());
    let probe = graph.request(Method::POST, &path).header("content-type", "text/plain; charset=utf-8");
    answered_in_text(&graph.send(probe).await, "Validation: Testing client app");
    let event = json!({ "code": "A", "value": [{ "clientState": SECRET }] });
    graph.post(event).await.accepted("created");

    let monday = known(&app, "monday").await;
    let probe = json!({ "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P" });
    answered_in_json(&monday.post(&probe).await, &probe);
    monday.post(json!({ "code": "A" })).await.problem(401, "signature_missing");
    assert_eq!(app.database().count("events WHERE verdict <> 'refused'").await, 1, "a handshake is no event");
}

async fn signed_challenges_are_answered_only_where_they_are_signed(app: App) {
    let proof = HEXLOWER.encode(&hmac_sha256(SECRET.as_bytes(), b"qgg8vlvZRS6UYooatFL8Aw"));
    let zoom = json!({ "plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": proof });
    for (preset, body, wanted) in [
        ("slack", r#"{"token":"x","challenge":"3eZbrw1aBm2","type":"url_verification"}"#, Ok("3eZbrw1aBm2")),
        (
            "zoom",
            r#"{"payload":{"plainToken":"qgg8vlvZRS6UYooatFL8Aw"},"event_ts":1654503849680,"event":"endpoint.url_validation"}"#,
            Err(zoom),
        ),
        ("discord", r#"{"id":"1","token":"x","type":1,"version":1}"#, Err(json!({ "type": 1 }))),
        (
            "twitch",
            r#"{"challenge":"pogchamp-kappa-360noscope-vohiyo","subscription":{}}"#,
            Ok("pogchamp-kappa-360noscope-vohiyo"),
        ),
    ] {
        let sender = known(&app, preset).await;
        let secret = if preset == "discord" { DISCORD_SEED } else { SECRET };
        let answer = sender.send(signed(&app, &sender, preset, secret, body)).await;
        match wanted {
            Ok(text) => answered_in_text(&answer, text),
            Err(json) => answered_in_json(&answer, &json),
        }
        sender.post(body).await.problem(401, "signature_missing");
        let other = DISCORD_SEED.replace("c5aa", "c5ab");
        let forged = signed(&app, &sender, preset, if preset == "discord" { &other } else { "another secret" }, body);
        sender.send(forged).await.problem(401, "signature_mismatch");
        let event =
            signed(&app, &sender, preset, secret, r#"{"code":"A","type":"event_callback","event":{"type":"x"}}"#);
        assert!((200..300).contains(&sender.send(event).await.status), "{preset}: an event is no challenge");
        assert_eq!(app.database().count(&format!("m_m_{preset}")).await, 1, "{preset}: it made a record");
    }
}

async fn challenges_in_a_get_are_answered(app: App) {
    let meta = known(&app, "meta").await;
    let token = &meta.token;
    let query = format!("?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
    answered_in_text(&get(&meta, &query).await, "1158201444");
    let bare = meta.request(Method::GET, &format!("/api/webhooks/{}{query}", meta.module)).bearer_auth(token);
    answered_in_text(&Answer::to(bare).await, "1158201444");

    let dropbox = known(&app, "dropbox").await;
    answered_in_text(&get(&dropbox, "?challenge=5f2c%20b").await, "5f2c b");

    let x = known(&app, "x").await;
    let proof = BASE64.encode(&hmac_sha256(SECRET.as_bytes(), b"NDE5ODg0MDgtZmM="));
    let wanted = json!({ "response_token": format!("sha256={proof}") });
    answered_in_json(&get(&x, "?crc_token=NDE5ODg0MDgtZmM%3D&nonce=MTU4").await, &wanted);

    let okta = known(&app, "okta").await;
    let probe = okta.request(Method::GET, &okta.path()).header("x-okta-verification-challenge", "0BB5F4A5");
    answered_in_json(&okta.send(probe.header("authorization", SECRET)).await, &json!({ "verification": "0BB5F4A5" }));
    assert_eq!(app.database().count("events").await, 0, "a handshake is no event");
}

async fn a_head_is_answered_where_it_is_asked(app: App) {
    let trello = known(&app, "trello").await;
    let answer = trello.send(trello.request(Method::HEAD, &trello.path())).await;
    answered(&answer, "");
    assert!(!answer.headers.contains_key("content-type"));
    get(&trello, "").await.problem(405, "method_not_allowed");
    let meta = known(&app, "meta").await;
    let path = format!("{}?hub.challenge=1&hub.verify_token={}", meta.path(), meta.token);
    assert_eq!(meta.send(meta.request(Method::HEAD, &path)).await.status, 405, "it is asked by GET");
}

/// What a caller sees, but for the number of the request and the time.
fn seen(answer: &Answer) -> (Value, Vec<(String, String)>) {
    let mut problem = answer.json();
    problem["requestId"] = Value::Null;
    let shown = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    (problem, shown.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect())
}

async fn a_get_tells_nothing_of_a_source_without_handshake(app: App) {
    let slack = known(&app, "slack").await;
    let dropbox = known(&app, "dropbox").await;
    let to = |module: &str, token: &str| Sender::new(app.http.clone(), &app.url, module, token);
    let unknown = to(&dropbox.module, "tgt_00000000000000000000000000000000000000a");
    let elsewhere = to("nothing", &dropbox.token);
    let wanted = seen(&get(&unknown, "?challenge=1").await);
    assert_eq!(wanted.0["code"], "method_not_allowed");
    for (sender, query) in
        [(&slack, "?challenge=1"), (&dropbox, ""), (&dropbox, "?Challenge=1"), (&elsewhere, "?challenge=1")]
    {
        let answer = get(sender, query).await;
        assert_eq!(seen(&answer), wanted, "{query}");
        assert_eq!(answer.header("allow"), "POST");
    }
    for method in [Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let path = format!("{}?challenge=1", dropbox.path());
        dropbox.send(dropbox.request(method, &path)).await.problem(405, "method_not_allowed");
    }
}

/// Xero sends requests without events, some of them signed wrongly, and insists on a 401 without a body.
async fn an_intent_to_receive_is_tried(app: App) {
    let xero = known(&app, "xero").await;
    let body = r#"{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3r4nd0m"}"#;
    let answer = xero.send(signed(&app, &xero, "xero", SECRET, body)).await;
    answered(&answer, "");
    for (forged, code) in [
        (signed(&app, &xero, "xero", "another secret", body), "signature_mismatch"),
        (xero.json(body), "signature_missing"),
    ] {
        let refused = xero.send(forged).await;
        assert_eq!((refused.status, refused.body.len()), (401, 0), "{}", refused.text());
        assert!(!refused.headers.contains_key("content-type"));
        assert!(app.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap().contains(code));
    }
    let event = signed(&app, &xero, "xero", SECRET, r#"{"code":"A","events":[{}],"entropy":"S0m3r4nd0m"}"#);
    let accepted = xero.send(event).await;
    assert_eq!((accepted.status, accepted.body.len()), (200, 0), "{}", accepted.text());
    let app = app.restart().await;
    let events = app.list("/events", 10).await;
    let causes: Vec<_> = events.iter().filter_map(|event| event["cause"].as_str()).collect();
    assert_eq!(causes.len(), 2, "what was refused is kept all the same: {events:?}");
}

async fn handshakes_are_neither_counted_nor_kept(app: App) {
    let keys = "rate_limit = { per_minute = 1 }\nhandshake = [{ query = \"challenge\", text = \"{query:challenge}\" }]";
    let sender = app.sender(&file(keys)).await;
    let probe = || sender.request(Method::POST, &format!("{}?challenge=1", sender.path()));
    for _ in 0..3 {
        answered_in_text(&sender.send(probe()).await, "1");
    }
    sender.post(json!({ "code": "A" })).await.accepted("created");
    sender.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
    answered_in_text(&sender.send(probe()).await, "1");
    let metrics = app.request(Method::GET, "/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("tidegate_webhooks_total{answered=\"handshake\"} 4"), "{metrics}");
    let app = app.restart().await;
    assert_eq!(app.list("/events", 10).await.len(), 2, "the accepted one and the refused one");
}

/// Beside those of its preset.
async fn a_handshake_of_its_own_is_answered(app: App) {
    let keys = "signature = { preset = \"meta\", secret = \"env:S\" }\n\
                [[source.handshake]]\nmethod = \"GET\"\nquery = \"check\"\nstatus = 201\njson = { list = [\"{query:check}\", 1.5, true] }\n\
                headers = { X-Check = \"<{query:check}>\" }";
    let sender = app.senders(&file(keys), json!({ "S": SECRET })).await.swap_remove(0);
    let answer = get(&sender, "?check=a").await;
    assert_eq!((answer.status, answer.header("x-check")), (201, "<a>"));
    assert_eq!(answer.text(), "201 {\"list\":[\"a\",1.5,true]}");
    let query = format!("?hub.challenge=1&hub.verify_token={}", sender.token);
    answered_in_text(&get(&sender, &query).await, "1");
}
