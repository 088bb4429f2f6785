//! One delivery is the same bytes in all its attempts, whatever is changed in between.

use http::Method;
use serde_json::json;

use super::{Hook, advance, hmac, seconds};
use crate::app::{Setup, text};
use crate::receiver::{Receiver, Reply};

both!(what_is_tried_again_is_the_same_bytes);

const TICKETS: &str = include_str!("../../data/modules/tickets.toml");

async fn what_is_tried_again_is_the_same_bytes(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(TICKETS).await, Receiver::start().await);
    receiver.answer_in_turn([500, 500, 500].map(Reply::status));
    let body = json!({
        "url": receiver.url("/old"), "profile": "collectiq", "events": ["ticket.dearer"], "retries": [60, 60, 60],
    });
    let hook = Hook::make(&app, body).await;
    sender.post(r#"{"code": "ä", "state": "open", "amount": "9.50"}"#).await.accepted("created");
    sender.post(r#"{"code": "ä", "amount": "10.00"}"#).await.accepted("updated");
    let first = hook.attempted(1).await;

    // The event is told otherwise, the module has one field more, and the endpoint is spoken to in another way.
    let told = "data = { code = \"@.after.code\", amounts = { old = \"@.before.amount\", new = \"@.after.amount\" }";
    let other = TICKETS.replace(told, "data = { price = \"@.after.amount\"");
    let other = other.replace("amount = \"decimal\"", "amount = \"decimal\"\nnote = \"text\"");
    assert_eq!(app.apply(&other, json!({})).await.done()["modules"][0]["action"], "updated");
    let rotated = hook.call(Method::POST, "/rotate-secret", json!({ "overlap": 3_600 })).await.done();
    hook.patch(json!({ "profile": "cliq", "url": receiver.url("/new") })).await;
    advance(&app, seconds(60));
    hook.attempted(2).await;
    sender.post(r#"{"code": "ä", "state": "closed", "note": "n"}"#).await.accepted("updated");
    hook.turn("promote-secret").await;
    advance(&app, seconds(60));
    hook.attempted(3).await;

    let (id, old, new) = (hook.id.clone(), hook.secret.clone(), text(&rotated["secret"]).to_owned());
    let app = app.restart().await;
    advance(&app, seconds(60));
    let hook = Hook { app: &app, id, secret: new.clone() };
    let last = hook.attempted(4).await;
    assert_eq!((&last["state"], &last["id"]), (&json!("delivered"), &first["id"]));
    let came = receiver.received();
    assert!(came.iter().all(|request| request.body == came[0].body), "{:?}", String::from_utf8_lossy(&came[0].body));
    let data = json!({ "code": "ä", "amounts": { "old": 9.5, "new": 10 }, "kind": "ticket" });
    assert_eq!((&came[0].json()["data"], came.len()), (&data, 4));
    let paths = came.iter().map(|request| request.path.as_str()).collect::<Vec<_>>();
    assert_eq!(paths, ["/old", "/new", "/new", "/new"], "where to and how signed is as it is when it is sent");
    let signed = |secret: &str| hmac(secret, &came[0].body);
    assert_eq!(came[0].header("x-collectiq-signature"), Some(&*format!("sha256={}", signed(&old))));
    let others = came[1..].iter().map(|request| request.header("x-cliq-signature").unwrap()).collect::<Vec<_>>();
    assert_eq!(others, [signed(&old), signed(&new), signed(&new)]);
}
