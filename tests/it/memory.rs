//! What is remembered, and for how long: event ids seven days, the address that a request came from.

use std::time::Duration;

use serde_json::json;

use crate::app::{App, Setup};
use crate::client::Sender;

both!(
    an_event_id_is_remembered_for_seven_days,
    what_need_not_be_remembered_is_removed,
    a_trusted_proxy_is_believed_and_nobody_else,
);

const MODULE: &str = include_str!("../data/modules/load.toml");
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);
const MOMENT: Duration = Duration::from_secs(1);

async fn an_event_id_is_remembered_for_seven_days(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(MODULE).await;
    let event = json!({ "id": "e-1", "code": "A", "number": 1 });
    sender.post(&event).await.accepted("created");
    app.setup.clock.advance(WEEK - MOMENT);
    sender.post(&event).await.accepted("duplicate");
    app.setup.clock.advance(MOMENT);
    sender.post(&event).await.accepted("unchanged");
    // Applied anew, it is remembered anew.
    sender.post(&event).await.accepted("duplicate");
}

async fn what_need_not_be_remembered_is_removed(setup: Setup) {
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(MODULE).await;
    sender.post(json!({ "id": "e-1", "code": "A", "number": 1 })).await.accepted("created");
    app.setup.clock.advance(MOMENT);
    sender.post(json!({ "id": "e-2", "code": "B", "number": 2 })).await.accepted("created");
    app.setup.clock.advance(WEEK - MOMENT);
    app.keep_house().await;
    assert_eq!(app.database().count("dedupe").await, 1, "the first is a week old, the second is not");
    app.setup.clock.advance(MOMENT);
    app.keep_house().await;
    assert_eq!(app.database().count("dedupe").await, 0);
}

async fn a_trusted_proxy_is_believed_and_nobody_else(mut setup: Setup) {
    let app = setup.start().await;
    let sender = app.sender(MODULE).await;
    assert_eq!(forwarded(&app, &sender).await, "127.0.0.1");
    setup = app.stop().await;
    setup.config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let app = setup.start().await;
    assert_eq!(forwarded(&app, &sender.at(&app.url)).await, "203.0.113.9");
}

/// The address that the event log gives to a request which says that it was passed on.
async fn forwarded(app: &App, sender: &Sender) -> String {
    let body = json!({ "code": "A", "number": 1 }).to_string();
    let request = sender.json(body).header("X-Forwarded-For", "198.51.100.1, 203.0.113.9");
    let response = sender.send(request).await;
    assert_eq!(response.status, 202);
    app.event(&response.json()).await["address"].as_str().unwrap().to_owned()
}
