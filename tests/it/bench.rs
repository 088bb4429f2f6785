//! `tidegate bench`, as an operator runs it against a gateway on the same machine.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::{App, Setup, text};
use crate::process::{Process, tidegate};

both!(
    what_is_reported_is_what_the_database_holds,
    a_rate_is_kept_to_the_request,
    a_run_that_cannot_be_leaves_no_open_door,
    a_gateway_that_goes_away_ends_the_run,
);

/// Longer than a run may take that is cut short.
const SOON: Duration = Duration::from_secs(40);

/// `tidegate bench --json` against a gateway: its exit code, and the one object it prints.
async fn bench(folder: PathBuf, url: String, key: String, more: &[&str]) -> (i32, Value) {
    let more: Vec<String> = more.iter().map(|word| (*word).to_owned()).collect();
    // On a thread of its own: the gateway may run in this process.
    let run = tokio::task::spawn_blocking(move || {
        let words: Vec<&str> = ["bench", "--json"].into_iter().chain(more.iter().map(String::as_str)).collect();
        tidegate(&folder, &words, &[("TIDEGATE_URL", &url), ("TIDEGATE_KEY", &key)])
    });
    let (code, stdout) = run.await.unwrap();
    assert_eq!(stdout.trim().lines().count(), 1, "one object and nothing else: {stdout}");
    (code, serde_json::from_str(&stdout).unwrap())
}

async fn against(app: &App, more: &[&str]) -> (i32, Value) {
    bench(app.setup.folder().to_owned(), app.url.clone(), app.key.clone(), more).await
}

async fn what_is_reported_is_what_the_database_holds(app: App) {
    let mut accepted = 0;
    for run in 1..=2 {
        let (code, told) = against(&app, &["--seconds", "1", "--connections", "8"]).await;
        assert_eq!(code, 0, "{told}");
        let requests = told["requests"].as_u64().unwrap();
        assert_eq!(told["statuses"], json!({ "202": requests }), "{told}");
        accepted += requests as usize;
        let database = app.database();
        assert_eq!(database.count("events").await, accepted, "{told}");
        assert_eq!(database.count("dedupe").await, accepted, "no event id came twice: {told}");
        assert_eq!(database.count("changes").await, accepted, "each event changed its record: {told}");
        let latency = &told["latencyMs"];
        let steps = ["p50", "p90", "p99", "max"].map(|name| latency[name].as_f64().unwrap());
        assert!(steps[0] > 0.0 && steps.is_sorted(), "{told}");
        let rate = requests as f64 / told["seconds"].as_f64().unwrap();
        assert!((told["acceptedPerSecond"].as_f64().unwrap() - rate).abs() < 1.0, "{told}");
        let batches = &told["batches"];
        let events = batches["count"].as_f64().unwrap() * batches["meanEvents"].as_f64().unwrap();
        assert!((events - requests as f64).abs() < 0.5 && batches["meanMs"].as_f64().unwrap() > 0.0, "{told}");

        let sources = app.see("/modules/tidegate-bench/sources").await;
        let sources = sources["data"].as_array().unwrap();
        assert_eq!(sources.len(), run, "each run has a source of its own: {sources:?}");
        assert!(sources.iter().all(|source| source["enabled"] == false), "closed behind it: {sources:?}");
        assert!(sources.iter().any(|source| text(&told["source"]).ends_with(text(&source["slug"]))), "{told}");
    }
}

async fn a_rate_is_kept_to_the_request(app: App) {
    let (code, told) = against(&app, &["--seconds", "1", "--connections", "4", "--rate", "40"]).await;
    assert_eq!((code, &told["requests"], &told["rate"]), (0, &json!(40), &json!(40)), "{told}");
    assert_eq!(app.database().count("events").await, 40);
}

async fn a_run_that_cannot_be_leaves_no_open_door(app: App) {
    for (words, expected, code) in [
        (&["--key", "tgk_wrong"][..], 1, "key_invalid"),
        (&["--webhooks", "https://127.0.0.1"][..], 2, "usage"),
        (&["--webhooks", "http://127.0.0.1:1"][..], 3, "unreachable"),
    ] {
        let (exit, told) = against(&app, words).await;
        assert_eq!((exit, &told["error"]["code"]), (expected, &json!(code)), "{told}");
    }
    let sources = app.see("/modules/tidegate-bench/sources").await;
    let is_closed = |source: &Value| source["enabled"] == false;
    assert!(sources["data"].as_array().unwrap().iter().all(is_closed), "{sources}");
}

async fn a_gateway_that_goes_away_ends_the_run(setup: Setup) {
    let process = Process::start(&setup).await;
    let (folder, url, key) = (setup.folder().to_owned(), process.admin.url.clone(), process.admin.key.clone());
    let run = tokio::spawn(async move { bench(folder, url, key, &["--seconds", "600"]).await });
    let begun = async { while setup.database().count("events").await == 0 {} };
    tokio::time::timeout(SOON, begun).await.expect("the run begins");
    process.kill();
    let (code, told) = tokio::time::timeout(SOON, run).await.expect("the run ends with the gateway").unwrap();
    assert_eq!((code, &told["error"]["code"]), (3, &json!("unreachable")), "{told}");
    assert!(text(&told["error"]["detail"]).starts_with("cannot connect to 127.0.0.1:"), "{told}");
}
