//! Values of another type than their key takes, in the words of TOML and with an example to write instead.

use toml::de::DeValue;

use crate::record::nearest::{did_you_mean, nearest};

/// A line to write, for each key that someone may have given another type.
const EXAMPLES: &[(&str, &str)] = &[
    ("slug", "slug = \"work-orders\""),
    ("name", "name = \"Work orders\""),
    ("match", "match = [\"product_code\"]"),
    ("fields", "fields = { product_code = \"text\", quantity = \"integer\" }"),
    ("type", "type = \"text\""),
    ("required", "required = true"),
    ("values", "values = [\"open\", \"closed\"]"),
    ("enabled", "enabled = false"),
    (
        "signature",
        "signature = { header = \"X-Webhook-Signature\", prefix = \"sha256=\", secret = \"env:ERP_SECRET\" }",
    ),
    ("header", "header = \"X-Webhook-Signature\""),
    ("prefix", "prefix = \"sha256=\""),
    ("encoding", "encoding = \"hex\""),
    ("secret", "secret = \"env:ERP_SECRET\""),
    ("rate_limit", "rate_limit = { per_minute = 60 }"),
    ("per_minute", "per_minute = 60"),
    ("burst", "burst = 10"),
    ("max_body", "max_body = 1048576"),
    ("event_type", "event_type = \"$.type\""),
    ("only", "only = [\"order.*\"]"),
    ("when", "when = \"@.status != 'draft'\""),
    ("each", "each = \"$.items[*]\""),
    ("event_id", "event_id = \"$.id\""),
    ("occurred_at", "occurred_at = \"$.created_at\""),
    ("delete_when", "delete_when = \"@.deleted == true\""),
    ("from", "from = \"$.payload.sku\""),
    ("to", "to = \"product_code\""),
    ("on_missing", "on_missing = \"null\""),
    ("on_null", "on_null = \"keep\""),
    ("on_empty", "on_empty = \"null\""),
    ("take", "take = \"first\""),
    ("transform", "transform = [\"trim\", { scale = -2 }]"),
    ("replace", "replace = \"-\""),
    ("with", "with = \" \""),
    ("suffix", "suffix = \"-eu\""),
    ("split", "split = \",\""),
    ("part", "part = 0"),
    ("number", "number = \"de\""),
    ("minor_units", "minor_units = \"$.currency\""),
    ("digits", "digits = { ISK = 2 }"),
    ("hash", "hash = \"sha256\""),
    ("map", "map = { paid = \"closed\" }"),
    ("scale", "scale = -2"),
    ("timestamp", "timestamp = \"%d/%m/%Y %H:%M\""),
    ("zone", "zone = \"Europe/Berlin\""),
];

fn example(key: &str) -> String {
    let line = EXAMPLES.iter().find(|(name, _)| *name == key);
    line.map_or_else(String::new, |(_, line)| format!(", such as {line}"))
}

/// What stands there. A text is not repeated: it may be a secret.
fn here(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.trim().parse::<i64>().is_ok() => "a number in quotes".to_owned(),
        DeValue::String(text) if matches!(text.trim(), "true" | "false") => format!("{} in quotes", text.trim()),
        DeValue::String(_) => "a text".to_owned(),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(truth) => format!("{truth} without quotes"),
        DeValue::Datetime(_) => "a date without quotes".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// `expected` is what serde says of the type, or a text of our own.
pub fn wrong(key: &str, is_item: bool, expected: &str, value: &DeValue<'_>) -> String {
    let wanted = match expected {
        "a string" | "string or table" => "a text in quotes",
        "a boolean" => "true or false, without quotes",
        "a sequence" => "a list in brackets",
        "u32" | "u64" | "usize" => "a whole number from 0 on, without quotes",
        "i32" | "i64" => "a whole number, without quotes",
        "a map" => "a table in braces",
        text if text.starts_with("struct ") => "a table in braces",
        text => text,
    };
    let subject = if is_item { format!("each item of `{key}`") } else { format!("`{key}`") };
    let example = if wanted == expected { String::new() } else { example(key) };
    let hint = match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("yes" | "on" | "y" | "1") if expected == "a boolean" => "; write true",
        Some("no" | "off" | "n" | "0") if expected == "a boolean" => "; write false",
        _ => "",
    };
    format!("{subject} is {wanted}{example}; here stands {}{hint}", here(value))
}

pub fn not_a_table(key: &str) -> String {
    format!("`{key}` is a table in braces{}", example(key))
}

/// A word that is none of the few that the key takes, and the one that was meant.
pub fn wrong_word(key: &str, word: &str, words: &[&str]) -> (String, Option<String>) {
    let near = nearest(word, words.iter().copied());
    let listed = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let hint = did_you_mean(near, |word| format!("\"{word}\""));
    (format!("`{key}` is one of {listed}, not \"{word}\"{hint}"), near.map(str::to_owned))
}
