//! What is written down of each attempt; and deliveries that are sent again because someone asks for it.

use http::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Hook, ORDERS, advance, codes, hmac, order, seconds, sorted};
use crate::app::{App, Setup, text};
use crate::receiver::{Receiver, Reply};
use crate::seeded;

both!(
    an_attempt_is_kept_whole,
    what_went_wrong_is_said,
    the_built_in_receiver_shows_what_it_was_sent,
    a_disabled_endpoint_can_be_tried,
    one_is_sent_now,
    a_job_sends_again,
);

async fn an_attempt_is_kept_whole(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let large = "é".repeat(50_000);
    receiver.answer_in_turn([
        Reply::with(500, &[("X-Why", "busy"), ("Set-Cookie", "a"), ("Set-Cookie", "b")], &large),
        Reply::with(202, &[("Content-Type", "text/plain")], [0xff, 0x00]),
    ]);
    let body = json!({
        "url": receiver.url("/in?a=b"), "events": ["record_created"], "headers": { "X-Key": "a credential" },
    });
    let hook = Hook::make(&app, body).await;
    let note = "n".repeat(70_000);
    sender.post(json!({ "type": "stock", "code": "A", "note": note })).await.accepted("created");
    let start = app.setup.clock.now();
    hook.attempted(1).await;
    advance(&app, seconds(60));
    let delivery = hook.attempted(2).await;
    assert!(!delivery.to_string().contains("a credential"), "custom headers are not kept");
    let told = ["webhook", "type", "module", "status", "attemptCount", "createdAt"].map(|name| &delivery[name]);
    let wanted = json!([hook.id, "record_created", "orders", 202, 2, start]);
    assert_eq!(told.to_vec(), wanted.as_array().unwrap().iter().collect::<Vec<_>>());
    let address = receiver.url("").replace("http://", "");
    let came = receiver.received();
    for ((attempt, request), number) in delivery["attempts"].as_array().unwrap().iter().zip(&came).zip(1..) {
        let sent = &attempt["request"]["headers"];
        for (name, value) in &request.headers {
            let (name, custom) = (name.to_lowercase(), json!("(not kept)"));
            if !["host", "content-length", "accept"].contains(&&*name) {
                let value = json!(value);
                assert_eq!(sent[&name], *if name == "x-key" { &custom } else { &value }, "{name}");
            }
        }
        let kept = &attempt["request"]["body"];
        assert_eq!((&kept["size"], &kept["truncated"]), (&json!(request.body.len()), &json!(true)));
        assert_eq!(text(&kept["text"]).as_bytes(), &request.body[..65_536]);
        assert_eq!((&attempt["number"], &attempt["url"]), (&json!(number), &json!(receiver.url("/in?a=b"))));
        assert_eq!((&attempt["address"], &attempt["error"]), (&json!(address), &Value::Null));
        let timings = &attempt["timings"];
        let passed = ["firstByte", "total"].map(|name| timings[name].as_f64().unwrap_or_else(|| panic!("{timings}")));
        assert!(0.0 < passed[0] && passed[0] <= passed[1], "{timings}");
        assert_eq!((&timings["dns"], &timings["tls"]), (&Value::Null, &Value::Null), "nothing of the kind: {timings}");
    }
    let (first, second) = (&delivery["attempts"][0], &delivery["attempts"][1]);
    assert!(first["timings"]["connect"].is_number(), "{first}");
    assert_eq!((&first["at"], &first["nextAttemptAt"]), (&json!(start), &json!(start.after(seconds(60)))));
    assert_eq!(second["nextAttemptAt"], Value::Null);
    let answer = &first["response"];
    assert_eq!((&answer["status"], &answer["headers"]["set-cookie"]), (&json!(500), &json!(["a", "b"])));
    assert_eq!(answer["headers"]["x-why"], "busy");
    assert_eq!(answer["body"]["truncated"], true);
    assert_eq!(text(&answer["body"]["text"]), &large[..65_536], "64 KiB, and no half of a character");
    let body = json!({ "base64": "/wA=", "size": 2, "truncated": false });
    assert_eq!((&second["response"]["status"], &second["response"]["body"]), (&json!(202), &body));
}

async fn what_went_wrong_is_said(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (url, reply, class) in [
        (format!("http://{closed}/"), Reply::status(200), "connect"),
        (receiver.url("/"), Reply::close(), "protocol"),
        (receiver.url("/"), Reply::raw("SMTP ready\r\n\r\n", crate::receiver::End::Close), "protocol"),
        (receiver.url("/"), Reply::hang(), "timeout"),
    ] {
        receiver.answer(move |_| reply.clone());
        let body = json!({ "url": url, "events": ["record_created"], "timeout": 1 });
        let hook = Hook::make(&app, body).await;
        order(&sender, &hook.id).await;
        let delivery = hook.attempted(1).await;
        let attempt = &delivery["attempts"][0];
        assert_eq!((&delivery["state"], &delivery["errorClass"]), (&json!("pending"), &json!(class)), "{delivery}");
        assert_eq!((&attempt["error"]["class"], &attempt["response"]), (&json!(class), &Value::Null), "{attempt}");
        assert!(!text(&attempt["error"]["detail"]).is_empty(), "{attempt}");
        assert!(attempt["address"].is_string(), "{attempt}");
        let next = app.setup.clock.now().after(seconds(60));
        assert_eq!(attempt["nextAttemptAt"], json!(next), "{attempt}");
        hook.delete().await;
    }
}

async fn the_built_in_receiver_shows_what_it_was_sent(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    let hook = Hook::make(&app, json!({ "url": "tidegate://inspect", "events": ["record_created"] })).await;
    order(&sender, "ä").await;
    let delivery = hook.attempted(1).await;
    assert_eq!((&delivery["state"], &delivery["status"]), (&json!("delivered"), &json!(200)));
    let attempt = &delivery["attempts"][0];
    let (headers, body) = (&attempt["request"]["headers"], text(&attempt["request"]["body"]["text"]));
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["data"]["code"], "ä");
    assert_eq!(headers["x-webhook-signature"], format!("sha256={}", hmac(&hook.secret, body.as_bytes())));
    let answer = json!({ "text": "kept for inspection", "size": 19, "truncated": false });
    assert_eq!((&attempt["address"], &attempt["response"]["body"]), (&Value::Null, &answer), "nothing went anywhere");
}

async fn a_disabled_endpoint_can_be_tried(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let hook = Hook::make(&app, json!({ "url": receiver.url("/") })).await;
    hook.turn("disable").await;
    order(&sender, "A").await;
    receiver.answer(|_| Reply::with(418, &[], "short and stout"));
    let tried = hook.call(Method::POST, "/test", json!({ "type": "record_created" })).await.done();
    assert_eq!((&tried["status"], &tried["body"]), (&json!(418), &json!("short and stout")), "{tried}");
    let came = receiver.received();
    assert_eq!((codes(&came), came[0].header("x-tidegate-test")), (vec!["A".to_owned()], Some("true")));
    assert_eq!(came[0].header("x-webhook-signature"), Some(&*format!("sha256={}", hmac(&hook.secret, &came[0].body))));
    assert_eq!((hook.see().await["state"].clone(), hook.deliveries().await.len()), (json!("disabled"), 0));
}

async fn one_is_sent_now(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer_in_turn([500, 500, 500].map(Reply::status));
    let body = json!({ "url": receiver.url("/"), "events": ["record_created"], "retries": [600, 600] });
    let hook = Hook::make(&app, body).await;
    order(&sender, "A").await;
    let id = hook.attempted(1).await["id"].clone();
    let retry = async || app.post(&format!("/api/v1/deliveries/{}/retry", text(&id)), json!({})).await;
    assert_eq!(retry().await.status, 202);
    let delivery = hook.attempted(2).await;
    let next = json!(app.setup.clock.now().after(seconds(600)));
    assert_eq!(
        (&delivery["state"], &delivery["nextAttemptAt"]),
        (&json!("pending"), &next),
        "its schedule begins anew"
    );
    advance(&app, seconds(600));
    assert_eq!(hook.attempted(3).await["state"], "pending", "it would have been the last one");
    assert_eq!(retry().await.status, 202);
    let delivery = hook.attempted(4).await;
    assert_eq!((&delivery["state"], &delivery["id"]), (&json!("delivered"), &id));
    assert_eq!(delivery["attempts"].as_array().unwrap().len(), 4);
    assert_eq!(retry().await.status, 202, "what was delivered, too");
    hook.attempted(5).await;
    let came = receiver.received();
    assert!(came.iter().all(|request| request.body == came[0].body), "the same bytes");
    assert_eq!(came.len(), 5);
}

async fn a_job_sends_again(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(500));
    let body = json!({ "url": receiver.url("/"), "events": ["record_created", "status_change"], "retries": [] });
    let hook = Hook::make(&app, body).await;
    let names = ["A", "B", "C", "D", "E"];
    for (code, number) in names.into_iter().zip(1..) {
        order(&sender, code).await;
        hook.all(number, "failed").await;
    }
    // One that only fails rests for a while.
    advance(&app, seconds(10));
    sender.post(json!({ "type": "stock", "code": "A", "state": "open" })).await.accepted("updated");
    let before = hook.all(6, "failed").await;
    advance(&app, seconds(10));
    let bodies = |from: usize| sorted(receiver.received()[from..].iter().map(|request| request.body.clone()));
    let first = bodies(0);
    receiver.answer(|_| Reply::status(200));
    let filter = json!({ "webhook": hook.id, "state": "failed", "type": "record_created" });
    let mut dry = filter.clone();
    (dry["kind"], dry["dryRun"]) = (json!("redeliver"), json!(true));
    assert_eq!(app.post("/api/v1/jobs", dry).await.done()["total"], 5);
    let job = seeded::redeliver(&app, filter).await;
    assert_eq!(seeded::drain(&app, &job).await["done"], 5);
    app.gateway().deliveries.nudge();
    let is_done = |found: &[Value]| found.iter().filter(|delivery| delivery["state"] == "delivered").count() == 5;
    let after = hook.when("five are delivered", is_done).await;
    let ids = |all: &[Value]| all.iter().map(|delivery| delivery["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after), ids(&before), "the same deliveries");
    assert!(bodies(6).iter().all(|body| first.contains(body)) && receiver.received().len() == 11, "and the same bytes");
    assert!(after.iter().all(|one| one["state"] == "delivered" || one["type"] == "status_change"), "{after:?}");
}
