//! What a webhook missed while it was disabled is delivered when it is asked for: all of it, in order, each once.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{Admin, App, Setup, text};
use crate::client::Sender;
use crate::process::{Process, tidegate};
use crate::receiver::{Received, Receiver};
use crate::seeded::{Settled, delete, drain, execute, job};

both!(
    what_was_missed_arrives_in_order_and_once,
    a_while_in_between_is_left_alone,
    it_goes_on_after_a_restart,
    what_is_left_of_a_broken_job_is_still_missed,
    changes_that_are_gone_are_told,
    what_cannot_be_asked_for_is_told,
    it_waits_while_too_much_is_due,
    the_command_line_asks_for_what_was_missed,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const SECOND: Duration = Duration::from_secs(1);

async fn make(admin: &Admin, body: Value) -> String {
    let answer = admin.post("/api/v1/webhooks", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    text(&answer.json()["id"]).to_owned()
}

async fn turn(admin: &Admin, id: &str, verb: &str) {
    admin.post(&format!("/api/v1/webhooks/{id}/{verb}"), json!({})).await.done();
}

async fn set(sender: &Sender, code: &str, quantity: i64) {
    let answer = sender.post(json!({ "type": "stock", "code": code, "quantity": quantity })).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// While it is disabled, so many records are made.
async fn miss(app: &App, sender: &Sender, id: &str, codes: &[&str]) {
    turn(app, id, "disable").await;
    for code in codes {
        set(sender, code, 1).await;
    }
    turn(app, id, "enable").await;
}

async fn ask(admin: &Admin, id: &str, more: Value) -> Value {
    let mut body = json!({ "kind": "missed", "endpoint": id });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = admin.post("/api/v1/jobs", body).await;
    assert!([200, 201].contains(&answer.status), "{}", answer.text());
    answer.json()
}

/// How a job for all that is missed ends.
async fn deliver(app: &App, id: &str) -> Value {
    drain(app, text(&ask(app, id, json!({})).await["id"])).await
}

async fn missed(app: &App, id: &str) -> Value {
    app.see(&format!("/webhooks/{id}")).await["missed"].clone()
}

fn ids(came: &[Received]) -> BTreeSet<String> {
    came.iter().map(|request| request.header("x-webhook-id").unwrap().to_owned()).collect()
}

fn told(job: &Value) -> Value {
    json!([job["state"], job["total"], job["done"], job["skipped"]])
}

async fn what_was_missed_arrives_in_order_and_once(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let events = ["record_created", "record_updated"];
    let given = json!({ "url": receiver.url("/"), "events": events, "ordering": "per_record", "concurrency": 1,
        "filter": "@.data.code != 'secret'" });
    let id = make(&app, given).await;
    set(&sender, "A", 1).await;
    receiver.wait_for(1).await;
    turn(&app, &id, "disable").await;
    for quantity in 2..=21 {
        set(&sender, "A", quantity).await;
    }
    set(&sender, "secret", 1).await;
    set(&sender, "B", 1).await;
    turn(&app, &id, "enable").await;
    set(&sender, "C", 1).await;
    receiver.wait_for(2).await;
    let range = missed(&app, &id).await;

    let dry = ask(&app, &id, json!({ "dryRun": true })).await;
    assert_eq!((&dry["total"], &dry["skipped"], &dry["kind"]), (&json!(21), &json!(0), &json!("missed")), "{dry}");
    assert_eq!((&dry["spec"]["from"], &dry["spec"]["to"]), (&range["from"], &range["to"]));
    assert_eq!((app.database().count("jobs").await, missed(&app, &id).await), (0, range), "a dry run changes nothing");
    assert_eq!(told(&deliver(&app, &id).await), json!(["done", 21, 21, 0]));
    let came = receiver.wait_for(23).await;
    let quantities = came.iter().map(Received::json).filter(|body| body["data"]["code"] == "A");
    let quantities = quantities.map(|body| body["data"]["quantity"].as_i64().unwrap()).collect::<Vec<_>>();
    assert_eq!(quantities, (1..=21).collect::<Vec<_>>());
    assert_eq!((ids(&came).len(), came.len()), (23, 23), "each once");
    assert_eq!(missed(&app, &id).await, Value::Null);

    let again = app.post("/api/v1/jobs", json!({ "kind": "missed", "endpoint": id })).await.problem(409, "conflict");
    assert_eq!(again["detail"], "the webhook has missed nothing");
}

async fn a_while_in_between_is_left_alone(app: App) {
    let (sender, receiver) = (app.sender(ORDERS).await, Receiver::start().await);
    let id = make(&app, json!({ "url": receiver.url("/"), "events": ["record_created"] })).await;
    miss(&app, &sender, &id, &["A", "B"]).await;
    set(&sender, "C", 1).await;
    receiver.wait_for(1).await;
    miss(&app, &sender, &id, &["D"]).await;
    let done = deliver(&app, &id).await;
    assert_eq!(told(&done), json!(["done", 3, 3, 1]), "C was delivered");
    let came = receiver.wait_for(4).await;
    assert_eq!(text(&came[0].json()["data"]["code"]), "C");
    assert_eq!((ids(&came).len(), came.len()), (4, 4));
    miss(&app, &sender, &id, &["E"]).await;
    assert_eq!(told(&deliver(&app, &id).await), json!(["done", 1, 1, 0]), "what was asked for once is not missed");
}

/// A gateway whose clock stands, and a webhook that has missed so many records; its built-in receiver takes them all.
async fn inspected(setup: Setup, codes: &[&str]) -> (App, Sender, String) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(ORDERS).await;
    let id = make(&app, json!({ "url": "tidegate://inspect", "events": ["record_created"] })).await;
    miss(&app, &sender, &id, codes).await;
    (app, sender, id)
}

async fn rounds(app: &App) {
    for _ in 0..3 {
        app.do_jobs().await;
    }
}

/// Waits until so many were delivered.
async fn delivered(app: &App, count: usize) {
    while app.database().count("deliveries").await < count {
        tokio::task::yield_now().await;
    }
    assert_eq!(app.database().count("attempts").await, count, "each once");
}

async fn it_goes_on_after_a_restart(setup: Setup) {
    let (mut app, _, id) = inspected(setup, &["A", "B", "C", "D"]).await;
    let made = ask(&app, &id, json!({ "perMinute": 60 })).await;
    let made = text(&made["id"]);
    for done in [1, 2, 3] {
        rounds(&app).await;
        assert_eq!(job(&app, made).await["done"], done, "one a second");
        app = app.restart().await;
        rounds(&app).await;
        assert_eq!(job(&app, made).await["done"], done);
        app.setup.clock.advance(SECOND);
    }
    assert_eq!(told(&drain(&app, made).await), json!(["done", 4, 4, 0]));
    delivered(&app, 4).await;
    assert_eq!(missed(&app, &id).await, Value::Null);
}

/// A step that meets a change of the endpoints is put off for a moment.
async fn drain_as_time_passes(app: &App, id: &str) -> Value {
    for _ in 0..10 {
        app.setup.clock.advance(SECOND);
        rounds(app).await;
    }
    drain(app, id).await
}

async fn what_is_left_of_a_broken_job_is_still_missed(setup: Setup) {
    let (app, sender, id) = inspected(setup, &["A", "B", "C"]).await;
    let before = missed(&app, &id).await;
    let made = ask(&app, &id, json!({ "perMinute": 60 })).await;
    let made = text(&made["id"]);
    rounds(&app).await;
    miss(&app, &sender, &id, &["D"]).await;
    turn(&app, &id, "disable").await;
    let failed = drain_as_time_passes(&app, made).await;
    assert_eq!(told(&failed), json!(["failed", 3, 1, 0]));
    assert!(text(&failed["error"]).contains("is disabled"), "{failed}");
    let left = missed(&app, &id).await;
    assert!(text(&left["from"]) > text(&before["from"]) && left["to"].is_null(), "{before} {left}");
    turn(&app, &id, "enable").await;
    let made = ask(&app, &id, json!({ "perMinute": 60 })).await;
    assert_eq!(made["total"], 3, "B, C and D: {made}");
    delete(&app, &format!("/webhooks/{id}")).await;
    let failed = drain_as_time_passes(&app, text(&made["id"])).await;
    assert_eq!((&failed["state"], &failed["error"]), (&json!("failed"), &json!("the webhook was deleted")));
}

async fn changes_that_are_gone_are_told(setup: Setup) {
    let (app, _, id) = inspected(setup, &["A", "B", "C"]).await;
    let second = "SELECT max(seq) - 1 FROM changes";
    execute(app.database(), &format!("UPDATE log_start SET seq = ({second})")).await;
    execute(app.database(), "DELETE FROM changes WHERE seq <= (SELECT seq FROM log_start)").await;
    let made = ask(&app, &id, json!({})).await;
    assert_eq!((&made["spec"]["changesGone"], &made["total"]), (&json!(2), &json!(1)), "{made}");
    assert_eq!(told(&drain(&app, text(&made["id"])).await), json!(["done", 1, 1, 2]));
    delivered(&app, 1).await;
}

async fn what_cannot_be_asked_for_is_told(app: App) {
    let id = make(&app, json!({ "url": "tidegate://inspect" })).await;
    let ask = async |body: Value| app.post("/api/v1/jobs", body).await;
    let nobody = format!("whk_{}", "0".repeat(26));
    for (endpoint, more) in [(&*nobody, json!(1)), ("whk_1", json!(1)), (&*id, json!(0)), (&*id, json!("fast"))] {
        let body = json!({ "kind": "missed", "endpoint": endpoint, "perMinute": more });
        ask(body).await.problem(400, "invalid_request");
    }
    ask(json!({ "kind": "missed" })).await.problem(400, "invalid_request");
    let nothing = ask(json!({ "kind": "missed", "webhook": id })).await.problem(409, "conflict");
    assert_eq!(nothing["detail"], "the webhook has missed nothing");
    turn(&app, &id, "disable").await;
    let disabled = ask(json!({ "kind": "missed", "endpoint": id })).await.problem(409, "conflict");
    assert!(text(&disabled["detail"]).contains("enable it"), "{disabled}");
    turn(&app, &id, "enable").await;
    ask(json!({ "kind": "missed", "endpoint": id })).await.problem(409, "conflict");
    assert_eq!(app.database().count("jobs").await, 0);
}

async fn it_waits_while_too_much_is_due(setup: Setup) {
    let (app, _, id) = inspected(setup, &["A"]).await;
    let place = app.database();
    let one = Settled::failed(id.parse().unwrap());
    for first in [100, 3_100] {
        one.put(place, first, 3_000).await;
    }
    let columns = "id, endpoint_id, seq, part, type, module_id, record_id, rendering";
    let later = app.setup.clock.now().after(SECOND * 3_600).micros();
    execute(
        place,
        &format!(
            "INSERT INTO due ({columns}, ordered, lane, attempts, run_at, created_at) \
             SELECT {columns}, 0, 2, 6, {later}, 0 FROM (SELECT * FROM deliveries ORDER BY id LIMIT 5001) d"
        ),
    )
    .await;
    let of_settled = app.post("/api/v1/jobs", json!({ "kind": "redeliver", "endpoint": id })).await.json();
    let jobs = [ask(&app, &id, json!({})).await, of_settled].map(|job| text(&job["id"]).to_owned());
    rounds(&app).await;
    app.setup.clock.advance(SECOND);
    rounds(&app).await;
    for id in &jobs {
        let waiting = job(&app, id).await;
        assert_eq!((&waiting["state"], &waiting["done"]), (&json!("running"), &json!(0)), "{waiting}");
    }
    execute(place, "DELETE FROM due WHERE lane = 2").await;
    // Nothing can be sent of what is only settled here.
    execute(place, "DELETE FROM deliveries").await;
    app.setup.clock.advance(SECOND);
    for id in &jobs {
        assert_eq!(drain(&app, id).await["state"], "done");
    }
    delivered(&app, 1).await;
}

async fn the_command_line_asks_for_what_was_missed(setup: Setup) {
    let process = Process::start(&setup).await;
    let admin = &process.admin;
    let sender = admin.sender(ORDERS).await;
    let id = make(admin, json!({ "url": "tidegate://inspect", "events": ["record_created"] })).await;
    turn(admin, &id, "disable").await;
    set(&sender, "A", 1).await;
    turn(admin, &id, "enable").await;
    let environment = [("TIDEGATE_URL", &*admin.url), ("TIDEGATE_KEY", &*admin.key)];
    let types = |arguments: &[&str]| tidegate(setup.folder(), arguments, &environment);
    assert!(types(&["webhook", "show", &id]).1.contains(&format!("tidegate webhook missed {id}")));
    let (code, stdout) = types(&["webhook", "missed", &id, "--dry-run"]);
    assert_eq!((code, &*stdout), (0, "1 deliveries would be sent\n"));
    let (code, stdout) = types(&["webhook", "missed", &id, "--per-minute", "600", "--json"]);
    let made: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}"));
    assert_eq!((code, &made["total"], &made["spec"]["perMinute"]), (0, &json!(1), &json!(600)), "{made}");
    let (code, stdout) = types(&["job", "show", "--follow", text(&made["id"])]);
    assert!(code == 0 && stdout.contains("1 of 1"), "{stdout}");
    let (code, stdout) = types(&["webhook", "missed", &id, "--json"]);
    assert!(code == 1 && stdout.contains("the webhook has missed nothing"), "{stdout}");
}
