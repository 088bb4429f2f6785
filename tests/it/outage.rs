//! A database that goes away and comes back, seen through a proxy that can be cut or go silent.

use std::time::Duration;

use http::Method;
use serde_json::json;
use tidegate::config::Database;
use tidegate::secret::ExposeSecret;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::app::{App, Setup};
use crate::client::{Answer, Sender};
use crate::database::Engine;

const LOAD: &str = include_str!("../data/modules/load.toml");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections break off, and new ones break off at once: a server that is restarted.
    Cut,
    /// Nothing comes through and nobody says so: a cable that is pulled.
    Silent,
}

/// Puts a proxy before a setup's PostgreSQL.
async fn behind_proxy(mut setup: Setup) -> (Setup, watch::Sender<Way>) {
    let Database::Postgres { url, .. } = &setup.config.database else { panic!("SQLite has no connection to cut") };
    let mut url = reqwest::Url::parse(url.expose_secret()).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    setup.config.database = Database::Postgres { url: String::from(url).into(), direct_url: None };
    let (way, seen) = watch::channel(Way::Open);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, server.clone(), seen.clone()));
        }
    });
    (setup, way)
}

async fn forward(mut client: TcpStream, server: String, mut way: watch::Receiver<Way>) {
    if *way.borrow_and_update() == Way::Open {
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = way.changed() => {}
        }
    }
    // Silent connections are held until the way is another one; all of them end here.
    let _ = way.wait_for(|way| *way != Way::Silent).await;
}

async fn started(bounds_deadline: Duration) -> (App, watch::Sender<Way>, Sender) {
    let setup = Setup::new(Engine::Postgres).await.with_bounds(|bounds| bounds.database_deadline = bounds_deadline);
    let (setup, way) = behind_proxy(setup).await;
    let app = setup.start().await;
    let sender = app.sender(LOAD).await;
    (app, way, sender)
}

async fn event(sender: &Sender, number: usize) -> Answer {
    sender.post(json!({ "id": format!("e-{number}"), "code": "A", "number": number })).await
}

async fn assert_outage(app: &App, sender: &Sender, number: usize) {
    let refused = event(sender, number).await;
    refused.problem(503, "database_unavailable");
    refused.retry_after();
    let ready = Answer::to(app.request(Method::GET, "/readyz")).await;
    assert_eq!(ready.status, 503, "{}", ready.text());
    assert_eq!(Answer::to(app.request(Method::GET, "/livez")).await.status, 200, "the process is well");
    let unread = app.get("/api/v1/modules/load/records").await;
    unread.problem(503, "database_unavailable");
    unread.retry_after();
}

/// The resend of a refused event, and the next one, once the database is back.
async fn assert_back(app: &App, sender: &Sender, number: usize) {
    let again = event(sender, number).await.json();
    assert!(matches!(again["outcome"].as_str(), Some("updated" | "duplicate")), "{again}");
    event(sender, number + 1).await.accepted("updated");
    assert_eq!(Answer::to(app.request(Method::GET, "/readyz")).await.status, 200);
    assert_eq!(app.database().count("changes").await, number + 1);
    let versions = app.record("load", &again).await;
    assert_eq!(versions["version"], number + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_reconnects_by_itself() {
    let (app, way, sender) = started(Duration::from_secs(2)).await;
    event(&sender, 1).await.accepted("created");
    way.send_replace(Way::Cut);
    assert_outage(&app, &sender, 2).await;
    way.send_replace(Way::Open);
    assert_back(&app, &sender, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_answer_in_time() {
    let (app, way, sender) = started(Duration::from_millis(500)).await;
    event(&sender, 1).await.accepted("created");
    way.send_replace(Way::Silent);
    assert_outage(&app, &sender, 2).await;
    way.send_replace(Way::Open);
    assert_back(&app, &sender, 2).await;
}

/// A restart between two requests costs none of them: the connection that died while idle is made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_died_idle_costs_nothing() {
    let (app, way, sender) = started(Duration::from_secs(2)).await;
    for number in 1..=5 {
        let answer = event(&sender, number).await;
        answer.accepted(if number == 1 { "created" } else { "updated" });
        way.send_replace(Way::Cut);
        way.send_replace(Way::Open);
    }
    assert_eq!(app.database().count("changes").await, 5);
}

/// The same where the server says good-bye to its connections, as in a restart.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_ended_idle_costs_nothing() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let sender = app.sender(LOAD).await;
    for number in 1..=3 {
        event(&sender, number).await.accepted(if number == 1 { "created" } else { "updated" });
        app.database().end_connections().await;
    }
    event(&sender, 4).await.accepted("updated");
}

/// The server is there and takes no connection to this database.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_database_is_unavailable() {
    let app = Setup::new(Engine::Postgres).await.start().await;
    let sender = app.sender(LOAD).await;
    event(&sender, 1).await.accepted("created");
    app.database().close_the_door().await;
    assert_outage(&app, &sender, 2).await;
    app.database().open_the_door().await;
    assert_back(&app, &sender, 2).await;
}
