//! Requests a second, p50 and p99 of Tidegate as shipped, beside a plain axum and sqlx handler that does one upsert a
//! request and nothing else: same load, same machine, same run. What counts is the ratio.
//!
//!     cargo bench --bench throughput -- [--seconds N] [--connections N]
//!
//! SQLite always; PostgreSQL when TIDEGATE_TEST_POSTGRES_URL names a server (a database is made there and dropped).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and the environment")]

mod load;
mod plain;
mod subject;

use std::time::Duration;

use load::Report;
use subject::Subject;

struct Options {
    seconds: u64,
    connections: usize,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.first().is_some_and(|first| first == "plain-server") {
        return plain::serve(&arguments[1]);
    }
    let number = |name: &str, usual: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)).map_or(usual, |text| text.parse().expect("a number"))
    };
    let options = Options { seconds: number("--seconds", 10), connections: number("--connections", 64) as usize };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(&options));
}

async fn run(options: &Options) {
    println!(
        "{} connections, {} s each, 1,000 sources, 1 KiB payloads, HMAC, 6 fields, 100,000 keys; load, gateway and database share this machine\n",
        options.connections, options.seconds
    );
    println!(
        "{:<10} {:<24} {:>10} {:>9} {:>9} {:>12} {:>10}",
        "database", "subject", "requests/s", "p50 ms", "p99 ms", "CPU s/1,000", "peak MiB"
    );
    let mut databases = vec![("SQLite", None)];
    match std::env::var("TIDEGATE_TEST_POSTGRES_URL") {
        Ok(url) => databases.push(("PostgreSQL", Some(url))),
        Err(_) => eprintln!("TIDEGATE_TEST_POSTGRES_URL is not set: SQLite only"),
    }
    for (name, url) in databases {
        let plain = measure(name, "plain upsert a request", Subject::plain(url.as_deref()).await, options).await;
        let ours = measure(name, "Tidegate", Subject::tidegate(url.as_deref()).await, options).await;
        println!("{name:<10} {:<24} {:>10.2}\n", "ratio", ours.rate / plain.rate);
    }
}

async fn measure(database: &str, name: &str, subject: Subject, options: &Options) -> Report {
    // Once to fill caches and tables, then for the record.
    load::run(&subject.target, options.connections, Duration::from_secs(2)).await;
    let before = subject.cpu_seconds();
    let report = load::run(&subject.target, options.connections, Duration::from_secs(options.seconds)).await;
    let cpu = (subject.cpu_seconds() - before) / report.requests as f64 * 1_000.0;
    println!(
        "{database:<10} {name:<24} {:>10.0} {:>9.2} {:>9.2} {:>12.3} {:>10.0}",
        report.rate,
        report.percentile(50.0),
        report.percentile(99.0),
        cpu,
        subject.peak_mib()
    );
    assert_eq!(report.refused, 0, "every request is answered 2xx");
    subject.stop().await;
    report
}
