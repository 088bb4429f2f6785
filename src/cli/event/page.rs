//! Events for people.

use serde_json::Value;

use crate::cli::preset::table;

fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.replace(['\n', '\t'], " "),
        other => other.to_string(),
    }
}

fn joined(value: &Value) -> String {
    let all = value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

pub fn list(list: &Value) -> String {
    let head = ["ID", "RECEIVED", "SOURCE", "TYPE", "VERDICT", "CAUSE", "RECORDS"].map(str::to_owned);
    let row = |one: &Value| {
        let source = format!("{}/{}", text(&one["module"]), text(&one["source"]));
        let [id, at, of_type] = ["id", "receivedAt", "eventType"].map(|name| text(&one[name]));
        [id, at, source, of_type, text(&one["verdict"]), text(&one["cause"]), joined(&one["recordIds"])]
    };
    let rows = list["data"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
    if rows.is_empty() { "No event fits.".to_owned() } else { table(&[vec![head], rows].concat()) }
}

pub fn one(one: &Value) -> String {
    let line = |(name, member): (&str, &str)| [name.to_owned(), text(&one[member])];
    let mut lines = [
        ("id", "id"),
        ("received", "receivedAt"),
        ("module", "module"),
        ("source", "source"),
        ("type", "eventType"),
        ("verdict", "verdict"),
        ("cause", "cause"),
        ("mapping", "mappingVersion"),
        ("duplicate of", "duplicateOf"),
        ("replay of", "replayOf"),
        ("from", "address"),
        ("bytes", "bodySize"),
    ]
    .map(line)
    .to_vec();
    lines.insert(7, ["records".to_owned(), joined(&one["recordIds"])]);
    let errors = one["errors"].as_array().into_iter().flatten();
    lines.extend(errors.map(|error| [format!("  {}", text(&error["to"])), text(&error["detail"])]));
    table(&lines)
}

pub fn replays(told: &Value) -> String {
    let head = ["REPLAY OF", "EVENT", "OUTCOME", "RECORD"].map(str::to_owned);
    let row = |one: &Value| match &one["error"] {
        Value::Null => [text(&one["replayOf"]), text(&one["eventId"]), text(&one["outcome"]), text(&one["recordId"])],
        error => [text(&one["replayOf"]), "-".to_owned(), "refused".to_owned(), text(&error["detail"])],
    };
    let rows = told["replays"].as_array().into_iter().flatten().map(row);
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}
