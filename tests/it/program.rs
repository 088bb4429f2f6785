//! A program beside the tests that answers each JSON line with a JSON line, in order. It ends when its stdin does, and
//! that is when the process of the tests ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// Of one job, the start of the program included: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Program {
    name: &'static str,
    jobs: ChildStdin,
    answers: Receiver<String>,
}

impl Program {
    pub fn start(name: &'static str, mut command: Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{name} does not start, scripts/test makes it: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (tell, answers) = channel();
        let jobs = child.stdin.take().unwrap();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| drop(tell.send(line)));
            child.wait()
        });
        Self { name, jobs, answers }
    }

    /// Its answer to a job, which it could do.
    #[track_caller]
    pub fn ask(&mut self, job: &Value) -> Value {
        let died = |error: &dyn std::fmt::Display| -> ! {
            panic!("{} does not answer ({error}); what it says of its end stands above", self.name)
        };
        writeln!(self.jobs, "{job}").unwrap_or_else(|error| died(&error));
        let line = self.answers.recv_timeout(DEADLINE).unwrap_or_else(|error| died(&error));
        let answer: Value = serde_json::from_str(&line).expect("an answer is a line of JSON");
        assert!(answer["error"].is_null(), "{}: {job}: {}", self.name, answer["error"].as_str().unwrap_or_default());
        answer
    }
}
