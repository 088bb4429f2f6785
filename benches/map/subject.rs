//! What is measured, in groups; the first of a group is what the others are measured against.

use divan::black_box;
use http::HeaderMap;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;
use tidegate::condition::path::Path;
use tidegate::id::EventId;
use tidegate::intake::{Format, Request, Verdict, judge};
use tidegate::map::json;
use tidegate::source::Source;

use crate::payload;
use crate::source::{FILTERS, OF_NODE, SINGULAR, now, source};

const WHEN: &str = "when = \"@.type == 'invoice.paid' && @.data.object.amount_due > 1e3\"";
const EACH: &str = "each = \"$.data.object.lines.data[*]\"";

pub struct Subject {
    pub group: &'static str,
    pub name: &'static str,
    pub run: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.group, self.name)
    }
}

pub fn all() -> Vec<Subject> {
    let mut all = events("an event of 1 KiB", 1);
    all.extend(events("an event of 50 KiB", 100));
    let document = document(1);
    let by_hand = move || black_box(&document).get("data")?.get("object")?.get("customer").map(Value::is_string);
    all.push(subject("$.data.object.customer", "by hand", by_hand));
    all.extend(path("$.data.object.customer", "$.data.object.customer", 1));
    all.extend(path("$.items[?@.quantity == 5] of 100", "$.data.object.lines.data[?@.quantity == 5]", 100));
    all.extend(path("$..quantity in 1 KiB", "$..quantity", 1));
    all.extend(path("$..quantity in 50 KiB", "$..quantity", 100));
    all
}

fn subject<T>(group: &'static str, name: &'static str, run: impl Fn() -> T + Send + Sync + 'static) -> Subject {
    Subject { group, name, run: Box::new(move || drop(black_box(run()))) }
}

/// From the bytes to what a record is given.
fn events(group: &'static str, lines: usize) -> Vec<Subject> {
    let bytes = payload::event(lines);
    let (for_serde, for_scan) = (bytes.clone(), bytes.clone());
    let judged = |name, source| judged(group, name, source, bytes.clone());
    let descendant = [&SINGULAR[..7], &["$..quantity"]].concat();
    vec![
        subject(group, "serde_json parse alone", move || serde_json::from_slice::<Value>(black_box(&for_serde))),
        subject(group, "strict parse alone", move || json::parse(black_box(&for_scan))),
        judged("8 singular rules", source("", &SINGULAR, "")),
        judged("the same, 8 conditions", source(WHEN, &SINGULAR, WHEN)),
        judged("7 of 8 with a filter", source("", &FILTERS, "")),
        judged("1 of 8 with a descendant", source("", &descendant, "")),
        judged("each line, 8 singular rules", source(EACH, &OF_NODE, "")),
    ]
}

fn judged(group: &'static str, name: &'static str, source: Source, body: Vec<u8>) -> Subject {
    let headers = HeaderMap::new();
    let run = move || {
        let (received_at, event) = (now(), EventId::floor(now()));
        let (format, headers, body) = (Format::Json, &headers, black_box(&body));
        judge(&source, Request { format, headers, query: None, body, received_at, event, once: None })
    };
    let judged = run();
    assert!(matches!(judged.verdict, Verdict::Accepted(_)), "{name}: {judged:?}");
    subject(group, name, run)
}

/// One path over an event of so many lines; the crate's was parsed before, too.
fn path(group: &'static str, text: &str, lines: usize) -> [Subject; 2] {
    let (ours, theirs) = (document(lines), document(lines));
    let (path, parsed) = (Path::compile(text).unwrap(), parse_json_path(text).unwrap());
    [
        subject(group, "jsonpath-rust", move || js_path_process(&parsed, black_box(&theirs)).map(|found| found.len())),
        subject(group, "ours", move || path.find(black_box(&ours)).is_ok()),
    ]
}

fn document(lines: usize) -> Value {
    serde_json::from_slice(&payload::event(lines)).unwrap()
}
