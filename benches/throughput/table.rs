//! The figures, as a table.

use tidegate::cli::bench::load::Report;

use crate::subject::{Cpu, Kind, Subject};

#[derive(Clone, Copy)]
pub struct Measured {
    pub rate: f64,
    /// Milliseconds.
    p50: f64,
    p99: f64,
    /// Seconds per 1,000 requests.
    cpu: Cpu,
}

impl Measured {
    pub fn new(report: &Report, before: &Cpu, after: &Cpu) -> Self {
        let requests = report.tally.requests() as f64 / 1_000.0;
        let millis = |percent| report.tally.accepted.percentile(percent).as_secs_f64() * 1_000.0;
        Self { rate: report.rate(), p50: millis(50.0), p99: millis(99.0), cpu: after.since(before).per(requests) }
    }
}

pub fn head() {
    println!(
        "{:<18} {:<4} {:>10} {:>8} {:>8} {:>10} {:>12} {:>9} {:>9} {:>7} {:>7}",
        "connections, loop",
        "",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "server CPU",
        "database CPU",
        "load CPU",
        "peak MiB",
        "c/a",
        "c/b"
    );
}

pub fn print(how: &str, subjects: &[Subject], rounds: &[Vec<Measured>]) {
    let median_of = |place: usize, value: fn(&Measured) -> f64| median(rounds[place].iter().map(value).collect());
    let rate = |kind: Kind| {
        let place = subjects.iter().position(|subject| subject.kind == kind)?;
        Some(median_of(place, |measured| measured.rate))
    };
    let ratio = |other: Kind| match (rate(Kind::C), rate(other)) {
        (Some(ours), Some(theirs)) => format!("{:.2}", ours / theirs),
        _ => String::new(),
    };
    for (place, subject) in subjects.iter().enumerate() {
        let (to_a, to_b) = match subject.kind {
            Kind::C => (ratio(Kind::A), ratio(Kind::B)),
            Kind::A | Kind::B => Default::default(),
        };
        println!(
            "{:<18} {:<4} {:>10.0} {:>8.2} {:>8.2} {:>10.3} {:>12.3} {:>9.3} {:>9.0} {:>7} {:>7}",
            how,
            subject.kind.letter(),
            median_of(place, |measured| measured.rate),
            median_of(place, |measured| measured.p50),
            median_of(place, |measured| measured.p99),
            median_of(place, |measured| measured.cpu.server),
            median_of(place, |measured| measured.cpu.database),
            median_of(place, |measured| measured.cpu.load),
            subject.peak_mib(),
            to_a,
            to_b,
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
