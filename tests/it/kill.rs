//! kill -9 in the middle of load: what was acknowledged is there, once; what was not can be sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::app::{Setup, text};
use crate::changes::{Change, assert_log_is_truth, changes};
use crate::client::Sender;
use crate::process::Process;

both!(nothing_acknowledged_is_lost);

const ROUNDS: usize = 20;
const CLIENTS: usize = 8;
/// Of one round, before the kill; each round has a few more than the one before, to meet other moments.
const ACKNOWLEDGED: usize = 30;

/// What senders know: event number → answer, when one came.
type Ledger = BTreeMap<usize, Option<Value>>;

async fn nothing_acknowledged_is_lost(setup: Setup) {
    let mut process = Process::start(&setup).await;
    let sender = process.admin.sender(include_str!("../data/modules/load.toml")).await;
    let mut ledger = Ledger::new();
    for round in 0..ROUNDS {
        let clients = load(&sender.at(&process.admin.url), ledger.len(), ACKNOWLEDGED + 3 * round).await;
        process.kill();
        ledger.extend(settled(clients).await);
        process = Process::start(&setup).await;
        send_again(&sender.at(&process.admin.url), &mut ledger).await;
    }
    let changes = changes(setup.database()).await;
    assert_each_once(&ledger, &changes);
    assert_all_in_the_event_log(&setup, &ledger).await;
    assert_log_is_truth(&process.admin, setup.database(), "load").await;
}

/// Half of the events make a record of their own, half change one of ten. The number is the event's alone.
fn event(number: usize) -> Value {
    let code = if number.is_multiple_of(2) { format!("own-{number}") } else { format!("shared-{}", number % 20) };
    json!({ "id": format!("e-{number}"), "code": code, "number": number })
}

/// Clients that go on until the gateway is gone, once `wanted` of their events were acknowledged.
async fn load(sender: &Sender, first: usize, wanted: usize) -> JoinSet<Ledger> {
    let next = Arc::new(AtomicUsize::new(first));
    let (acknowledged, mut heard) = mpsc::unbounded_channel();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (sender, next, acknowledged) = (sender.clone(), Arc::clone(&next), acknowledged.clone());
        clients.spawn(async move {
            let mut ledger = Ledger::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let answer = attempt(&sender, number).await;
                let is_gone = answer.is_none();
                ledger.insert(number, answer);
                if is_gone {
                    return ledger;
                }
                // Nobody listens once enough have come.
                let _ = acknowledged.send(());
            }
        });
    }
    drop(acknowledged);
    for _ in 0..wanted {
        heard.recv().await.expect("the gateway answers until it is killed");
    }
    clients
}

/// `None` when the connection broke off, wherever it did.
async fn attempt(sender: &Sender, number: usize) -> Option<Value> {
    let response = sender.json(event(number).to_string()).send().await.ok()?;
    let status = response.status();
    let answer: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
    assert_eq!(status, 202, "{answer}");
    Some(answer)
}

async fn settled(clients: JoinSet<Ledger>) -> Ledger {
    clients.join_all().await.into_iter().flatten().collect()
}

/// A sender that has no answer sends again: a duplicate if it was written, and written now if not.
async fn send_again(sender: &Sender, ledger: &mut Ledger) {
    for (number, answer) in ledger.iter_mut().filter(|(_, answer)| answer.is_none()) {
        let again = attempt(sender, *number).await.expect("the gateway is back");
        assert!(matches!(text(&again["outcome"]), "created" | "updated" | "duplicate"), "{again}");
        *answer = Some(again);
    }
}

/// Every event made one change, under the ids that its answer named.
fn assert_each_once(ledger: &Ledger, changes: &[Change]) {
    let mut made: BTreeMap<u64, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        made.entry(change.after.as_ref().unwrap()["number"].as_u64().unwrap()).or_default().push(change);
    }
    assert_eq!(made.len(), ledger.len(), "no event was lost, and none made up");
    for (number, answer) in ledger {
        let answer = answer.as_ref().unwrap();
        let [change] = made[&(*number as u64)].as_slice() else { panic!("event {number} has one change: {answer}") };
        let event = answer.get("duplicateOf").unwrap_or(&answer["eventId"]);
        assert_eq!(change.event.as_deref(), event.as_str(), "event {number}: {answer}");
        assert_eq!(change.record, text(&answer["recordId"]), "event {number}: {answer}");
    }
}

async fn assert_all_in_the_event_log(setup: &Setup, ledger: &Ledger) {
    let rows = setup.database().rows("SELECT id, verdict FROM events").await;
    let stored: Vec<_> = rows.iter().map(|row| row[0].clone().unwrap()).collect();
    let distinct: BTreeSet<_> = stored.iter().collect();
    assert_eq!(stored.len(), distinct.len(), "each event is in the log once");
    for (number, answer) in ledger {
        let id = text(&answer.as_ref().unwrap()["eventId"]).to_owned();
        assert!(distinct.contains(&id), "event {number} is in the log");
    }
    let applied = rows.iter().filter(|row| row[1].as_deref() != Some("duplicate")).count();
    assert_eq!(applied, ledger.len(), "and nothing else is, but resends");
}
