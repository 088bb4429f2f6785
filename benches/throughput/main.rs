//! Tidegate as shipped (c), beside a plain axum and sqlx handler that does one upsert a request and nothing else (a), and
//! one that does Tidegate's own writes in a transaction a request (b): same load, same machine, same run. What counts are
//! the ratios.
//!
//!     cargo bench --bench throughput -- --help
//!
//! SQLite, and PostgreSQL with its default settings and fsync: a throw-away cluster of this run's own, or the server that
//! TIDEGATE_BENCH_POSTGRES_URL names (a database is made there and dropped).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the environment")]

mod cluster;
mod plain;
mod process;
mod subject;
mod table;
mod transaction;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use cluster::Postgres;
use indicatif::{ProgressBar, ProgressStyle};
use subject::{Kind, Subject};
use table::Measured;
use tidegate::cli::bench::load::{KEYS, Load, Pace, Report};

/// Fills caches and tables before anything counts.
const WARM_UP: Duration = Duration::from_secs(3);

#[derive(Parser)]
#[command(
    name = "throughput",
    about = "Requests a second of Tidegate beside plain handlers: medians of several rounds"
)]
struct Options {
    /// The folder that PostgreSQL's data lie in; on a memory file system, no disk is measured
    #[arg(long, default_value = "/tmp")]
    place: PathBuf,
    /// Of each measurement
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Of each measurement, subjects taking turns; medians are shown
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// May be repeated [default: 64 and 256]
    #[arg(long)]
    connections: Vec<usize>,
    /// One database
    #[arg(long)]
    only: Option<Database>,
    /// May be repeated [default: all]
    #[arg(long)]
    subject: Vec<Kind>,
    /// No open loop
    #[arg(long)]
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

fn main() {
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    if let [_, server, url] = &arguments[..] {
        match server.as_str() {
            "plain-server" => return plain::serve(url),
            "transaction-server" => return transaction::serve(url),
            _ => {}
        }
    }
    let mut options = Options::parse_from(arguments);
    if options.connections.is_empty() {
        options.connections = vec![64, 256];
    }
    if options.subject.is_empty() {
        options.subject = Kind::value_variants().to_vec();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            () = run(&options) => {}
            // What was started ends with the future that is dropped here.
            _ = tokio::signal::ctrl_c() => println!("interrupted"),
        }
    });
}

async fn run(options: &Options) {
    let is_wanted = |database| options.only.is_none_or(|only| only == database);
    let postgres = if is_wanted(Database::Postgres) { Postgres::find(&options.place, &[]).await } else { None };
    let databases = usize::from(is_wanted(Database::Sqlite)) + usize::from(postgres.is_some());
    let total = options.estimate() * u32::try_from(databases).unwrap();
    println!(
        "{} s each, median of {} rounds, {} records, 1,000 sources, 1 KiB payloads, HMAC, 6 fields;",
        options.seconds, options.rounds, KEYS
    );
    println!("load, server and database share this machine; CPU is in seconds per 1,000 requests.");
    println!(
        "(a) one upsert a request  (b) Tidegate's writes in a transaction a request  (c) Tidegate {}",
        env!("CARGO_PKG_VERSION")
    );
    println!("This takes about {} s.\n", total.as_secs());
    let progress = ProgressBar::new(total.as_millis() as u64);
    progress.set_style(ProgressStyle::with_template("{bar:40} {elapsed} of about {msg}").unwrap());
    if is_wanted(Database::Sqlite) {
        println!(
            "SQLite {}, WAL, synchronous=FULL, {}",
            cluster::sqlite_version().await,
            process::file_system(&std::env::temp_dir())
        );
        database(None, options, &progress).await;
    }
    if let Some(postgres) = &postgres {
        println!("{}", postgres.describe().await);
        database(Some(postgres), options, &progress).await;
    }
    progress.finish_and_clear();
}

impl Options {
    fn estimate(&self) -> Duration {
        let loops = if self.closed { 1 } else { 2 };
        let each = (self.rounds * loops * self.connections.len() * self.subject.len()) as u64;
        // Starting a subject takes a second or two.
        Duration::from_secs(each * self.seconds + self.subject.len() as u64 * (WARM_UP.as_secs() + 2))
    }
}

async fn database(postgres: Option<&Postgres>, options: &Options, progress: &ProgressBar) {
    let mut subjects = Vec::new();
    for kind in &options.subject {
        let subject = Subject::start(*kind, postgres).await;
        let connections = options.connections[0];
        watched(load(&subject, connections, Pace::Closed, WARM_UP), progress).await;
        subjects.push(subject);
    }
    table::head();
    for connections in &options.connections {
        let closed = rounds(&subjects, options, progress, |_| (*connections, Pace::Closed)).await;
        table::print(&format!("{connections} closed"), &subjects, &closed);
        if options.closed {
            continue;
        }
        let half = |place: usize| {
            let best = closed[place].iter().map(|measured| measured.rate).fold(1.0, f64::max);
            (*connections, Pace::Open { per_second: best / 2.0, give_up: None })
        };
        let open = rounds(&subjects, options, progress, half).await;
        table::print(&format!("{connections} open, half"), &subjects, &open);
    }
    println!();
    for subject in subjects {
        subject.stop().await;
    }
}

/// Subjects take turns, so that what else the machine does meets all of them.
async fn rounds(
    subjects: &[Subject],
    options: &Options,
    progress: &ProgressBar,
    how: impl Fn(usize) -> (usize, Pace),
) -> Vec<Vec<Measured>> {
    let mut all = vec![Vec::new(); subjects.len()];
    for _ in 0..options.rounds {
        for (place, subject) in subjects.iter().enumerate() {
            let (connections, pace) = how(place);
            let before = subject.cpu();
            let report =
                watched(load(subject, connections, pace, Duration::from_secs(options.seconds)), progress).await;
            all[place].push(Measured::new(&report, &before, &subject.cpu()));
            let tally = &report.tally;
            let odd = tally.refused.total() + tally.broken + tally.unanswered;
            assert_eq!(odd, 0, "every request is answered 2xx: {tally:?}", tally = tally.statuses);
        }
    }
    all
}

fn load(subject: &Subject, connections: usize, pace: Pace, span: Duration) -> Load {
    Load { target: subject.target.clone(), connections, pace, span }
}

async fn watched(load: Load, progress: &ProgressBar) -> Report {
    const STEP: Duration = Duration::from_millis(200);
    progress.set_message(format!("{} s", progress.length().unwrap_or(0) / 1_000));
    let running = load.start();
    while !running.is_finished() {
        tokio::time::sleep(STEP).await;
        progress.inc(STEP.as_millis() as u64);
    }
    running.finish().await.expect("the subject answers")
}
