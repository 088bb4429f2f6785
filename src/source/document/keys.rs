//! Keys that are not known where they stand: mistyped, named as other tools name them, or in the wrong table. Which
//! keys there are is read from the types that are read from the file, so that nothing is listed twice.

mod asked;

use toml::de::{DeTable, DeValue};

use super::RawFile;
use super::read::Notes;
use super::tree::{Way, rename};
use crate::limit::RawQuota;
use crate::map::moment::RawMomentTable;
use crate::map::rule::RawRule;
use crate::map::transform::RawTable;
use crate::record::definition::{RawField, RawModule};
use crate::record::event::RawEvent;
use crate::record::nearest::nearest;
use crate::source::{RawKeep, RawSource};
use crate::verify::RawSignature;
use crate::verify::handshake::{RawHandshake, RawHmac};
use crate::verify::jwt::Claims;
use crate::verify::raw::RawTimestamp;
use crate::verify::response::RawResponse;
use asked::keys_of;

/// A table of a module file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Home {
    File,
    Module,
    Field,
    Event,
    Source,
    Signature,
    /// Of `signature`.
    Timestamp,
    /// Of `signature`.
    Claims,
    RateLimit,
    Response,
    Handshake,
    /// Of a handshake.
    Hmac,
    Keep,
    Moment,
    Rule,
    Transform,
}

/// In the order in which the owner of a key is looked for.
const HOMES: &[Home] = &[
    Home::Source,
    Home::Rule,
    Home::Module,
    Home::File,
    Home::Signature,
    Home::RateLimit,
    Home::Moment,
    Home::Transform,
    Home::Field,
    Home::Timestamp,
    Home::Claims,
    Home::Handshake,
    Home::Hmac,
    Home::Response,
    Home::Event,
    Home::Keep,
];

/// What others call our keys.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("from", &["path", "source", "jsonpath", "src", "input", "value", "selector"]),
    ("to", &["target", "field", "column", "name", "dest", "destination", "key"]),
    ("transform", &["transforms", "transformation", "function", "functions", "apply", "fn"]),
    ("when", &["if", "filter", "condition", "where", "on", "trigger"]),
    ("data", &["payload", "fields", "body", "template", "with", "include"]),
    ("event", &["events", "named_event"]),
    ("only", &["events", "event_types", "types"]),
    ("event_type", &["type", "event"]),
    ("event_id", &["id", "dedupe", "idempotency_key", "delivery_id"]),
    ("occurred_at", &["time", "date", "created_at", "event_time"]),
    ("each", &["foreach", "for_each", "split", "iterate", "items", "loop"]),
    ("delete_when", &["delete", "delete_if", "deleted"]),
    ("match", &["key", "keys", "primary_key", "id", "unique", "matching", "identity"]),
    ("fields", &["columns", "schema", "properties", "attributes"]),
    ("values", &["enum", "options", "choices"]),
    ("required", &["mandatory", "not_null", "nullable"]),
    ("rule", &["rules", "mapping", "mappings", "map"]),
    ("rate_limit", &["limit", "throttle", "ratelimit"]),
    ("per_minute", &["rpm", "limit", "requests", "rate"]),
    ("secret", &["key", "token", "secrets"]),
    ("header", &["name"]),
    ("preset", &["provider", "vendor", "sender", "service"]),
    ("algorithm", &["alg", "hash", "digest", "algo"]),
    ("encoding", &["format"]),
    ("message", &["payload", "signed_payload", "template", "string_to_sign"]),
    ("tolerance", &["max_age", "window", "leeway"]),
    ("response", &["answer", "reply", "success"]),
    ("handshake", &["challenge", "verification", "handshakes", "probe"]),
    ("content_type", &["type", "media_type", "mime"]),
    ("status", &["code", "status_code"]),
    ("body", &["text", "content"]),
    ("text", &["body", "content", "answer", "reply", "challenge"]),
    ("else", &["default", "otherwise"]),
    ("zone", &["tz", "timezone", "time_zone"]),
    ("timestamp", &["date", "datetime", "format", "parse_date"]),
    ("slug", &["id", "name"]),
    ("name", &["title", "label"]),
    ("module", &["table", "modules"]),
    ("source", &["webhook", "inbound", "endpoint", "sources"]),
    ("max_body", &["max_size", "body_limit", "max_body_size"]),
    ("enabled", &["active", "disabled"]),
    ("keep", &["retention", "retain", "store"]),
    ("redact", &["mask", "scrub", "redaction", "sensitive", "hide"]),
    ("payload", &["body", "bodies", "payloads"]),
    ("for", &["age", "days", "max_age", "ttl"]),
    ("bytes", &["size", "max_bytes", "max_size"]),
];

/// What others call the keys of an event, and other tables have under these names.
const OF_EVENTS: &[(&str, &[&str])] = &[("name", &["type", "event", "event_type", "slug", "id"])];

pub fn is_of_file(key: &str) -> bool {
    Home::File.keys().contains(&key)
}

pub fn is_of_module(key: &str) -> bool {
    Home::Module.keys().contains(&key)
}

/// A key at the top of the file that is not known there.
pub fn unknown_in_file(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    unknown(tree, way, Home::File.keys(), notes);
}

/// Tells of the key at `way` and puts its value where it was meant to be, if that is plain; else takes it away.
pub fn unknown(tree: &mut DeTable<'_>, way: &Way, known: &[&str], notes: &mut Notes<'_>) {
    let Some((table, key)) = way.split() else { return };
    let home = Home::of(&table.keys());
    let at = way.start(tree).unwrap_or_default();
    let absent = |tree: &mut DeTable<'_>, known: &[&str]| -> Vec<String> {
        let there = table.table(tree);
        let has = |name: &str| there.as_ref().is_some_and(|there| there.contains_key(name));
        known.iter().filter(|name| !has(name)).map(|name| (*name).to_owned()).collect()
    };
    let free = absent(tree, known);
    let free = free.iter().map(String::as_str).collect::<Vec<_>>();
    // `form` in a rule is a slip of `from`, and not a signature's key in the wrong place.
    let is_near = nearest(key, free.iter().copied()).is_some();
    let slip = |home, owner| is_near && home == Some(Home::Rule) && owner == Home::Signature;
    let there_is_no = format!("there is no key `{key}` {}", home.map_or("here", Home::within));
    let own = if home == Some(Home::Event) { OF_EVENTS } else { &[] };
    if let Some(meant) = synonym(key, &free, own) {
        notes.at(way, at, &format!("{there_is_no}; did you mean `{meant}`?"));
        table.table(tree).into_iter().for_each(|table| rename(table, key, meant));
    } else if let Some(owner) = home.and_then(|home| home.owner(key)).filter(|owner| !slip(home, *owner)) {
        notes.at(way, at, &format!("{there_is_no}; {}", owner.way_out(key)));
        moved(tree, &table, key, owner, notes);
    } else if let Some(meant) = nearest(key, free.iter().copied()) {
        notes.at(way, at, &format!("{there_is_no}; did you mean `{meant}`?"));
        table.table(tree).into_iter().for_each(|table| rename(table, key, meant));
    } else {
        let listed = known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        notes.damaged(way, at, &format!("{there_is_no}; there are {listed}"));
        table.table(tree).map(|table| table.remove(key));
    }
}

/// `own` are those of the table alone.
fn synonym<'k>(key: &str, known: &[&'k str], own: &[(&str, &[&str])]) -> Option<&'k str> {
    let key = key.to_ascii_lowercase().replace('-', "_");
    let all = || own.iter().chain(SYNONYMS);
    known.iter().copied().find(|name| all().any(|(ours, others)| ours == name && others.contains(&key.as_str())))
}

/// To the table that owns the key, if there is one that lacks it; else what it would have said is not held against the
/// file.
fn moved(tree: &mut DeTable<'_>, from: &Way, key: &str, owner: Home, notes: &mut Notes<'_>) {
    let to = owner.nearest_to(from, tree);
    let Some(entry) = from.table(tree).and_then(|table| table.remove_entry(key)) else { return };
    if owner == Home::Module && !tree.contains_key("module") {
        let module = toml::Spanned::new(entry.0.span(), DeValue::Table(DeTable::new()));
        tree.insert(toml::Spanned::new(entry.0.span(), "module".to_owned().into()), module);
    }
    match to.as_ref().and_then(|to| to.table(tree)) {
        Some(table) if !table.contains_key(key) => drop(table.insert(entry.0, entry.1)),
        _ => notes.forgive(owner.forgiven(from)),
    }
}

impl Home {
    /// By the keys of the way to the table.
    fn of(keys: &[&str]) -> Option<Self> {
        match keys {
            [] => Some(Self::File),
            ["module"] => Some(Self::Module),
            ["module", "fields", _] => Some(Self::Field),
            ["module", "event"] => Some(Self::Event),
            ["source"] => Some(Self::Source),
            ["source", "signature"] => Some(Self::Signature),
            ["source", "signature", "timestamp"] => Some(Self::Timestamp),
            ["source", "signature", "claims"] => Some(Self::Claims),
            ["source", "rate_limit"] => Some(Self::RateLimit),
            ["source", "response"] => Some(Self::Response),
            ["source", "handshake"] => Some(Self::Handshake),
            ["source", "handshake", "hmac"] => Some(Self::Hmac),
            ["source", "keep"] => Some(Self::Keep),
            ["source", "occurred_at"] => Some(Self::Moment),
            ["source", "rule"] => Some(Self::Rule),
            ["source", "rule", "transform"] => Some(Self::Transform),
            _ => None,
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::File => keys_of::<RawFile>(),
            Self::Module => keys_of::<RawModule>(),
            Self::Field => keys_of::<RawField>(),
            Self::Event => keys_of::<RawEvent>(),
            Self::Source => keys_of::<RawSource>(),
            Self::Signature => keys_of::<RawSignature>(),
            Self::Timestamp => keys_of::<RawTimestamp>(),
            Self::Claims => keys_of::<Claims>(),
            Self::RateLimit => keys_of::<RawQuota>(),
            Self::Response => keys_of::<RawResponse>(),
            Self::Handshake => keys_of::<RawHandshake>(),
            Self::Hmac => keys_of::<RawHmac>(),
            Self::Keep => keys_of::<RawKeep>(),
            Self::Moment => keys_of::<RawMomentTable>(),
            Self::Rule => keys_of::<RawRule>(),
            Self::Transform => keys_of::<RawTable>(),
        }
    }

    /// The other table that has such a key; a part of this one before all.
    fn owner(self, key: &str) -> Option<Self> {
        let parts: &[Self] = match self {
            Self::File => &[Self::Module],
            Self::Source => &[Self::Signature, Self::RateLimit],
            Self::Rule => &[Self::Source, Self::Transform],
            Self::Signature => &[Self::Timestamp, Self::Claims],
            Self::Timestamp | Self::Claims => &[Self::Signature, Self::Source],
            Self::Handshake => &[Self::Hmac, Self::Source],
            Self::Hmac => &[Self::Handshake],
            Self::Response | Self::Keep | Self::Moment => &[Self::Source],
            Self::Transform => &[Self::Rule, Self::Source],
            _ => &[],
        };
        let mut all = parts.iter().chain(HOMES).copied();
        all.find(|home| *home != self && home.keys().contains(&key))
    }

    fn within(self) -> &'static str {
        match self {
            Self::File => "at the top of a module file",
            Self::Module => "in [module]",
            Self::Field => "in a field",
            Self::Event => "in [[module.event]]",
            Self::Source => "in [[source]]",
            Self::Signature => "in `signature`",
            Self::Timestamp => "in the signature's `timestamp`",
            Self::Claims => "in the signature's `claims`",
            Self::RateLimit => "in `rate_limit`",
            Self::Response => "in `response`",
            Self::Handshake => "in a handshake",
            Self::Hmac => "in a handshake's `hmac`",
            Self::Keep => "in `keep`",
            Self::Moment => "in `occurred_at`",
            Self::Rule => "in [[source.rule]]",
            Self::Transform => "in a transform",
        }
    }

    fn way_out(self, key: &str) -> String {
        match self {
            Self::File if key == "source" => "write [[source]] instead".to_owned(),
            Self::File => format!("write [{key}] instead"),
            Self::Module if key == "fields" => "write [module.fields] instead".to_owned(),
            Self::Module if key == "event" => "write [[module.event]] instead".to_owned(),
            Self::Module => "it belongs below the line [module]".to_owned(),
            Self::Field => format!("it belongs to a field, in braces: quantity = {{ type = \"integer\", {key} = … }}"),
            Self::Event => "it belongs to an event: write it below a line [[module.event]]".to_owned(),
            Self::Source if key == "handshake" => "write [[source.handshake]] instead".to_owned(),
            Self::Source if key == "rule" => "write [[source.rule]] instead".to_owned(),
            Self::Source => "it belongs to [[source]]: write it above its rules, below the slug".to_owned(),
            Self::Signature => format!("it belongs in the braces of `signature`: signature = {{ {key} = …, … }}"),
            Self::Timestamp => {
                format!(
                    "it belongs in the braces of `timestamp`: timestamp = {{ header = \"X-Timestamp\", {key} = … }}"
                )
            }
            Self::Claims => format!("it belongs in the braces of `claims`: claims = {{ {key} = … }}"),
            Self::RateLimit => format!("it belongs in the braces of `rate_limit`: rate_limit = {{ {key} = … }}"),
            Self::Response => format!("it belongs in the braces of `response`: response = {{ {key} = … }}"),
            Self::Handshake => "it belongs to a handshake: write it below a line [[source.handshake]]".to_owned(),
            Self::Hmac => {
                format!("it belongs in the braces of `hmac`: hmac = {{ of = \"{{query:token}}\", {key} = … }}")
            }
            Self::Keep => format!("it belongs in the braces of `keep`: keep = {{ {key} = … }}"),
            Self::Moment => format!(
                "it belongs in the braces of `occurred_at`: occurred_at = {{ from = \"$.created\", {key} = … }}"
            ),
            Self::Rule => "it belongs to a rule: write it below a line [[source.rule]]".to_owned(),
            Self::Transform => format!("it belongs to a transform: transform = [{{ {key} = … }}]"),
        }
    }

    /// The table of this kind that a key in `from` was meant for.
    fn nearest_to(self, from: &Way, tree: &mut DeTable<'_>) -> Option<Way> {
        let top = Way::default();
        match self {
            Self::File => Some(top),
            Self::Module => Some(top.key("module")),
            Self::Source => from.up_to_item("source").or_else(|| {
                let sources = top.key("source");
                let count = sources.node(tree)?.get_ref().as_array()?.len();
                Some(sources.item(count.checked_sub(1)?))
            }),
            _ => None,
        }
    }

    /// What may be missing because the key stood elsewhere.
    fn forgiven(self, from: &Way) -> Way {
        let source = from.up_to_item("source").unwrap_or_else(|| Way::default().key("source"));
        match self {
            Self::File | Self::Module | Self::Field => Way::default().key("module"),
            Self::Event => Way::default().key("module").key("event"),
            Self::Source => source,
            Self::Signature => source.key("signature"),
            Self::Timestamp => source.key("signature").key("timestamp"),
            Self::Claims => source.key("signature").key("claims"),
            Self::RateLimit => source.key("rate_limit"),
            Self::Response => source.key("response"),
            Self::Handshake | Self::Hmac => source.key("handshake"),
            Self::Keep => source.key("keep"),
            Self::Moment => source.key("occurred_at"),
            Self::Rule => source.key("rule"),
            Self::Transform => from.key("transform"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_names_its_keys() {
        for home in HOMES {
            assert!(!home.keys().is_empty(), "{home:?}");
        }
        assert_eq!(Home::File.keys(), ["module", "source"]);
        assert!(Home::Source.keys().contains(&"match") && Home::Rule.keys().contains(&"on_missing"));
    }

    #[test]
    fn synonyms_name_keys_that_there_are() {
        for (ours, _) in SYNONYMS {
            assert!(HOMES.iter().any(|home| home.keys().contains(ours)), "{ours}");
        }
    }
}
