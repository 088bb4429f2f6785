//! SQLite's disk is full, and its file may not grow: 503 until there is room again.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::books::Books;
use super::load::Load;
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::client::Sender;
use crate::database::Engine;
use crate::process::Process;

const ACCEPTED: usize = 100;
const REFUSED: usize = 40;
/// A disk of the gateway's own, which nobody else sees and which goes with it.
const ON_SMALL_DISK: &str = "mount -t tmpfs -o size=16m tmpfs \"$0\" && exec \"$@\"";

/// What makes a file system of one process's own here: root may, others where user namespaces are allowed.
fn namespace(folder: &Path) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["unshare", "-m"], &["unshare", "-rm"]];
    let works = |way: &&&[&str]| {
        let mut command = Command::new(way[0]);
        command.args(&way[1..]).args(["sh", "-c", ON_SMALL_DISK]).arg(folder).arg("true");
        command.output().is_ok_and(|output| output.status.success())
    };
    ways.iter().find(works).copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_503_until_there_is_room() {
    let mut setup = Setup::new(Engine::Sqlite).await;
    setup.config.data_dir = setup.folder().join("disk");
    std::fs::create_dir(&setup.config.data_dir).unwrap();
    let Some(way) = namespace(&setup.config.data_dir) else {
        super::tell(
            "fault: disk full | not shown: no mount namespace is allowed here; the limit of a file stands in for it",
        );
        return;
    };
    let disk = setup.config.data_dir.to_str().unwrap().to_owned();
    let process = Process::start_by(&setup, &[way, &["--", "sh", "-c", ON_SMALL_DISK, &disk]].concat()).await;
    let disk = process.root().join(setup.config.data_dir.strip_prefix("/").unwrap());
    let sender = process.admin.sender(super::LOAD).await;
    let ballast = disk.join("ballast");
    let end = || std::fs::remove_file(&ballast).unwrap();
    let (books, normal) = refused_until((&process, &sender), || fill(&ballast), end).await;
    // SQLite opens no file in another's file system. Nothing writes any more, so a copy is what stands there.
    for file in ["tidegate.db", "tidegate.db-wal"] {
        std::fs::copy(disk.join(file), setup.folder().join(file)).unwrap();
    }
    assert_all_once("disk full (tmpfs), SQLite", &books, (&process.admin, setup.database()), normal).await;
}

/// Writes until nothing more goes.
fn fill(ballast: &Path) {
    let mut file = std::fs::File::create(ballast).unwrap();
    for size in [64 * 1024, 4096, 1] {
        while file.write_all(&vec![b'x'; size]).is_ok() {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_not_grow_is_503_until_it_may() {
    let setup = Setup::new(Engine::Sqlite).await;
    // Else the system kills what writes beyond the limit.
    let process = Process::start_by(&setup, &["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).await;
    let sender = process.admin.sender(super::LOAD).await;
    let log = setup.folder().join("tidegate.db-wal");
    let limit = |limit: &str| {
        let id = process.id().to_string();
        let limited = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={limit}:")]).status();
        assert!(limited.expect("prlimit of util-linux is there").success());
    };
    let fault = || limit(&(std::fs::metadata(&log).unwrap().len() + 1).to_string());
    let end = || limit("unlimited");
    let (books, normal) = refused_until((&process, &sender), fault, end).await;
    assert_all_once("file size limit, SQLite", &books, (&process.admin, setup.database()), normal).await;
}

async fn refused_until(
    (process, sender): (&Process, &Sender),
    begin: impl Fn(),
    end: impl Fn(),
) -> (Books, std::time::Duration) {
    let mut books = Books::default();
    let load = Load::start(sender, &books);
    load.accepted(ACCEPTED).await;
    begin();
    load.failed(REFUSED).await;
    end();
    let normal = load.recover(sender, &process.admin, &mut books).await;
    assert_eq!(books.tally.failed(), books.tally.refused, "each is answered");
    (books, normal)
}
