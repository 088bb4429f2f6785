//! The history of what flowed out: lists, attempts, and one sent again.

use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::receiver::{Receiver, Reply};
use crate::seeded::{SETTLED_AT, Settled, endpoint, execute, put_due, time};

both!(
    due_and_settled_are_one_list,
    an_attempt_is_shown_whole,
    one_delivery_is_sent_now,
    what_is_sent_again_is_tried_as_often_as_at_first,
    the_log_is_read_for_webhooks_that_were_disabled,
);

async fn due_and_settled_are_one_list(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let place = app.database();
    let (one, other) = (endpoint(place, "enabled").await, endpoint(place, "enabled").await);
    let ids = Settled::failed(one).put(place, 0, 4).await;
    let delivered =
        Settled { state: "delivered", event: "status_change", ..Settled::failed(one) }.put(place, 10, 3).await;
    Settled::failed(other).put(place, 20, 2).await;
    let now = app.setup.clock.now().micros();
    put_due(place, &ids[0], &format!("run_at = {now} + 60000000")).await;
    put_due(place, &ids[1], &format!("run_at = {now} + 60000000, claim = 'x/1'")).await;
    put_due(place, &ids[2], "run_at = NULL").await;
    // The lease has run out: whoever comes next sends it.
    put_due(place, &delivered[0], &format!("run_at = {now}, claim = 'x/1'")).await;

    let path = format!("/webhooks/{one}/deliveries");
    let newest_first = ids.iter().chain(&delivered).rev().cloned().collect::<Vec<_>>();
    for limit in [1, 2, 100] {
        assert_eq!(named(&app.list(&path, limit).await), newest_first, "{limit} a page");
    }
    for (query, expected) in [
        ("state=pending", vec![&delivered[0], &ids[0]]),
        ("state=sending", vec![&ids[1]]),
        ("state=waiting", vec![&ids[2]]),
        ("state=failed", vec![&ids[3]]),
        ("state=delivered", vec![&delivered[2], &delivered[1]]),
        ("type=status_change", vec![&delivered[2], &delivered[1], &delivered[0]]),
        ("type=status_change&state=pending", vec![&delivered[0]]),
        ("type=nothing", vec![]),
    ] {
        let found = app.list(&format!("{path}?{query}"), 1).await;
        assert_eq!(named(&found).iter().collect::<Vec<_>>(), expected, "{query}");
    }
    for query in ["state=lost", "limit=0", "cursor=x", "colour=red"] {
        app.get(&format!("/api/v1{path}?{query}")).await.problem(400, "invalid_request");
    }
    app.get("/api/v1/webhooks/x/deliveries").await.problem(404, "not_found");
    let listed = app.list(&path, 100).await;
    let waiting = listed.iter().find(|delivery| delivery["state"] == "waiting").unwrap();
    assert_eq!((&waiting["nextAttemptAt"], &waiting["settledAt"]), (&Value::Null, &Value::Null));
    let pending = listed.iter().find(|delivery| delivery["id"] == ids[0].as_str()).unwrap();
    assert_eq!(pending["nextAttemptAt"], "2026-03-04T12:01:00.000000Z");
}

fn named(found: &[Value]) -> Vec<String> {
    found.iter().map(|delivery| text(&delivery["id"]).to_owned()).collect()
}

async fn an_attempt_is_shown_whole(app: App) {
    let place = app.database();
    let one = endpoint(place, "enabled").await;
    let id = Settled::failed(one).put(place, 7, 1).await.remove(0);
    let at = time(SETTLED_AT).micros();
    let (first, second) = (format!("att_{:0>26}", 1), format!("att_{:0>26}", 2));
    let blob = |hex: &str| match place.engine() {
        crate::database::Engine::Sqlite => format!("x'{hex}'"),
        crate::database::Engine::Postgres => format!("'\\x{hex}'"),
    };
    let (text_body, odd, long) = (blob("7b7d"), blob("ff00"), blob(&"61".repeat(65_536)));
    let sql = format!(
        "INSERT INTO attempts VALUES ('{first}', '{id}', '{one}', 1, {at}, 'https://shop.test/in', '{{\"a\":\"b\"}}', {long}, \
         70000, '203.0.113.9:443', NULL, NULL, NULL, 'timeout', 'no status in time', 1500, 20, NULL, NULL, 30000000, {at} + 1), \
         ('{second}', '{id}', '{one}', 2, {at} + 1, 'https://shop.test/in', '{{\"a\":[\"b\",\"c\"]}}', {text_body}, 2, NULL, \
         500, '{{\"c\":\"d\"}}', {odd}, NULL, NULL, NULL, NULL, NULL, 250, 1001, NULL)"
    );
    execute(place, &sql).await;

    let delivery = app.see(&format!("/deliveries/{id}")).await;
    assert_eq!(
        (&delivery["state"], &delivery["webhook"], &delivery["type"], &delivery["status"], &delivery["attemptCount"]),
        (&json!("failed"), &json!(one), &json!("record_created"), &json!(500), &json!(6)),
        "{delivery}"
    );
    assert_eq!((&delivery["module"], &delivery["recordId"]), (&Value::Null, &Value::Null), "of no module");
    assert!(text(&delivery["change"]).starts_with("cur_"), "{delivery}");
    let mut attempts = delivery["attempts"].clone();
    let cut = attempts[0]["request"]["body"].take();
    assert_eq!(cut, json!({ "text": "a".repeat(65_536), "size": 70_000, "truncated": true }));
    assert_eq!(
        attempts,
        json!([
            {
                "number": 1, "at": "2026-03-04T11:00:00.000000Z", "url": "https://shop.test/in",
                "request": { "headers": { "a": "b" }, "body": null },
                "address": "203.0.113.9:443", "response": null,
                "error": { "class": "timeout", "detail": "no status in time" },
                "timings": { "dns": 1.5, "connect": 0.02, "tls": null, "firstByte": null, "total": 30_000.0 },
                "nextAttemptAt": "2026-03-04T11:00:00.000001Z",
            },
            {
                "number": 2, "at": "2026-03-04T11:00:00.000001Z", "url": "https://shop.test/in",
                "request": { "headers": { "a": ["b", "c"] }, "body": { "text": "{}", "size": 2, "truncated": false } },
                "address": null,
                "response": { "status": 500, "headers": { "c": "d" }, "body": { "base64": "/wA=", "size": 2, "truncated": false } },
                "error": null,
                "timings": { "dns": null, "connect": null, "tls": null, "firstByte": 0.25, "total": 1.001 },
                "nextAttemptAt": null,
            },
        ])
    );
    app.get(&format!("/api/v1/deliveries/dlv_{}", "0".repeat(26))).await.problem(404, "not_found");
    app.get("/api/v1/deliveries/x").await.problem(404, "not_found");
}

async fn one_delivery_is_sent_now(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let place = app.database();
    let (one, off) = (endpoint(place, "enabled").await, endpoint(place, "disabled").await);
    let ids = Settled::failed(one).put(place, 0, 5).await;
    let of_disabled = Settled::failed(off).put(place, 10, 2).await;
    let now = app.setup.clock.now().micros();
    put_due(place, &ids[1], &format!("run_at = {now} + 60000000")).await;
    put_due(place, &ids[2], &format!("run_at = {now} + 60000000, claim = 'x/1'")).await;
    put_due(place, &ids[3], "run_at = NULL").await;
    put_due(place, &ids[4], &format!("run_at = {now}, claim = 'x/1'")).await;
    put_due(place, &of_disabled[1], &format!("run_at = {now}")).await;
    let retry = async |id: &str| app.post(&format!("/api/v1/deliveries/{id}/retry"), json!({})).await;

    for id in [&ids[0], &ids[1], &ids[4]] {
        let answer = retry(id).await;
        assert_eq!((answer.status, &answer.json()["state"]), (202, &json!("pending")), "{}", answer.text());
        let resent =
            format!("due WHERE id = '{id}' AND run_at = {now} AND lane = 2 AND claim IS NULL AND attempts = 6");
        assert_eq!(place.count(&resent).await, 1);
    }
    assert_eq!(retry(&ids[0]).await.status, 202, "as often as one likes");
    let ordered = place.text("SELECT CAST(sum(ordered) AS text) FROM due WHERE lane = 2").await;
    assert_eq!(ordered.as_deref(), Some("2"), "what was due keeps its place; what was settled has none any more");
    for (id, why) in [
        (&ids[2], "being sent"),
        (&ids[3], "earlier delivery"),
        (&of_disabled[0], "disabled"),
        (&of_disabled[1], "disabled"),
    ] {
        let problem = retry(id).await.problem(409, "conflict");
        assert!(text(&problem["detail"]).contains(why), "{problem}");
    }
    retry(&format!("dlv_{}", "0".repeat(26))).await.problem(404, "not_found");
    assert_eq!(place.count("audit WHERE action = 'delivery.retry'").await, 4);
    assert_eq!(place.count("due WHERE lane = 2").await, 3);
}

async fn what_is_sent_again_is_tried_as_often_as_at_first(app: App) {
    let (sender, receiver) = (app.sender(include_str!("../data/modules/orders.toml")).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(500));
    let given = json!({ "url": receiver.url("/"), "events": ["record_created"], "retries": [0, 0] });
    let made = app.post("/api/v1/webhooks", given).await.done();
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let id = receiver.wait_for(1).await[0].header("x-webhook-id").unwrap().to_owned();
    let path = format!("/deliveries/{id}");
    let settled = async |state: &str, least: usize| loop {
        let delivery = app.see(&path).await;
        if delivery["state"] == state && delivery["attempts"].as_array().unwrap().len() >= least {
            let numbers = delivery["attempts"].as_array().unwrap().iter().map(|attempt| attempt["number"].clone());
            return Value::Array(numbers.collect());
        }
    };
    assert_eq!(settled("failed", 3).await, json!([1, 2, 3]));
    let job = json!({ "kind": "redeliver", "endpoint": made["id"] });
    app.post(&format!("/api/v1{path}/retry"), json!({})).await.done();
    assert_eq!(settled("failed", 6).await, json!([1, 2, 3, 4, 5, 6]), "its schedule begins anew, the count goes on");
    assert_eq!(app.post("/api/v1/jobs", job).await.status, 201);
    receiver.wait_for(7).await;
    receiver.answer(|_| Reply::status(200));
    let numbers = settled("delivered", 7).await;
    assert!(numbers.as_array().unwrap().len() <= 9, "{numbers}");
}

async fn the_log_is_read_for_webhooks_that_were_disabled(app: App) {
    let (sender, receiver) = (app.sender(include_str!("../data/modules/orders.toml")).await, Receiver::start().await);
    receiver.answer(|_| Reply::status(410));
    let made = app.post("/api/v1/webhooks", json!({ "url": receiver.url("/") })).await.done();
    sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let told = app.see("/changes?type=endpoint.disabled&wait=30").await;
    let [change] = &told["data"].as_array().unwrap()[..] else { panic!("{told}") };
    assert_eq!((&change["types"], &change["module"]), (&json!(["endpoint.disabled"]), &Value::Null), "{told}");
    assert_eq!(change["after"]["fields"]["endpoint"], made["id"], "{told}");
    let near = app.get("/api/v1/changes?type=endpoint.disable").await.problem(400, "invalid_request");
    assert!(text(&near["detail"]).contains("`endpoint.disabled`"), "{near}");
}
