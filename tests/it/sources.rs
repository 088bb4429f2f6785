//! Sources that stand, administered: settings, tokens and secrets, what they are used for, and what is stored of what
//! they take.

mod canaries;
mod commands;
mod rotation;
mod settings;
mod stored;
mod usage;

use http::Method;
use serde_json::Value;

use crate::app::{Admin, App, text};
use crate::client::{Answer, Sender};

/// Two sources of one module, the first one signed.
const SHOP: &str = include_str!("../data/modules/shop.toml");
const ERP: &str = "/modules/shop/sources/erp";
const WEB: &str = "/modules/shop/sources/web";

async fn ask(admin: &Admin, method: Method, path: &str, condition: Option<&str>, body: &Value) -> Answer {
    let request = admin.request(method, &format!("/api/v1{path}")).bearer_auth(&admin.key);
    let request = request.header("content-type", "application/json").body(body.to_string());
    Answer::to(condition.into_iter().fold(request, |request, tag| request.header("if-match", tag))).await
}

async fn patch(admin: &Admin, path: &str, body: &Value) -> Answer {
    ask(admin, Method::PATCH, path, None, body).await
}

async fn rotate(admin: &Admin, path: &str, what: &str, body: Value) -> Answer {
    admin.post(&format!("/api/v1{path}/rotate-{what}"), body).await
}

/// The sender that knows the token of an answer.
fn with_token(admin: &Admin, answer: &Value) -> Sender {
    Sender::new(admin.http.clone(), &admin.url, text(&answer["module"]), text(&answer["token"]))
}

/// Signed as the source `erp` has it.
async fn signed(sender: &Sender, secret: &str, body: &str) -> Answer {
    let digest = tidegate::verify::hmac_sha256(secret.as_bytes(), body.as_bytes());
    let value = format!("sha256={}", data_encoding::HEXLOWER.encode(&digest));
    sender.send(sender.json(body).header("x-signature", value)).await
}

/// Before and after of the newest row of the audit log, and what it is about.
async fn audited(app: &App) -> (String, String, Value) {
    let rows = app.database().rows("SELECT action, target, detail FROM audit ORDER BY seq DESC LIMIT 1").await;
    let [action, target, detail] = <[Option<String>; 3]>::try_from(rows[0].clone()).unwrap().map(Option::unwrap);
    (action, target, serde_json::from_str(&detail).unwrap())
}
