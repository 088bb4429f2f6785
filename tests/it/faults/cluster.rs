//! A PostgreSQL server of one test's own, fsync on, that may be killed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::{setting, signal, until};

/// Below the ports that systems give to outgoing connections: nobody takes it while the server is down.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

pub struct Cluster {
    /// In /tmp, where user postgres may enter.
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    pub async fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-it-pg-").tempdir_in("/tmp").unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres:").arg(folder.path()).status().unwrap();
            assert!(owned.success(), "PostgreSQL cannot run as root, and there is no user postgres");
        }
        let mut cluster = Self { folder, programs: programs(), port: free_port(), server: None };
        let mut initdb = cluster.program("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]);
        let made = initdb.arg("--pgdata").arg(cluster.data()).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        cluster.start_again().await;
        cluster
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Waits until the server takes connections, crash recovery included.
    pub async fn start_again(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        let mut server = self.program("postgres");
        server.arg("-D").arg(self.data()).args(["-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        server.args(["-c", "fsync=on", "-c", "unix_socket_directories=", "-c", "max_connections=50"]);
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log.unwrap());
        let server = self.server.insert(server.spawn().unwrap());
        let state = self.folder.path().join("data").join("postmaster.pid");
        // Its eighth line is the server's state; what a killed server has left names another process.
        let id = server.id().to_string();
        let log = self.folder.path().join("log");
        let is_ready = || {
            let has_ended = server.try_wait().unwrap().is_some();
            assert!(!has_ended, "the server ends: {}", fs::read_to_string(&log).unwrap_or_default());
            let text = fs::read_to_string(&state).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            lines.first() == Some(&id.as_str()) && lines.get(7).is_some_and(|state| state.starts_with("ready"))
        };
        until("the server is ready", is_ready).await;
    }

    /// What `pg_ctl stop -m immediate` does: no checkpoint, every backend drops what it has in its hands.
    pub async fn stop_immediately(&mut self) {
        self.end("QUIT", &[self.id()]).await;
    }

    /// Postmaster and backends, none of them asked.
    pub async fn kill(&mut self) {
        self.end("KILL", &self.processes()).await;
    }

    async fn end(&mut self, name: &str, processes: &[u32]) {
        let all = self.processes();
        signal(name, processes);
        drop(self.server.take().map(|mut server| server.wait()));
        until("its processes are gone", || all.iter().all(|id| !Path::new(&format!("/proc/{id}")).exists())).await;
    }

    /// Stops or continues every process at once.
    pub fn signal(&self, name: &str) {
        signal(name, &self.processes());
    }

    fn id(&self) -> u32 {
        self.server.as_ref().expect("the server runs").id()
    }

    /// The postmaster first: once it stands, nobody comes after.
    fn processes(&self) -> Vec<u32> {
        let id = self.id();
        let entries = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let children = entries.filter(|child| parent(*child) == Some(id));
        [id].into_iter().chain(children).collect()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// PostgreSQL refuses to run as root. The program takes the place of what starts it.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path());
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.server.is_some() {
            signal("KILL", &self.processes());
            drop(self.server.take().map(|mut server| server.wait()));
        }
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn parent(process: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

/// Where the server's programs are: scripts/test says it; without, Debian's newest.
fn programs() -> PathBuf {
    if let Some(folder) = setting("TIDEGATE_TEST_POSTGRES_BIN") {
        return folder.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let numbers = versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let newest = numbers.max().expect("PostgreSQL is installed, or TIDEGATE_TEST_POSTGRES_BIN names its programs");
    format!("/usr/lib/postgresql/{newest}/bin").into()
}

/// Each one asked for is another, and test processes that run at once begin at different places.
fn free_port() -> u16 {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let begin = std::process::id() as usize * 16;
    let port = |_| {
        let place = begin + ASKED.fetch_add(1, Ordering::Relaxed);
        PORTS.start + u16::try_from(place % PORTS.len()).unwrap()
    };
    let mut ports = PORTS.map(port);
    let free = ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.expect("there is a free port")
}
