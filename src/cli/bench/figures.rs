//! What a run is told as.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde::Serialize;

use super::BenchArgs;
use super::door::Door;
use super::load::Report;
use crate::cli::client::Client;

/// A run's figures; the object of `--json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    source: String,
    connections: usize,
    /// What was asked for: requests a second, if a rate was.
    rate: Option<u32>,
    /// From the first request to the last answer.
    seconds: f64,
    requests: u64,
    accepted_per_second: f64,
    /// Of accepted requests. With a rate they count from the moment a request was meant to leave.
    latency_ms: Latency,
    statuses: BTreeMap<u16, u64>,
    /// Connections that broke off with a request under way.
    broken: u64,
    /// Requests without an answer when the run ended.
    unanswered: u64,
    /// By the gateway's own metrics, where they can be read; of all that it did meanwhile.
    batches: Option<Batches>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    max: f64,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Batches {
    count: u64,
    mean_events: f64,
    mean_ms: f64,
}

/// Sums and counts of the gateway's histograms.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchTotals {
    count: f64,
    events: f64,
    seconds: f64,
}

impl Figures {
    pub fn new(args: &BenchArgs, door: &Door, report: &Report, batches: Option<Batches>) -> Self {
        let tally = &report.tally;
        let percentile = |percent| millis(tally.accepted.percentile(percent));
        Self {
            source: door.name(),
            connections: args.connections,
            rate: args.rate,
            seconds: report.took.as_secs_f64(),
            requests: tally.requests(),
            accepted_per_second: report.rate(),
            latency_ms: Latency {
                p50: percentile(50.0),
                p90: percentile(90.0),
                p99: percentile(99.0),
                max: millis(tally.accepted.most()),
            },
            statuses: tally.statuses.clone(),
            broken: tally.broken,
            unanswered: tally.unanswered,
            batches,
        }
    }

    /// It took something, and sent the rest away only to come again.
    pub fn is_good(&self) -> bool {
        let is_expected = |status: &u16| matches!(status, 202 | 429 | 503);
        self.statuses.contains_key(&202) && self.statuses.keys().all(is_expected) && self.broken + self.unanswered == 0
    }

    pub fn table(&self) -> String {
        let Latency { p50, p90, p99, max } = &self.latency_ms;
        let mut text = format!(
            "accepted   {:.0} requests/s over {} connections\n\
             latency    p50 {p50:.1} ms, p90 {p90:.1} ms, p99 {p99:.1} ms, at most {max:.1} ms\n",
            self.accepted_per_second, self.connections,
        );
        let statuses = self.statuses.iter().map(|(status, count)| format!("{count} × {status}"));
        // Writing into a String cannot fail.
        let _ = writeln!(text, "answers    {}", statuses.collect::<Vec<_>>().join(", "));
        if self.broken + self.unanswered > 0 {
            let _ = writeln!(text, "no answer  {} broke off, {} at the end", self.broken, self.unanswered);
        }
        if let Some(Batches { count, mean_events, mean_ms }) = &self.batches {
            let _ = writeln!(text, "batches    {count}, of {mean_events:.1} events and {mean_ms:.1} ms on average");
        }
        text.trim_end().to_owned()
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

impl BatchTotals {
    /// None where `/metrics` does not answer, or is another's.
    pub async fn read(client: &Client) -> Option<Self> {
        let answer = client.get("/metrics").await.ok()?;
        Some(Self::of(&String::from_utf8_lossy(&answer.body))).filter(|_| answer.is_success())
    }

    /// What a gateway that has committed nothing yet does not show is zero.
    fn of(text: &str) -> Self {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.trim().parse().ok()).unwrap_or(0.0)
        };
        Self {
            count: value("tidegate_batch_events_count"),
            events: value("tidegate_batch_events_sum"),
            seconds: value("tidegate_batch_seconds_sum"),
        }
    }

    /// None when there was no batch in between, or the gateway is not the same one.
    pub fn since(&self, before: &Self) -> Option<Batches> {
        let count = self.count - before.count;
        (count >= 1.0).then(|| Batches {
            count: count as u64,
            mean_events: (self.events - before.events) / count,
            mean_ms: (self.seconds - before.seconds) / count * 1_000.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_what_came_between_two_readings() {
        let text = "# TYPE tidegate_batch_events histogram\ntidegate_batch_events_bucket{le=\"1\"} 2\n\
            tidegate_batch_events_sum 100\ntidegate_batch_events_count 4\n\
            tidegate_batch_seconds_sum 0.5\ntidegate_batch_seconds_count 4\n";
        let (before, after) = (BatchTotals::of(""), BatchTotals::of(text));
        let batches = Batches { count: 4, mean_events: 25.0, mean_ms: 125.0 };
        assert_eq!(after.since(&before), Some(batches));
        assert_eq!(after.since(&after), None);
        assert_eq!(before.since(&after), None, "a gateway that was started anew counts from zero");
    }
}
