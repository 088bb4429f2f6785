//! Two minutes at the best rate: memory is to be small, and flat.

use std::time::Duration;

use tidegate::cli::bench::load::Pace;

use crate::{Fire, Options, all_accepted, mean, p99};

pub async fn run(fire: &Fire, options: &Options) {
    let running = fire.load(fire.connections, Pace::Closed, Duration::from_secs(options.memory_seconds)).start();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    let mut samples = Vec::new();
    while !running.is_finished() {
        seconds.tick().await;
        samples.push(fire.memory("VmRSS"));
    }
    let report = all_accepted(running.finish().await.unwrap());
    let part = samples.len().div_ceil(4).min(30);
    let (first, last) = (mean(&samples[..part]), mean(&samples[samples.len() - part..]));
    println!(
        "memory  {:.0} s at {:.0} requests/s over {} connections (p99 {:.1} ms): first {part} s {first:.1} MiB, last {part} s {last:.1} MiB (x{:.2}), peak {:.1} MiB",
        report.took.as_secs_f64(),
        report.rate(),
        fire.connections,
        p99(&report.tally),
        last / first,
        fire.memory("VmHWM"),
    );
}
