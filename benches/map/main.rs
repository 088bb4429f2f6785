//! What an event costs from its bytes to what a record is given, and what a path alone costs, beside `serde_json`
//! parsing the same bytes, a walk by hand, and the crate that parses the paths: same machine, same run.
//!
//!     cargo bench --bench map [-- FILTER]
//!
//! Times are those of one machine in one run, and noisy. What counts is the ratios to the first of each group; they are
//! printed at the end, from a measurement that takes turns, so that what else the machine does hits all alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

mod payload;
mod source;
mod subject;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use subject::Subject;

/// How often each subject of a group has its turn, and how long.
const ROUNDS: usize = 21;
const TURN: Duration = Duration::from_millis(10);

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(subject::all);

fn main() {
    for (lines, size) in [(1, 1_024), (100, 50 * 1_024)] {
        let bytes = payload::event(lines).len();
        assert!(bytes.abs_diff(size) * 20 <= size, "the payload of {size} bytes has {bytes}");
    }
    divan::main();
    if std::env::args().skip(1).all(|argument| argument == "--bench") {
        print_ratios();
    }
}

#[divan::bench(args = SUBJECTS.iter())]
fn cost(bencher: divan::Bencher, subject: &Subject) {
    bencher.bench(|| (subject.run)());
}

fn print_ratios() {
    println!("\n{:40} {:>12} {:>8}", "medians of taking turns", "ns", "ratio");
    for group in SUBJECTS.chunk_by(|one, next| one.group == next.group) {
        println!("{}", group[0].group);
        let medians = medians(group);
        for (subject, median) in group.iter().zip(&medians) {
            println!("    {:36} {median:>12.0} {:>8.2}", subject.name, median / medians[0]);
        }
    }
}

/// In nanoseconds a run.
fn medians(subjects: &[Subject]) -> Vec<f64> {
    let mut turns = vec![Vec::new(); subjects.len()];
    for _ in 0..ROUNDS {
        for (turns, subject) in turns.iter_mut().zip(subjects) {
            turns.push(turn(&subject.run));
        }
    }
    let median = |mut turns: Vec<f64>| {
        turns.sort_unstable_by(f64::total_cmp);
        turns[turns.len() / 2]
    };
    turns.into_iter().map(median).collect()
}

fn turn(run: &dyn Fn()) -> f64 {
    let (mut runs, start) = (0_u32, Instant::now());
    while start.elapsed() < TURN {
        (0..16).for_each(|_| run());
        runs += 16;
    }
    start.elapsed().as_nanos() as f64 / f64::from(runs)
}
