//! A webhook's secret: kept as it was given, shown once, replaced while both are valid.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::{ORDERS, call, hmac, make, order, see, turn};
use crate::app::{App, Setup, text};
use crate::client::Answer;
use crate::receiver::{Received, Receiver};

both!(
    a_given_secret_is_kept_as_given,
    a_secret_is_replaced_while_both_are_valid,
    the_old_secret_ends_with_the_overlap,
    without_overlap_the_new_secret_is_alone,
);

async fn rotate(app: &App, id: &str, body: Value) -> Answer {
    call(app, Method::POST, &format!("/{id}/rotate-secret"), body).await
}

/// Whether the single-valued signature, and the one that has room for several, are by this secret.
fn signed_by(request: &Received, secret: &str) -> (bool, bool) {
    let single = request.header("x-webhook-signature") == Some(&*format!("sha256={}", hmac(secret, &request.body)));
    let [id, sent, signatures] = ["id", "timestamp", "signature"]
        .map(|name| request.header(&format!("webhook-{name}")).expect("the three headers are there"));
    let own = Webhook::new(secret).unwrap().sign(id, sent.parse().unwrap(), &request.body).unwrap();
    (single, signatures.split(' ').any(|signature| signature == own))
}

async fn a_given_secret_is_kept_as_given(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let secret = " it's my own: ü\n";
    let made = make(&app, json!({ "url": receiver.url("/"), "secret": secret })).await;
    assert_eq!(made["secret"], secret);
    assert!(see(&app, text(&made["id"])).await.get("secret").is_none());
    order(&sender, "A").await;
    let came = receiver.wait_for(1).await;
    assert_eq!(came[0].header("x-webhook-signature"), Some(&*format!("sha256={}", hmac(secret, &came[0].body))));
    assert_eq!(came[0].header("webhook-signature"), None, "it is no base64");
}

async fn a_secret_is_replaced_while_both_are_valid(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let made = make(&app, json!({ "url": receiver.url("/") })).await;
    let (id, old) = (text(&made["id"]), text(&made["secret"]));
    turn(&app, id, "promote-secret").await.problem(409, "conflict");
    let answer = rotate(&app, id, json!({})).await;
    let rotated = answer.done();
    assert_eq!((answer.header("cache-control"), answer.header("etag")), ("no-store", "\"2\""));
    let new = text(&rotated["secret"]);
    assert!(new.starts_with("whsec_") && new != old);
    let secrets = rotated["secrets"].as_array().unwrap();
    assert_eq!((secrets.len(), &secrets[1]["expiresAt"]), (2, &Value::Null));
    assert_eq!(secrets[0]["createdAt"], made["secrets"][0]["createdAt"], "the old one is as old as it was");
    let span = |secret: &Value, from: &Value| {
        let at = |value: &Value| text(value).parse::<tidegate::clock::Timestamp>().unwrap();
        at(&secret["expiresAt"]).since(at(from))
    };
    assert_eq!(span(&secrets[0], &secrets[1]["createdAt"]), Duration::from_hours(24));
    let again = rotate(&app, id, json!({})).await.problem(409, "conflict");
    assert!(text(&again["detail"]).contains("promote-secret"), "{again}");

    order(&sender, "A").await;
    let came = receiver.wait_for(1).await;
    assert_eq!((signed_by(&came[0], old), signed_by(&came[0], new)), ((true, true), (false, true)));
    let promoted = turn(&app, id, "promote-secret").await.done();
    assert_eq!((promoted["secrets"].as_array().unwrap().len(), promoted.get("secret")), (1, None));
    assert_eq!(promoted["secrets"][0], secrets[1]);
    order(&sender, "B").await;
    let came = receiver.wait_for(2).await;
    assert_eq!((signed_by(&came[1], old), signed_by(&came[1], new)), ((false, false), (true, true)));
    let audit = app.database().rows("SELECT action, detail FROM audit WHERE target LIKE 'whk_%' ORDER BY at").await;
    let audit = format!("{audit:?}");
    assert!(audit.contains("webhook.rotate-secret") && audit.contains("webhook.promote-secret"), "{audit}");
    assert!(!audit.contains("whsec_") && !app.database().dump().await.contains(new));
}

async fn the_old_secret_ends_with_the_overlap(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let made = make(&app, json!({ "url": receiver.url("/") })).await;
    let (id, old) = (text(&made["id"]), text(&made["secret"]));
    let rotated = rotate(&app, id, json!({ "overlap": 60 })).await.done();
    let new = text(&rotated["secret"]);
    app.setup.clock.advance(Duration::from_secs(59));
    order(&sender, "A").await;
    assert_eq!(signed_by(&receiver.wait_for(1).await[0], old), (true, true));
    app.setup.clock.advance(Duration::from_secs(1));
    order(&sender, "B").await;
    let came = receiver.wait_for(2).await;
    assert_eq!((signed_by(&came[1], old), signed_by(&came[1], new)), ((false, false), (true, true)));
    assert_eq!(see(&app, id).await["secrets"].as_array().unwrap().len(), 1);
    turn(&app, id, "promote-secret").await.problem(409, "conflict");
    assert_eq!(rotate(&app, id, json!({})).await.done()["secrets"].as_array().unwrap().len(), 2);
}

async fn without_overlap_the_new_secret_is_alone(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let made = make(&app, json!({ "url": receiver.url("/"), "profile": "cliq" })).await;
    let rotated = rotate(&app, text(&made["id"]), json!({ "secret": "mine", "overlap": 0 })).await.done();
    assert_eq!((&rotated["secret"], rotated["secrets"].as_array().unwrap().len()), (&json!("mine"), 1));
    order(&sender, "A").await;
    let came = receiver.wait_for(1).await;
    assert_eq!(came[0].header("x-cliq-signature"), Some(&*hmac("mine", &came[0].body)));
}
