//! What is measured: a server in a process of its own, on a database of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use clap::ValueEnum;
use tempfile::TempDir;
use tidegate::cli::bench::load::{Events, Target, module_file};

use crate::cluster::Postgres;
use crate::process;

const SOURCES: usize = 1_000;
/// Where a server finds what events are signed with.
pub const SECRET: &str = "TIDEGATE_BENCH_SECRET";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    A,
    B,
    C,
}

impl Kind {
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "(a)",
            Self::B => "(b)",
            Self::C => "(c)",
        }
    }
}

pub struct Subject {
    pub kind: Kind,
    pub target: Arc<Target>,
    server: Server,
    postmaster: Option<u32>,
    database: Option<(Postgres, String)>,
    #[allow(dead_code, reason = "lasts as long as what lies in it")]
    folder: TempDir,
}

/// Ends with its owner.
struct Server(Child);

/// Seconds.
#[derive(Clone, Copy, Default)]
pub struct Cpu {
    pub server: f64,
    pub database: f64,
    pub load: f64,
}

impl Subject {
    pub async fn start(kind: Kind, postgres: Option<&Postgres>) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-bench-").tempdir().unwrap();
        let database = match postgres {
            Some(server) => Some((server.clone(), server.make_database(kind.letter()).await)),
            None => None,
        };
        let url = match &database {
            Some((server, name)) => server.url(name),
            None => format!("sqlite:{}", folder.path().join("plain.db").display()),
        };
        let events = Events::new();
        let numbered = |prefix: &str| (0..SOURCES).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>();
        let (address, paths, server) = match kind {
            Kind::A => plain(&["plain-server", &url], &events, vec!["/".to_owned()]),
            Kind::B => plain(&["transaction-server", &url], &events, numbered("/hooks/s")),
            Kind::C => {
                let file = folder.path().join("bench.toml");
                std::fs::write(&file, module_file("bench", &numbered("s"), SECRET)).unwrap();
                let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
                command.args([
                    "serve",
                    "--json",
                    "--listen",
                    "127.0.0.1:0",
                    "--allow-target",
                    "127.0.0.0/8",
                    "--data-dir",
                ]);
                command.arg(folder.path().join("data")).arg("--apply").arg(&file);
                if database.is_some() {
                    command.env("TIDEGATE_DATABASE_URL", &url);
                }
                tidegate(command, &events)
            }
        };
        let target = Target::find(&format!("http://{address}"), events).await.unwrap().doors(&paths);
        let postmaster = postgres.and_then(|postgres| postgres.postmaster);
        Self { kind, target: Arc::new(target), server, postmaster, database, folder }
    }

    pub fn cpu(&self) -> Cpu {
        Cpu {
            server: process::cpu(self.pid()),
            database: self.postmaster.map_or(0.0, process::family_cpu),
            load: process::cpu(std::process::id()),
        }
    }

    /// Its database on PostgreSQL, for other clients.
    #[allow(dead_code, reason = "another benchmark asks it")]
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(|(server, name)| server.url(name))
    }

    /// Where the gateway keeps its own.
    #[allow(dead_code, reason = "another benchmark looks there")]
    pub fn data_dir(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    pub fn pid(&self) -> u32 {
        self.server.0.id()
    }

    pub fn peak_mib(&self) -> f64 {
        process::memory(self.pid(), "VmHWM")
    }

    pub async fn stop(self) {
        drop(self.server);
        if let Some((server, name)) = &self.database {
            server.drop_database(name).await;
        }
    }
}

/// One of the servers of this program itself.
fn plain(arguments: &[&str], events: &Events, paths: Vec<String>) -> (String, Vec<String>, Server) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env(SECRET, events.secret()).stdout(Stdio::piped());
    let mut server = Server(command.spawn().unwrap());
    (server.first_line().trim().to_owned(), paths, server)
}

fn tidegate(mut command: Command, events: &Events) -> (String, Vec<String>, Server) {
    command.env(SECRET, events.secret()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Server(command.spawn().unwrap());
    let banner: serde_json::Value = serde_json::from_str(&server.first_line()).expect("the gateway's banner");
    let sources = banner["sources"].as_array().unwrap().iter();
    let paths = sources.map(|source| format!("/api/webhooks/bench/{}", source["token"].as_str().unwrap())).collect();
    (banner["listen"].as_str().unwrap().to_owned(), paths, server)
}

impl Server {
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails when the process is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Cpu {
    pub fn since(&self, before: &Self) -> Self {
        self.each(before, |after, before| after - before)
    }

    pub fn per(&self, number: f64) -> Self {
        self.each(self, |value, _| value / number)
    }

    fn each(&self, other: &Self, merge: impl Fn(f64, f64) -> f64) -> Self {
        Self {
            server: merge(self.server, other.server),
            database: merge(self.database, other.database),
            load: merge(self.load, other.load),
        }
    }
}
