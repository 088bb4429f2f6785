//! How long events are kept, and how many bytes of them: the clock is the test's.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tidegate::id::{EventId, SourceId};

use crate::app::{App, Setup, text};
use crate::client::Sender;
use crate::database::Engine;
use crate::process::tidegate;

both!(
    events_go_by_whole_days,
    a_short_age_takes_the_payload_first_and_the_row_after_a_week,
    the_oldest_payloads_make_room,
    bytes_are_counted_as_they_come_and_go,
    each_source_has_its_own_time,
    events_of_a_source_that_is_gone_go_too,
    little_goes_at_a_time,
    webhooks_are_taken_while_much_goes,
);

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const MOMENT: Duration = Duration::from_micros(1);

/// Two sources of a module; the first keeps what it is told to, the other what is usual.
fn file(keep: &str) -> String {
    let source = |slug: &str, keep: &str| {
        format!(
            "[[source]]\nslug = \"{slug}\"\nrate_limit = {{ per_minute = 1000000 }}\nevent_id = \"$.id\"\n{keep}\n\
             [[source.rule]]\nfrom = \"$.id\"\nto = \"code\"\n"
        )
    };
    let module = "[module]\nslug = \"stock\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\n";
    format!("{module}{}{}", source("shop", keep), source("hall", ""))
}

async fn started(setup: Setup, keep: &str) -> (App, Sender, Sender) {
    let app = setup.with_stopped_clock().start().await;
    let mut senders = app.senders(&file(keep), json!({})).await;
    let hall = senders.remove(1);
    (app, senders.remove(0), hall)
}

/// About a KiB each.
async fn send(sender: &Sender, ids: &[&str]) -> Vec<Value> {
    let mut answers = Vec::new();
    for id in ids {
        let event = json!({ "id": id, "filler": "x".repeat(1_000) });
        answers.push(sender.post(event).await.accepted("created"));
    }
    answers
}

async fn keep(app: &App) {
    app.gateway().keep_events().await;
}

/// Of which events there is a payload, in order of their ids, and of which no more than a row.
async fn kept(app: &App) -> (Vec<String>, usize) {
    let bytes =
        if app.database().engine() == Engine::Sqlite { "CAST(body AS TEXT)" } else { "convert_from(body, 'UTF8')" };
    let sql = format!("SELECT {bytes} FROM events");
    let bodies = app.database().rows(AssertSqlSafe(sql)).await;
    let id = |body: &str| serde_json::from_str::<Value>(body).ok().map(|body| text(&body["id"]).to_owned());
    let mut ids = bodies.iter().filter_map(|row| id(row[0].as_deref().unwrap())).collect::<Vec<_>>();
    ids.sort();
    let bare = bodies.len() - ids.len();
    (ids, bare)
}

async fn sums(app: &App) -> i64 {
    let sum = app.database().text("SELECT CAST(coalesce(sum(bytes), 0) AS text) FROM event_days").await;
    sum.unwrap().parse().unwrap()
}

async fn events_go_by_whole_days(setup: Setup) {
    let (app, shop, _) = started(setup, "").await;
    send(&shop, &["noon"]).await;
    app.setup.clock.advance(DAY / 2);
    send(&shop, &["midnight"]).await;
    app.setup.clock.advance(30 * DAY - MOMENT);
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec!["midnight".to_owned(), "noon".to_owned()], 0), "the day is not over");
    app.setup.clock.advance(MOMENT);
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec!["midnight".to_owned()], 0));
    app.setup.clock.advance(DAY);
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec![], 0));
    assert_eq!(app.database().count("m_stock").await, 2, "records stay");
}

async fn a_short_age_takes_the_payload_first_and_the_row_after_a_week(setup: Setup) {
    let (app, shop, _) = started(setup, "keep = { for = \"6h\" }").await;
    let first = send(&shop, &["a"]).await.remove(0);
    app.setup.clock.advance(6 * HOUR);
    send(&shop, &["b"]).await;
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec!["a".to_owned(), "b".to_owned()], 0));
    // An id holds no less than a millisecond.
    app.setup.clock.advance(Duration::from_millis(1));
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec!["b".to_owned()], 1));

    let event = app.event(&first).await;
    assert_eq!((&event["payloadGoneAt"], &event["headers"]), (&json!("2026-03-04T18:00:00.001000Z"), &json!({})));
    assert!(event["bodySize"].as_i64().unwrap() > 1_000, "how large it was is known");
    let gone = app.get(&format!("/api/v1/events/{}/payload", text(&first["eventId"]))).await;
    gone.problem(410, "payload_gone");
    let again = shop.post(json!({ "id": "a" })).await.accepted("duplicate");
    assert_eq!((&again["recordId"], &again["duplicateOf"]), (&first["recordId"], &first["eventId"]));

    // Until the week is over, to the day: it began at noon.
    app.setup.clock.advance(7 * DAY + 6 * HOUR - MOMENT - Duration::from_millis(1));
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec![], 3));
    app.setup.clock.advance(MOMENT);
    keep(&app).await;
    assert_eq!(kept(&app).await, (vec![], 0));
}

async fn the_oldest_payloads_make_room(setup: Setup) {
    let (app, shop, hall) = started(setup, "keep = { bytes = \"4KiB\" }").await;
    for id in ["a", "b", "c", "d", "e", "f"] {
        send(&shop, &[id]).await;
        send(&hall, &[&id.to_uppercase()]).await;
        app.setup.clock.advance(Duration::from_secs(1));
    }
    keep(&app).await;
    assert_eq!(kept(&app).await.1, 0, "what came just now is not counted yet");
    app.setup.clock.advance(3 * 60 * Duration::from_secs(1));
    keep(&app).await;
    let (ids, bare) = kept(&app).await;
    assert_eq!((ids.concat(), bare), ("ABCDEFcdef".to_owned(), 2), "the oldest, and no more than need be");
    send(&shop, &["g"]).await;
    app.setup.clock.advance(3 * 60 * Duration::from_secs(1));
    keep(&app).await;
    assert_eq!(kept(&app).await.0.concat(), "ABCDEFdefg");
    // Rows whose payload went are there for duplicates, and no longer.
    app.setup.clock.advance(8 * DAY);
    keep(&app).await;
    let (ids, bare) = kept(&app).await;
    assert_eq!((ids.concat(), bare), ("ABCDEFdefg".to_owned(), 0));
}

async fn bytes_are_counted_as_they_come_and_go(setup: Setup) {
    let (app, shop, _) = started(setup, "keep = { bytes = \"1MiB\", for = \"10d\" }").await;
    let settle = 3 * 60 * Duration::from_secs(1);
    send(&shop, &["a", "b"]).await;
    app.setup.clock.advance(settle);
    keep(&app).await;
    let two = sums(&app).await;
    assert!((2_000..2_200).contains(&two), "{two}");
    keep(&app).await;
    assert_eq!(sums(&app).await, two, "each is counted once");
    app.setup.clock.advance(DAY);
    send(&shop, &["c"]).await;
    app.setup.clock.advance(settle);
    keep(&app).await;
    assert_eq!((sums(&app).await, app.database().count("event_days").await), (two / 2 * 3, 2));
    app.setup.clock.advance(10 * DAY);
    keep(&app).await;
    assert_eq!((sums(&app).await, kept(&app).await.0.concat()), (two / 2, "c".to_owned()));
    let app = app.restart().await;
    app.setup.clock.advance(DAY);
    keep(&app).await;
    assert_eq!((sums(&app).await, kept(&app).await.1), (0, 0));
}

async fn each_source_has_its_own_time(setup: Setup) {
    let (app, shop, hall) = started(setup, "keep = { for = \"60d\" }").await;
    send(&shop, &["a"]).await;
    send(&hall, &["A"]).await;
    app.setup.clock.advance(31 * DAY);
    keep(&app).await;
    assert_eq!(kept(&app).await.0, ["a"]);
    app.apply(&file("keep = { for = \"8d\" }"), json!({})).await.done();
    send(&shop, &["b"]).await;
    keep(&app).await;
    assert_eq!(kept(&app).await.0, ["b"], "what it says now holds for what there is");
}

async fn events_of_a_source_that_is_gone_go_too(setup: Setup) {
    let (app, _, _) = started(setup, "").await;
    heap_up(&app, &SourceId::new(app.setup.clock.now()).to_string(), 3, 31).await;
    heap_up(&app, &SourceId::new(app.setup.clock.now()).to_string(), 2, 29).await;
    keep(&app).await;
    assert_eq!(app.database().count("events").await, 2);
}

/// So many events of a source, that many days old; on PostgreSQL they lie in no day.
async fn heap_up(app: &App, source: &str, count: usize, days: u32) {
    let at = app.setup.clock.now().before(DAY * days);
    let floor = EventId::floor(at).to_string();
    let bytes = if app.database().engine() == Engine::Sqlite { "BLOB" } else { "bytea" };
    let sql = format!(
        "INSERT INTO events (id, received_at, module_id, source_id, request_id, verdict, state, record_ids, headers, \
         body, body_size, kept_bytes, duration_us) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         SELECT '{}' || (100000 + i), {}, 'mod_1', '{source}', 'req_1', 'created', 'done', '[]', '{{}}', \
         CAST('0123456789' AS {bytes}), 10, 10, 1 FROM n",
        &floor[..floor.len() - 6],
        at.micros(),
    );
    app.database().run(AssertSqlSafe(sql)).await;
}

async fn little_goes_at_a_time(setup: Setup) {
    let (app, _, _) = started(setup, "").await;
    let source = SourceId::new(app.setup.clock.now()).to_string();
    heap_up(&app, &source, 1_000, 40).await;
    let (store, now) = (app.store(), app.setup.clock.now());
    let until = EventId::floor(now);
    let batch = store.strip_events(&source, (Some(until), i64::MAX), 300, now).await.unwrap();
    assert_eq!((batch.bytes, batch.more), (3_000, true));
    assert_eq!(app.database().count("events WHERE stripped_at IS NOT NULL").await, 300);
    let batch = store.strip_events(&source, (Some(until), 95), 300, now).await.unwrap();
    assert_eq!((batch.bytes, batch.more), (100, true), "just enough bytes");
    let mut after = String::new();
    for left in [700, 400, 100, 0] {
        let batch = store.remove_events(&source, (&after, &until.to_string()), 300).await.unwrap();
        assert_eq!((app.database().count("events").await, batch.more), (left, left > 0));
        after = batch.last.unwrap();
    }
}

async fn webhooks_are_taken_while_much_goes(setup: Setup) {
    let (app, shop, _) = started(setup, "").await;
    heap_up(&app, &SourceId::new(app.setup.clock.now()).to_string(), 5_000, 40).await;
    let ids = (100..200).map(|number| format!("c{number}")).collect::<Vec<_>>();
    let ids = ids.iter().map(String::as_str).collect::<Vec<_>>();
    tokio::join!(keep(&app), send(&shop, &ids));
    assert_eq!(kept(&app).await.0, ids, "the old ones are gone, the new ones are all there");
}

/// The table's pages hold the payloads: to add up what they come to, no payload is read.
#[tokio::test(flavor = "multi_thread")]
async fn sums_are_made_from_the_index_alone() {
    let (app, shop, _) = started(Setup::new(Engine::Sqlite).await, "").await;
    send(&shop, &["a"]).await;
    let select = "EXPLAIN QUERY PLAN SELECT id, kept_bytes FROM events WHERE source_id = 'src_1' AND id > '' AND \
        id <= 'z' ORDER BY id LIMIT 9";
    let folder = app.setup.folder().to_str().unwrap();
    let (code, plan) = tidegate(app.setup.folder(), &["sql", "--data-dir", folder, select], &[]);
    assert!(code == 0 && plan.contains("COVERING INDEX events_source"), "{plan}");
}

/// Names of the days that there are.
async fn days(app: &App) -> Vec<String> {
    let sql = "SELECT CAST(relname AS text) FROM pg_class WHERE relname ~ '^events_2026[0-9]{4}$' ORDER BY 1";
    app.database().rows(sql).await.into_iter().map(|row| row[0].clone().unwrap()[7..].to_owned()).collect()
}

/// Where every source's time is over, a day is dropped as a whole, but not from under one who reads it.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_dropped_as_a_whole() {
    let (app, shop, _) = started(Setup::new(Engine::Postgres).await, "").await;
    send(&shop, &["a"]).await;
    assert_eq!(app.database().count("events_20260304").await, 1);
    app.setup.clock.advance(31 * DAY);
    let reader = app.database().hold_by("BEGIN; SELECT 1 FROM events LIMIT 1").await;
    tokio::join!(keep(&app), async {
        app.database().rows("SELECT '1'").await;
        send(&shop, &["b"]).await;
    });
    assert!(days(&app).await.contains(&"20260304".to_owned()), "it is read");
    assert_eq!(app.database().count("events_20260304").await, 1, "nor is it emptied: it goes as a whole");
    reader.let_go().await;
    keep(&app).await;
    assert_eq!(days(&app).await, [""; 0], "those without events, too");
    assert_eq!(kept(&app).await.0, ["b"]);
}

/// Of a day that one source still needs the others' events go; then the day, when it is empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_day_stays_while_one_source_needs_it() {
    let (app, shop, hall) = started(Setup::new(Engine::Postgres).await, "keep = { for = \"60d\" }").await;
    send(&hall, &["A"]).await;
    app.setup.clock.advance(2 * DAY);
    send(&shop, &["a"]).await;
    send(&hall, &["B"]).await;
    app.setup.clock.advance(31 * DAY);
    keep(&app).await;
    assert_eq!(days(&app).await, ["20260306"], "the first is over for all who have events in it");
    assert_eq!(kept(&app).await.0, ["a"]);
    app.setup.clock.advance(30 * DAY);
    keep(&app).await;
    assert_eq!((days(&app).await.len(), kept(&app).await.0.len()), (0, 0));
}

/// While another replica removes events, this one leaves it to it.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_take_turns() {
    let (app, _, _) = started(Setup::new(Engine::Postgres).await, "").await;
    heap_up(&app, &SourceId::new(app.setup.clock.now()).to_string(), 3, 40).await;
    let other = app.database().hold_by("BEGIN; SELECT pg_advisory_xact_lock(1953064037, 2)").await;
    keep(&app).await;
    assert_eq!(app.database().count("events").await, 3);
    other.commit().await;
    keep(&app).await;
    assert_eq!(app.database().count("events").await, 0);
}
