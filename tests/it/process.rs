//! The real binary, as an operator runs it: killed when it goes out of scope, whatever becomes of the test.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::app::{Admin, Setup, text};
use tidegate::config::Database;
use tidegate::secret::ExposeSecret;

/// Longer than any start may take: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);

/// Where a command in front of the gateway finds its programs.
const PROGRAMS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub struct Process {
    pub admin: Admin,
    /// What it printed when it was ready.
    pub banner: Value,
    running: Running,
}

struct Running {
    child: Child,
    /// Kept open, so that nothing it prints meets a closed pipe.
    stdout: Option<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Process {
    /// `tidegate serve --json` with a setup's folder and database; waits until it is ready.
    pub async fn start(setup: &Setup) -> Self {
        Self::start_with(setup, &[]).await
    }

    /// With more arguments.
    pub async fn start_with(setup: &Setup, arguments: &[&str]) -> Self {
        Self::ready(setup, Running::spawn(setup, &[], arguments)).await
    }

    /// Where the system lets it have no more than so many open files.
    pub async fn start_in_few_files(setup: &Setup, files: usize) -> Self {
        let limited = format!("ulimit -n {files} && exec \"$0\" \"$@\"");
        Self::start_by(setup, &["sh", "-c", &limited]).await
    }

    /// By a command that in the end becomes what stands behind it. What it does to the file system counts for the
    /// gateway alone: see [`Process::root`].
    pub async fn start_by(setup: &Setup, command: &[&str]) -> Self {
        Self::ready(setup, Running::spawn(setup, command, &[])).await
    }

    async fn ready(setup: &Setup, mut running: Running) -> Self {
        let banner = running.banner().await;
        let data_dir = running.root().join(setup.config.data_dir.strip_prefix("/").unwrap());
        Self { admin: Admin::of(text(&banner["url"]), &data_dir), banner, running }
    }

    pub fn id(&self) -> u32 {
        self.running.child.id()
    }

    /// The file system as the gateway sees it.
    pub fn root(&self) -> PathBuf {
        self.running.root()
    }

    /// SIGKILL: no chance to finish anything.
    pub fn kill(mut self) {
        self.running.end();
    }

    /// SIGTERM, and the log once it has ended.
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.signal();
        let status = self.running.child.wait().unwrap();
        (status, self.running.read_log())
    }

    /// SIGTERM, and no more.
    pub fn signal(&self) {
        self.running.signal();
    }

    pub async fn ended(self, within: Duration) -> (ExitStatus, String) {
        self.running.ended(within).await
    }

    /// The memory that it has now, in bytes.
    pub fn memory(&self) -> usize {
        self.kilobytes("VmRSS:") * 1024
    }

    /// The most memory that it has had so far, in bytes.
    pub fn peak_memory(&self) -> usize {
        self.kilobytes("VmHWM:") * 1024
    }

    fn kilobytes(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.running.child.id())).unwrap();
        let found = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux tells it");
        found.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// `tidegate` with these arguments, in a folder, with just this environment: its exit code, and stdout.
pub fn tidegate(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.args(arguments).env_clear().envs(environment.iter().copied()).current_dir(folder).stdin(Stdio::null());
    let output = command.output().expect("the binary starts");
    (output.status.code().expect("it ends by itself"), String::from_utf8(output.stdout).expect("it prints UTF-8"))
}

/// `tidegate demo --json` on a free port, its folder below this one.
pub struct Demo {
    pub banner: Value,
    running: Running,
}

impl Demo {
    pub async fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(["demo", "--json", "--listen", "127.0.0.1:0"]);
        command.env_clear().env("TMPDIR", folder).current_dir(folder);
        let mut running = Running::of(command, folder.join("demo.log"));
        Self { banner: running.banner().await, running }
    }

    /// SIGTERM, and its end.
    pub async fn terminate(self, within: Duration) -> (ExitStatus, String) {
        self.running.signal();
        self.running.ended(within).await
    }
}

impl Running {
    fn spawn(setup: &Setup, by: &[&str], arguments: &[&str]) -> Self {
        let words = [by, &[env!("CARGO_BIN_EXE_tidegate")]].concat();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .args(["serve", "--json", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&setup.config.data_dir)
            .args(arguments);
        // Nothing of the environment of whoever runs the tests.
        command.env_clear().env("PATH", PROGRAMS).current_dir(setup.folder());
        if let Database::Postgres { url, .. } = &setup.config.database {
            command.env("TIDEGATE_DATABASE_URL", url.expose_secret());
        }
        Self::of(command, setup.folder().join("serve.log"))
    }

    fn of(mut command: Command, log: PathBuf) -> Self {
        let stderr = File::options().create(true).append(true).open(&log).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
        Self { child: command.spawn().expect("the binary starts"), stdout: None, log }
    }

    /// The one line that it prints when it is ready.
    async fn banner(&mut self) -> Value {
        let mut stdout = BufReader::new(self.child.stdout.take().unwrap());
        let first_line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| (line, stdout))
        });
        let read = tokio::time::timeout(DEADLINE, first_line).await.expect("the gateway is ready in time");
        let (line, stdout) = read.unwrap().expect("stdout can be read");
        self.stdout = Some(stdout);
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}; its log: {}", self.read_log()))
    }

    fn signal(&self) {
        let id = self.child.id().to_string();
        assert!(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]).status().unwrap().success());
    }

    /// It ends by itself, and has printed nothing but its banner: its status, and the log.
    async fn ended(mut self, within: Duration) -> (ExitStatus, String) {
        let mut stdout = self.stdout.take().expect("it was ready");
        let rest = tokio::task::spawn_blocking(move || {
            let mut rest = String::new();
            stdout.read_to_string(&mut rest).map(|_| rest)
        });
        // The other end of the pipe closes when the process ends.
        let Ok(rest) = tokio::time::timeout(within, rest).await else {
            panic!("it has not ended within {within:?}; its log: {}", self.read_log())
        };
        assert_eq!(rest.unwrap().expect("stdout can be read"), "", "one object and nothing else");
        (self.child.wait().unwrap(), self.read_log())
    }

    fn root(&self) -> PathBuf {
        format!("/proc/{}/root", self.child.id()).into()
    }

    fn read_log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn end(&mut self) {
        // It fails when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
