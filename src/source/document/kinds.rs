//! Values of another type than their key takes, in the words of TOML and with an example to write instead.

use toml::de::DeValue;

use super::tree::Way;
use crate::record::nearest::{did_you_mean, nearest};

/// A line to write, for each key that someone may have given another type. `a.b` is `b` in the table `a`, where that is
/// another than elsewhere.
const EXAMPLES: &[(&str, &str)] = &[
    ("slug", "slug = \"work-orders\""),
    ("name", "name = \"Work orders\""),
    ("match", "match = [\"product_code\"]"),
    ("fields", "fields = { product_code = \"text\", quantity = \"integer\" }"),
    ("type", "type = \"text\""),
    ("required", "required = true"),
    ("values", "values = [\"open\", \"closed\"]"),
    ("event", "event = [{ name = \"order.paid\", when = \"@.changes.status.to == 'paid'\" }]"),
    ("event.name", "name = \"order.paid\""),
    ("event.when", "when = \"@.changes.status.to == 'paid'\""),
    ("data", "data = { id = \"@.after.id\" }"),
    ("enabled", "enabled = false"),
    (
        "signature",
        "signature = { header = \"X-Webhook-Signature\", prefix = \"sha256=\", secret = \"env:ERP_SECRET\" }",
    ),
    ("header", "header = \"X-Webhook-Signature\""),
    ("prefix", "prefix = \"sha256=\""),
    ("preset", "preset = \"github\""),
    ("json", "json = \"$.signature\""),
    ("form", "form = \"signature\""),
    ("query", "query = \"signature\""),
    ("list", "list = \",\""),
    ("pair", "pair = \"=\""),
    ("field", "field = \"v1\""),
    ("algorithm", "algorithm = \"hmac-sha256\""),
    ("encoding", "encoding = \"hex\""),
    ("secret_form", "secret_form = \"base64\""),
    ("secret_prefix", "secret_prefix = \"whsec_\""),
    ("signature.timestamp", "timestamp = { header = \"X-Timestamp\" }"),
    ("timestamp.header", "header = \"X-Timestamp\""),
    ("timestamp.field", "field = \"t\""),
    ("timestamp.json", "json = \"$.timestamp\""),
    ("item", "item = 1"),
    ("unit", "unit = \"ms\""),
    ("enforced", "enforced = false"),
    ("tolerance", "tolerance = 300"),
    ("message", "message = \"{timestamp}.{body}\""),
    ("body_hash", "body_hash = \"{query:bodySHA256}\""),
    ("claims", "claims = { body_hash = \"payload_hash\" }"),
    ("claims.body_hash", "body_hash = \"payload_hash\""),
    ("url", "url = \"https://hooks.example.com/erp\""),
    ("response", "response = { status = 200, content_type = \"text/xml\", body = \"<Response/>\" }"),
    ("status", "status = 200"),
    ("content_type", "content_type = \"text/xml\""),
    ("body", "body = \"<Response/>\""),
    ("handshake", "handshake = [{ method = \"GET\", query = \"challenge\", text = \"{query:challenge}\" }]"),
    ("handshake.method", "method = \"GET\""),
    ("handshake.when", "when = \"@.type == 'url_verification'\""),
    ("handshake.query", "query = \"challenge\""),
    ("handshake.header", "header = \"X-Hook-Secret\""),
    ("handshake.token", "token = \"{query:hub.verify_token}\""),
    ("handshake.signed", "signed = false"),
    ("handshake.text", "text = \"{query:challenge}\""),
    ("handshake.headers", "headers = { X-Hook-Secret = \"{header:X-Hook-Secret}\" }"),
    ("handshake.keep", "keep = \"{header:X-Hook-Secret}\""),
    ("hmac", "hmac = { of = \"{query:crc_token}\", encoding = \"base64\" }"),
    ("hmac.of", "of = \"{query:crc_token}\""),
    ("secret", "secret = \"env:ERP_SECRET\""),
    ("rate_limit", "rate_limit = { per_minute = 60 }"),
    ("per_minute", "per_minute = 60"),
    ("burst", "burst = 10"),
    ("max_body", "max_body = 1048576"),
    ("keep", "keep = { payload = \"refused\", for = \"30d\" }"),
    ("payload", "payload = \"refused\""),
    ("for", "for = \"30d\""),
    ("redact", "redact = [\"$.card.number\"]"),
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

fn example(way: &Way) -> String {
    let keys = way.keys();
    let of = |name: &str| EXAMPLES.iter().find(|(key, _)| *key == name);
    let line = match keys[..] {
        [.., table, key] => of(&format!("{table}.{key}")).or_else(|| of(key)),
        [key] => of(key),
        [] => None,
    };
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
pub fn wrong(way: &Way, expected: &str, value: &DeValue<'_>) -> String {
    let key = way.last_key();
    let wanted = match expected {
        "a string" | "string or table" => "a text in quotes",
        "a boolean" => "true or false, without quotes",
        "a sequence" => "a list in brackets",
        "u32" | "u64" | "usize" => "a whole number from 0 on, without quotes",
        "i32" | "i64" => "a whole number, without quotes",
        "a map" => "a table in braces",
        "u16" => "a whole number, without quotes",
        "a text or a list of texts" => "a text in quotes, or a list of such in brackets",
        text if text.starts_with("struct ") => "a table in braces",
        text => text,
    };
    let subject = if way.ends_in_item() { format!("each item of `{key}`") } else { format!("`{key}`") };
    let example = if wanted == expected { String::new() } else { example(way) };
    let hint = match value.as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("yes" | "on" | "y" | "1") if expected == "a boolean" => "; write true",
        Some("no" | "off" | "n" | "0") if expected == "a boolean" => "; write false",
        _ => "",
    };
    format!("{subject} is {wanted}{example}; here stands {}{hint}", here(value))
}

/// A table in which something is missing that it cannot be without.
pub fn lacking(way: &Way, field: &str) -> String {
    format!("`{}` lacks `{field}`{}", way.last_key(), example(way))
}

pub fn not_a_table(way: &Way) -> String {
    format!("`{}` is a table in braces{}", way.last_key(), example(way))
}

/// A word that is none of the few that the key takes, and the one that was meant.
pub fn wrong_word(key: &str, word: &str, words: &[&str]) -> (String, Option<String>) {
    let near = nearest(word, words.iter().copied());
    let listed = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
    let hint = did_you_mean(near, |word| format!("\"{word}\""));
    (format!("`{key}` is one of {listed}, not \"{word}\"{hint}"), near.map(str::to_owned))
}
