//! Another program holds SQLite's write lock: for less than the gateway waits, and for longer.

use super::books::{Books, CLIENTS, queued};
use super::load::Load;
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::database::{Engine, Held};
use crate::process::Process;

#[tokio::test(flavor = "multi_thread")]
async fn a_short_foreign_transaction_is_waited_for() {
    held("foreign BEGIN IMMEDIATE, short", async |setup, process, load| {
        let lock = hold(setup).await;
        // All clients wait, and none is refused.
        queued(&process.admin, CLIENTS).await;
        lock.let_go().await;
        load.accepted(CLIENTS).await;
        assert_eq!(load.so_far().failed(), 0, "the lock was waited for");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_foreign_transaction_is_503() {
    held("foreign BEGIN IMMEDIATE, longer than the busy timeout", async |setup, _, load| {
        let lock = hold(setup).await;
        load.failed(CLIENTS).await;
        lock.let_go().await;
        assert_eq!(load.so_far().failed(), load.so_far().refused, "each is answered");
    })
    .await;
}

async fn hold(setup: &Setup) -> Held {
    setup.database().hold("m_load").await
}

async fn held(fault: &str, act: impl AsyncFnOnce(&Setup, &Process, &Load)) {
    let setup = Setup::new(Engine::Sqlite).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let mut books = Books::default();
    let load = Load::start(&sender, &books);
    load.accepted(CLIENTS).await;
    act(&setup, &process, &load).await;
    let normal = load.recover(&sender, &process.admin, &mut books).await;
    assert_all_once(fault, &books, (&process.admin, setup.database()), normal).await;
}
