//! Many at once: one event from many clients has one effect, and many events for one record are all told.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::app::{App, Setup, text};
use crate::changes::{assert_log_is_truth, changes, standing};
use crate::client::{Answer, Sender};
use crate::database::Engine;

both!(
    one_event_from_64_clients_has_one_effect,
    sixty_four_events_for_one_record_are_all_told,
    a_poisoned_event_harms_no_other,
    many_records_in_many_modules,
);

const LOAD: &str = include_str!("../data/modules/load.toml");
const CLIENTS: usize = 64;

/// All at once, each on a connection of its own.
async fn together(posts: impl Iterator<Item = (Sender, Value)>) -> Vec<Answer> {
    let mut clients = JoinSet::new();
    for (sender, event) in posts {
        clients.spawn(async move { sender.post(event).await });
    }
    clients.join_all().await
}

fn outcomes(answers: &[Answer], outcome: &str) -> usize {
    answers.iter().filter(|answer| answer.status == 202 && answer.json()["outcome"] == outcome).count()
}

/// The distinct texts of a member.
fn members(answers: &[Answer], name: &str) -> BTreeSet<String> {
    answers.iter().map(|answer| text(&answer.json()[name]).to_owned()).collect()
}

async fn one_event_from_64_clients_has_one_effect(app: App) {
    let sender = app.sender(LOAD).await;
    let event = json!({ "id": "the one", "code": "A", "number": 1 });
    let answers = together((0..CLIENTS).map(|_| (sender.clone(), event.clone()))).await;
    assert_eq!(outcomes(&answers, "created"), 1);
    assert_eq!(outcomes(&answers, "duplicate"), CLIENTS - 1);
    assert_eq!(members(&answers, "recordId").len(), 1, "one recordId in all answers");
    let first = answers.iter().find(|answer| answer.json()["outcome"] == "created").unwrap().json();
    for answer in answers.iter().map(Answer::json).filter(|answer| answer["outcome"] == "duplicate") {
        assert_eq!(answer["duplicateOf"], first["eventId"]);
    }
    for (table, rows) in [("m_load", 1), ("changes", 1), ("dedupe", 1), ("events", CLIENTS)] {
        assert_eq!(app.database().count(table).await, rows, "{table}");
    }
    assert_log_is_truth(&app.admin, app.database(), "load").await;
}

async fn sixty_four_events_for_one_record_are_all_told(app: App) {
    let sender = app.sender(LOAD).await;
    let event = |number| json!({ "id": format!("e-{number}"), "code": "A", "number": number });
    let answers = together((0..CLIENTS).map(|number| (sender.clone(), event(number)))).await;
    assert_eq!(outcomes(&answers, "created"), 1);
    assert_eq!(outcomes(&answers, "updated"), CLIENTS - 1);
    assert_eq!(members(&answers, "recordId").len(), 1);
    assert_eq!(members(&answers, "eventId").len(), CLIENTS);

    let changes = changes(app.database()).await;
    assert_eq!(changes.len(), CLIENTS);
    let events: BTreeSet<_> = changes.iter().map(|change| change.event.clone().unwrap()).collect();
    assert_eq!(events, members(&answers, "eventId"), "each event made one change");
    let record = app.record("load", &answers[0].json()).await;
    assert_eq!(record["version"], CLIENTS);
    assert_eq!(record["eventId"].as_str(), changes.last().unwrap().event.as_deref());
    assert_log_is_truth(&app.admin, app.database(), "load").await;
}

/// Among many good events stand some that the database cannot take: they alone are refused.
async fn a_poisoned_event_harms_no_other(app: App) {
    let senders = app.senders(include_str!("../data/modules/two-doors.toml"), json!({})).await;
    senders[0].post(json!({ "code": "held", "serial": "S" })).await.accepted("created");
    let event = |number: usize| match number % 8 {
        0 => json!({ "id": format!("bad-{number}"), "code": format!("bad-{number}"), "serial": "S" }),
        _ => {
            json!({ "id": format!("good-{number}"), "code": format!("good-{}", number % 24), "place": number.to_string() })
        }
    };
    let answers = together((0..CLIENTS).map(|number| (senders[0].clone(), event(number)))).await;
    for (number, answer) in answers.iter().filter(|answer| answer.status != 202).enumerate() {
        assert!(number < CLIENTS / 8, "{}", answer.text());
        answer.problem(422, "match_taken");
    }
    assert_eq!(outcomes(&answers, "created") + outcomes(&answers, "updated"), CLIENTS * 7 / 8);
    assert_eq!(app.database().count("m_machines").await, 1 + 21);
    assert_log_is_truth(&app.admin, app.database(), "machines").await;
}

/// Events of several modules and sources share batches: each finds its own table and its own ids.
async fn many_records_in_many_modules(app: App) {
    let mut senders = Vec::new();
    for name in ["load", "load-b", "load-c"] {
        senders.push(app.sender(&LOAD.replace("slug = \"load\"", &format!("slug = \"{name}\""))).await);
    }
    let posts = (0..300).map(|number| {
        let code = format!("c-{}", number % 50);
        (senders[number % 3].clone(), json!({ "id": (number / 3).to_string(), "code": code, "number": number }))
    });
    let answers = together(posts).await;
    assert_eq!(outcomes(&answers, "created"), 3 * 50);
    assert_eq!(outcomes(&answers, "updated"), 300 - 3 * 50);
    let told = crate::changes::replayed(&changes(app.database()).await);
    let mut stands = standing(&app.admin, "load").await;
    stands.extend(standing(&app.admin, "load-b").await);
    stands.extend(standing(&app.admin, "load-c").await);
    assert_eq!(told, stands);
}

/// Two replicas on one database: what one has taken is a duplicate at the other, and both write one record.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_agree() {
    let one = Setup::new(Engine::Postgres).await.start().await;
    let here = one.sender(LOAD).await;
    let two = one.setup.replica().start().await;
    assert_eq!(two.see("/modules/load").await["slug"], "load", "a replica knows what is there");
    let there = here.at(&two.url);
    let replicas = |number: usize| if number.is_multiple_of(2) { here.clone() } else { there.clone() };

    let same = json!({ "id": "the one", "code": "A", "number": 1_000 });
    let answers = together((0..CLIENTS).map(|number| (replicas(number), same.clone()))).await;
    assert_eq!((outcomes(&answers, "created"), outcomes(&answers, "duplicate")), (1, CLIENTS - 1));
    assert_eq!(members(&answers, "recordId").len(), 1);

    let event =
        |number: usize| json!({ "id": number.to_string(), "code": format!("{}", number / 2 % 8), "number": number });
    let answers = together((0..4 * CLIENTS).map(|number| (replicas(number), event(number)))).await;
    assert_eq!((outcomes(&answers, "created"), outcomes(&answers, "updated")), (8, 4 * CLIENTS - 8));
    assert_eq!(changes(one.database()).await.len(), 1 + 4 * CLIENTS);
    assert_log_is_truth(&one.admin, one.database(), "load").await;
}
