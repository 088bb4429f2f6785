//! What is kept, for how long, and what goes: the clock is the test's.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use tidegate::clock::Timestamp;
use tidegate::config::Keep;
use tidegate::id::{AttemptId, DeliveryId, EndpointId, JobId};

use crate::app::{App, Setup, text};
use crate::client::{Answer, Sender};
use crate::database::Engine;
use crate::process::tidegate;

both!(
    old_changes_go_and_cursors_before_them,
    an_empty_log_knows_where_it_begins,
    a_change_stays_while_it_is_owed,
    a_change_stays_while_an_endpoint_has_missed_it,
    old_deliveries_attempts_and_jobs_go_by_days,
    little_goes_at_a_time,
    webhooks_are_taken_while_much_goes,
    the_command_says_that_a_cursor_is_too_old,
);

const STOCK: &str = include_str!("../data/modules/stock.toml");
const DAY: Duration = Duration::from_secs(86_400);
const MOMENT: Duration = Duration::from_micros(1);

/// Changes are kept for 40 days to the microsecond, and deliveries for 30.
async fn started(mut setup: Setup) -> (App, Sender) {
    setup.config.keep = Keep { changes: 40 * DAY, deliveries: 30 * DAY, ..Keep::default() };
    let app = setup.with_stopped_clock().start().await;
    let sender = app.sender(STOCK).await;
    (app, sender)
}

async fn fill(sender: &Sender, codes: &[&str]) {
    for code in codes {
        let event = json!({ "id": code, "at": "2026-01-01T10:00:00Z", "code": code, "serial": code, "amount": 1 });
        sender.post(event).await.accepted("created");
    }
}

/// One round, after deliveries were made of all that there is.
async fn keep_house(app: &App) {
    run(app, "UPDATE fanout SET seq = coalesce((SELECT max(seq) FROM changes), seq)").await;
    app.keep_house().await;
}

async fn run(app: &App, sql: &str) {
    app.database().rows(AssertSqlSafe(sql.to_owned())).await;
}

/// The codes that the log tells of after a cursor, and where it goes on.
async fn told(app: &App, query: &str) -> (Vec<String>, String) {
    let page = app.see(&format!("/changes{query}")).await;
    let code = |change: &Value| text(&change["after"]["fields"]["code"]).to_owned();
    (page["data"].as_array().unwrap().iter().map(code).collect(), text(&page["nextCursor"]).to_owned())
}

async fn cursors(app: &App) -> Vec<String> {
    let page = app.see("/changes").await;
    page["data"].as_array().unwrap().iter().map(|change| text(&change["cursor"]).to_owned()).collect()
}

async fn numbers(app: &App) -> Vec<i64> {
    let rows = app.database().rows("SELECT CAST(seq AS text) FROM changes ORDER BY seq").await;
    rows.into_iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect()
}

async fn old_changes_go_and_cursors_before_them(setup: Setup) {
    let (app, sender) = started(setup).await;
    fill(&sender, &["a", "b", "c"]).await;
    app.setup.clock.advance(DAY);
    fill(&sender, &["d", "e"]).await;
    let all = cursors(&app).await;
    app.setup.clock.advance(39 * DAY);
    keep_house(&app).await;
    assert_eq!(cursors(&app).await, all, "they are just as old as they may be");
    app.setup.clock.advance(MOMENT);
    keep_house(&app).await;

    assert_eq!(told(&app, "").await.0, ["d", "e"]);
    assert_eq!(told(&app, &format!("?after={}", all[2])).await.0, ["d", "e"], "nothing after it is gone");
    assert_eq!(told(&app, &format!("?after={}", all[3])).await.0, ["e"]);
    for gone in [&*all[1], &*all[0], "cur_0000000000000"] {
        let problem = app.get(&format!("/api/v1/changes?after={gone}")).await.problem(410, "cursor_expired");
        let detail = text(&problem["detail"]);
        assert!(detail.ends_with(&format!("the log begins at {}", all[2])), "{detail}");
        app.get(&format!("/api/v1/changes/stream?after={gone}")).await.problem(410, "cursor_expired");
        let stream = app.request(Method::GET, "/api/v1/changes/stream").bearer_auth(&app.key);
        Answer::to(stream.header("last-event-id", gone)).await.problem(410, "cursor_expired");
    }
}

async fn an_empty_log_knows_where_it_begins(setup: Setup) {
    let (app, sender) = started(setup).await;
    fill(&sender, &["a", "b"]).await;
    let all = cursors(&app).await;
    app.setup.clock.advance(41 * DAY);
    keep_house(&app).await;
    let app = app.restart().await;
    assert_eq!(told(&app, "").await, (vec![], all[1].clone()));
    assert_eq!(told(&app, "?after=latest").await, (vec![], all[1].clone()));
    assert_eq!(told(&app, &format!("?after={}", all[1])).await, (vec![], all[1].clone()));
    app.get(&format!("/api/v1/changes?after={}", all[0])).await.problem(410, "cursor_expired");
    fill(&sender.anew(&app.url), &["c"]).await;
    assert_eq!(told(&app, &format!("?after={}", all[1])).await.0, ["c"]);
    assert!(cursors(&app).await[0] > all[1], "numbers go on");
}

async fn a_change_stays_while_it_is_owed(setup: Setup) {
    let (app, sender) = started(setup).await;
    fill(&sender, &["a", "b", "c"]).await;
    let all = numbers(&app).await;
    let due = format!(
        "INSERT INTO due (id, endpoint_id, seq, part, type, module_id, record_id, rendering, ordered, lane, attempts, \
         created_at) VALUES ('dlv_1', 'whk_1', {}, 0, 't', '', '', '', 0, 0, 0, 0)",
        all[1]
    );
    run(&app, &due).await;
    app.setup.clock.advance(400 * DAY);
    keep_house(&app).await;
    assert_eq!(numbers(&app).await, all[1..]);
    assert_eq!(app.database().count("due").await, 1, "what is owed is never too old");
    run(&app, "DELETE FROM due").await;
    keep_house(&app).await;
    assert_eq!(numbers(&app).await, [0; 0]);
}

async fn a_change_stays_while_an_endpoint_has_missed_it(setup: Setup) {
    let (app, sender) = started(setup).await;
    fill(&sender, &["a", "b", "c"]).await;
    let all = numbers(&app).await;
    let id = EndpointId::new(app.setup.clock.now());
    let endpoint = format!(
        "INSERT INTO endpoints (id, settings, state, state_at, since, missed_from, version, created_at, updated_at) \
         VALUES ('{id}', '{{}}', 'disabled', 0, 0, {}, 1, 0, 0)",
        all[0]
    );
    run(&app, &endpoint).await;
    app.setup.clock.advance(400 * DAY);
    keep_house(&app).await;
    assert_eq!(numbers(&app).await, all[1..], "it has missed what is above the number");
    run(&app, "UPDATE endpoints SET missed_from = NULL").await;
    keep_house(&app).await;
    assert_eq!(numbers(&app).await, [0; 0]);
}

/// Another client keeps the row that whoever makes deliveries has to move.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_stays_until_deliveries_were_made_of_it() {
    let (app, sender) = started(Setup::new(Engine::Postgres).await).await;
    let held = app.database().hold_by("BEGIN; SELECT seq FROM fanout FOR UPDATE").await;
    fill(&sender, &["a", "b"]).await;
    app.setup.clock.advance(400 * DAY);
    app.keep_house().await;
    assert_eq!(numbers(&app).await.len(), 2);
    held.let_go().await;
    keep_house(&app).await;
    assert_eq!(numbers(&app).await.len(), 0);
}

/// A settled delivery, an attempt and a finished job of one instant.
async fn settle(app: &App, at: Timestamp) {
    let (delivery, attempt, job, at) = (DeliveryId::floor(at), AttemptId::floor(at), JobId::new(at), at.micros());
    let bytes = if app.database().engine() == Engine::Sqlite { "BLOB" } else { "bytea" };
    run(app, &format!(
        "INSERT INTO deliveries (id, endpoint_id, seq, part, type, module_id, record_id, rendering, state, attempts, \
         created_at, settled_at) VALUES ('{delivery}', 'whk_1', 1, 0, 't', '', '', '', 'delivered', 1, {at}, {at})"
    ))
    .await;
    run(app, &format!(
        "INSERT INTO attempts (id, delivery_id, endpoint_id, number, at, url, request_headers, request_body, request_size, \
         total_us) VALUES ('{attempt}', '{delivery}', 'whk_1', 1, {at}, '', '{{}}', CAST('x' AS {bytes}), 1, 1)"
    ))
    .await;
    run(
        app,
        &format!(
            "INSERT INTO jobs (id, kind, spec, state, total, done, skipped, cursor, actor, created_at, updated_at, finished_at) \
         VALUES ('{job}', 'none', '{{}}', 'done', 0, 0, 0, '', 'test', {at}, {at}, {at})"
        ),
    )
    .await;
}

async fn counts(app: &App) -> [usize; 3] {
    let count = async |table| app.database().count(table).await;
    [count("deliveries").await, count("attempts").await, count("jobs").await]
}

async fn old_deliveries_attempts_and_jobs_go_by_days(setup: Setup) {
    let (app, _) = started(setup).await;
    let noon = app.setup.clock.now();
    // Before any partition of a day, on the first day that has one, and with the first instant of the next.
    for at in [noon.before(5 * DAY), noon, noon.midnight().after(DAY)] {
        settle(&app, at).await;
    }
    keep_house(&app).await;
    assert_eq!(counts(&app).await, [3; 3]);
    app.setup.clock.advance(30 * DAY);
    keep_house(&app).await;
    assert_eq!(counts(&app).await, [2; 3]);
    app.setup.clock.advance(DAY / 2 - MOMENT);
    keep_house(&app).await;
    assert_eq!(counts(&app).await, [2; 3], "the day of the second is over in a moment");
    app.setup.clock.advance(MOMENT);
    keep_house(&app).await;
    assert_eq!(counts(&app).await, [1; 3]);
}

/// Days go as a whole, but not from under one who reads them; and no change goes before its deliveries.
#[tokio::test(flavor = "multi_thread")]
async fn days_are_dropped_when_nobody_reads_them() {
    let (app, sender) = started(Setup::new(Engine::Postgres).await).await;
    fill(&sender, &["a"]).await;
    settle(&app, app.setup.clock.now()).await;
    assert_eq!(app.database().count("deliveries_20260304").await, 1, "each day has a partition of its own");
    assert_eq!(app.database().count("attempts_20260304").await, 1);
    let days = "pg_class WHERE relname ~ '^(deliveries|attempts)_2026030[4-9]$'";
    assert_eq!(app.database().count(days).await, 12);
    app.setup.clock.advance(50 * DAY);
    let reader = app.database().hold_by("BEGIN; SELECT 1 FROM deliveries LIMIT 1").await;
    keep_house(&app).await;
    assert_eq!(app.database().count(days).await, 12);
    assert_eq!(numbers(&app).await.len(), 1);
    reader.let_go().await;
    keep_house(&app).await;
    assert_eq!(app.database().count(days).await, 0);
    assert_eq!(numbers(&app).await.len(), 0);
    let today = app.database().count("pg_class WHERE relname IN ('deliveries_20260423', 'attempts_20260423')").await;
    assert_eq!(today, 2, "the days to come are made");
}

/// So many changes of long ago, and deliveries that lie in no day.
async fn heap_up(app: &App, count: usize) {
    let at = app.setup.clock.now().before(60 * DAY);
    let many = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
    run(
        app,
        &format!(
            "INSERT INTO changes (id, at, module_id, record_id, op, version, shape, after, actor, hops) \
         {many} SELECT 'chg_' || i, {}, '', '', 'test', 0, 0, '{{}}', 'test', 0 FROM n",
            at.micros()
        ),
    )
    .await;
    let floor = DeliveryId::floor(at).to_string();
    run(app, &format!(
        "INSERT INTO deliveries (id, endpoint_id, seq, part, type, module_id, record_id, rendering, state, attempts, \
         created_at, settled_at) {many} SELECT '{}' || (100000 + i), 'whk_1', i, 0, 't', '', '', '', 'failed', 1, 0, 0 FROM n",
        &floor[..floor.len() - 6]
    ))
    .await;
    run(app, "UPDATE fanout SET seq = (SELECT max(seq) FROM changes)").await;
}

async fn little_goes_at_a_time(setup: Setup) {
    let (app, _) = started(setup).await;
    heap_up(&app, 2_500).await;
    let now = app.setup.clock.now();
    for (table, most) in [("changes", 200), ("deliveries", 1_000)] {
        let mut left = app.database().count(table).await;
        loop {
            let more = match table {
                "changes" => app.store().remove_changes(now).await.unwrap(),
                _ => app.store().remove_deliveries(now).await.unwrap(),
            };
            let rest = app.database().count(table).await;
            assert!(left - rest <= most, "{table}: {} at once", left - rest);
            assert_eq!(more, left - rest == most, "{table}");
            left = rest;
            if !more {
                break;
            }
        }
        assert_eq!(left, 0, "{table}");
    }
}

async fn webhooks_are_taken_while_much_goes(setup: Setup) {
    let (app, sender) = started(setup).await;
    heap_up(&app, 5_000).await;
    let codes = (0..100).map(|number| format!("c{number}")).collect::<Vec<_>>();
    let codes = codes.iter().map(String::as_str).collect::<Vec<_>>();
    tokio::join!(app.keep_house(), fill(&sender, &codes));
    assert_eq!(told(&app, "").await.0, codes, "the old ones are gone, the new ones are all there");
    assert_eq!(app.database().count("deliveries").await, 0);
}

async fn the_command_says_that_a_cursor_is_too_old(setup: Setup) {
    let (app, sender) = started(setup).await;
    fill(&sender, &["a", "b"]).await;
    let all = cursors(&app).await;
    app.setup.clock.advance(41 * DAY);
    keep_house(&app).await;
    let environment = [("TIDEGATE_URL", &*app.url), ("TIDEGATE_KEY", &*app.key)];
    let changes = |after: &str| tidegate(app.setup.folder(), &["changes", "--json", "--after", after], &environment);
    let (code, said) = changes(&all[0]);
    assert_eq!(code, 1, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["error"]["code"], "cursor_expired", "{said}");
    assert!(text(&said["error"]["detail"]).ends_with(&all[1]), "{said}");
    assert_eq!(changes(&all[1]), (0, String::new()));
}
