//! A database that does not answer, and more events than can be written: 503, and then on as if nothing had been.

use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::{App, Setup};
use crate::client::{Answer, Sender};
use crate::regressions::metric;
use crate::wire::Wire;

both!(
    a_database_that_does_not_answer_is_503,
    a_full_queue_is_503,
    a_queue_that_waits_too_long_is_503,
    bodies_that_wait_are_bounded,
    a_stop_finishes_what_has_begun,
);

const LOAD: &str = include_str!("../data/modules/load.toml");

async fn event(sender: &Sender, number: usize) -> Answer {
    sender.post(json!({ "id": format!("e-{number}"), "code": "A", "number": number })).await
}

async fn a_database_that_does_not_answer_is_503(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.database_deadline = Duration::from_millis(300)).start().await;
    let sender = app.sender(LOAD).await;
    event(&sender, 1).await.accepted("created");

    let held = app.database().hold("m_load").await;
    let refused = event(&sender, 2).await;
    refused.problem(503, "database_unavailable");
    refused.retry_after();
    held.let_go().await;

    // It may have been committed all the same: the event id makes the resend harmless.
    let again = event(&sender, 2).await.json();
    assert!(matches!(again["outcome"].as_str(), Some("updated" | "duplicate")), "{again}");
    event(&sender, 3).await.accepted("updated");
    assert_eq!(app.record("load", &again).await["version"], 3);
    assert_eq!(app.database().count("changes").await, 3);
}

/// One event is being written and one waits for it, or few; all others are refused at once, and none is kept.
async fn a_full_queue_is_503(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.queue_events = 1).start().await;
    let sender = app.sender(LOAD).await;
    event(&sender, 0).await.accepted("created");

    let held = app.database().hold("m_load").await;
    let mut clients = JoinSet::new();
    for number in 1..=32 {
        let sender = sender.clone();
        clients.spawn(async move { event(&sender, number).await });
    }
    // The first to come back were refused: the others wait for the lock.
    let first = clients.join_next().await.unwrap().unwrap();
    first.problem(503, "queue_full");
    first.retry_after();
    held.let_go().await;

    let (mut written, mut refused) = (0, 1);
    while let Some(answer) = clients.join_next().await {
        match answer.unwrap() {
            answer if answer.status == 202 => written += 1,
            answer => {
                answer.problem(503, "queue_full");
                refused += 1;
            }
        }
    }
    assert!(written >= 1, "what waited was written");
    assert_eq!(written + refused, 32);
    assert_eq!(app.database().count("changes").await, written + 1, "what was refused was not written");
}

/// A batch is one event here, and the first takes a second: what is behind two batches for longer than a burst would
/// wait too long. The clock stands, so the test says when that is.
async fn a_queue_that_waits_too_long_is_503(setup: Setup) {
    let setup = setup.with_stopped_clock().with_bounds(|bounds| {
        bounds.batch = 1;
        bounds.queue_time = Duration::from_millis(100);
    });
    let clock = setup.clock.clone();
    let app = setup.start().await;
    let sender = app.sender(LOAD).await;
    let mut clients = JoinSet::new();
    let send = |clients: &mut JoinSet<Answer>, number| {
        let sender = sender.clone();
        clients.spawn(async move { event(&sender, number).await });
    };
    let held = app.database().hold("m_load").await;
    send(&mut clients, 0);
    waiting(&app, 1).await;
    clock.advance(Duration::from_secs(1));
    held.let_go().await;
    clients.join_next().await.unwrap().unwrap().accepted("created");

    let held = app.database().hold("m_load").await;
    for number in 1..=4 {
        send(&mut clients, usize::try_from(number).unwrap());
        waiting(&app, number).await;
    }
    clock.advance(Duration::from_millis(200));
    let refused = event(&sender, 5).await;
    refused.problem(503, "queue_full");
    refused.retry_after();
    held.let_go().await;
    while let Some(answer) = clients.join_next().await {
        answer.unwrap().accepted("updated");
    }
    event(&sender, 5).await.accepted("updated");
    assert_eq!(app.database().count("changes").await, 6);
}

/// Until so many events are in the queue or being written.
async fn waiting(app: &App, events: u64) {
    let reached = async { while metric(app, "tidegate_write_queue_depth").await < events {} };
    tokio::time::timeout(Duration::from_secs(10), reached).await.expect("they wait");
}

/// The one that is written takes all the room there is; one that is larger than the room goes alone.
async fn bodies_that_wait_are_bounded(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.queue_bytes = 1_000).start().await;
    let sender = app.sender(LOAD).await;
    event(&sender, 0).await.accepted("created");

    let held = app.database().hold("m_load").await;
    let large = json!({ "code": "A", "number": 1, "x": "x".repeat(1_000) });
    let mut clients = JoinSet::new();
    for _ in 0..2 {
        let (sender, large) = (sender.clone(), large.clone());
        clients.spawn(async move { sender.post(large).await });
    }
    let refused = clients.join_next().await.unwrap().unwrap();
    refused.problem(503, "queue_full");
    refused.retry_after();
    held.let_go().await;
    clients.join_next().await.unwrap().unwrap().accepted("updated");
}

/// A request whose body is still under way when the stop comes is answered, and what was answered is kept.
async fn a_stop_finishes_what_has_begun(app: App) {
    let sender = app.sender(LOAD).await;
    let body = r#"{"id":"late","code":"A","number":1}"#;
    let head = format!("content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}", body.len());
    let mut wire = Wire::post(&sender, &head).await;
    // The gateway asks for the body: it has begun with the request.
    assert_eq!(wire.answer().await.status, 100);
    let address = app.url.trim_start_matches("http://").to_owned();
    let stopping = tokio::spawn(app.stop());
    let refused = async { while TcpStream::connect(&address).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(60), refused).await.expect("a gateway that stops accepts nothing new");
    wire.write(body.as_bytes()).await.unwrap();
    wire.answer().await.accepted("created");
    assert!(wire.is_closed().await);
    let app = stopping.await.unwrap().start().await;
    assert_eq!(app.database().count("m_load").await, 1);
}
