//! Bodies that are refused for what stands somewhere inside, and bodies of 10 MB: nothing of the first is kept, nothing
//! of the second is lost, and memory has an end.

use serde_json::{Value, json};

use super::{NAMED, NAUGHTY};
use crate::app::{App, Setup, text};
use crate::client::Sender;
use crate::process::Process;

both!(what_no_database_can_keep_is_refused_by_name, ten_megabytes_are_kept_and_memory_has_an_end);

const MEGABYTE: usize = 1_000_000;

/// A body with `value` in a node, and with it as a key.
fn around(value: &[u8]) -> [Vec<u8>; 2] {
    let before = br#"{"nodes":[{"number":1},{"number":2,"document":"#.as_slice();
    [[before, value, b"}]}"].concat(), [before, b"{\"a\":{", value, b":1}}}]}"].concat()]
}

async fn what_no_database_can_keep_is_refused_by_name(app: App) {
    let sender = app.senders(NAUGHTY, json!({})).await.swap_remove(0);
    let bytes: [(&[u8], &str); 12] = [
        (br#""\ud800""#, "lone_surrogate"),
        (br#""\udc00""#, "lone_surrogate"),
        (br#""a\ud83d b""#, "lone_surrogate"),
        (br#""\ude00\ud83d""#, "lone_surrogate"),
        (b"\"\xc0\x80\"", "invalid_utf8"),
        (b"\"\xc0\xaf\"", "invalid_utf8"),
        (b"\"\xe0\x80\xaf\"", "invalid_utf8"),
        (b"\"\xed\xa0\x80\"", "invalid_utf8"),
        (b"\"\xf4\x90\x80\x80\"", "invalid_utf8"),
        (b"\"\xff\xfe\"", "invalid_utf8"),
        (b"\"\x00\"", "invalid_json"),
        (b"\"\x1f\"", "invalid_json"),
    ];
    for (bytes, code) in bytes {
        for body in around(bytes) {
            let answer = sender.send(sender.json(body)).await;
            assert_eq!(answer.status, 400, "{}: {}", String::from_utf8_lossy(bytes), answer.text());
            answer.problem(400, code);
        }
    }
    zero_is_refused(&app, &sender).await;
    size_is_refused(&sender).await;
    for table in ["m_naughty", "changes", "dedupe"] {
        assert_eq!(app.database().count(table).await, 0, "{table}");
    }
}

/// U+0000 is JSON, and the rule that meets it says so.
async fn zero_is_refused(app: &App, sender: &Sender) {
    for zero in [r#""\u0000""#, r#""a\u0000b""#, r#"[["\u0000"]]"#, r#"{"a\u0000":1}"#] {
        let body = format!(r#"{{"nodes":[{{"number":1}},{{"number":2,"document":{zero}}}]}}"#);
        let problem = sender.post(body).await.problem(422, "judgement_failed");
        let errors = problem["errors"].as_array().unwrap();
        // One for the field, one for the place in custom_data.
        assert_eq!(errors.len(), 2, "{problem}");
        for error in errors {
            assert_eq!((&error["code"], &error["index"]), (&json!("nul_in_value"), &json!(1)), "{problem}");
        }
    }
    let named = app.senders(NAMED, json!({})).await.swap_remove(0);
    let too_long = "é".repeat(257);
    for (name, code) in [("a\0", "nul_in_value"), ("", "match_value"), (too_long.as_str(), "match_value")] {
        let problem = named.post(json!([{ "name": "fine" }, { "name": name }])).await.problem(422, "judgement_failed");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    assert_eq!(app.database().count("m_named").await, 0, "all records of an event or none");
}

async fn size_is_refused(sender: &Sender) {
    for (value, code) in [
        ("9".repeat(10_000), "number_too_long"),
        (format!("0.{}", "0".repeat(10_000)), "number_too_long"),
        (format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "too_deep"),
        ("[".repeat(1_000_000), "too_deep"),
        (format!("{}1{}", r#"{"a":"#.repeat(100_000), "}".repeat(100_000)), "too_deep"),
    ] {
        sender.post(format!(r#"{{"nodes":[{{"number":1,"document":{value}}}]}}"#)).await.problem(400, code);
    }
}

/// The real binary, because only its memory is its own. The peak is that of a few bodies on their way, however many come.
async fn ten_megabytes_are_kept_and_memory_has_an_end(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.senders(NAUGHTY, json!({})).await.swap_remove(0);
    let long = format!("{}é😀\u{202e}\"\\ ", "0123456789 ".repeat(90)).repeat(10 * MEGABYTE / 1_000);
    assert!(long.len() >= 10 * MEGABYTE);

    let quoted = json!(long).to_string();
    let as_value = |number: u64| format!(r#"{{"nodes":[{{"number":{number},"words":{quoted}}}]}}"#);
    let kept = sender.post(as_value(1)).await.accepted("created");
    let record = process.admin.record("naughty", &kept).await;
    assert!(record["fields"]["words"] == *long, "as a value, through the API");
    let stored = setup.database().text("SELECT words FROM m_naughty").await;
    assert!(stored.as_deref() == Some(&long), "as a value, by SQL");
    sender.post(as_value(1)).await.accepted("unchanged");

    let as_key = json!({ "nodes": [{ "number": 2, "document": { (long.as_str()): 1 } }] });
    let kept = sender.post(as_key).await.accepted("created");
    let record = process.admin.record("naughty", &kept).await;
    assert!(record["fields"]["document"][&long] == 1, "as a key");

    let named = process.admin.senders(NAMED, json!({})).await.swap_remove(0);
    let problem = named.post(json!([{ "name": long }])).await.problem(422, "judgement_failed");
    assert_eq!(text(&problem["errors"][0]["code"]), "match_value");
    assert!(problem.to_string().len() < 2_000, "an answer does not repeat what was sent");
    grows_no_more(&process, &sender, &as_value).await;
}

async fn grows_no_more(process: &Process, sender: &Sender, body: &impl Fn(u64) -> String) {
    let send = async |numbers: std::ops::Range<u64>| {
        for number in numbers {
            let answer: Value = sender.post(body(number)).await.accepted("created");
            assert!(answer["recordId"].is_string());
        }
    };
    send(10..12).await;
    let before = process.peak_memory();
    send(12..16).await;
    let after = process.peak_memory();
    let megabytes = |bytes: usize| bytes / MEGABYTE;
    assert!(after < before + 60 * MEGABYTE, "from {} MB to {} MB", megabytes(before), megabytes(after));
    assert!(after < 700 * MEGABYTE, "{} MB for bodies of 10 MB, one at a time", megabytes(after));
}
