//! Bodies without end, many at once: what they cost the real program.

use serde_json::json;

use super::beast::Beast;
use super::kinds::{Ends, large};
use super::{ORDERS, WEBHOOKS};
use crate::app::Setup;
use crate::process::Process;

both!(answers_without_end_take_little_memory);

/// To each beast.
const DELIVERIES: usize = 30;
/// Beyond what the gateway has before. An attempt keeps 64 KiB and as much is on its way, and 256 may wait to be written.
const MOST: usize = 96 * 1024 * 1024;

async fn answers_without_end_take_little_memory(setup: Setup) {
    let process = Process::start_with(&setup, &["--allow-target", "127.0.0.0/8"]).await;
    let sender = process.admin.sender(ORDERS).await;
    let mut beasts = Vec::new();
    for kind in large() {
        let beast = Beast::new(kind.way).await;
        let url = format!("http://{}/", beast.address);
        let body = json!({ "url": url, "events": ["record_created"], "retries": [], "timeout": 2, "concurrency": 16 });
        assert_eq!(process.admin.post(WEBHOOKS, body).await.status, 201);
        beasts.push((kind.ends, beast));
    }
    let before = process.memory();
    for number in 0..DELIVERIES {
        let body = json!({ "type": "stock", "code": number.to_string() });
        sender.post(body).await.accepted("created");
    }
    let mut answers = 0;
    for (ends, beast) in &beasts {
        // Those that fail are soon left alone for longer and longer.
        let count = if matches!(ends, Ends::Delivered(..)) { DELIVERIES } else { 4 };
        beast.wait_for_ended(count).await;
        answers += beast.connections();
    }
    let more = process.peak_memory().saturating_sub(before);
    assert!(more < MOST, "{answers} answers without end took {} KiB", more / 1024);
    tell(&format!("{answers} answers without end: {} KiB more than the {} KiB before", more / 1024, before / 1024));
}

#[expect(clippy::print_stdout, reason = "the figure is worth seeing")]
fn tell(line: &str) {
    println!("{line}");
}
