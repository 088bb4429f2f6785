//! What becomes of memory and latency under too much: the release binary in scenarios of stated length. Figures are
//! printed; only what was answered is asserted.
//!
//!     cargo bench --bench fire -- --help
//!
//! SQLite, and PostgreSQL as for `throughput`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment")]

#[path = "../throughput/cluster.rs"]
mod cluster;
mod loris;
mod memory;
#[path = "../throughput/process.rs"]
mod process;
mod shed;
#[path = "../throughput/subject.rs"]
#[allow(dead_code, reason = "the other benchmark's subjects and figures")]
mod subject;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cluster::Postgres;
use subject::{Kind, Subject};
use tidegate::cli::bench::load::{Load, Pace, Report, Tally};

/// Of a load that is no overload.
const CONNECTIONS: usize = 64;
/// The best rate is looked for with these.
const BEST_OF: [usize; 2] = [CONNECTIONS, 256];
const WARM_UP: Duration = Duration::from_secs(3);
const FILES: &str = "TIDEGATE_BENCH_FILES";

#[derive(Parser)]
#[command(name = "fire", about = "Memory and latency of Tidegate under load, overload and slow clients")]
struct Options {
    /// The folder that PostgreSQL's data lie in; on a memory file system, no disk is measured
    #[arg(long, default_value = "/tmp")]
    place: PathBuf,
    /// May be repeated [default: all]
    #[arg(long)]
    scenario: Vec<Scenario>,
    /// One database
    #[arg(long)]
    only: Option<Database>,
    /// To find the best rate
    #[arg(long, default_value_t = 8)]
    best_seconds: u64,
    #[arg(long, default_value_t = 120)]
    memory_seconds: u64,
    #[arg(long, default_value_t = 60)]
    shed_seconds: u64,
    /// Of the overload
    #[arg(long, default_value_t = 3_000)]
    shed_connections: usize,
    /// A round, with slow clients and without them
    #[arg(long, default_value_t = 12)]
    loris_seconds: u64,
    #[arg(long, default_value_t = 2_000)]
    slow_clients: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Scenario {
    /// At the best rate, memory every second
    Memory,
    /// At twice the best rate, then back to half of it
    Shed,
    /// Clients that send a byte of a head each second, beside honest ones at half of the best rate
    Loris,
}

/// With 1 GiB of log, PostgreSQL's default, these rates make a checkpoint begin every 20 s or so, and what it rewrites
/// holds everybody up for 100 to 250 ms: that would be measured, and not what a scenario is about.
const ROOM_FOR_LOG: [&str; 2] = ["max_wal_size=16GB", "checkpoint_timeout=30min"];

/// A gateway whose best rate is known.
struct Fire {
    gateway: Subject,
    /// Requests a second, and over how many connections.
    best: f64,
    connections: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    let mut options = Options::parse_from(&arguments);
    if options.scenario.is_empty() {
        options.scenario = Scenario::value_variants().to_vec();
    }
    with_files(2 * options.shed_connections.max(options.slow_clients) + 512, &arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            () = run(&options) => {}
            // What was started ends with the future that is dropped here.
            _ = tokio::signal::ctrl_c() => println!("interrupted"),
        }
    });
}

/// Runs this program again with room for so many open files, unless it has been: a shell can raise the limit.
fn with_files(wanted: usize, arguments: &[String]) {
    if std::env::var_os(FILES).is_some() {
        return;
    }
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ulimit -n \"$TIDEGATE_BENCH_FILES\" || echo 'too few open files are allowed' >&2; exec \"$0\" \"$@\"",
    ]);
    shell.arg(std::env::current_exe().unwrap()).args(&arguments[1..]).env(FILES, wanted.to_string());
    panic!("{}", shell.exec());
}

async fn run(options: &Options) {
    let is_wanted = |database| options.only.is_none_or(|only| only == database);
    let postgres =
        if is_wanted(Database::Postgres) { Postgres::find(&options.place, &ROOM_FOR_LOG).await } else { None };
    let databases = usize::from(is_wanted(Database::Sqlite)) + usize::from(postgres.is_some());
    println!(
        "This takes about {} s. Load, gateway and database share this machine.",
        options.estimate() * databases as u64
    );
    if is_wanted(Database::Sqlite) {
        println!("\nSQLite {}, {}", cluster::sqlite_version().await, process::file_system(&std::env::temp_dir()));
        database(None, options).await;
    }
    if let Some(postgres) = &postgres {
        println!("\n{}", postgres.describe().await);
        database(Some(postgres), options).await;
    }
}

impl Options {
    /// Seconds, for each database.
    fn estimate(&self) -> u64 {
        let of = |scenario: &Scenario| match scenario {
            Scenario::Memory => self.memory_seconds,
            Scenario::Shed => self.shed_seconds + shed::AROUND.as_secs() * 2,
            Scenario::Loris => self.loris_seconds * 2 * loris::ROUNDS,
        };
        self.scenario.iter().map(|scenario| of(scenario) + 2 * self.best_seconds + WARM_UP.as_secs()).sum()
    }
}

/// Each scenario on a gateway of its own, so that none inherits another's memory.
async fn database(postgres: Option<&Postgres>, options: &Options) {
    for scenario in &options.scenario {
        let gateway = Subject::start(Kind::C, postgres).await;
        let mut fire = Fire { gateway, best: 0.0, connections: CONNECTIONS };
        fire.load(CONNECTIONS, Pace::Closed, WARM_UP).run().await.unwrap();
        for connections in BEST_OF {
            let report = fire.load(connections, Pace::Closed, Duration::from_secs(options.best_seconds)).run().await;
            let rate = all_accepted(report.unwrap()).rate();
            if rate > fire.best {
                (fire.best, fire.connections) = (rate, connections);
            }
        }
        match scenario {
            Scenario::Memory => memory::run(&fire, options).await,
            Scenario::Shed => shed::run(&fire, options).await,
            Scenario::Loris => loris::run(&fire, options).await,
        }
        fire.gateway.stop().await;
    }
}

impl Fire {
    fn load(&self, connections: usize, pace: Pace, span: Duration) -> Load {
        Load { target: self.gateway.target.clone(), connections, pace, span }
    }

    /// At half of the best rate, from the moment each request was meant to leave.
    fn honest(&self, span: Duration) -> Load {
        self.load(CONNECTIONS, Pace::Open { per_second: self.best / 2.0, give_up: None }, span)
    }

    /// In MiB.
    fn memory(&self, name: &str) -> f64 {
        process::memory(self.gateway.pid(), name)
    }
}

fn all_accepted(report: Report) -> Report {
    let tally = &report.tally;
    assert!(tally.statuses.keys().eq([&202]), "every request is accepted: {:?}", tally.statuses);
    assert_eq!((tally.broken, tally.unanswered), (0, 0), "and answered");
    report
}

/// Of accepted requests, in milliseconds.
fn p99(tally: &Tally) -> f64 {
    tally.accepted.percentile(99.0).as_secs_f64() * 1_000.0
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
