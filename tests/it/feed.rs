//! The log of changes over the API: complete, in commit order, from any point; pages, waiting, and the stream.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};

both!(
    the_log_is_read_from_any_point,
    changes_say_what_moved,
    a_module_and_a_type_are_picked_out,
    a_reader_waits_for_news,
    a_reader_hears_of_other_replicas,
    the_stream_goes_on_where_it_was_left,
    a_stream_ends_with_the_gateway,
    what_cannot_be_asked_is_told,
    followers_are_bounded,
    large_changes_make_small_pages,
);

const ORDERS: &str = include_str!("../data/modules/orders.toml");
const STOCK: &str = include_str!("../data/modules/stock.toml");
const CHANGES: &str = "/api/v1/changes";

fn stock(code: &str, amount: i64) -> Value {
    json!({ "id": format!("{code}-{amount}"), "at": "2026-01-01T10:00:00Z", "code": code, "serial": code, "amount": amount })
}

fn asked(app: &App, of: &str) -> reqwest::RequestBuilder {
    app.request(Method::GET, &format!("{CHANGES}{of}")).bearer_auth(&app.key)
}

async fn fill(sender: &Sender, count: i64) {
    for number in 0..count {
        sender.post(stock(&format!("c{number}"), 1)).await.accepted("created");
    }
}

async fn all(app: &App, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = app.see(&format!("/changes?limit=7{query}{after}")).await;
        found.extend(page["data"].as_array().unwrap().clone());
        if page["hasMore"] == json!(false) {
            return found;
        }
        after = format!("&after={}", text(&page["nextCursor"]));
    }
}

async fn the_log_is_read_from_any_point(app: App) {
    let sender = app.sender(STOCK).await;
    let empty = app.see("/changes").await;
    assert_eq!((&empty["data"], &empty["hasMore"]), (&json!([]), &json!(false)));
    fill(&sender, 20).await;
    let log = all(&app, "").await;
    assert_eq!(log.len(), 20);
    let codes: Vec<_> = log.iter().map(|change| text(&change["after"]["fields"]["code"]).to_owned()).collect();
    assert_eq!(codes, (0..20).map(|number| format!("c{number}")).collect::<Vec<_>>());
    let cursors: Vec<_> = log.iter().map(|change| text(&change["cursor"])).collect();
    assert!(cursors.is_sorted(), "cursors sort as texts");
    for (place, cursor) in cursors.iter().enumerate() {
        let rest = app.see(&format!("/changes?after={cursor}")).await;
        assert_eq!(rest["data"].as_array().unwrap().len(), 19 - place);
    }
    let rest = app.see(&format!("/changes?after={}", text(&empty["nextCursor"]))).await;
    assert_eq!(rest["data"].as_array().unwrap().len(), 20, "the cursor of an empty log is its beginning");
    let latest = app.see("/changes?after=latest").await;
    assert_eq!((latest["data"].clone(), text(&latest["nextCursor"])), (json!([]), cursors[19]));
}

async fn changes_say_what_moved(app: App) {
    let sender = app.sender(STOCK).await;
    let made = sender.post(stock("a", 1)).await.accepted("created");
    sender.post(stock("a", 2)).await.accepted("updated");
    sender
        .post(json!({"id": "3", "at": "2026-01-01T11:00:00Z", "op": "delete", "code": "a"}))
        .await
        .accepted("deleted");
    let log = all(&app, "").await;
    let told: Vec<_> = log.iter().map(|change| (text(&change["op"]), &change["types"], &change["changes"])).collect();
    assert_eq!(
        told,
        [
            ("insert", &json!(["record_created"]), &json!({})),
            ("update", &json!(["record_updated"]), &json!({"amount": {"from": 1, "to": 2}})),
            ("delete", &json!(["record_deleted"]), &json!({})),
        ]
    );
    assert_eq!(log[0]["before"], Value::Null);
    assert_eq!(log[0]["after"], json!({"fields": {"code": "a", "serial": "a", "amount": 1}, "customData": {}}));
    assert_eq!(log[2]["after"], Value::Null);
    assert_eq!((&log[0]["recordId"], &log[0]["eventId"]), (&made["recordId"], &made["eventId"]));
    assert_eq!((&log[0]["module"], &log[0]["version"], &log[0]["hops"]), (&json!("stock"), &json!(1), &json!(0)));
}

async fn a_module_and_a_type_are_picked_out(app: App) {
    let stocks = app.sender(STOCK).await;
    let orders = app.sender(ORDERS).await;
    for number in 0..12 {
        stocks.post(stock("a", number)).await.done();
        let event = json!({"id": number, "type": "order.placed", "code": "o", "state": (if number == 5 { "open" } else { "closed" })});
        orders.post(event).await.done();
    }
    assert_eq!(all(&app, "").await.len(), 12 + 3, "what changes nothing is no change");
    let of_stock = all(&app, "&module=stock").await;
    assert_eq!(of_stock.len(), 12);
    assert!(of_stock.iter().all(|change| change["module"] == "stock"));
    let updates = all(&app, "&module=stock&type=record_updated").await;
    assert_eq!(updates.len(), 11);
    assert_eq!(all(&app, "&type=record_created").await.len(), 2);
    let moved = all(&app, "&type=status_change").await;
    let moved: Vec<_> = moved.iter().map(|change| change["changes"]["state"].clone()).collect();
    assert_eq!(moved, [json!({"from": "closed", "to": "open"}), json!({"from": "open", "to": "closed"})]);
}

async fn a_reader_waits_for_news(app: App) {
    let sender = app.sender(STOCK).await;
    let waiting = tokio::spawn(Answer::to(asked(&app, "?after=latest&wait=30")));
    // Whichever is first, the reader hears of it or finds nothing after `latest`; so more follow until it answers.
    let mut number = 0;
    while !waiting.is_finished() {
        number += 1;
        sender.post(stock("a", number)).await.done();
    }
    let page = waiting.await.unwrap().json();
    assert!(!page["data"].as_array().unwrap().is_empty(), "{page}");
}

async fn a_reader_hears_of_other_replicas(setup: Setup) {
    if setup.database().engine() == crate::database::Engine::Sqlite {
        return; // one gateway has the file
    }
    let app = setup.start().await;
    let other = app.setup.replica().start().await;
    let sender = app.sender(STOCK).await;
    let waiting = tokio::spawn(Answer::to(asked(&other, "?after=latest&wait=30")));
    let mut number = 0;
    while !waiting.is_finished() {
        number += 1;
        sender.post(stock("a", number)).await.done();
    }
    assert!(!waiting.await.unwrap().json()["data"].as_array().unwrap().is_empty());
    other.stop().await;
}

/// Events of a stream, as far as they have come.
struct Stream {
    response: reqwest::Response,
    text: String,
}

impl Stream {
    async fn open(app: &App, query: &str, left_off: Option<&str>) -> Self {
        let request = asked(app, &format!("/stream{query}"));
        let request = left_off.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next change: its id, and what it says.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let found = (field("event: "), field("id: "), field("data: "));
                self.text = rest.to_owned();
                let (Some(event), Some(id), Some(data)) = found else { continue };
                assert_eq!(event, "change");
                return Some((id, serde_json::from_str(&data).unwrap()));
            }
            let chunk = tokio::time::timeout(Duration::from_secs(30), self.response.chunk()).await.unwrap().ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

async fn the_stream_goes_on_where_it_was_left(app: App) {
    let sender = app.sender(STOCK).await;
    fill(&sender, 3).await;
    let mut stream = Stream::open(&app, "", None).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(stream.next().await.unwrap());
    }
    sender.post(stock("late", 1)).await.accepted("created");
    let (_, late) = stream.next().await.unwrap();
    assert_eq!(late["after"]["fields"]["code"], "late");
    assert_eq!(seen[1].0, text(&seen[1].1["cursor"]), "the id of an event is its cursor");
    let mut again = Stream::open(&app, "?after=latest", Some(&seen[1].0)).await;
    assert_eq!(again.next().await.unwrap(), seen[2], "the header counts before the query");
    let mut picked = Stream::open(&app, "?type=record_updated", None).await;
    sender.post(stock("late", 2)).await.accepted("updated");
    assert_eq!(picked.next().await.unwrap().1["op"], "update");
}

async fn a_stream_ends_with_the_gateway(app: App) {
    let mut stream = Stream::open(&app, "", None).await;
    app.stop().await;
    assert!(stream.next().await.is_none());
}

async fn what_cannot_be_asked_is_told(app: App) {
    for query in [
        "?after=1",
        "?after=cur_zzzzzzzzzzzzz",
        "?after=cur_0000000zzzzzz",
        "?limit=0",
        "?limit=101",
        "?wait=31",
        "?type=record_moved",
        "?types=record_created",
    ] {
        app.get(&format!("{CHANGES}{query}")).await.problem(400, "invalid_request");
    }
    app.get(&format!("{CHANGES}?module=none")).await.problem(404, "not_found");
    app.get(&format!("{CHANGES}/stream?after=1")).await.problem(400, "invalid_request");
    let anyone = crate::client::http_client().get(format!("{}{CHANGES}", app.url));
    Answer::to(anyone).await.problem(401, "key_invalid");
}

async fn followers_are_bounded(setup: Setup) {
    let app = setup.with_bounds(|bounds| bounds.followers = 2).start().await;
    let first = Stream::open(&app, "", None).await;
    let second = Stream::open(&app, "", None).await;
    app.get(&format!("{CHANGES}/stream")).await.problem(503, "too_many_followers");
    app.get(&format!("{CHANGES}?wait=1")).await.problem(503, "too_many_followers");
    app.get(CHANGES).await.done();
    drop((first, second));
    // They are gone when the gateway has seen that their connections are.
    crate::hostile::until("there is room again", async || {
        app.get(&format!("{CHANGES}/stream?after=1")).await.status != 503
    })
    .await;
}

/// A page is bounded in bytes, too; nothing is left out for it.
async fn large_changes_make_small_pages(app: App) {
    let sender = app.sender(ORDERS).await;
    let note = "x".repeat(300_000);
    for number in 0..20 {
        let event = json!({"id": number, "type": "order.placed", "code": format!("o{number}"), "note": note});
        sender.post(event).await.accepted("created");
    }
    let first = app.see("/changes").await;
    let count = first["data"].as_array().unwrap().len();
    assert!((10..20).contains(&count) && first["hasMore"] == json!(true), "{count}");
    assert_eq!(all(&app, "").await.len(), 20);
}
