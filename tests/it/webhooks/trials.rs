//! Test events: one signed attempt, marked, shown, and kept nowhere.

use http::Method;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use super::{ORDERS, call, hmac, make, order, turn};
use crate::app::{App, Setup, text};
use crate::client::Answer;
use crate::receiver::{Received, Receiver, Reply};

both!(
    every_type_is_tried_with_every_profile,
    a_test_tells_of_the_newest_change_of_its_type,
    a_test_shows_what_came_back,
    a_test_is_of_a_type_that_there_is,
    the_built_in_receiver_takes_everything,
    an_empty_gateway_can_be_tried,
);

const BUILT_IN: [&str; 5] =
    ["record_created", "record_updated", "record_deleted", "status_change", "custom_data_updated"];
const SOLD: &str = "
[[module.event]]
name = \"order.sold\"
when = \"@.changes.state.to == 'closed'\"
data = { what = \"@.after.code\", price = \"@.after.price\" }
";

async fn test(app: &App, id: &Value, body: Value) -> Answer {
    call(app, Method::POST, &format!("/{}/test", text(id)), body).await
}

/// Header, and how the signature stands in it; none where it is Standard Webhooks' alone.
fn signature(profile: &str) -> Option<(&'static str, &'static str)> {
    match profile {
        "collecta" | "auction-excellence" => Some(("x-webhook-signature", "sha256=")),
        "collectiq" => Some(("x-collectiq-signature", "sha256=")),
        "cliq" => Some(("x-cliq-signature", "")),
        _ => None,
    }
}

#[track_caller]
fn assert_signed(request: &Received, profile: &str, secret: &str) {
    if let Some((name, prefix)) = signature(profile) {
        assert_eq!(request.header(name), Some(&*format!("{prefix}{}", hmac(secret, &request.body))), "{profile}");
    }
    if matches!(profile, "collecta" | "standard-webhooks") {
        Webhook::new(secret).unwrap().verify(&request.body, &request.header_map()).expect("the library takes it");
    }
}

async fn every_type_is_tried_with_every_profile(app: App) {
    app.sender(&format!("{ORDERS}{SOLD}")).await;
    let receiver = Receiver::start().await;
    let mut came = 0;
    for profile in ["collecta", "collectiq", "auction-excellence", "cliq", "standard-webhooks"] {
        let made = make(&app, json!({ "url": receiver.url("/"), "profile": profile })).await;
        for of_type in BUILT_IN.into_iter().chain(["order.sold", "endpoint.disabled"]) {
            let answer = test(&app, &made["id"], json!({ "type": of_type })).await.done();
            let shown = (&answer["test"], &answer["type"], &answer["status"], &answer["changeId"]);
            assert_eq!(shown, (&json!(true), &json!(of_type), &json!(200), &Value::Null), "{answer}");
            came += 1;
            let request = receiver.wait_for(came).await.pop().unwrap();
            assert_signed(&request, profile, text(&made["secret"]));
            assert_eq!(request.header("x-tidegate-test"), Some("true"));
            assert_eq!(text(&answer["request"]["body"]).as_bytes(), request.body, "what was sent is shown");
            let body = request.json();
            let told = body.get("event").or_else(|| body.get("type"));
            assert_eq!(told, Some(&json!(of_type)), "{body}");
            assert!(body["data"].as_object().is_some_and(|data| !data.is_empty()), "{body}");
        }
    }
    for table in ["changes", "due", "deliveries", "attempts"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
}

async fn a_test_tells_of_the_newest_change_of_its_type(app: App) {
    let (sender, receiver) = (app.sender(&format!("{ORDERS}{SOLD}")).await, Receiver::start().await);
    order(&sender, "A").await;
    order(&sender, "B").await;
    let sold = json!({ "type": "stock", "code": "A", "state": "closed", "price": "1.50" });
    sender.post(json!({ "type": "stock", "code": "A", "state": "open" })).await.accepted("updated");
    sender.post(sold).await.accepted("updated");
    sender.post(json!({ "type": "stock", "code": "B", "note": "n" })).await.accepted("updated");
    let made = make(&app, json!({ "url": receiver.url("/"), "events": ["order.sold"] })).await;
    for (of_type, code) in [("record_created", "B"), ("record_updated", "B"), ("status_change", "A")] {
        let answer = test(&app, &made["id"], json!({ "type": of_type, "module": "orders" })).await.done();
        assert!(text(&answer["changeId"]).starts_with("chg_"), "{answer}");
        let body = receiver.received().pop().unwrap().json();
        assert_eq!((&body["data"]["code"], &body["event"]), (&json!(code), &json!(of_type)), "{body}");
    }
    let answer = test(&app, &made["id"], json!([])).await;
    answer.problem(400, "invalid_request");
    let answer = test(&app, &made["id"], json!({})).await.done();
    assert_eq!(answer["type"], "order.sold", "what it asks for");
    let body = receiver.received().pop().unwrap().json();
    assert_eq!(body["data"], json!({ "what": "A", "price": "1.50" }));
    let ids = receiver.received().iter().map(|request| request.json()["id"].clone()).collect::<Vec<_>>();
    assert!(ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id)), "each has an id of its own: {ids:?}");
    let made_up = test(&app, &made["id"], json!({ "type": "record_deleted" })).await.done();
    assert_eq!(made_up["changeId"], Value::Null, "nothing was deleted yet");
    assert_eq!(app.database().count("attempts").await, 0, "nothing of it is kept");
}

async fn a_test_shows_what_came_back(app: App) {
    app.sender(ORDERS).await;
    let receiver = Receiver::start().await;
    let body = json!({ "url": receiver.url("/"), "headers": { "X-Key": "a credential" }, "timeout": 1 });
    let made = make(&app, body).await;
    turn(&app, text(&made["id"]), "disable").await.done();
    receiver.answer_in_turn([
        Reply::with(503, &[("X-Why", "busy")], "come later"),
        Reply::with(200, &[], "x".repeat(100_000)),
        Reply::close(),
        Reply::hang(),
    ]);
    let busy = test(&app, &made["id"], json!({})).await;
    assert!(!busy.text().contains("a credential"), "{}", busy.text());
    let busy = busy.done();
    assert_eq!(
        (&busy["status"], &busy["body"], &busy["isSuccess"]),
        (&json!(503), &json!("come later"), &json!(false))
    );
    assert_eq!((&busy["headers"]["x-why"], &busy["error"]), (&json!("busy"), &Value::Null));
    assert!(busy["timeMs"].as_f64().is_some_and(|time| time > 0.0), "{busy}");
    assert!(busy["request"]["headers"]["x-webhook-signature"].is_string(), "{busy}");
    let large = test(&app, &made["id"], json!({})).await.done();
    assert_eq!((text(&large["body"]).len(), &large["isBodyCut"]), (64 * 1024, &json!(true)));
    let closed = test(&app, &made["id"], json!({})).await.done();
    assert_eq!((&closed["error"]["class"], &closed["status"]), (&json!("protocol"), &Value::Null), "{closed}");
    let hung = test(&app, &made["id"], json!({})).await.done();
    assert_eq!((&hung["error"]["class"], &hung["isSuccess"]), (&json!("timeout"), &json!(false)), "{hung}");
    assert!(receiver.received().iter().all(|request| request.header("x-key") == Some("a credential")));
    let state = &super::see(&app, text(&made["id"])).await;
    assert_eq!((&state["failingSince"], &state["version"]), (&Value::Null, &json!(2)), "a test says nothing of it");
}

async fn a_test_is_of_a_type_that_there_is(app: App) {
    let bare = "[module]\nslug = \"bare\"\nmatch = [\"a\"]\n[module.fields]\na = \"text\"\n";
    app.apply(bare, json!({})).await.done();
    let made = make(&app, json!({ "url": "tidegate://inspect" })).await;
    for (body, field) in [
        (json!({ "type": "record_craeted" }), "type"),
        (json!({ "type": "status_change" }), "type"),
        (json!({ "type": "record_created", "module": "beer" }), "module"),
        (json!({ "type": "endpoint.disabled", "module": "bare" }), "module"),
    ] {
        let answer = test(&app, &made["id"], body.clone()).await;
        let problem = answer.problem(422, "invalid_document");
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    test(&app, &made["id"], json!({ "kind": "x" })).await.problem(400, "invalid_request");
}

async fn the_built_in_receiver_takes_everything(app: App) {
    let sender = app.sender(ORDERS).await;
    let made = make(&app, json!({ "url": "tidegate://inspect" })).await;
    let answer = test(&app, &made["id"], json!({ "type": "status_change" })).await.done();
    assert_eq!((&answer["status"], &answer["body"]), (&json!(200), &json!("kept for inspection")));
    let (body, headers) = (text(&answer["request"]["body"]), &answer["request"]["headers"]);
    let wanted = format!("sha256={}", hmac(text(&made["secret"]), body.as_bytes()));
    assert_eq!(headers["x-webhook-signature"], wanted, "signed as any other");
    assert_eq!(app.database().count("attempts").await, 0, "nothing of a test is kept");
    let receiver = Receiver::start().await;
    make(&app, json!({ "url": receiver.url("/") })).await;
    order(&sender, "A").await;
    receiver.wait_for(1).await;
    let setup = app.stop().await;
    let kept = "SELECT CAST(status AS text) FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id WHERE e.settings LIKE '%inspect%'";
    assert_eq!(setup.database().rows(kept).await, [[Some("200".to_owned())]], "it was delivered");
}

async fn an_empty_gateway_can_be_tried(setup: Setup) {
    let app = setup.start().await;
    let made = make(&app, json!({ "url": "tidegate://inspect" })).await;
    let answer = test(&app, &made["id"], json!({})).await.done();
    assert_eq!((&answer["type"], &answer["module"]), (&json!("endpoint.disabled"), &Value::Null));
    let problem = test(&app, &made["id"], json!({ "type": "record_created" })).await.problem(422, "invalid_document");
    assert!(text(&problem["detail"]).contains("no module yet"), "{problem}");
}
