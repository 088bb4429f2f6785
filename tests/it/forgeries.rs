//! What a sender did not sign, tried over HTTP with what it did sign at hand: another reading of the same bytes, a
//! challenge in the place of an event, the same request again, more items than were signed, a secret of another scheme.

use std::collections::BTreeSet;

use data_encoding::{BASE64, HEXLOWER};
use http::Method;
use serde_json::{Value, json};
use tidegate::verify::hmac_sha256;

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use crate::handshakes::{SECRET, file, known, signed};

both!(
    a_form_that_is_said_to_be_json_is_no_form,
    a_signed_challenge_is_no_event,
    the_same_signed_request_again_is_a_duplicate,
    one_signature_vouches_for_one_event,
    every_item_carries_its_token,
    a_kept_secret_is_of_its_scheme_alone,
    a_ping_of_a_form_is_answered,
    a_token_is_not_shown_in_the_log,
);

/// A source of a module of its own.
async fn source(app: &App, keys: &str, secret: &str) -> Sender {
    app.senders(&file(keys), json!({ "S": secret })).await.swap_remove(0)
}

fn is_in(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

/// The rules would see JSON, the signature a form.
async fn a_form_that_is_said_to_be_json_is_no_form(app: App) {
    let sender =
        source(&app, "signature = { form = \"sig\", message = \"{form:load}{body}\", secret = \"env:S\" }", SECRET)
            .await;
    let forged = r#"{"code":"FORGED","x":"&sig=00&load=1&"}"#;
    sender.send(sender.json(forged)).await.problem(401, "signature_missing");
}

/// X signs whatever token a GET brings, with the key of its events.
async fn a_signed_challenge_is_no_event(app: App) {
    let sender = known(&app, "x").await;
    for challenge in ["12345", "true", "admin="] {
        let asked =
            sender.request(Method::GET, &format!("{}?crc_token={}", sender.path(), challenge.replace('=', "%3D")));
        let answer = Answer::to(asked).await;
        let token = answer.json()["response_token"].as_str().unwrap_or_default().to_owned();
        assert_eq!(token, format!("sha256={}", BASE64.encode(&hmac_sha256(SECRET.as_bytes(), challenge.as_bytes()))));
        for content_type in ["application/json", "application/x-www-form-urlencoded"] {
            let event = sender.body(content_type, challenge).header("x-twitter-webhooks-signature", &token);
            sender.send(event).await.problem(401, "signature_mismatch");
        }
    }
    let honest = signed(&app, &sender, "x", SECRET, r#"{"code":"A"}"#);
    assert!(is_in(&sender.send(honest).await));
}

/// Zoom names no event; what it signs holds a time, so that the same again is the same.
async fn the_same_signed_request_again_is_a_duplicate(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let keys = "signature = { preset = \"zoom\", secret = \"env:S\" }";
    let module = file(keys).replace("code = \"text\"", "code = \"text\"\nstate = \"text\"")
        + "[[source.rule]]\nfrom = \"$.state\"\nto = \"state\"\n";
    let sender = app.senders(&module, json!({ "S": SECRET })).await.swap_remove(0);
    let event = |state: &str| signed(&app, &sender, "zoom", SECRET, &json!({"code": "A", "state": state}).to_string());
    let (paid, refunded) = (event("paid"), event("refunded"));
    let again = paid.try_clone().unwrap();
    for request in [paid, refunded, again] {
        assert!(is_in(&sender.send(request).await));
    }
    let log = app.list("/events?module=m", 10).await;
    let verdicts: BTreeSet<_> = log.iter().map(|event| text(&event["verdict"])).collect();
    assert_eq!(verdicts, ["created", "duplicate", "updated"].into());
    let record = app.see("/modules/m/records").await["data"][0].clone();
    assert_eq!(record["fields"]["state"], "refunded");
}

/// Mailgun signs a time and a token; the event is whatever stands beside them.
async fn one_signature_vouches_for_one_event(app: App) {
    let sender = known(&app, "mailgun").await;
    let now = jiff_seconds();
    let digest = HEXLOWER.encode(&hmac_sha256(SECRET.as_bytes(), format!("{now}token-1").as_bytes()));
    let event = |code: &str| {
        let signature = json!({"timestamp": now.to_string(), "token": "token-1", "signature": digest});
        json!({"code": code, "signature": signature, "event-data": {"event": "opened", "id": code}}).to_string()
    };
    for code in ["A", "B", "C"] {
        assert!(is_in(&sender.send(sender.json(event(code))).await));
    }
    assert_eq!(app.see("/modules/m-mailgun/records").await["data"].as_array().unwrap().len(), 1);
}

fn jiff_seconds() -> i64 {
    tidegate::clock::Clock::system().now().micros() / 1_000_000
}

async fn every_item_carries_its_token(app: App) {
    let sender = known(&app, "microsoft-graph").await;
    let item = |token: Value| json!({"clientState": token, "resource": "r"});
    let body = |items: Vec<Value>| json!({"code": "A", "value": items}).to_string();
    let many = body(vec![item(json!(SECRET)); 200]);
    assert!(is_in(&sender.send(sender.json(many)).await), "a batch is taken whole");
    for bad in [json!({"resource": "r"}), item(json!("x")), item(json!(null))] {
        let answer = sender.send(sender.json(body(vec![item(json!(SECRET)), bad]))).await;
        assert_eq!(answer.status, 401, "{}", answer.text());
    }
    let vectors: Value = serde_json::from_str(include_str!("../data/signature-vectors.json")).unwrap();
    let vector = vectors.as_array().unwrap().iter().find(|vector| vector["provider"] == "adyen").unwrap();
    let adyen = source(&app, "signature = { preset = \"adyen\", secret = \"env:S\" }", text(&vector["key_hex"])).await;
    let mut body: Value = serde_json::from_str(text(&vector["body"])).unwrap();
    body["code"] = json!("A");
    assert!(is_in(&adyen.send(adyen.json(body.to_string())).await), "eight of its fields are signed");
    body["notificationItems"].as_array_mut().unwrap().push(json!({"NotificationRequestItem": {"reason": "forged"}}));
    adyen.send(adyen.json(body.to_string())).await.problem(401, "signature_malformed");
}

/// Whoever knows the URL could have brought it.
async fn a_kept_secret_is_of_its_scheme_alone(app: App) {
    let sender = app.sender(&file("signature = { preset = \"asana\" }")).await;
    sender.send(sender.json("{}").header("x-hook-secret", "short")).await.problem(400, "invalid_request");
    let planted = "b537207f20cbfa02357cf448134da559";
    assert_eq!(sender.send(sender.json("{}").header("x-hook-secret", planted)).await.status, 200);
    let again = sender.send(sender.json("{}").header("x-hook-secret", planted)).await;
    assert_eq!(again.status, 200, "asked again, it is answered again");
    app.apply(&file("signature = { preset = \"github\" }"), json!({})).await.done();
    let body = r#"{"code":"A"}"#;
    let event = signed(&app, &sender, "github", planted, body);
    sender.send(event).await.problem(401, "signature_unconfigured");
}

/// WooCommerce asks with a form, and wants exactly 200.
async fn a_ping_of_a_form_is_answered(app: App) {
    let sender = known(&app, "woocommerce").await;
    let ping = sender.body("application/x-www-form-urlencoded", "webhook_id=12");
    assert_eq!(sender.send(ping).await.status, 200);
    let event = sender.json(r#"{"id":7,"webhook_id":12,"code":"A"}"#);
    sender.send(event).await.problem(401, "signature_missing");
}

async fn a_token_is_not_shown_in_the_log(app: App) {
    let keys = "signature = { header = \"X-Shop-Sig\", algorithm = \"token\", secret = \"env:S\" }";
    let sender = source(&app, keys, SECRET).await;
    let answer = sender.send(sender.json(r#"{"code":"A"}"#).header("x-shop-sig", SECRET)).await.accepted("created");
    let event = app.event(&answer).await;
    assert!(!event.to_string().contains(SECRET), "{event}");
    assert!(event["headers"].get("x-shop-sig").is_none());
}
