//! What `/metrics` shows. Labels are problem codes and outcomes: closed lists, never anything a sender wrote.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::clock::Timestamp;
use crate::store::due::Backlog;

const METADATA: Metadata<'static> = Metadata::new("tidegate", Level::INFO, None);
const LIMIT_REACHED: &str = "tidegate_limit_reached_total";
const SECONDS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
const EVENTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    request_seconds: Histogram,
    batch_events: Histogram,
    batch_seconds: Histogram,
    batch_retries: Counter,
    refusals_dropped: Counter,
    turned_away: Counter,
    queue: Gauge,
    queue_bytes: Gauge,
    bodies_bytes: Gauge,
    pub connections: Gauge,
    attempt_seconds: Histogram,
    due: Gauge,
    oldest_due: Gauge,
    feed_lag: Gauge,
}

/// What is held at the moment, in events and bytes.
pub struct Held {
    pub queue: usize,
    pub queue_bytes: usize,
    pub bodies_bytes: usize,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// A recorder of its own: several gateways may run in one process, as tests do.
    pub fn new() -> Self {
        let recorder = recorder();
        let describe =
            |name: &'static str, text: &'static str| recorder.describe_counter(name.into(), None, text.into());
        describe("tidegate_webhooks_total", "Inbound requests by what was answered: an outcome or a problem code");
        describe("tidegate_batch_retries_total", "Transactions run again because another writer was first");
        describe(
            "tidegate_refusals_dropped_total",
            "Refused requests beyond what is kept of one source, or while the lane was full",
        );
        describe("tidegate_wrong_keys_total", "Requests with an API key that is not valid, by what was answered");
        describe("tidegate_delivery_attempts_total", "Attempts to deliver by what came of them");
        describe(LIMIT_REACHED, "How often a bound was reached, by its name on the page /reference/limits");
        describe(
            "tidegate_connections_turned_away_total",
            "New connections answered 503, since every open one had a request under way",
        );
        let histogram = |name: &'static str, unit: Option<Unit>, text: &'static str| {
            recorder.describe_histogram(name.into(), unit, text.into());
            recorder.register_histogram(&Key::from_static_name(name), &METADATA)
        };
        let gauge = |name: &'static str, text: &'static str| {
            recorder.describe_gauge(name.into(), None, text.into());
            recorder.register_gauge(&Key::from_static_name(name), &METADATA)
        };
        let counter = |name: &'static str| recorder.register_counter(&Key::from_static_name(name), &METADATA);
        Self {
            handle: recorder.handle(),
            request_seconds: histogram(
                "tidegate_webhook_seconds",
                Some(Unit::Seconds),
                "From the head of a request to its answer",
            ),
            batch_events: histogram("tidegate_batch_events", None, "Events committed in one transaction"),
            batch_seconds: histogram(
                "tidegate_batch_seconds",
                Some(Unit::Seconds),
                "One transaction of a lane, retries included",
            ),
            batch_retries: counter("tidegate_batch_retries_total"),
            refusals_dropped: counter("tidegate_refusals_dropped_total"),
            turned_away: counter("tidegate_connections_turned_away_total"),
            queue: gauge("tidegate_write_queue_depth", "Events accepted into the queue and not yet answered"),
            queue_bytes: gauge("tidegate_write_queue_bytes", "Memory of the events in the queue, as it is bounded"),
            bodies_bytes: gauge("tidegate_bodies_bytes", "Bytes of bodies that are being received, judged or written"),
            connections: gauge("tidegate_connections", "Open HTTP connections"),
            attempt_seconds: histogram(
                "tidegate_delivery_attempt_seconds",
                Some(Unit::Seconds),
                "One attempt to deliver, from the look-up of the name to the end of the answer",
            ),
            due: gauge("tidegate_deliveries_due", "Deliveries that are neither delivered nor given up"),
            oldest_due: gauge(
                "tidegate_delivery_oldest_due_seconds",
                "For how long the oldest delivery could have been sent and was not",
            ),
            feed_lag: gauge("tidegate_feed_lag", "Changes of which no deliveries were made yet"),
            recorder,
        }
    }

    /// `answered` is an outcome or a problem's code.
    pub fn webhook(&self, answered: &'static str, took: Duration) {
        let key = Key::from_parts("tidegate_webhooks_total", vec![Label::from_static_parts("answered", answered)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        self.request_seconds.record(took.as_secs_f64());
    }

    /// `outcome` is `delivered`, `refused` or a class of errors.
    pub fn attempt(&self, outcome: &'static str, took: Duration) {
        let labels = vec![Label::from_static_parts("outcome", outcome)];
        let key = Key::from_parts("tidegate_delivery_attempts_total", labels);
        self.recorder.register_counter(&key, &METADATA).increment(1);
        self.attempt_seconds.record(took.as_secs_f64());
    }

    /// What is owed, as it was a moment ago.
    pub fn backlog(&self, backlog: &Backlog, now: Timestamp) {
        let set = |gauge: &Gauge, number: i64| gauge.set(u32::try_from(number.max(0)).unwrap_or(u32::MAX));
        set(&self.due, backlog.due);
        set(&self.feed_lag, backlog.lag);
        self.oldest_due.set(backlog.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64()));
    }

    pub fn refusal_dropped(&self) {
        self.refusals_dropped.increment(1);
    }

    /// A bound was met, by the name that it has in the settings.
    pub fn reached(&self, limit: &'static str) {
        let key = Key::from_parts(LIMIT_REACHED, vec![Label::from_static_parts("limit", limit)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// `answered` is a problem's code.
    pub fn wrong_key(&self, answered: &'static str) {
        let labels = vec![Label::from_static_parts("answered", answered)];
        let key = Key::from_parts("tidegate_wrong_keys_total", labels);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    pub fn turned_away(&self) {
        self.turned_away.increment(1);
    }

    /// Moves samples into their buckets, so that memory stays flat when nobody scrapes.
    pub fn upkeep(&self) {
        self.handle.run_upkeep();
    }

    /// The text of `/metrics`.
    pub fn render(&self, held: &Held) -> String {
        let set = |gauge: &Gauge, number: usize| gauge.set(u32::try_from(number).unwrap_or(u32::MAX));
        set(&self.queue, held.queue);
        set(&self.queue_bytes, held.queue_bytes);
        set(&self.bodies_bytes, held.bodies_bytes);
        self.handle.render()
    }
}

fn recorder() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new();
    // The lists are not empty, which is all that is checked.
    let builder = builder
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), &EVENTS))
        .unwrap_or_default();
    builder.build_recorder()
}

impl Metrics {
    /// A transaction of a lane.
    pub fn batch(&self, events: usize, took: Duration) {
        self.batch_events.record(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
        self.batch_seconds.record(took.as_secs_f64());
    }

    pub fn batch_retried(&self) {
        self.batch_retries.increment(1);
    }
}
