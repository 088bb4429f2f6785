//! The program that speaks for the vendors (`tests/vendors/sign.mjs`): one for all tests of a process. It ends when its
//! stdin does, and that is when the process ends.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Of one job, the start of the program included: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);

struct Program {
    jobs: ChildStdin,
    answers: Receiver<String>,
}

/// Its answer to a job, which it could do.
#[track_caller]
pub fn ask(job: &Value) -> Value {
    static PROGRAM: OnceLock<Mutex<Program>> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| Mutex::new(Program::start()));
    // A test that failed while it asked has left no half of an answer behind: lines come whole.
    let answer = program.lock().unwrap_or_else(PoisonError::into_inner).ask(job);
    assert!(answer["error"].is_null(), "{}: {}", job, answer["error"].as_str().unwrap_or_default());
    answer
}

/// Where scripts/test has installed the libraries.
fn folder() -> PathBuf {
    crate::faults::setting("TIDEGATE_TEST_VENDORS")
        .expect(
            "TIDEGATE_TEST_VENDORS names no folder with the vendors' libraries: run scripts/test, which installs them",
        )
        .into()
}

impl Program {
    fn start() -> Self {
        let mut command = Command::new("node");
        command.arg(folder().join("sign.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("node starts: scripts/test installs it");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, answers) = channel();
        let jobs = child.stdin.take().unwrap();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
            child.wait()
        });
        Self { jobs, answers }
    }

    fn ask(&mut self, job: &Value) -> Value {
        writeln!(self.jobs, "{job}").expect("sign.mjs takes jobs; what it says of its end stands above");
        let line = self.answers.recv_timeout(DEADLINE).expect("sign.mjs answers; what it says of its end stands above");
        serde_json::from_str(&line).expect("an answer is a line of JSON")
    }
}
