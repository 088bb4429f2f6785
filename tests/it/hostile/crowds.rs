//! Thousands of silent connections to the real binary, with its own settings: honest clients are served meanwhile, the
//! silent ones are gone when it is said.

use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::net::TcpStream;

use super::{DEADLINE, LOAD, metric, reached, setup, stopwatch};
use crate::process::Process;
use crate::wire::Wire;

const CROWD: usize = 5_000;
const MIB: usize = 1024 * 1024;

/// As many as the system lets this process open.
fn as_many() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // It may fail, and then it stays as it was.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let files = getrlimit(Resource::Nofile).current.map_or(CROWD, |files| usize::try_from(files).unwrap() / 2);
    CROWD.min(files)
}

/// One after another: the system drops what comes faster than it is accepted, and tells neither end.
async fn open(address: &str, many: usize) -> Vec<Wire> {
    let mut opened = Vec::new();
    for _ in 0..many {
        opened.push(Wire::over(TcpStream::connect(address).await.expect("it is accepted")));
    }
    opened
}

/// Each on a connection of its own, as strangers come.
async fn honest(process: &Process, requests: usize) {
    let sender = process.admin.sender(&LOAD.replace("\"load\"", &format!("\"load-{requests}\""))).await;
    for number in 0..requests {
        let request = sender.json(json!({ "code": format!("c-{number}") }).to_string()).header("connection", "close");
        crate::client::Answer::to(request).await.accepted("created");
    }
}

/// The cap as it is by default is below the crowd, so the crowd makes room for itself and for everyone else.
#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_silent_connections_keep_nobody_out() {
    let (setup, many) = (setup().await, as_many());
    let process = Process::start_with(&setup, &["--limit", "header_time=5s"]).await;
    honest(&process, 20).await;
    let before = process.memory();
    let opening = stopwatch();
    let mut crowd = open(process.admin.url.trim_start_matches("http://"), many).await;
    let opened = opening();
    honest(&process, 100).await;
    let (beside, grown) = (opening(), process.memory().saturating_sub(before));
    let open = metric(&process.admin, "tidegate_connections").await;
    assert!(open <= 4_096.0, "{open} are open");
    let gone = async {
        for wire in &mut crowd {
            assert!(wire.is_closed().await);
        }
    };
    tokio::time::timeout(DEADLINE, gone).await.expect("all are cut off");
    println!(
        "{many} silent connections, opened in {opened:?}; 100 honest requests done at {beside:?}; {} KiB more memory; \
         all cut off at {:?}, of 5 s",
        grown / 1024,
        opening()
    );
    assert!(opening() < Duration::from_secs(15) && grown < 100 * MIB);
    assert!(reached(&process.admin, "header_time").await > 0.0);
    honest(&process, 21).await;
}

/// Few open files: the gateway asks for more, keeps as many connections as it gets, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn few_open_files_are_fewer_connections() {
    let setup = setup().await;
    let process = Process::start_in_few_files(&setup, 400).await;
    let mut crowd = open(process.admin.url.trim_start_matches("http://"), 600).await;
    honest(&process, 20).await;
    assert!(metric(&process.admin, "tidegate_connections").await <= 200.0);
    assert!(crowd[0].is_closed().await);
    let (status, log) = process.terminate();
    assert!(status.success(), "{log}");
    assert!(log.contains("too few open files"), "{log}");
}
