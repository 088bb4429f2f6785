//! Twice as much as can be done: what is accepted stays quick, the rest is told when to come again, and afterwards all is
//! as before.

use std::time::{Duration, Instant};

use tidegate::cli::bench::load::{Pace, Running, Tally};

use crate::{Fire, Options, all_accepted, mean, p99};

/// Before, to know what is normal, and after, to see that it is so again.
pub const AROUND: Duration = Duration::from_secs(10);
/// A request that finds no free connection for so long is none that the gateway was asked.
const PATIENCE: Duration = Duration::from_millis(50);
/// Latencies are looked at in windows of this length.
const WINDOW: Duration = Duration::from_millis(250);

pub async fn run(fire: &Fire, options: &Options) {
    let before = all_accepted(fire.honest(AROUND).run().await.unwrap());
    let normal = p99(&before.tally);
    let rest = fire.memory("VmRSS");

    let span = Duration::from_secs(options.shed_seconds);
    let pace = Pace::Open { per_second: fire.best * 2.0, give_up: Some(PATIENCE) };
    let overload = fire.load(options.shed_connections, pace, span).start();
    let samples = memory_of(fire, span).await;
    let again = back_to_normal(&fire.honest(AROUND).start(), 2.0 * normal).await;
    let report = overload.finish().await.unwrap();
    assert_shed(&report.tally);

    let (tally, seconds) = (&report.tally, report.took.as_secs_f64());
    let offered = tally.requests() + tally.unsent;
    let share = |count: u64| count as f64 * 100.0 / offered as f64;
    println!(
        "shed    {seconds:.0} s at {:.0} a second over {} connections: {:.1} % 202, {:.1} % 429, {:.1} % 503, {:.1} % not sent for want of a connection;",
        fire.best * 2.0,
        options.shed_connections,
        share(tally.count(202)),
        share(tally.count(429)),
        share(tally.count(503)),
        share(tally.unsent),
    );
    let part = samples.len().div_ceil(4).min(15);
    println!(
        "        accepted {:.0}/s (best {:.0}/s), p99 {:.1} ms (before {normal:.1} ms), refused p99 {:.1} ms; memory {rest:.0} MiB before, {:.0} MiB in the first {part} s, {:.0} MiB in the last; p99 within twice of before again {}",
        report.rate(),
        fire.best,
        p99(tally),
        tally.refused.percentile(99.0).as_secs_f64() * 1_000.0,
        mean(&samples[..part]),
        mean(&samples[samples.len() - part..]),
        again.map_or_else(
            || format!("not within {AROUND:?}"),
            |after| format!("{:.2} s after the end", after.as_secs_f64())
        ),
    );
}

/// Refused only for want of room, and told when to come again.
fn assert_shed(tally: &Tally) {
    let is_expected = |status: &u16| matches!(status, 202 | 429 | 503);
    assert!(tally.statuses.keys().all(is_expected), "202, 429 and 503 only: {:?}", tally.statuses);
    assert_eq!(tally.without_retry_after, 0, "every 429 and 503 says when: {:?}", tally.statuses);
    assert_eq!((tally.broken, tally.unanswered), (0, 0), "every request is answered: {:?}", tally.statuses);
}

/// Every second of the span.
async fn memory_of(fire: &Fire, span: Duration) -> Vec<f64> {
    let (begun, mut samples) = (Instant::now(), Vec::new());
    while begun.elapsed() < span {
        samples.push(fire.memory("VmRSS"));
        tokio::time::sleep((span.saturating_sub(begun.elapsed())).min(Duration::from_secs(1))).await;
    }
    samples
}

/// From when on all that came was accepted, and its p99 within the bound.
async fn back_to_normal(running: &Running, bound: f64) -> Option<Duration> {
    let begun = Instant::now();
    let mut windows = Vec::new();
    while !running.is_finished() {
        let from = begun.elapsed();
        tokio::time::sleep(WINDOW).await;
        windows.push((from, running.take()));
    }
    let (mut since, mut again) = (Tally::default(), None);
    for (from, tally) in windows.iter().rev() {
        since.add(tally);
        if since.refused.total() > 0 {
            break;
        }
        again = if p99(&since) <= bound { Some(*from) } else { again };
    }
    again
}
