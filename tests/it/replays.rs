//! Events that are judged once more.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tokio::task::JoinSet;

use crate::app::{App, Setup, text};
use crate::changes::assert_log_is_truth;
use crate::client::Answer;
use crate::process::{Process, tidegate};

both!(
    a_refused_event_is_applied_once_its_mapping_is_mended,
    the_event_id_is_lifted_and_the_guard_is_not,
    a_replay_that_is_refused_is_an_event_too,
    what_cannot_be_replayed_says_why,
    a_forgery_is_not_replayed,
    replays_and_resends_at_once,
    records_and_events_from_the_command_line,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const SIGNED: &str = include_str!("../data/modules/signed.toml");

async fn replay(app: &App, event: &str) -> Answer {
    app.post(&format!("/api/v1/events/{event}/replay"), json!({})).await
}

/// The newest event, once it is there.
async fn newest(app: &App, verdict: &str) -> Value {
    loop {
        let page = app.see(&format!("/events?limit=1&verdict={verdict}")).await;
        match page["data"].as_array().unwrap().first() {
            Some(event) => return event.clone(),
            None => tokio::task::yield_now().await,
        }
    }
}

async fn a_refused_event_is_applied_once_its_mapping_is_mended(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "7", "code": "A", "quantity": "many", "count": 5 });
    sender.post(&event).await.problem(422, "judgement_failed");
    let refused = newest(&app, "refused").await;
    app.apply(&ORDERS.replace("from = \"$.quantity\"", "from = \"$.count\""), json!({})).await.done();
    let answer = replay(&app, text(&refused["id"])).await.done();
    assert_eq!((&answer["outcome"], &answer["replayOf"]), (&json!("created"), &refused["id"]));
    let record = app.see(&format!("/modules/orders/records/{}", text(&answer["recordId"]))).await;
    assert_eq!((&record["fields"]["quantity"], &record["eventId"]), (&json!(5), &answer["eventId"]));
    let made = app.event(&answer).await;
    for (member, wanted) in [
        ("verdict", json!("created")),
        ("replayOf", refused["id"].clone()),
        ("mappingVersion", json!(2)),
        ("eventType", json!("stock")),
        ("recordIds", json!([answer["recordId"]])),
        ("headers", refused["headers"].clone()),
        ("bodySize", refused["bodySize"].clone()),
    ] {
        assert_eq!(made[member], wanted, "{member}: {made}");
    }
    let resent = sender.post(&event).await.accepted("duplicate");
    assert_eq!((&resent["duplicateOf"], &resent["recordId"]), (&answer["eventId"], &answer["recordId"]));
    let again = replay(&app, text(&answer["eventId"])).await.done();
    assert_eq!(
        (&again["outcome"], &again["replayOf"]),
        (&json!("unchanged"), &refused["id"]),
        "the first one is named"
    );
    let rows = app.database().rows("SELECT target, detail FROM audit WHERE action = 'event.replay' ORDER BY seq").await;
    assert_eq!((rows.len(), rows[0][0].as_deref()), (2, refused["id"].as_str()));
    assert!(rows[0][1].as_ref().unwrap().contains(text(&answer["eventId"])));
}

async fn the_event_id_is_lifted_and_the_guard_is_not(app: App) {
    let sender = app.sender(ORDERS).await;
    let event =
        |id: &str, note: &str, at: &str| json!({ "type": "stock", "id": id, "code": "A", "note": note, "at": at });
    let first = event("1", "first", "2026-01-01T00:00:00Z");
    let one = sender.post(&first).await.accepted("created");
    assert_eq!(replay(&app, text(&one["eventId"])).await.done()["outcome"], "unchanged", "it is no duplicate");
    let path = format!("/api/v1/modules/orders/records/{}", text(&one["recordId"]));
    let patched =
        app.request(http::Method::PATCH, &path).bearer_auth(&app.key).body(r#"{"fields":{"note":"by hand"}}"#);
    Answer::to(patched).await.done();
    assert_eq!(replay(&app, text(&one["eventId"])).await.done()["outcome"], "updated");
    sender.post(event("2", "second", "2026-01-02T00:00:00Z")).await.accepted("updated");
    let stale = replay(&app, text(&one["eventId"])).await.done();
    assert_eq!((&stale["outcome"], &stale["recordId"]), (&json!("stale"), &one["recordId"]));
    let resent = sender.post(&first).await.accepted("duplicate");
    assert_eq!(resent["duplicateOf"], one["eventId"], "its id stays with the first event");
    assert_log_is_truth(&app, app.database(), "orders").await;
}

async fn a_replay_that_is_refused_is_an_event_too(app: App) {
    let sender = app.sender(ORDERS).await;
    sender.post(json!({ "type": "stock", "code": "A", "quantity": "many" })).await.problem(422, "judgement_failed");
    let refused = newest(&app, "refused").await;
    let problem = replay(&app, text(&refused["id"])).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["to"], "quantity");
    let kept = newest(&app, "refused").await;
    assert_eq!((&kept["replayOf"], &kept["cause"]), (&refused["id"], &json!("judgement_failed")));
    assert!(text(&problem["detail"]).contains(text(&kept["id"])), "{problem}");
    assert_eq!(kept["errors"][0]["to"], "quantity");
    sender.send(sender.json("{")).await.problem(400, "invalid_json");
    let broken = loop {
        let page = app.see("/events?cause=invalid_json").await;
        if let Some(event) = page["data"].as_array().unwrap().first() {
            break event.clone();
        }
        tokio::task::yield_now().await;
    };
    let problem = replay(&app, text(&broken["id"])).await.problem(422, "judgement_failed");
    assert_eq!(problem["errors"][0]["code"], "invalid_json", "it is the event's body, and not the request's");
    assert_eq!(app.database().count("m_orders").await, 0);
}

async fn what_cannot_be_replayed_says_why(app: App) {
    let sender = app.sender(ORDERS).await;
    let one = sender.post(json!({ "type": "stock", "code": "A" })).await.accepted("created");
    let id = text(&one["eventId"]);
    replay(&app, &format!("evt_{}", "0".repeat(26))).await.problem(404, "not_found");
    replay(&app, "x").await.problem(404, "not_found");
    app.database().run(AssertSqlSafe(format!("UPDATE events SET body_size = body_size + 1 WHERE id = '{id}'"))).await;
    assert!(text(&replay(&app, id).await.problem(409, "conflict")["detail"]).contains("not all"));
    app.database()
        .run(AssertSqlSafe(format!(
            "UPDATE events SET body_size = body_size - 1, source_id = 'src_{}' WHERE id = '{id}'",
            "0".repeat(26)
        )))
        .await;
    assert!(text(&replay(&app, id).await.problem(409, "conflict")["detail"]).contains("source is gone"));
    let empty = if app.database().engine() == crate::database::Engine::Postgres { "''" } else { "x''" };
    app.database()
        .run(AssertSqlSafe(format!("UPDATE events SET body = {empty}, payload = 'none' WHERE id = '{id}'")))
        .await;
    assert!(text(&replay(&app, id).await.problem(409, "conflict")["detail"]).contains("no payload"));
    app.get(&format!("/api/v1/events/{id}/payload")).await.problem(404, "not_found");
}

async fn replays_and_resends_at_once(app: App) {
    let sender = app.sender(ORDERS).await;
    let event = json!({ "type": "stock", "id": "1", "code": "A", "quantity": 1 });
    let one = sender.post(&event).await.accepted("created");
    let path = format!("/api/v1/events/{}/replay", text(&one["eventId"]));
    let mut tasks = JoinSet::new();
    for number in 0..24 {
        let (sender, event) = (sender.clone(), event.clone());
        let request = app.request(http::Method::POST, &path).bearer_auth(&app.key);
        tasks.spawn(async move {
            match number % 3 {
                0 => Answer::to(request).await.done()["outcome"].clone(),
                1 => sender.post(&event).await.accepted("duplicate")["outcome"].clone(),
                _ => sender.post(json!({ "type": "stock", "code": "A", "quantity": number })).await.done()["outcome"]
                    .clone(),
            }
        });
    }
    while let Some(outcome) = tasks.join_next().await {
        assert!(["duplicate", "unchanged", "updated"].contains(&text(&outcome.unwrap())));
    }
    assert_log_is_truth(&app, app.database(), "orders").await;
}

async fn records_and_events_from_the_command_line(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(ORDERS).await;
    let environment = [("TIDEGATE_URL", &*process.admin.url), ("TIDEGATE_KEY", &*process.admin.key)];
    let types = |arguments: &[&str]| tidegate(setup.folder(), arguments, &environment);
    let reads = |arguments: &[&str]| {
        let (code, stdout) = types(&[arguments, &["--json"]].concat());
        (code, serde_json::from_str::<Value>(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}")))
    };
    let (code, made) = reads(&["record", "create", "orders", "code=A", "quantity=5", "--custom", r#"{"a":1}"#]);
    assert_eq!((code, &made["fields"]["quantity"], &made["customData"]), (0, &json!(5), &json!({ "a": 1 })));
    let id = text(&made["id"]);
    let (code, refused) = reads(&["record", "create", "orders", "quantity=x"]);
    assert_eq!((code, refused["error"]["errors"].as_array().unwrap().len()), (1, 2));
    assert_eq!(types(&["record", "create", "orders"]).0, 2);
    let (code, changed) = reads(&["record", "set", "orders", id, "quantity:=null", "state=open", "--version", "1"]);
    assert_eq!((code, &changed["version"], &changed["fields"]["quantity"]), (0, &json!(2), &Value::Null));
    assert_eq!(
        reads(&["record", "set", "orders", id, "note=x", "--version", "1"]).1["error"]["code"],
        "precondition_failed"
    );
    let (code, listed) =
        types(&["record", "list", "orders", "--filter", "state[in]=open,closed", "--sort", "-_updated_at"]);
    assert!(code == 0 && listed.contains(id) && listed.contains("state=open"), "{listed}");
    assert!(types(&["record", "list", "orders", "--filter", "quantity[null]=false"]).1.contains("No record fits"));
    assert!(types(&["record", "show", "orders", id]).1.contains("open"));
    let (code, history) = types(&["record", "history", "orders", id]);
    assert!(
        code == 0
            && history.contains("state: - -> open")
            && history.contains("LAST WRITTEN")
            && history.contains("key_"),
        "{history}"
    );
    assert_eq!(types(&["record", "delete", "orders", id]).0, 2, "without --yes nothing is deleted");
    assert_eq!(types(&["record", "delete", "orders", id, "--yes"]).0, 0);
    assert_eq!(types(&["record", "show", "orders", id]).0, 1);

    let event = sender.post(json!({ "type": "stock", "code": "B" })).await.accepted("created");
    let event = text(&event["eventId"]);
    let (code, listed) = types(&["event", "list", "--module", "orders", "--type", "stock", "--all"]);
    assert!(code == 0 && listed.contains(event) && listed.contains("orders/shop"), "{listed}");
    assert!(types(&["event", "show", event]).1.contains("created"));
    assert_eq!(types(&["event", "payload", event]), (0, "{\"code\":\"B\",\"type\":\"stock\"}\n".to_owned()));
    assert_eq!(types(&["event", "payload", event, "--out", "payload.json"]).0, 0);
    assert_eq!(std::fs::read(setup.folder().join("payload.json")).unwrap(), br#"{"code":"B","type":"stock"}"#);
    let (code, replayed) = reads(&["replay", event]);
    assert_eq!((code, &replayed["replays"][0]["outcome"]), (0, &json!("unchanged")));
    let (code, replayed) = types(&["event", "replay", event, "evt_x"]);
    assert!(code == 1 && replayed.contains("unchanged") && replayed.contains("refused"), "{replayed}");
}

/// What was refused for who sent it is not let in by another door.
async fn a_forgery_is_not_replayed(app: App) {
    let sender = app.senders(SIGNED, json!({ "ONE": "one", "TWO": "two" })).await.swap_remove(0);
    sender.post(json!({ "code": "FORGED" })).await.problem(401, "signature_missing");
    let id = newest(&app, "refused").await["id"].clone();
    let problem = replay(&app, text(&id)).await.problem(409, "conflict");
    assert!(text(&problem["detail"]).contains("signature"), "{problem}");
    assert_eq!(app.list("/modules/signed/records", 10).await.len(), 0);
}
