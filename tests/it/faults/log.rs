//! The log while events come in, other SQL clients edit and gateways are killed: complete, in the order of commits, and
//! all that is needed to build every record anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::books::Books;
use super::gateways::Gateways;
use super::{DEADLINE, tell};
use crate::app::{Admin, Setup, text};
use crate::changes::{Change, assert_log_is_truth, replayed, standing};
use crate::client::http_client;
use crate::database::{Engine, Place};

both!(the_log_tells_everything_in_order);

/// Kills, one gateway after the other.
const ROUNDS: usize = 9;
/// Accepted by each gateway in one round.
const ACCEPTED: usize = 50;
const EDITORS: usize = 3;

/// Three gateways where there may be several.
async fn the_log_tells_everything_in_order(setup: Setup) {
    let count = if setup.database().engine() == Engine::Postgres { 3 } else { 1 };
    let mut gateways = Gateways::start(&setup, count).await;
    let follower = Follower::start(&gateways);
    let (stop, stopped) = watch::channel(false);
    let mut editors = JoinSet::new();
    for editor in 0..EDITORS {
        editors.spawn(edit(setup.shared_database(), editor, stopped.clone()));
    }
    let mut books = Books::default();
    for round in 0..ROUNDS {
        gateways.round(&mut books, ACCEPTED + 7 * round, Some(round % count)).await;
    }
    stop.send_replace(true);
    let edits: usize = editors.join_all().await.into_iter().sum();
    crate::hostile::until("all edits are numbered", async || setup.database().count("edits").await == 0).await;

    let admin = gateways.admin();
    let log = whole(admin).await;
    let followed = follower.up_to(text(&log.last().unwrap()["cursor"])).await;
    let by_sql = log.iter().filter(|change| change["actor"] == "sql").count();
    let engine = setup.database().engine();
    tell(&format!(
        "fault: {ROUNDS} × kill of one of {count} gateways under events and edits, {engine:?} | changes {}, by SQL {by_sql} of \
         {edits} statements, followed {}",
        log.len(),
        followed.len()
    ));
    assert_same(&followed, &log);
    let told = replayed(&log.iter().map(read).collect::<Vec<_>>());
    assert_eq!(told, standing(admin, "load").await, "the log from zero is what stands");
    assert_log_is_truth(admin, setup.database(), "load").await;
    assert_each_event_once(&books, &log);
}

/// All of the log, read from zero.
pub async fn whole(admin: &Admin) -> Vec<Value> {
    let (mut log, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.see(&format!("/changes?limit=100{after}")).await;
        log.extend(page["data"].as_array().unwrap().iter().cloned());
        if page["hasMore"] == false {
            return log;
        }
        after = format!("&after={}", text(&page["nextCursor"]));
    }
}

/// Reads the log by its cursor while it grows, now from one gateway and now from another, whichever is there.
struct Follower {
    reading: JoinHandle<Vec<Value>>,
    last: watch::Sender<Option<String>>,
}

impl Follower {
    fn start(gateways: &Gateways) -> Self {
        let last = watch::Sender::new(None);
        let reading = follow(gateways.urls(), gateways.admin().key.clone(), last.subscribe());
        Self { reading: tokio::spawn(reading), last }
    }

    /// All that it has read once it has come to this cursor.
    async fn up_to(self, cursor: &str) -> Vec<Value> {
        self.last.send_replace(Some(cursor.to_owned()));
        timeout(DEADLINE, self.reading).await.expect("it comes to the end of the log").unwrap()
    }
}

async fn follow(urls: watch::Receiver<Vec<String>>, key: String, last: watch::Receiver<Option<String>>) -> Vec<Value> {
    let (http, mut read, mut cursor) = (http_client(), Vec::new(), String::new());
    for turn in 0.. {
        let url = urls.borrow()[turn % urls.borrow().len()].clone();
        let after = if cursor.is_empty() { String::new() } else { format!("&after={cursor}") };
        let asked = http.request(Method::GET, format!("{url}/api/v1/changes?limit=37&wait=1{after}"));
        // One that is killed answers nothing, or half of it: then it is asked again elsewhere.
        let Ok(answer) = asked.bearer_auth(&key).send().await else {
            tokio::time::sleep(super::GLANCE).await;
            continue;
        };
        let status = answer.status();
        let Ok(page) = answer.bytes().await else { continue };
        assert!(status == 200 || status == 503, "{status}: {}", String::from_utf8_lossy(&page));
        if status == 200 {
            let page: Value = serde_json::from_slice(&page).unwrap();
            read.extend(page["data"].as_array().unwrap().iter().cloned());
            cursor = text(&page["nextCursor"]).to_owned();
        }
        if last.borrow().as_ref() == Some(&cursor) {
            break;
        }
    }
    read
}

/// Another client that makes, changes and deletes rows of its own, and changes and deletes those of events. Says how many
/// statements it has run.
async fn edit(place: Arc<Place>, editor: usize, stopped: watch::Receiver<bool>) -> usize {
    let mut number = 0;
    while !*stopped.borrow() {
        let (own, older) = (format!("sql-{editor}-{number}"), format!("sql-{editor}-{}", number / 2));
        let shared = format!("shared-{}", number * 2 % 20 + 1);
        let insert = format!("INSERT INTO m_load (code, number) VALUES ('{own}', -{number})");
        let sql = match number % 7 {
            0 | 3 => insert,
            1 => format!("UPDATE m_load SET number = -{number} WHERE code = '{shared}'"),
            2 => format!("BEGIN; {insert}; UPDATE m_load SET number = 7 WHERE code = '{own}'; COMMIT"),
            4 => format!("UPDATE m_load SET custom_data = '{{\"by\": {{\"sql\": {number}}}}}' WHERE code = '{shared}'"),
            5 => format!("DELETE FROM m_load WHERE code = '{}'", if number % 4 == 0 { &shared } else { &older }),
            _ => format!("BEGIN; {insert}; UPDATE m_load SET number = 8 WHERE code = '{older}'; ROLLBACK"),
        };
        place.run(AssertSqlSafe(sql)).await;
        number += 1;
    }
    number
}

fn assert_same(followed: &[Value], log: &[Value]) {
    let cursors = |log: &[Value]| log.iter().map(|change| text(&change["cursor"]).to_owned()).collect::<Vec<_>>();
    let (seen, wanted) = (cursors(followed), cursors(log));
    let parting = seen.iter().zip(&wanted).position(|(one, other)| one != other);
    assert_eq!(
        (seen.len(), parting),
        (wanted.len(), None),
        "who follows sees what is read from zero, in the same order"
    );
    assert!(followed == log, "and the same of each");
    assert!(wanted.is_sorted(), "in the order of their cursors");
}

/// As the API shows it.
fn read(change: &Value) -> Change {
    let row = |row: &Value| {
        let mut fields = row.get("fields")?.clone();
        fields["custom_data"] = row["customData"].clone();
        Some(fields)
    };
    Change {
        record: text(&change["recordId"]).to_owned(),
        event: change["eventId"].as_str().map(str::to_owned),
        op: text(&change["op"]).to_owned(),
        version: change["version"].as_i64().unwrap(),
        before: row(&change["before"]),
        after: row(&change["after"]),
    }
}

/// What was accepted is in the log, under the id that its sender was told.
fn assert_each_event_once(books: &Books, log: &[Value]) {
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    log.iter().filter_map(|change| change["eventId"].as_str()).for_each(|event| *made.entry(event).or_default() += 1);
    for (number, answer) in &books.events {
        let answer = answer.as_ref().unwrap_or_else(|| panic!("event {number} was accepted in the end"));
        let event = text(answer.get("duplicateOf").unwrap_or(&answer["eventId"]));
        assert_eq!(made.remove(event), Some(1), "event {number}: {answer}");
    }
    assert!(made.is_empty(), "no event was made up: {made:?}");
    assert_eq!(books.wrong, [""; 0], "202, or 503 with Retry-After, and nothing else");
}
