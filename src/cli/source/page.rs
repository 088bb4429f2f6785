//! Sources for people.

use serde_json::Value;

use crate::cli::preset::table;

fn text(of: &Value, name: &str) -> String {
    match &of[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn name(one: &Value) -> String {
    format!("{}/{}", text(one, "module"), text(one, "slug"))
}

fn state(one: &Value) -> String {
    if one["enabled"] == Value::Bool(true) { "enabled" } else { "disabled" }.to_owned()
}

/// Who signs.
fn signed(one: &Value) -> String {
    match &one["signature"] {
        Value::Null => "-".to_owned(),
        signature => match (&signature["preset"], &signature["header"]) {
            (Value::String(preset), _) => preset.clone(),
            (_, Value::String(header)) => header.clone(),
            _ => "own".to_owned(),
        },
    }
}

fn refused(one: &Value) -> u64 {
    let refused = one["usage"]["refused"].as_object().into_iter().flatten();
    refused.filter_map(|(_, count)| count.as_u64()).sum()
}

fn left(one: &Value) -> String {
    let limit = &one["usage"]["limit"];
    format!("{} of {}", text(limit, "remaining"), text(limit, "burst"))
}

pub fn list(all: &Value) -> String {
    let head = ["SOURCE", "STATE", "SIGNED", "ACCEPTED", "REFUSED", "LEFT", "LAST USED"].map(str::to_owned);
    let row = |one: &Value| {
        let usage = &one["usage"];
        let (accepted, last) = (text(usage, "accepted"), text(usage, "lastUsedAt"));
        [name(one), state(one), signed(one), accepted, refused(one).to_string(), left(one), last]
    };
    let rows = all["data"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
    if rows.is_empty() {
        return "There is no source yet; `tidegate apply` makes one of a module file.".to_owned();
    }
    table(&[vec![head], rows].concat())
}

/// Name by name, as many as there are.
fn counts(of: &Value) -> String {
    let counts = of.as_object().into_iter().flatten().map(|(name, count)| format!("{name} {count}"));
    let counts = counts.collect::<Vec<_>>().join(", ");
    if counts.is_empty() { "-".to_owned() } else { counts }
}

/// A line for each that is active.
fn ends(of: &Value) -> String {
    let line = |one: &Value| {
        let end = one["expiresAt"].as_str().map_or_else(String::new, |end| format!(" until {end}"));
        format!("since {}{end}", text(one, "createdAt"))
    };
    let lines = of.as_array().into_iter().flatten().map(line).collect::<Vec<_>>().join(", ");
    if lines.is_empty() { "none".to_owned() } else { lines }
}

fn listed(of: &Value) -> String {
    let texts = of.as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(", ");
    if texts.is_empty() { "nothing".to_owned() } else { texts }
}

pub fn one(one: &Value) -> String {
    let (usage, keep, limit) = (&one["usage"], &one["keep"], &one["usage"]["limit"]);
    let lines = [
        ("source", name(one)),
        ("state", state(one)),
        ("signed", signed(one)),
        ("tokens", ends(&one["tokens"])),
        ("secrets", ends(&one["secrets"])),
        ("limit", format!("{} a minute; {} left", text(limit, "perMinute"), left(one))),
        ("max body", format!("{} bytes", text(one, "maxBody"))),
        ("keeps", format!("{}, for {}, bytes {}", text(keep, "payload"), text(keep, "for"), text(keep, "bytes"))),
        ("redacts", listed(&one["redact"])),
        ("mapping", format!("version {}", text(one, "mappingVersion"))),
        ("last used", text(usage, "lastUsedAt")),
        ("accepted", format!("{} ({})", text(usage, "accepted"), counts(&usage["outcomes"]))),
        ("refused", format!("{} ({})", refused(one), counts(&usage["refused"]))),
        ("counted", format!("since {}", text(usage, "since"))),
    ];
    lines.map(|(name, value)| format!("{name:10} {value}")).join("\n")
}

pub fn with_token(made: &Value) -> String {
    let once = "Shown once:";
    format!("{}\n\n{once}\ntoken      {}\nurl        {}", one(made), text(made, "token"), text(made, "url"))
}

pub fn with_secret(rotated: &Value, is_given: bool) -> String {
    let until = match rotated["previousExpiresAt"].as_str() {
        Some(end) => format!("The secret before counts until {end}."),
        None => "There was no secret before.".to_owned(),
    };
    if is_given {
        return format!("{}\n\n{until}", one(rotated));
    }
    format!("{}\n\nShown once:\nsecret     {}\n{until}", one(rotated), text(rotated, "secret"))
}

pub fn with_rotated_token(rotated: &Value) -> String {
    format!("{}\nThe token before works until {}.", with_token(rotated), text(rotated, "previousExpiresAt"))
}

pub fn tokens(one: &Value) -> String {
    let head = ["CREATED", "EXPIRES", "LAST USED"].map(str::to_owned);
    let row = |token: &Value| ["createdAt", "expiresAt", "lastUsedAt"].map(|name| text(token, name));
    let rows = one["tokens"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
    table(&[vec![head], rows].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_reads_as_lines_and_lists_as_a_table() {
        let source = json!({
            "module": "m", "slug": "s", "enabled": false, "signature": {"preset": "github"}, "maxBody": 1024,
            "tokens": [{"createdAt": "1"}, {"createdAt": "2", "expiresAt": "3"}], "secrets": [], "redact": ["$.a"],
            "keep": {"payload": "always"}, "mappingVersion": 2,
            "usage": {"accepted": 5, "outcomes": {"created": 5}, "refused": {"a": 1, "b": 2}, "lastUsedAt": "9",
                      "since": "8", "limit": {"perMinute": 60, "burst": 10, "remaining": 7}},
        });
        let listed = "SOURCE  STATE     SIGNED  ACCEPTED  REFUSED  LEFT     LAST USED\n\
                      m/s     disabled  github  5         3        7 of 10  9";
        assert_eq!(list(&json!({ "data": [source] })), listed);
        let shown = one(&source);
        for line in [
            "tokens     since 1, since 2 until 3",
            "secrets    none",
            "limit      60 a minute; 7 of 10 left",
            "keeps      always, for -, bytes -",
            "redacts    $.a",
            "refused    3 (a 1, b 2)",
        ] {
            assert!(shown.contains(line), "{line}: {shown}");
        }
    }
}
