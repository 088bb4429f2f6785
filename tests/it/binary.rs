//! The real binary from outside: signals, files, a limit after a crash, and the demo.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::{Setup, text};
use crate::client::{Answer, http_client};
use crate::database::Engine;
use crate::process::{Demo, Process};
use crate::wire::Wire;

both!(an_idle_gateway_ends_at_once, a_second_signal_ends_what_is_in_flight, files_are_their_owners_alone,);

const LOAD: &str = include_str!("../data/modules/load.toml");
const LIMITED: &str = include_str!("../data/modules/limited.toml");
/// Far below the 30 seconds that a stop may take to drain.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn an_idle_gateway_ends_at_once(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(LOAD).await;
    sender.post(json!({ "code": "A" })).await.accepted("created");
    process.signal();
    let (status, log) = process.ended(AT_ONCE).await;
    assert_eq!(status.code(), Some(0), "{log}");
}

async fn a_second_signal_ends_what_is_in_flight(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(LOAD).await;
    let head = "content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 100";
    let mut wire = Wire::post(&sender, head).await;
    // The gateway asks for the body, and waits for it.
    assert_eq!(wire.answer().await.status, 100);
    let address = process.admin.url.trim_start_matches("http://").to_owned();
    process.signal();
    let refused = async { while TcpStream::connect(&address).await.is_ok() {} };
    tokio::time::timeout(AT_ONCE, refused).await.expect("a gateway that stops accepts nothing new");
    process.signal();
    let (status, log) = process.ended(AT_ONCE).await;
    assert!(status.code().is_some(), "it ended by itself: {status}; {log}");
    assert!(wire.is_closed().await);
    assert_eq!(setup.database().count("m_load").await, 0);
}

/// Whatever the umask lets through. What SQLite puts beside its file holds payloads, too.
async fn files_are_their_owners_alone(setup: Setup) {
    let process = Process::start(&setup).await;
    process.admin.sender(LOAD).await.post(json!({ "code": "A" })).await.accepted("created");
    let mut names = vec!["seal.key", "admin.key"];
    if setup.database().engine() == Engine::Sqlite {
        names.extend(["tidegate.db", "tidegate.db-wal", "tidegate.db-shm"]);
    }
    for name in names {
        let mode = std::fs::metadata(setup.folder().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} is its owner's alone");
    }
    process.kill();
}

/// One process has the file, so one that was killed has left nobody to share a limit with.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_takes_no_part_of_a_limit() {
    let setup = Setup::new(Engine::Sqlite).await;
    let process = Process::start(&setup).await;
    let limited = LIMITED.replace("per_minute = 6, burst = 2", "per_minute = 1, burst = 10");
    let slow = process.admin.senders(&limited, json!({})).await.swap_remove(1);
    slow.post(json!({ "code": "A" })).await.accepted("created");
    process.kill();

    let process = Process::start(&setup).await;
    let slow = slow.at(&process.admin.url);
    let mut clients = JoinSet::new();
    for _ in 0..10 {
        let slow = slow.clone();
        clients.spawn(async move { slow.post(json!({ "code": "A" })).await });
    }
    for answer in clients.join_all().await {
        answer.accepted("unchanged");
    }
    slow.post(json!({ "code": "A" })).await.problem(429, "rate_limited");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_shows_the_main_job_and_leaves_nothing() {
    let folder = tempfile::Builder::new().prefix("tidegate-it-").tempdir().unwrap();
    let demo = Demo::start(folder.path()).await;
    let shown = &demo.banner;
    assert_eq!((&shown["status"], &shown["answer"]["outcome"]), (&json!(202), &json!("created")), "{shown}");
    assert_eq!(shown["record"]["fields"]["product_code"], "AB-1042", "{shown}");
    let data_dir = Path::new(text(&shown["dataDir"])).to_owned();
    assert!(data_dir.starts_with(folder.path()) && data_dir.is_dir(), "{shown}");

    let answer = pasted(text(&shown["curl"])).await.accepted("updated");
    assert_eq!(answer["recordId"], shown["answer"]["recordId"], "{answer}");
    pasted(text(&shown["curl"])).await.accepted("duplicate");

    let (status, log) = demo.terminate(AT_ONCE).await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!data_dir.exists(), "the folder is gone");
}

/// What a shell makes of the text, sent as curl would send it: a machine that runs the tests need not have curl.
async fn pasted(curl: &str) -> Answer {
    let script = format!("curl() {{ for word; do printf '%s\\0' \"$word\"; done; }}\n{curl}");
    let output = Command::new("sh").args(["-c", &script]).env_clear().output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let words = String::from_utf8(output.stdout).unwrap();
    let mut words = words.trim_end_matches('\0').split('\0');
    let (mut url, mut headers, mut body) = (None, Vec::new(), None);
    while let Some(word) = words.next() {
        match word {
            "-i" => {}
            "-H" => headers.push(words.next().and_then(|header| header.split_once(": ")).expect("name: value")),
            "-d" => body = words.next(),
            _ => assert_eq!(url.replace(word), None, "one URL: {curl}"),
        }
    }
    let request = http_client().post(url.expect("a URL")).body(body.expect("a body").to_owned());
    serde_json::from_str::<Value>(body.unwrap()).expect("the body is JSON");
    Answer::to(headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))).await
}
