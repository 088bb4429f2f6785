//! 202 means synced: on SQLite no answer leaves before the transaction that covers it is on disk, as strace sees it.

use super::books::{Books, CLIENTS};
use super::load::Load;
use super::strace::{Strace, is_left_out};
use super::verdict::assert_all_once;
use super::wal_trace::check;
use crate::app::Setup;
use crate::database::Engine;
use crate::process::Process;

const ALONE: usize = 20;
const TOGETHER: usize = 10 * CLIENTS;

#[tokio::test(flavor = "multi_thread")]
async fn no_202_leaves_before_its_sync() {
    if is_left_out("sync before 202") {
        return;
    }
    let setup = Setup::new(Engine::Sqlite).await;
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let calls = "trace=pwrite64,pwritev,fdatasync,fsync,write,writev,sendto,sendmsg";
    // Pages are read whole: they hold the ids.
    let strace = Strace::attach(&process, &["-y", "-s", "8192", "-e", calls]).await;
    let mut books = Books::default();
    for number in 0..ALONE {
        books.note(number, super::books::attempt(&sender, number).await);
    }
    let load = Load::start(&sender, &books);
    load.accepted(TOGETHER).await;
    let normal = load.recover(&sender, &process.admin, &mut books).await;
    let trace = strace.detach().await;

    let seen = check(&trace).unwrap_or_else(|why| panic!("{why}"));
    super::tell(&format!("sync before 202: {seen:?}"));
    assert_eq!(seen.answers, books.tally.accepted, "every 202 is in the trace");
    assert!(seen.commits < seen.answers, "some shared a transaction");
    let unsynced: Vec<_> = trace.lines().filter(|line| !line.contains("sync")).collect();
    assert!(check(&unsynced.join("\n")).is_err(), "without its syncs the same trace is not sound");
    assert_all_once("sync before 202, under strace", &books, (&process.admin, setup.database()), normal).await;
}
