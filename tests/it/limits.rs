//! Limits: a burst passes, then one at a time; the clock is the test's.

use std::time::Duration;

use serde_json::json;

use crate::app::{App, Setup};
use crate::client::Sender;

both!(
    a_burst_passes_up_to_the_limit_and_no_further,
    retry_after_is_true,
    whatever_becomes_of_it_a_request_counts,
    tokens_of_one_source_share_its_limit,
    a_change_elsewhere_hands_out_no_fresh_burst,
);

const LIMITED: &str = include_str!("../data/modules/limited.toml");

/// The sources `usual` (60 a minute), `slow` (6 a minute, 2 at once) and `small` (a million).
async fn senders(app: &App) -> [Sender; 3] {
    <[Sender; 3]>::try_from(app.senders(LIMITED, json!({})).await).ok().unwrap()
}

async fn started(setup: Setup) -> App {
    setup.with_stopped_clock().start().await
}

async fn a_burst_passes_up_to_the_limit_and_no_further(setup: Setup) {
    let app = started(setup).await;
    let [usual, _, other] = senders(&app).await;
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..100 {
        let usual = usual.clone();
        clients.spawn(async move { usual.post(json!({ "code": format!("c-{number}") })).await });
    }
    let answers = clients.join_all().await;
    let passed = answers.iter().filter(|answer| answer.status == 202).count();
    assert_eq!(passed, 60, "the default is 60 a minute");
    for refused in answers.iter().filter(|answer| answer.status != 202) {
        refused.problem(429, "rate_limited");
        assert_eq!(refused.retry_after(), Duration::from_secs(1));
    }
    other.post(json!({ "code": "other" })).await.accepted("created");
    assert_eq!(app.database().count("m_limited").await, 61);
}

async fn retry_after_is_true(setup: Setup) {
    let app = started(setup).await;
    let [_, slow, _] = senders(&app).await;
    let clock = &app.setup.clock;
    let event = json!({ "code": "A" });
    slow.post(&event).await.accepted("created");
    slow.post(&event).await.accepted("unchanged");

    let refused = slow.post(&event).await;
    refused.problem(429, "rate_limited");
    assert_eq!(refused.retry_after(), Duration::from_secs(10));
    for (name, value) in [
        ("ratelimit", "\"default\";r=0;t=10"),
        ("ratelimit-policy", "\"default\";q=2;w=20"),
        ("x-ratelimit-limit", "2"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "10"),
    ] {
        assert_eq!(refused.header(name), value, "{name}");
    }
    // A second early is too early; whoever waits as long as it says gets in, and one at a time.
    clock.advance(Duration::from_secs(9));
    let refused = slow.post(&event).await;
    assert_eq!((refused.status, refused.retry_after()), (429, Duration::from_secs(1)));
    clock.advance(refused.retry_after());
    slow.post(&event).await.accepted("unchanged");
    slow.post(&event).await.problem(429, "rate_limited");
    // Rested, it takes the burst again, and no more than that.
    clock.advance(Duration::from_secs(3_600));
    slow.post(&event).await.accepted("unchanged");
    slow.post(&event).await.accepted("unchanged");
    slow.post(&event).await.problem(429, "rate_limited");
}

async fn whatever_becomes_of_it_a_request_counts(setup: Setup) {
    let app = started(setup).await;
    let [_, slow, _] = senders(&app).await;
    slow.post("{").await.problem(400, "invalid_json");
    slow.post(json!({ "no": "code" })).await.problem(422, "judgement_failed");
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
    slow.post("{").await.problem(429, "rate_limited");
}

/// The path and the bearer are two ways to one source.
async fn tokens_of_one_source_share_its_limit(setup: Setup) {
    let app = started(setup).await;
    let [_, slow, _] = senders(&app).await;
    let bearer = || {
        let request = slow.request(http::Method::POST, "/api/webhooks/limited").bearer_auth(&slow.token);
        slow.send(request.header("content-type", "application/json").body(r#"{"code":"A"}"#))
    };
    slow.post(json!({ "code": "A" })).await.accepted("created");
    bearer().await.accepted("unchanged");
    bearer().await.problem(429, "rate_limited");
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
}

/// Configuration is read anew with every change: a limit that is the same goes on where it was, another one begins.
async fn a_change_elsewhere_hands_out_no_fresh_burst(setup: Setup) {
    let app = started(setup).await;
    let [_, slow, _] = senders(&app).await;
    slow.post(json!({ "code": "A" })).await.accepted("created");
    slow.post(json!({ "code": "A" })).await.accepted("unchanged");
    app.sender(include_str!("../data/modules/orders.toml")).await;
    app.apply(&LIMITED.replace("max_body = 1024", "max_body = 2048"), json!({})).await.done();
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
    app.apply(&LIMITED.replace("per_minute = 6, burst = 2", "per_minute = 6, burst = 3"), json!({})).await.done();
    slow.post(json!({ "code": "A" })).await.accepted("unchanged");
}
