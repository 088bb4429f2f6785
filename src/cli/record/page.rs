//! Records for people.

use serde_json::Value;

use crate::cli::preset::table;

/// Characters of a cell; the rest is in `--json`.
const WIDE: usize = 60;

fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.replace(['\n', '\t'], " "),
        other => other.to_string(),
    };
    if text.chars().count() <= WIDE {
        return text;
    }
    text.chars().take(WIDE - 1).chain(['…']).collect()
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list["data"].as_array().into_iter().flatten()
}

fn pairs(object: &Value, sign: &str) -> String {
    let members = object.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| format!("{name}{sign}{}", text(value))).collect::<Vec<_>>().join("  ")
}

pub fn list(list: &Value) -> String {
    let head = ["ID", "VERSION", "UPDATED", "FIELDS"].map(str::to_owned);
    let row =
        |one: &Value| [text(&one["id"]), text(&one["version"]), text(&one["updatedAt"]), pairs(&one["fields"], "=")];
    let rows = rows(list).map(row).collect::<Vec<_>>();
    if rows.is_empty() { "No record fits.".to_owned() } else { table(&[vec![head], rows].concat()) }
}

pub fn one(one: &Value) -> String {
    let fields = one["fields"].as_object().into_iter().flatten();
    let mut lines = vec![
        ["id".to_owned(), text(&one["id"])],
        ["version".to_owned(), text(&one["version"])],
        ["created".to_owned(), text(&one["createdAt"])],
        ["updated".to_owned(), text(&one["updatedAt"])],
        ["last event".to_owned(), text(&one["eventId"])],
        ["custom_data".to_owned(), one["customData"].to_string()],
    ];
    lines.extend(fields.map(|(name, value)| [format!("  {name}"), text(value)]));
    table(&lines)
}

pub fn history(history: &Value) -> String {
    let head = ["AT", "VERSION", "WHAT", "BY", "CHANGES"].map(str::to_owned);
    let row = |one: &Value| {
        let moved = one["changes"].as_object().into_iter().flatten();
        let moved = moved.map(|(name, pair)| format!("{name}: {} -> {}", text(&pair["from"]), text(&pair["to"])));
        let moved = moved.collect::<Vec<_>>().join(", ");
        [text(&one["at"]), text(&one["version"]), text(&one["op"]), by(one), moved]
    };
    let rows = rows(history).map(row).collect::<Vec<_>>();
    let told = table(&[vec![head], rows].concat());
    let begins = "\n\nThe log begins later than the record: what is older is not kept.";
    let told = if history["isWhole"] == Value::Bool(false) { told + begins } else { told };
    let Some(fields) = history["fields"].as_object() else { return told };
    let head = ["FIELD", "LAST WRITTEN", "BY"].map(str::to_owned);
    let row = |(name, writer): (&String, &Value)| {
        [name.clone(), text(&writer["at"]), if writer.is_null() { "-".to_owned() } else { by(writer) }]
    };
    format!("{told}\n\n{}", table(&[vec![head], fields.iter().map(row).collect()].concat()))
}

/// The source and its event, or the key.
fn by(one: &Value) -> String {
    match one["source"].as_str() {
        Some(source) => {
            let mapping = one["mappingVersion"].as_i64().map_or_else(String::new, |version| format!(" v{version}"));
            format!("{source}{mapping} {}", text(&one["eventId"]))
        }
        None => text(&one["actor"]),
    }
}
