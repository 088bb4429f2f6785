//! Random modules: fields of every kind, several sources that find their records by different fields, and mappings that
//! use the whole language. Written as a module file, with a plan of what a sender has to send.

use std::fmt::Write;

use serde_json::Value;

use super::kinds::{ALL, Kind, MATCHING};
use super::rng::Rng;

pub struct Module {
    pub slug: String,
    pub file: String,
    pub sources: Vec<Source>,
    pub kinds: Vec<(String, Kind)>,
}

/// What a sender of one source has to know.
pub struct Source {
    pub slots: Vec<Slot>,
    /// The fields are those of the nodes under `items`.
    pub each: bool,
    pub event_id: Option<&'static str>,
    pub event_type: Option<&'static str>,
    /// What a unix time or a text is written at `at`.
    pub occurred_at: Option<&'static str>,
}

/// Where one rule looks, and what it would like to find there.
pub struct Slot {
    pub place: Place,
    pub key: String,
    pub good: Vec<Value>,
    /// The record is found by it.
    pub finds: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Plain,
    Nested,
    Odd,
    Second,
    Last,
    Every,
    Filtered,
    Slice,
    Descendant,
    Root,
    Header,
    Query,
    Const,
    ReceivedAt,
}

use Place::{
    Const, Descendant, Every, Filtered, Header, Last, Nested, Odd, Plain, Query, ReceivedAt, Root, Second, Slice,
};

const SINGULAR: [Place; 8] = [Plain, Nested, Odd, Second, Last, Root, Header, Query];
const SEVERAL: [Place; 4] = [Every, Filtered, Slice, Descendant];

pub const CONDITIONS: [&str; 20] = [
    "@.flag == 'a'",
    "@.flag != 'b'",
    "@.flag",
    "!@.flag",
    "@.flag == null",
    "@.flag == $.flag",
    "@['flag'] == \"a\"",
    "@.n > 2",
    "@.n >= 1.5 && @.n < 9",
    "(@.n == 1 || @.n == 2) && !(@.flag == 'b')",
    "@.n == @.m",
    "@.n != $.m",
    "@.big == 123456789012345",
    "@.big > 123456789012345",
    "count(@.tags[*]) > 1",
    "count(@.tags[*]) == 0",
    "length(@.flag) == 1",
    "match(@.flag, '[ab]')",
    "search(@.note, 'x+')",
    "@.tags[?@ == 'x']",
];

impl Place {
    fn from(self, key: &str) -> String {
        match self {
            Plain => format!("$.{key}"),
            Nested => format!("$.nest.in.{key}"),
            Odd => format!("$['odd \"key\\' 日本'].{key}"),
            Second => format!("$.list_{key}[1]"),
            Last => format!("$.list_{key}[-1]"),
            Every => format!("$.many_{key}[*].v"),
            Filtered => format!("$.many_{key}[?@.n > 1].v"),
            Slice => format!("$.many_{key}[0:2].v"),
            Descendant => format!("$..{key}"),
            Root => format!("root:$.root_{key}"),
            Header => format!("header:X-{}", key.replace('_', "-")),
            Query => format!("query:{key}"),
            Const => String::new(),
            ReceivedAt => "received_at".to_owned(),
        }
    }
}

impl Module {
    pub fn random(rng: &mut Rng, slug: &str) -> Self {
        let finding: Vec<_> =
            (0..*rng.pick(&[1, 1, 2, 2, 3])).map(|n| (format!("key_{n}"), *rng.pick(&MATCHING))).collect();
        let others: Vec<_> = (0..rng.between(3, 8)).map(|n| (format!("f_{n}"), *rng.pick(&ALL))).collect();
        let names: Vec<_> = finding.iter().map(|(name, _)| name.clone()).collect();
        let mut file = format!("[module]\nslug = \"{slug}\"\nmatch = {names:?}\n\n[module.fields]\n");
        for (name, kind) in finding.iter().chain(&others) {
            let required = if rng.chance(4) && *kind != Kind::Status { ", required = true }" } else { "" };
            match required {
                "" => writeln!(file, "{name} = {}", kind.toml()).unwrap(),
                required => writeln!(file, "{name} = {{ type = {}{required}", kind.toml()).unwrap(),
            }
        }
        let kinds = [finding, others].concat();
        let sources = rng.between(1, 3);
        let sources = (0..sources).map(|number| Source::random(rng, number, &kinds, &names, &mut file)).collect();
        Self { slug: slug.to_owned(), file, sources, kinds }
    }
}

impl Source {
    fn random(rng: &mut Rng, number: usize, kinds: &[(String, Kind)], module: &[String], file: &mut String) -> Self {
        let each = rng.chance(25);
        let own = number > 0 && rng.chance(60);
        let matching = if own {
            let count = rng.between(1, module.len());
            rng.some(module, count)
        } else {
            module.to_vec()
        };
        let event_id = rng.chance(50).then(|| *rng.pick(&["$.id", "header:X-Id", "query:id", "body"]));
        let event_type = rng.chance(35).then(|| *rng.pick(&["$.type", "header:X-Type", "query:type"]));
        let occurred_at = rng.chance(55).then(|| *rng.pick(&["text", "unix", "unix_ms"]));
        write!(file, "\n[[source]]\nslug = \"source-{number}\"\nrate_limit = {{ per_minute = 1000000 }}\n").unwrap();
        if own {
            writeln!(file, "match = {matching:?}").unwrap();
        }
        if each {
            let nodes = *rng.pick(&["$.items[*]", "$.items[?@.n != 9]", "$.items[0:3]", "$..node"]);
            writeln!(file, "each = \"{nodes}\"").unwrap();
        }
        for (key, place) in [("event_id", event_id), ("event_type", event_type)] {
            place.iter().for_each(|place| writeln!(file, "{key} = \"{place}\"").unwrap());
        }
        if event_type.is_some() && rng.chance(80) {
            file.push_str("only = [\"thing.*\", \"other\"]\n");
        }
        match occurred_at {
            Some("text") => file.push_str("occurred_at = \"$.at\"\n"),
            Some(unit) => writeln!(file, "occurred_at = {{ from = \"$.at\", timestamp = \"{unit}\" }}").unwrap(),
            None => {}
        }
        if rng.chance(15) {
            writeln!(file, "when = '''{}'''", rng.pick(&CONDITIONS)).unwrap();
        }
        if rng.chance(70) {
            file.push_str("delete_when = \"@.op == 'delete'\"\n");
        }
        let slots = slots(rng, kinds, &matching, file);
        Self { slots, each, event_id, event_type, occurred_at }
    }
}

fn slots(rng: &mut Rng, kinds: &[(String, Kind)], matching: &[String], file: &mut String) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (name, kind) in kinds {
        let finds = matching.contains(name);
        if !finds && rng.chance(15) {
            continue;
        }
        if rng.chance(15) {
            slots.extend(rule(rng, (name, *kind), "_first", finds, Some(rng_condition), file));
        }
        slots.extend(rule(rng, (name, *kind), "", finds, None, file));
    }
    for path in ["a", "d.e.g", "c", "d.e.f"] {
        if rng.chance(35) {
            let name = format!("custom_data.{path}");
            slots.extend(rule(rng, (&name, Kind::Json), "", false, None, file));
        }
    }
    slots
}

fn rng_condition(rng: &mut Rng) -> &'static str {
    rng.pick::<&str>(&CONDITIONS)
}

/// One rule, and what to send for it.
fn rule(
    rng: &mut Rng,
    (to, kind): (&str, Kind),
    suffix: &str,
    finds: bool,
    condition: Option<fn(&mut Rng) -> &'static str>,
    file: &mut String,
) -> Option<Slot> {
    let way = kind.way(rng, if finds { 2 } else { 3 });
    let key = format!("{}{suffix}", to.replace('.', "_"));
    let mut place = *rng.pick(&SINGULAR);
    let mut take = "one";
    if rng.chance(if finds { 5 } else { 25 }) {
        place = *rng.pick(&SEVERAL);
        take = match kind {
            Kind::Text => *rng.pick(&["first", "last", "join", "count"]),
            Kind::Integer | Kind::Decimal => *rng.pick(&["first", "last", "count"]),
            Kind::Json => *rng.pick(&["first", "last", "join", "count", "json"]),
            _ => *rng.pick(&["first", "last"]),
        };
    }
    if !finds && rng.chance(4) {
        place = if matches!(kind, Kind::Text | Kind::Timestamp | Kind::Json) { ReceivedAt } else { place };
    }
    let from = match way.good.iter().find_map(Value::as_str).filter(|_| !finds && rng.chance(5)) {
        Some(text) => {
            place = Const;
            format!("const:{text}")
        }
        None => place.from(&key),
    };
    write!(file, "\n[[source.rule]]\nfrom = {}\nto = \"{to}\"\n", toml::Value::from(from)).unwrap();
    // What is counted or joined is another kind of thing than the transforms take.
    if !way.transform.is_empty() && matches!(take, "one" | "first" | "last") && place != ReceivedAt {
        writeln!(file, "transform = [{}]", way.transform).unwrap();
    }
    if take != "one" {
        writeln!(file, "take = \"{take}\"").unwrap();
    }
    if let Some(condition) = condition {
        writeln!(file, "when = '''{}'''", condition(rng)).unwrap();
    }
    policies(rng, way.default, to.starts_with("custom_data"), file);
    (!matches!(place, Const | ReceivedAt)).then_some(Slot { place, key, good: way.good, finds })
}

fn policies(rng: &mut Rng, default: &str, custom: bool, file: &mut String) {
    let with_default = rng.chance(25);
    if with_default {
        writeln!(file, "default = {default}").unwrap();
    }
    let mut policy = |rng: &mut Rng, key: &str, among: &[&'static str]| {
        let policy = *rng.pick(among);
        if policy != "default" || with_default {
            writeln!(file, "{key} = \"{policy}\"").unwrap();
        }
    };
    if rng.chance(25) {
        policy(rng, "on_missing", &["keep", "default", "null", "error"]);
    }
    if rng.chance(25) {
        policy(rng, "on_null", &["keep", "default", "null", "error"]);
    }
    if rng.chance(25) {
        policy(rng, "on_empty", &["keep", "text", "null", "error"]);
    }
    if rng.chance(3) && !custom {
        file.push_str("required = true\n");
    }
}
