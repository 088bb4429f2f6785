//! strace on a running gateway: what it asks the system for, and answers put in the system's place.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{DEADLINE, setting, signal, tell, until};
use crate::process::Process;

/// Says that the tests that need strace may be left out.
const WITHOUT: &str = "TIDEGATE_TEST_WITHOUT_STRACE";

/// An attached strace; it lets go when it goes out of scope.
pub struct Strace {
    child: Child,
    folder: TempDir,
}

/// Whether a test that needs strace is left out, because whoever runs the tests says so.
pub fn is_left_out(test: &str) -> bool {
    let is_left_out = setting(WITHOUT).is_some_and(|value| value == "1");
    if is_left_out {
        tell(&format!("fault: {test} | left out: {WITHOUT}=1"));
    }
    is_left_out
}

impl Strace {
    /// Follows all threads of the gateway, those that come later too.
    pub async fn attach(process: &Process, arguments: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-it-strace-").tempdir().unwrap();
        let said = fs::File::create(folder.path().join("said")).unwrap();
        let mut command = Command::new("strace");
        command.args(["-f", "-p", &process.id().to_string(), "-o"]).arg(folder.path().join("trace")).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("strace: {error}: install it (Debian: the package strace), or leave out its tests by {WITHOUT}=1")
        });
        let mut strace = Self { child, folder };
        let mut has_ended = false;
        until("strace attaches", || {
            has_ended = strace.child.try_wait().unwrap().is_some();
            has_ended || strace.said().contains(" attached")
        })
        .await;
        assert!(
            !has_ended,
            "strace cannot attach to the gateway: allow ptrace here (kernel.yama.ptrace_scope=0, or root, or \
             --cap-add=SYS_PTRACE for a container), or leave out its tests by {WITHOUT}=1. It says: {}",
            strace.said()
        );
        strace
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.path().join("said")).unwrap_or_default()
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    /// Lets the gateway go on by itself: the trace.
    pub async fn detach(mut self) -> String {
        signal("INT", &[self.child.id()]);
        until("strace lets go", || self.child.try_wait().unwrap().is_some()).await;
        String::from_utf8_lossy(&fs::read(self.file()).unwrap()).into_owned()
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // It fails when strace has ended already.
        signal("INT", &[self.child.id()]);
        let clock = tidegate::clock::Clock::system();
        let begun = clock.monotonic();
        while matches!(self.child.try_wait(), Ok(None)) && clock.monotonic() - begun < DEADLINE {
            std::thread::sleep(super::GLANCE);
        }
    }
}
