//! What a source is used for: counted by whoever answers, added up in the database.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ERP, SHOP, WEB, signed};
use crate::app::Setup;
use crate::database::Engine;

both!(
    accepted_and_refused_are_counted_by_cause,
    what_was_counted_outlives_a_stop_and_ends_by_itself,
    the_limit_tells_what_is_left,
);

async fn accepted_and_refused_are_counted_by_cause(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let senders = app.senders(SHOP, json!({ "ERP": "one" })).await;
    let unused = app.see(ERP).await["usage"].clone();
    assert_eq!((&unused["since"], &unused["lastUsedAt"], &unused["accepted"]), (&Value::Null, &Value::Null, &json!(0)));
    let body = r#"{"code":"A"}"#;
    for _ in 0..3 {
        signed(&senders[0], "one", body).await;
    }
    app.setup.clock.advance(Duration::from_secs(60));
    signed(&senders[0], "another", body).await.problem(401, "signature_mismatch");
    senders[0].post(body).await.problem(401, "signature_missing");
    signed(&senders[0], "one", r#"{"code":"A","amount":"x"}"#).await.problem(422, "judgement_failed");
    senders[0].send(senders[0].body("text/plain", "x")).await.problem(415, "unsupported_media_type");
    let wanted =
        json!({ "signature_mismatch": 1, "signature_missing": 1, "judgement_failed": 1, "unsupported_media_type": 1 });
    for written in [false, true] {
        if written {
            app.gateway().write_usage().await;
        }
        let usage = app.see(ERP).await["usage"].clone();
        assert_eq!((&usage["accepted"], &usage["outcomes"]), (&json!(3), &json!({ "created": 1, "unchanged": 2 })));
        assert_eq!((&usage["refused"], &usage["handshakes"]), (&wanted, &json!(0)));
        assert_eq!(usage["lastUsedAt"], "2026-03-04T12:01:00.000000Z");
        assert_eq!(usage["since"], "2026-03-04T12:00:00.000000Z", "not before it was made");
    }
    let list = app.see("/modules/shop/sources").await;
    assert_eq!((&list["data"][0]["usage"]["accepted"], &list["data"][1]["usage"]["accepted"]), (&json!(3), &json!(0)));
    // What bears no token of the source is nobody's.
    let mut stranger = senders[0].clone();
    stranger.token = "tgt_0".to_owned();
    stranger.post(body).await.problem(401, "unauthorized");
    assert_eq!(app.database().count("source_counts WHERE cause = 'unauthorized'").await, 0);
}

async fn what_was_counted_outlives_a_stop_and_ends_by_itself(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    sender.post(json!({ "id": "1", "other": "B" })).await.accepted("created");
    let app = app.restart().await;
    let source = app.see(WEB).await;
    assert_eq!(source["usage"]["outcomes"], json!({ "created": 1 }));
    assert_eq!(source["tokens"][0]["lastUsedAt"], "2026-03-04T12:00:00.000000Z");
    app.setup.clock.advance(Duration::from_secs(86_400));
    sender.anew(&app.url).post(json!({ "id": "2", "other": "C" })).await.accepted("created");
    app.gateway().write_usage().await;
    assert_eq!(app.database().count("source_counts").await, 2, "a row a day");
    app.setup.clock.advance(Duration::from_secs(90 * 86_400));
    app.keep_house().await;
    let usage = app.see(WEB).await["usage"].clone();
    assert_eq!((&usage["accepted"], &usage["since"]), (&json!(1), &json!("2026-03-05T00:00:00.000000Z")));
}

async fn the_limit_tells_what_is_left(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    let limit = async || app.see(WEB).await["usage"]["limit"].clone();
    assert_eq!(limit().await, json!({ "perMinute": 60, "burst": 20, "remaining": 20 }));
    for number in 0..20 {
        assert_eq!(sender.post(json!({ "id": number.to_string(), "other": "B" })).await.status, 202);
    }
    assert_eq!(limit().await["remaining"], 0);
    sender.post(json!({ "id": "x", "other": "B" })).await.problem(429, "rate_limited");
    app.setup.clock.advance(Duration::from_millis(3_500));
    assert_eq!(limit().await["remaining"], 3);
    let usage = app.see(WEB).await["usage"].clone();
    assert_eq!((&usage["accepted"], &usage["refused"]), (&json!(20), &json!({ "rate_limited": 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_add_up() {
    let one = Setup::new(Engine::Postgres).await.with_stopped_clock().start().await;
    let here = one.senders(SHOP, json!({ "ERP": "one" })).await.remove(1);
    let two = one.setup.replica().start().await;
    let there = here.at(&two.url);
    one.gateway().pulse().await.unwrap();
    for (number, sender) in [&here, &there, &there].into_iter().enumerate() {
        sender.post(json!({ "id": number.to_string(), "other": "B" })).await;
    }
    there.post(json!({ "id": "x", "other": "B", "amount": "x" })).await.problem(422, "judgement_failed");
    two.gateway().write_usage().await;
    for app in [&one, &two] {
        one.gateway().write_usage().await;
        let usage = app.see(WEB).await["usage"].clone();
        assert_eq!((&usage["accepted"], &usage["refused"]), (&json!(3), &json!({ "judgement_failed": 1 })));
    }
    // Each grants its half, and tells of the whole.
    assert_eq!(one.see(WEB).await["usage"]["limit"]["remaining"], 18);
    assert_eq!(two.see(WEB).await["usage"]["limit"]["remaining"], 14);
}
