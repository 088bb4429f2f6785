//! Faults, each made on purpose under load: kills, a database that goes away or answers wrongly, disks and descriptors
//! that run out. What clients saw and what the data says has to agree: what was answered with 202 is there, once.
//! Every test says so in one line, `fault: …`, which `--nocapture` shows.

mod books;
mod cluster;
mod deliveries;
mod descriptors;
mod disk;
mod each_call;
mod frames;
mod gateways;
mod inbox;
mod kills;
mod load;
mod locks;
mod log;
mod network;
mod nth_message;
mod nth_syscall;
mod postgres;
mod proxy;
mod replicas;
mod stop;
mod strace;
mod synced;
mod verdict;
mod wal_trace;

use std::process::Command;
use std::time::Duration;

/// The module that most of them post to.
const LOAD: &str = include_str!("../../data/modules/load.toml");
/// Longer than any step of a test may take: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks at something that does not say when it changes.
const GLANCE: Duration = Duration::from_millis(10);

/// A line for whoever runs the tests.
#[expect(clippy::print_stdout, reason = "it is told, and kept from those who do not ask for it")]
pub fn tell(line: &str) {
    println!("{line}");
}

/// What whoever runs the tests has set for them.
#[expect(clippy::disallowed_methods, reason = "settings of the tests, documented in scripts/test")]
pub fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Signals these processes. One that has ended by itself is no failure.
fn signal(name: &str, processes: &[u32]) {
    let mut command = Command::new("sh");
    command.args(["-c", "signal=$0; for id; do kill -s \"$signal\" \"$id\" 2>&- || :; done", name]);
    assert!(command.args(processes.iter().map(u32::to_string)).status().unwrap().success());
}

/// Looks again and again until it is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let looked = async {
        while !is_so() {
            tokio::time::sleep(GLANCE).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, looked).await.is_ok(), "in {DEADLINE:?}: {what}");
}
