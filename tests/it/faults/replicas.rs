//! Two and three gateways on one PostgreSQL get the same events, with the same keys, at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::books::{Books, CLIENTS, Heard, attempt};
use super::verdict::assert_all_once;
use crate::app::{Setup, text};
use crate::client::Sender;
use crate::database::Engine;
use crate::process::Process;

/// Of each client.
const EVENTS: usize = 25;

#[tokio::test(flavor = "multi_thread")]
async fn two_agree() {
    agree(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_agree() {
    agree(3).await;
}

async fn agree(count: usize) {
    let setup = Setup::new(Engine::Postgres).await;
    let first = Process::start(&setup).await;
    let sender = first.admin.sender(super::LOAD).await;
    let mut processes = vec![first];
    for _ in 1..count {
        processes.push(Process::start(&replica(&setup)).await);
    }
    let senders: Vec<_> = processes.iter().map(|process| sender.at(&process.admin.url)).collect();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let senders = senders.clone();
        clients.spawn(async move {
            let mut books = Books::default();
            for event in 0..EVENTS {
                everywhere(&senders, event * CLIENTS + client, &mut books).await;
            }
            books
        });
    }
    let mut books = Books::default();
    clients.join_all().await.into_iter().for_each(|client| books.add(client));
    assert_eq!(books.tally.accepted, count * CLIENTS * EVENTS, "all are accepted: {:?}", books.tally);
    let fault = format!("{count} replicas, the same events everywhere");
    assert_all_once(&fault, &books, (&processes[0].admin, setup.database()), Duration::ZERO).await;
}

/// One event at all replicas at once: one of them applies it, and all name the same record and event.
async fn everywhere(senders: &[Sender], number: usize, books: &mut Books) {
    let mut posts = JoinSet::new();
    for sender in senders {
        let sender = sender.clone();
        posts.spawn(async move { attempt(&sender, number).await });
    }
    let mut told = BTreeSet::new();
    let mut applied = 0;
    for heard in posts.join_all().await {
        if let Heard::Accepted(answer) = &heard {
            let event = answer.get("duplicateOf").unwrap_or(&answer["eventId"]);
            told.insert((text(event).to_owned(), text(&answer["recordId"]).to_owned()));
            applied += usize::from(answer["outcome"] != "duplicate");
        }
        books.note(number, heard);
    }
    assert_eq!((told.len(), applied), (1, 1), "event {number}: {told:?}");
}

/// One more gateway as an operator sets it up: the same seal key. Its owner's key is there already.
pub fn replica(setup: &Setup) -> Setup {
    let replica = setup.replica();
    std::fs::create_dir(&replica.config.data_dir).unwrap();
    for key in ["seal.key", "admin.key"] {
        std::fs::copy(setup.folder().join(key), replica.config.data_dir.join(key)).unwrap();
    }
    replica
}
