//! Deliveries a second, and how long after its change one arrives: the release binary, its database, the load and a
//! receiver that answers at once share this machine.
//!
//!     cargo bench --bench deliver -- --help
//!
//! SQLite, and PostgreSQL as for `throughput`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment")]

#[path = "../throughput/cluster.rs"]
mod cluster;
#[path = "../throughput/process.rs"]
mod process;
mod receiver;
#[path = "../throughput/subject.rs"]
#[allow(dead_code, reason = "the other benchmark's subjects and figures")]
mod subject;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use cluster::Postgres;
use receiver::{Came, Receiver};
use serde_json::{Value, json};
use subject::{Cpu, Kind, Subject};
use tidegate::cli::bench::load::{Load, Pace, Report};

const CONNECTIONS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(3);

#[derive(Parser)]
#[command(name = "deliver", about = "Deliveries a second, and their delay after the change")]
struct Options {
    /// The folder that PostgreSQL's data lie in; on a memory file system, no disk is measured
    #[arg(long, default_value = "/tmp")]
    place: PathBuf,
    /// One database
    #[arg(long)]
    only: Option<Database>,
    /// May be repeated [default: all]
    #[arg(long)]
    scenario: Vec<Scenario>,
    /// Of each measurement
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Of each measurement; medians are shown
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Scenario {
    /// More changes than can be delivered: how many deliveries a second
    Best,
    /// At 200 changes a second, and at half of the best rate
    Delay,
    /// Twenty endpoints, with one of them dead and without
    Dead,
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
    println!("1 KiB events, signed, 6 fields; load, gateway, database and receiver share this machine.");
    println!("Delays count from the beginning of the change's transaction; CPU is in seconds per 1,000 deliveries.\n");
    if is_wanted(Database::Sqlite) {
        println!("SQLite {}, {}", cluster::sqlite_version().await, process::file_system(&std::env::temp_dir()));
        database(None, options).await;
    }
    if is_wanted(Database::Postgres)
        && let Some(postgres) = Postgres::find(&options.place, &[]).await
    {
        println!("{}", postgres.describe().await);
        database(Some(&postgres), options).await;
    }
}

async fn database(postgres: Option<&Postgres>, options: &Options) {
    for endpoints in [1, 20] {
        let best =
            if options.scenario.contains(&Scenario::Best) { best(postgres, options, endpoints).await } else { 0.0 };
        if options.scenario.contains(&Scenario::Delay) {
            delay(postgres, options, endpoints, best).await;
        }
    }
    if options.scenario.contains(&Scenario::Dead) {
        dead(postgres, options).await;
    }
}

/// A gateway with a receiver that so many of its endpoints lead to.
struct House {
    subject: Subject,
    receiver: Receiver,
    endpoints: usize,
}

/// What one run came to.
struct Run {
    changes: u64,
    came: Came,
    span: Duration,
    cpu: Cpu,
}

impl House {
    async fn open(postgres: Option<&Postgres>, endpoints: usize) -> Self {
        let subject = Subject::start(Kind::C, postgres).await;
        let house = Self { subject, receiver: Receiver::start(), endpoints };
        for number in 0..endpoints {
            house.endpoint(&house.receiver.url(number)).await;
        }
        house.run(200.0, WARM_UP).await;
        house
    }

    async fn endpoint(&self, url: &str) {
        let key = std::fs::read_to_string(self.subject.data_dir().join("admin.key")).unwrap();
        // It fails when it was done before, and then it need not be done.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        let request = client.post(format!("http://{}/api/v1/webhooks", self.subject.target.address()));
        let answer = request.bearer_auth(key.trim()).json(&json!({ "url": url })).send().await.unwrap();
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert!(status.is_success(), "{body}");
    }

    /// So many changes a second, until all that was owed has come.
    async fn run(&self, per_second: f64, span: Duration) -> Run {
        self.receiver.take();
        let (before, begun) = (self.subject.cpu(), Instant::now());
        let pace = Pace::Open { per_second, give_up: Some(Duration::from_millis(500)) };
        let load = Load { target: Arc::clone(&self.subject.target), connections: CONNECTIONS, pace, span };
        let report: Report = load.run().await.unwrap();
        let changes = report.tally.count(202);
        let wanted = changes * self.endpoints as u64;
        let (came, last) = self.receiver.wait_for(wanted).await;
        assert!(came >= wanted, "{came} of {wanted} deliveries came");
        let span = last.map_or(span, |last| last - begun);
        let cpu = self.subject.cpu().since(&before);
        Run { changes, came: self.receiver.take(), span, cpu }
    }
}

impl Run {
    fn rate(&self) -> f64 {
        self.came.requests as f64 / self.span.as_secs_f64()
    }

    fn delays(&self) -> (f64, f64) {
        let millis = |percent| self.came.delays.percentile(percent).as_secs_f64() * 1_000.0;
        (millis(50.0), millis(99.0))
    }
}

/// A median, by what it is sorted by.
fn median<T>(mut all: Vec<T>, by: impl Fn(&T) -> f64) -> T {
    all.sort_by(|left, right| by(left).total_cmp(&by(right)));
    all.swap_remove(all.len() / 2)
}

async fn rounds(house: &House, options: &Options, per_second: f64) -> Vec<Run> {
    let mut all = Vec::new();
    for _ in 0..options.rounds {
        all.push(house.run(per_second, Duration::from_secs(options.seconds)).await);
    }
    all
}

async fn best(postgres: Option<&Postgres>, options: &Options, endpoints: usize) -> f64 {
    let house = House::open(postgres, endpoints).await;
    // More than can be delivered: what is owed is delivered after the load has ended, too, and counts to the end.
    let per_second = if endpoints == 1 { 6_000.0 } else { 400.0 };
    let run = median(rounds(&house, options, per_second).await, Run::rate);
    let cpu = run.cpu.per(run.came.requests as f64 / 1_000.0);
    println!(
        "  {endpoints:>2} endpoints: {:>6.0} deliveries/s of {:>6.0} changes/s; CPU gateway {:.3}, database {:.3}, load and receiver {:.3}",
        run.rate(),
        run.changes as f64 / options.seconds as f64,
        cpu.server,
        cpu.database,
        cpu.load,
    );
    let rate = run.rate();
    house.subject.stop().await;
    rate
}

async fn delay(postgres: Option<&Postgres>, options: &Options, endpoints: usize, best: f64) {
    let house = House::open(postgres, endpoints).await;
    let half = best / 2.0 / endpoints as f64;
    for (name, per_second) in [("200 changes/s", 200.0), ("half of the best rate", half)] {
        if per_second < 1.0 {
            continue;
        }
        let run = median(rounds(&house, options, per_second).await, |run| run.delays().1);
        let (half_of_all, most) = run.delays();
        println!(
            "  {endpoints:>2} endpoints, {name} ({per_second:.0}): delay p50 {half_of_all:.1} ms, p99 {most:.1} ms"
        );
    }
    house.subject.stop().await;
}

/// Rounds without a dead endpoint, then with one, each on a gateway of its own.
async fn dead(postgres: Option<&Postgres>, options: &Options) {
    let mut delays = [0.0; 2];
    for (is_there, delay) in [false, true].into_iter().zip(&mut delays) {
        let house = House::open(postgres, 19).await;
        if is_there {
            house.endpoint(&house.receiver.dead_url()).await;
        }
        *delay = median(rounds(&house, options, 50.0).await, |run| run.delays().1).delays().1;
        house.subject.stop().await;
    }
    let [healthy, beside] = delays;
    println!(
        "  19 endpoints at 50 changes/s: p99 {healthy:.1} ms, beside a dead one {beside:.1} ms (×{:.2})",
        beside / healthy
    );
}
