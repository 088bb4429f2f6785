//! What is JSON and what is not: RFC 8259, as strictly as DESIGN 3 has it. Every case meets the parser alone, and comes
//! through the door; what is accepted reads back as the same document.

use serde_json::{Value, json};
use tidegate::map::json::parse;

use crate::app::{App, Setup, text};
use crate::client::Sender;
use crate::database::Engine;

const OWN: &str = include_str!("../data/json/cases.json");
const SUITE: &str = include_str!("../data/json/json-test-suite.json");
const DOCUMENTS: &str = include_str!("../data/modules/documents.toml");

struct Case {
    name: String,
    body: Vec<u8>,
    /// How it is refused.
    code: Option<String>,
    /// What it says, when it is accepted.
    value: Value,
}

fn own() -> Vec<Case> {
    let table: Vec<Value> = serde_json::from_str(OWN).expect("cases.json is JSON");
    table.iter().map(|row| Case::of(format!("{}: {}", text(&row["group"]), text(&row["name"])), row)).collect()
}

fn suite() -> Vec<Case> {
    let table: Value = serde_json::from_str(SUITE).expect("json-test-suite.json is JSON");
    let rows = table["cases"].as_array().unwrap().iter();
    rows.map(|row| Case::of(text(&row["name"]).to_owned(), row)).collect()
}

impl Case {
    fn of(name: String, row: &Value) -> Self {
        let body = body(row);
        let code = row.get("code").map(|code| text(code).to_owned());
        let value = match row.get("is") {
            Some(value) => value.clone(),
            None if code.is_some() => Value::Null,
            // Long ones, and those that come from elsewhere.
            None => serde_json::from_slice(&body).unwrap_or_else(|error| panic!("{name}: {error}")),
        };
        Self { name, body, code, value }
    }
}

/// The text or the bytes, then `[open, times, middle, close]` written out, then the end.
fn body(row: &Value) -> Vec<u8> {
    let mut body = match row["hex"].as_str() {
        Some(hex) => data_encoding::HEXUPPER.decode(hex.as_bytes()).expect("hexadecimal digits in capitals"),
        None => row["body"].as_str().unwrap_or_default().into(),
    };
    if let Some([open, times, middle, close]) = row["repeat"].as_array().map(Vec::as_slice) {
        let times = usize::try_from(times.as_u64().unwrap()).unwrap();
        body.extend([text(open).repeat(times).as_str(), text(middle), &text(close).repeat(times)].concat().bytes());
    }
    body.extend(row["end"].as_str().unwrap_or_default().bytes());
    body
}

#[test]
fn every_case_is_read_or_refused_as_the_table_says() {
    let (own, suite) = (own(), suite());
    assert!(own.len() >= 250 && suite.len() >= 250, "{} and {} cases", own.len(), suite.len());
    for case in own.iter().chain(&suite) {
        let read = parse(&case.body).map_err(|bad| bad.code.to_owned());
        match (&read, &case.code) {
            (Ok(value), None) => assert_eq!(value, &case.value, "{}", case.name),
            (Err(code), Some(wanted)) => assert_eq!(code, wanted, "{}", case.name),
            _ => panic!("{}: {read:?} instead of {:?}", case.name, case.code),
        }
    }
}

/// What the names in the suite say: `y_` must be read, `n_` must be refused. A key that stands twice is refused here.
#[test]
fn the_suite_is_met() {
    for case in suite() {
        let refused = case.code.is_some();
        match &case.name[..2] {
            "y_" => assert!(!refused || case.code.as_deref() == Some("duplicate_key"), "{}", case.name),
            "n_" => assert!(refused, "{}", case.name),
            "i_" => {}
            _ => panic!("{}: neither y_, n_ nor i_", case.name),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_comes_through_the_door() {
    let app = Setup::new(Engine::Sqlite).await.start().await;
    let sender = app.sender(DOCUMENTS).await;
    for (number, case) in own().iter().chain(&suite()).enumerate() {
        pass(&app, &sender, number, case).await;
    }
}

async fn pass(app: &App, sender: &Sender, number: usize, case: &Case) {
    let request = sender.json(case.body.clone()).header("x-name", number.to_string());
    let answer = sender.send(request).await;
    if let Some(code) = &case.code {
        assert_eq!((answer.status, &answer.json()["code"]), (400, &json!(code)), "{}: {}", case.name, answer.text());
        answer.problem(400, code);
    } else if has_zero(&case.value) {
        assert_eq!(answer.status, 422, "{}: {}", case.name, answer.text());
        assert_eq!(answer.json()["errors"][0]["code"], "nul_in_value", "{}", case.name);
    } else {
        assert_eq!(answer.status, 202, "{}: {}", case.name, answer.text());
        let record = app.record("documents", &answer.accepted("created")).await;
        assert_eq!(record["fields"]["document"], case.value, "{}", case.name);
    }
}

/// U+0000 is JSON, and no database's text.
fn has_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_zero),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains('\0') || has_zero(value)),
        _ => false,
    }
}
