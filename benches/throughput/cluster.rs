//! The PostgreSQL server that is measured: one of this run's own, unless another is named.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;

use crate::process;

const NAMED: &str = "TIDEGATE_BENCH_POSTGRES_URL";
const PROGRAMS: &str = "TIDEGATE_TEST_POSTGRES_BIN";

#[derive(Clone)]
pub struct Postgres {
    server: String,
    /// The process whose children serve connections, if it is on this machine.
    pub postmaster: Option<u32>,
    data: String,
    _cluster: Option<Arc<Cluster>>,
}

/// Stopped and removed with its owner.
struct Cluster {
    postmaster: Child,
    _folder: TempDir,
}

impl Postgres {
    /// Its data lie in a folder of `place`. With default settings but for `settings`, each `name=value`. None, and a word about it, when there is no
    /// PostgreSQL here.
    pub async fn find(place: &Path, settings: &[&str]) -> Option<Self> {
        if let Ok(server) = std::env::var(NAMED) {
            return Some(Self::of(server, None, "a server that was named".to_owned()).await);
        }
        let Some(programs) = programs() else {
            eprintln!("no PostgreSQL programs in {PROGRAMS} or /usr/lib/postgresql, and no {NAMED}: SQLite only");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("tidegate-bench-").tempdir_in(place).unwrap();
        let data = process::file_system(folder.path());
        let (server, cluster) = Cluster::start(&programs, folder, settings).await;
        Some(Self::of(server, Some(Arc::new(cluster)), data).await)
    }

    async fn of(server: String, cluster: Option<Arc<Cluster>>, data: String) -> Self {
        let backend: i32 =
            sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connect(&server).await).await.unwrap();
        let backend = u32::try_from(backend).ok();
        let is_postgres = |pid: &u32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.starts_with("postgres"))
        };
        let postmaster = backend.filter(is_postgres).and_then(process::parent).filter(is_postgres);
        Self { server, postmaster, data, _cluster: cluster }
    }

    pub async fn describe(&self) -> String {
        let mut connection = connect(&self.server).await;
        let mut values = Vec::new();
        for name in ["server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size"] {
            let text = AssertSqlSafe(format!("SHOW {name}"));
            let value: String = sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap();
            values.push(format!("{name}={value}"));
        }
        format!("PostgreSQL {}, {}", values.join(", "), self.data)
    }

    pub async fn make_database(&self, of: &str) -> String {
        let name = format!("tidegate_bench_{}_{of}", std::process::id());
        connect(&self.server).await.execute(AssertSqlSafe(format!("CREATE DATABASE \"{name}\""))).await.unwrap();
        name
    }

    pub async fn drop_database(&self, name: &str) {
        let text = AssertSqlSafe(format!("DROP DATABASE \"{name}\" WITH (FORCE)"));
        connect(&self.server).await.execute(text).await.unwrap();
    }

    /// The URL of a database of this name.
    pub fn url(&self, name: &str) -> String {
        let (head, _) = self.server.rsplit_once('/').unwrap();
        format!("{head}/{name}")
    }
}

pub async fn sqlite_version() -> String {
    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.unwrap()
}

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the PostgreSQL server answers")
}

/// The folder of the newest server that is installed.
fn programs() -> Option<PathBuf> {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<f64>().ok();
    let mut installed: Vec<_> = installed.map(|entry| entry.path()).filter(|path| version(path).is_some()).collect();
    installed.sort_by(|one, other| version(other).unwrap().total_cmp(&version(one).unwrap()));
    let named = std::env::var(PROGRAMS).ok().map(PathBuf::from);
    let all = named.into_iter().chain(installed.into_iter().map(|path| path.join("bin")));
    all.into_iter().find(|path| path.join("initdb").is_file())
}

impl Cluster {
    async fn start(programs: &Path, folder: TempDir, settings: &[&str]) -> (String, Self) {
        let is_root = run(Command::new("id").arg("-u")).trim() == "0";
        if is_root {
            run(Command::new("chown").arg("postgres:").arg(folder.path()));
        }
        // PostgreSQL refuses to run as root.
        let as_server = |program: &str| {
            let program = programs.join(program);
            let mut command = if is_root { Command::new("setpriv") } else { Command::new(&program) };
            if is_root {
                command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"]).arg(&program);
            }
            command.current_dir(folder.path()).stdin(Stdio::null());
            command
        };
        run(as_server("initdb").args([
            "--pgdata=data",
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]));
        for _ in 0..5 {
            // Another program may take it before the server does.
            let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut server = as_server("postgres");
            server.args(["-D", "data", "-p", &port.to_string(), "-c", "max_connections=300"]);
            server.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
            server.args(settings.iter().flat_map(|setting| ["-c", setting]));
            let log = std::fs::File::create(folder.path().join("log")).unwrap();
            let mut postmaster = server.stdout(Stdio::null()).stderr(log).spawn().unwrap();
            let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
            for _ in 0..300 {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if postmaster.try_wait().unwrap().is_some() {
                    break;
                }
                if PgConnection::connect(&url).await.is_ok() {
                    return (url, Self { postmaster, _folder: folder });
                }
            }
            let _ = postmaster.kill();
            let _ = postmaster.wait();
        }
        panic!("the server does not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }
}

/// To its end; what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A fast stop: clients are sent away. It may have ended by the same Ctrl-C.
        let id = self.postmaster.id().to_string();
        let _ = Command::new("sh").args(["-c", "kill -INT \"$0\" 2>/dev/null", &id]).status();
        for _ in 0..100 {
            if !matches!(self.postmaster.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.postmaster.kill();
        let _ = self.postmaster.wait();
    }
}
