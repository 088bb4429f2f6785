//! Whether ingestion notices that old events are removed: the release binary takes webhooks at a fixed rate, first
//! beside a million old events that are still kept, then while these are removed.
//!
//!     cargo bench --bench retention -- --help
//!
//! SQLite, and PostgreSQL as for `throughput`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment")]

#[path = "../throughput/cluster.rs"]
mod cluster;
mod old;
#[path = "../throughput/process.rs"]
mod process;
#[path = "../throughput/subject.rs"]
#[allow(dead_code, reason = "the other benchmark's subjects and figures")]
mod subject;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cluster::Postgres;
use old::Old;
use subject::{Kind, Subject};
use tidegate::cli::bench::load::{Load, Pace, Running, Tally};

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
/// Removing is looked for once a minute.
const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// With its default of 1 GiB, PostgreSQL's checkpoints would be measured.
const ROOM_FOR_LOG: [&str; 2] = ["max_wal_size=16GB", "checkpoint_timeout=30min"];

#[derive(Parser)]
#[command(name = "retention", about = "Latencies of ingestion while old events are removed, and without that")]
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
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Webhooks a second
    #[arg(long, default_value_t = 500.0)]
    rate: f64,
    /// Without removing; with it, until all are removed, and at least so long
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

/// Which events are too old.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Scenario {
    /// Those of all 1,000 sources: on PostgreSQL their days are dropped
    All,
    /// Those of ten sources, which keep less than the others
    Some,
}

fn main() {
    let arguments = std::env::args().filter(|argument| argument != "--bench");
    let mut options = Options::parse_from(arguments);
    if options.scenario.is_empty() {
        options.scenario = Scenario::value_variants().to_vec();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::select! {
            () = run(&options) => {}
            _ = tokio::signal::ctrl_c() => println!("interrupted"),
        }
    });
}

async fn run(options: &Options) {
    let is_wanted = |database| options.only.is_none_or(|only| only == database);
    println!(
        "{} old events of 1 KiB; {} webhooks a second, 1 KiB, signed; load, gateway and database share this machine.",
        options.events, options.rate
    );
    if is_wanted(Database::Sqlite) {
        println!("\nSQLite {}, {}", cluster::sqlite_version().await, process::file_system(&std::env::temp_dir()));
        for scenario in &options.scenario {
            measure(None, *scenario, options).await;
        }
    }
    if is_wanted(Database::Postgres)
        && let Some(postgres) = Postgres::find(&options.place, &ROOM_FOR_LOG).await
    {
        println!("\n{}", postgres.describe().await);
        for scenario in &options.scenario {
            measure(Some(&postgres), *scenario, options).await;
        }
    }
}

async fn measure(postgres: Option<&Postgres>, scenario: Scenario, options: &Options) {
    let gateway = Subject::start(Kind::C, postgres).await;
    let load = |span| {
        let pace = Pace::Open { per_second: options.rate, give_up: None };
        Load { target: gateway.target.clone(), connections: CONNECTIONS, pace, span }
    };
    let mut old = Old::open(&gateway).await;
    old.keep_all().await;
    let (sources, age) = match scenario {
        Scenario::All => (usize::MAX, 31),
        Scenario::Some => (10, 9),
    };
    old.fill(options.events, sources, age).await;
    load(WARM_UP).run().await.unwrap();
    let without = load(Duration::from_secs(options.seconds)).run().await.unwrap().tally;

    let most = LONGEST_WAIT + Duration::from_secs(1_800);
    let running = load(most).start();
    old.expire(sources).await;
    let (with, took) = removing(&mut old, &running, Duration::from_secs(options.seconds)).await;
    running.stop();
    let whole = running.finish().await.unwrap().tally;
    assert!(whole.statuses.keys().eq([&202]), "every request is accepted: {:?}", whole.statuses);
    tell(scenario, (&without, &with), took, options);
    gateway.stop().await;
}

/// What was answered from the beginning of the removing to its end, and how long that took.
async fn removing(old: &mut Old, running: &Running, least: Duration) -> (Tally, Duration) {
    let asked = Instant::now();
    while !old.is_going().await {
        assert!(asked.elapsed() < LONGEST_WAIT, "removing begins");
        // Told apart to a part of a second: on PostgreSQL all may be over in one.
        tokio::time::sleep(SECOND / 20).await;
        if asked.elapsed().as_millis() % 1_000 < 50 {
            running.take();
        }
    }
    let begun = Instant::now();
    while !old.is_gone().await {
        tokio::time::sleep(SECOND / 5).await;
    }
    let took = begun.elapsed();
    tokio::time::sleep(least.saturating_sub(took)).await;
    (running.take(), took)
}

fn tell(scenario: Scenario, (without, with): (&Tally, &Tally), took: Duration, options: &Options) {
    let of = match scenario {
        Scenario::All => "of all sources",
        Scenario::Some => "of ten sources",
    };
    println!(
        "  {of}: removed in {:.1} s, {:.0} a second",
        took.as_secs_f64(),
        options.events as f64 / took.as_secs_f64()
    );
    let figures = |tally: &Tally| {
        let millis = |percent| tally.accepted.percentile(percent).as_secs_f64() * 1_000.0;
        [millis(50.0), millis(99.0), millis(99.9), tally.accepted.most().as_secs_f64() * 1_000.0]
    };
    let (before, after) = (figures(without), figures(with));
    for (name, figures, tally) in [("without", before, without), ("with", after, with)] {
        let [p50, p99, p999, most] = figures;
        let count = tally.accepted.total();
        println!(
            "    {name:<8} p50 {p50:6.2} ms   p99 {p99:7.2} ms   p99.9 {p999:7.2} ms   most {most:7.2} ms   ({count} webhooks)"
        );
    }
    println!("    ratio    p50 {:6.2}      p99 {:7.2}", after[0] / before[0], after[1] / before[1]);
}
