//! Who may do what: every route of the document, with every kind of key.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::{operations, role};
use crate::app::{Admin, App, Setup, text};
use crate::client::Answer;

const ORDERS: &str = include_str!("../../data/modules/orders.toml");
const MINUTE: Duration = Duration::from_secs(60);
const ROLES: [&str; 3] = ["viewer", "editor", "owner"];

both!(each_route_is_for_those_that_it_says);

/// What a caller comes with.
#[derive(Clone, Debug)]
struct Comer {
    what: &'static str,
    key: Option<String>,
    /// Its place among the roles; none opens nothing.
    role: Option<usize>,
}

impl Comer {
    fn nobody(what: &'static str, key: Option<&str>) -> Self {
        Self { what, key: key.map(str::to_owned), role: None }
    }
}

async fn made(app: &Admin, role: &str, more: Value) -> Value {
    let mut body = json!({ "name": format!("a {role}"), "role": role });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.post("/api/v1/keys", body).await.done()
}

async fn comers(app: &App) -> Vec<Comer> {
    let expires = app.setup.clock.now().after(MINUTE);
    let expired = made(app, "owner", json!({ "expiresAt": expires })).await;
    let revoked = made(app, "owner", json!({})).await;
    let mut comers = vec![Comer::nobody("no key", None), Comer::nobody("a wrong key", Some("tgk_wrong"))];
    comers.push(Comer::nobody("an expired key", expired["key"].as_str()));
    comers.push(Comer::nobody("a revoked key", revoked["key"].as_str()));
    for (place, role) in ROLES.into_iter().enumerate() {
        let key = made(app, role, json!({})).await["key"].as_str().map(str::to_owned);
        comers.push(Comer { what: role, key, role: Some(place) });
    }
    app.setup.clock.advance(MINUTE);
    let path = format!("/api/v1/keys/{}", text(&revoked["id"]));
    let revoke = app.request(Method::DELETE, &path).bearer_auth(&app.key);
    assert!(Answer::to(revoke).await.status < 300);
    comers
}

/// Where a route leads, with names in its place that there are as far as they are known, and a body that it takes.
async fn call(app: &App, (method, path, operation): &(String, String, Value), document: &Value, comer: &Comer) -> u16 {
    let path = path.replace("{slug}", "orders").replace("{source}", "shop").replace("{n}", "1");
    let path = path.split('/').map(|part| if part.starts_with('{') { "none" } else { part }).collect::<Vec<_>>();
    let mut request = app.request(method.to_uppercase().parse().unwrap(), &format!("/api/v1{}", path.join("/")));
    if let Some(key) = &comer.key {
        request = request.bearer_auth(key);
    }
    if let Some(body) = operation.pointer("/requestBody/content/application~1json") {
        let of_schema = || document.pointer(body["schema"]["$ref"].as_str()?.strip_prefix('#')?)?.get("example");
        let example = body.get("example").or_else(of_schema);
        let example = example.unwrap_or_else(|| panic!("{method} {} shows no body by example", path.join("/")));
        request = request.header("content-type", "application/json").body(example.to_string());
    }
    // A stream has no end: its head is enough.
    tokio::time::timeout(MINUTE, request.send()).await.expect("in time").expect("an answer").status().as_u16()
}

#[expect(clippy::print_stdout, reason = "how much was tried is what this test is about")]
async fn each_route_is_for_those_that_it_says(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let document = app.get("/api/openapi.json").await.done();
    app.sender(ORDERS).await;
    let comers = comers(&app).await;
    let (mut asked, mut violations) = (0, Vec::new());
    for route in &operations(&document) {
        let needed = ROLES.iter().position(|known| *known == role(&route.2)).unwrap();
        for comer in &comers {
            // Wrong keys are slowed down; time passes between them.
            app.setup.clock.advance(MINUTE);
            let status = call(&app, route, &document, comer).await;
            let is_right = match comer.role {
                None => status == 401,
                Some(role) if role < needed => status == 403,
                // Deleted by one that may, it is not there for the next.
                Some(_) => ![401, 403, 405, 429, 500, 503].contains(&status),
            };
            asked += 1;
            if !is_right {
                violations.push(format!("{} {} by {}: {status}", route.0, route.1, comer.what));
            }
        }
    }
    println!("{:?}: violations {} of {asked}", app.database().engine(), violations.len());
    assert!(violations.is_empty(), "{violations:#?}");
}
