//! Texts and numbers that have broken other software: as values, as keys, as what a record is found by, in the URL, as
//! ids of events. Each is kept exactly, through the API and by SQL on both databases, or refused by name. No sender may
//! make the gateway keep something else than what was sent.

mod bodies;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;
use unicode_normalization::UnicodeNormalization;

use crate::app::{App, text};
use crate::changes::assert_log_is_truth;
use crate::client::Sender;

both!(
    every_text_is_kept_as_value_and_key,
    every_text_finds_its_record_again,
    every_text_is_a_key_that_a_path_finds,
    every_text_comes_through_the_url,
    every_text_is_an_event_id_and_a_type,
    numbers_are_kept_by_their_digits,
    a_number_becomes_a_text_as_it_was_sent,
);

const NAUGHTY: &str = include_str!("../data/modules/naughty.toml");
const NAMED: &str = include_str!("../data/modules/named.toml");
/// Nodes of one event, at most.
const NODES: usize = 1_000;

/// Those of the file, and every control character there is, alone and inside.
pub fn texts() -> Vec<String> {
    let groups: BTreeMap<String, Vec<String>> = serde_json::from_str(include_str!("../data/naughty.json")).unwrap();
    let controls = ('\u{1}'..='\u{1f}').chain('\u{7f}'..='\u{9f}');
    let controls = controls.flat_map(|char| [format!("{char}"), format!("a{char}b")]);
    let all: BTreeSet<_> = groups.into_values().flatten().chain(controls).collect();
    assert!(all.len() > 600, "{} texts", all.len());
    all.into_iter().collect()
}

/// All of it as escapes, so that a failure shows what it is about.
fn shown(text: &str) -> String {
    text.chars().take(40).map(|char| char.escape_unicode().to_string()).collect()
}

/// The records of a module by a field that is a number.
async fn by_number(app: &App, module: &str) -> BTreeMap<u64, Value> {
    let records = app.list(&format!("/modules/{module}/records"), 100).await;
    records.into_iter().map(|record| (record["fields"]["number"].as_u64().unwrap(), record)).collect()
}

async fn every_text_is_kept_as_value_and_key(app: App) {
    let sender = app.senders(NAUGHTY, json!({})).await.swap_remove(0);
    let texts = texts();
    let document = |text: &String| json!({ "value": text, "keys": [{ (text): { (text): [text] } }] });
    let nodes = texts
        .iter()
        .enumerate()
        .map(|(number, text)| json!({ "number": number, "words": text, "document": document(text) }));
    let nodes: Vec<_> = nodes.collect();
    for nodes in nodes.chunks(NODES) {
        sender.post(json!({ "nodes": nodes })).await.accepted("created");
    }
    let records = by_number(&app, "naughty").await;
    assert_eq!(records.len(), texts.len());
    for (number, wanted) in texts.iter().enumerate() {
        let (record, shown) = (&records[&(number as u64)], shown(wanted));
        assert_eq!(record["fields"]["words"], **wanted, "{shown}: as a value");
        assert_eq!(record["fields"]["document"], document(wanted), "{shown}: as a key");
        assert_eq!(record["customData"], json!({ "of": { "the": { "sender": document(wanted) } } }), "{shown}");
    }
    let sql = "SELECT CAST(number AS text), words, CAST(document AS text), CAST(custom_data AS text) FROM m_naughty";
    for row in app.database().rows(sql).await {
        let [number, words, stored, custom] = <[_; 4]>::try_from(row).unwrap().map(Option::unwrap);
        let wanted = &texts[number.parse::<usize>().unwrap()];
        assert_eq!(&words, wanted, "{}: by SQL", shown(wanted));
        for stored in [stored, custom] {
            let stored: Value = serde_json::from_str(&stored).unwrap();
            let stored = stored.pointer("/of/the/sender").unwrap_or(&stored);
            assert_eq!(stored, &document(wanted), "{}: by SQL", shown(wanted));
        }
    }
    assert_log_is_truth(&app.admin, app.database(), "naughty").await;
}

/// Texts that differ in their normal form only are one record; all others are records of their own.
async fn every_text_finds_its_record_again(app: App) {
    let sender = app.senders(NAMED, json!({})).await.swap_remove(0);
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut nodes = Vec::new();
    for text in texts() {
        let fresh = numbers.len();
        let number = *numbers.entry(text.nfc().collect()).or_insert(fresh);
        nodes.push(json!({ "name": text, "number": number }));
    }
    assert!(numbers.len() + 15 < nodes.len(), "there are pairs among them");
    for (round, outcome) in ["created", "unchanged"].into_iter().enumerate() {
        for nodes in nodes.chunks(NODES) {
            sender.post(json!(nodes)).await.accepted(outcome);
        }
        assert_eq!(app.database().count("m_named").await, numbers.len(), "round {round}");
    }
    let stored = app.database().rows("SELECT name, CAST(number AS text) FROM m_named").await;
    let stored = stored.into_iter().map(|row| (row[0].clone().unwrap(), row[1].as_ref().unwrap().parse().unwrap()));
    assert_eq!(stored.collect::<BTreeMap<String, usize>>(), numbers);
    let shown = by_number(&app, "named").await;
    for (name, number) in &numbers {
        assert_eq!(shown[&(*number as u64)]["fields"]["name"], **name);
    }
}

/// Each text is a key of the document, and a rule that names this key finds what stands there.
async fn every_text_is_a_key_that_a_path_finds(app: App) {
    let texts = texts();
    for (chunk, texts) in texts.chunks(300).enumerate() {
        let module = format!("keys-{chunk}");
        let mut file = format!(
            "[module]\nslug = \"{module}\"\nmatch = [\"code\"]\n[module.fields]\ncode = \"text\"\n[[source]]\nslug = \"s\"\n[[source.rule]]\nfrom = \"const:x\"\nto = \"code\"\n"
        );
        for (place, text) in texts.iter().enumerate().filter(|(_, text)| text.len() <= 100) {
            let path = toml::Value::from(format!("$.inner[{}]", quoted(text)));
            write!(file, "[[source.rule]]\nfrom = {path}\nto = \"custom_data.k{place}\"\n").unwrap();
        }
        let sender = app.sender(&file).await;
        let inner: Map<_, _> = texts.iter().enumerate().map(|(place, text)| (text.clone(), json!(place))).collect();
        let answer = sender.post(json!({ "inner": inner })).await.accepted("created");
        let record = app.record(&module, &answer).await;
        for (place, text) in texts.iter().enumerate().filter(|(_, text)| text.len() <= 100) {
            assert_eq!(record["customData"][format!("k{place}")], place, "{} as {}", shown(text), quoted(text));
        }
    }
}

/// A name of RFC 9535 in single quotes.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for char in text.chars() {
        match char {
            '\'' | '\\' => quoted.extend(['\\', char]),
            '\0'..' ' => write!(quoted, "\\u{:04x}", u32::from(char)).unwrap(),
            char => quoted.push(char),
        }
    }
    quoted + "'"
}

/// Many at a time, as one parameter that is repeated: its values are an array in their order.
async fn every_text_comes_through_the_url(app: App) {
    let sender = app.senders(NAUGHTY, json!({})).await.swap_remove(1);
    let texts = texts();
    let mut rest = &texts[..];
    let mut number = 0;
    while !rest.is_empty() {
        let mut path = format!("{}?number={number}", sender.path());
        let mut taken = 0;
        while taken < rest.len() && path.len() + 3 * rest[taken].len() < 8_000 {
            path.push_str("&words=");
            rest[taken].bytes().for_each(|byte| write!(path, "%{byte:02X}").unwrap());
            taken += 1;
        }
        let request = sender.request(http::Method::POST, &path).header("content-type", "application/json").body("{}");
        let answer = sender.send(request).await.accepted("created");
        let record = app.record("naughty", &answer).await;
        assert_eq!(record["fields"]["document"], json!(rest[..taken]), "parameters {number}");
        rest = &rest[taken..];
        number += 1;
    }
}

/// The same id twice is one event, and no other id is taken for it; types stand in the event log as they came.
async fn every_text_is_an_event_id_and_a_type(app: App) {
    let sender = app.senders(NAMED, json!({})).await.swap_remove(1);
    for (number, id) in texts().iter().enumerate().filter(|(number, _)| number % 4 == 0) {
        let event = json!({ "id": id, "type": id, "number": number });
        if id.len() > 200 {
            let problem = sender.post(&event).await.problem(422, "judgement_failed");
            assert_eq!(problem["errors"][0]["code"], "event_type", "{}", shown(id));
            continue;
        }
        let first = sender.post(&event).await;
        assert_eq!(first.status, 202, "{}: {}", shown(id), first.text());
        let outcome = first.json()["outcome"].clone();
        assert!(outcome == "created" || outcome == "updated", "{}: {outcome}", shown(id));
        let first = first.json();
        assert_eq!(app.event(&first).await["eventType"], **id, "{}", shown(id));
        // What is nothing but white space is no id.
        let again = if id.trim().is_empty() { "unchanged" } else { "duplicate" };
        let second = sender.post(&event).await.accepted(again);
        assert_eq!(second.get("duplicateOf"), (again == "duplicate").then_some(&first["eventId"]), "{}", shown(id));
    }
}

/// One number, wherever it may go: json and custom_data keep it, the others its value, or refuse it.
async fn numbers_are_kept_by_their_digits(app: App) {
    let sender = app.sender(include_str!("../data/modules/everything.toml")).await;
    let thousand = "7".repeat(1_000);
    let hundred = format!("-{}.{}", "1".repeat(60), "2".repeat(40));
    let numbers = [
        ("-0", Ok("0"), Ok("0")),
        ("-0.00", Ok("0.00"), Ok("0")),
        ("1E+2", Ok("100"), Ok("100")),
        ("1e-2", Ok("0.01"), Err("not_integral")),
        ("100e-2", Ok("1.00"), Ok("1")),
        ("1e400", Err("out_of_range"), Err("out_of_range")),
        ("-1e400", Err("out_of_range"), Err("out_of_range")),
        ("1e-400", Err("out_of_range"), Err("out_of_range")),
        ("0e400", Ok("0"), Ok("0")),
        ("1e99999999999999999999", Err("out_of_range"), Err("out_of_range")),
        ("9223372036854775808", Ok("9223372036854775808"), Err("out_of_range")),
        ("9007199254740993", Ok("9007199254740993"), Ok("9007199254740993")),
        ("0.1000000000000000055511151231257827", Ok("0.1000000000000000055511151231257827"), Err("not_integral")),
        (hundred.as_str(), Ok(hundred.as_str()), Err("not_integral")),
        (thousand.as_str(), Err("out_of_range"), Err("out_of_range")),
    ];
    for (place, (number, decimal, integer)) in numbers.into_iter().enumerate() {
        let as_they_are = format!(r#"{{"code":"{place}","document":[{number}],"custom":{{"n":{number}}}}}"#);
        let answer = sender.post(as_they_are).await;
        assert_eq!(answer.status, 202, "{number}: {}", answer.text());
        let record = app.record("everything", &answer.json()).await;
        let sent: Value = serde_json::from_str(number).unwrap();
        assert_eq!(record["fields"]["document"], json!([sent]), "{number}");
        assert_eq!(record["customData"]["from"]["sender"], json!({ "n": sent }), "{number}");
        for (quote, quoted) in [("", "number"), ("\"", "text")] {
            for (field, wanted) in [("amount", decimal), ("count", integer)] {
                let code = format!("{place} {quoted} {field}");
                let event = format!(r#"{{"code":"{code}","{field}":{quote}{number}{quote}}}"#);
                takes(&app, &sender, (&event, &code), field, wanted).await;
            }
        }
    }
}

/// The field has this value, in the database, too; or the event is refused with this code.
async fn takes(app: &App, sender: &Sender, (event, code): (&str, &str), field: &str, wanted: Result<&str, &str>) {
    let answer = sender.post(event).await;
    match wanted {
        Ok(value) => {
            assert_eq!(answer.status, 202, "{event}: {}", answer.text());
            let shown = &app.record("everything", &answer.json()).await["fields"][field];
            assert_eq!(shown.as_str().map_or_else(|| shown.to_string(), str::to_owned), value, "{event}");
            let sql = format!("SELECT CAST({field} AS text) FROM m_everything WHERE code = '{code}'");
            assert_eq!(app.database().text(AssertSqlSafe(sql)).await.as_deref(), Some(value), "{event}: by SQL");
        }
        Err(code) => {
            let problem = answer.problem(422, "judgement_failed");
            assert_eq!(text(&problem["errors"][0]["code"]), code, "{event}");
        }
    }
}

/// By its digits; the exponent is written one way, as serde_json keeps it.
async fn a_number_becomes_a_text_as_it_was_sent(app: App) {
    let sender = app.sender(include_str!("../data/modules/everything.toml")).await;
    for (number, kept) in [
        ("-0", "-0"),
        ("1.50", "1.50"),
        ("12e5", "12e+5"),
        ("1E+2", "1e+2"),
        ("1E-7", "1e-7"),
        ("0e0", "0e+0"),
        ("1e400", "1e+400"),
    ] {
        let answer = sender.post(format!(r#"{{"code":"x","words":{number}}}"#)).await;
        assert_eq!(answer.status, 202, "{number}: {}", answer.text());
        assert_eq!(app.record("everything", &answer.json()).await["fields"]["words"], kept);
    }
}
