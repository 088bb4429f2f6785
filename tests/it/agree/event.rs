//! Random events for a source: most fit its mapping, some are sparse, some are wild; some are sent again.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::module::{Place, Slot, Source};
use super::rng::Rng;

#[derive(Clone, Debug, Default)]
pub struct Event {
    pub headers: Vec<(String, String)>,
    pub query: String,
    pub form: bool,
    pub body: Vec<u8>,
    document: Value,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Tidy,
    Sparse,
    Wild,
}

/// Where values are put while an event is made.
struct Draft<'a> {
    rng: &'a mut Rng,
    texts: &'a [String],
    mood: Mood,
    event: Event,
}

impl Event {
    /// `number` counts the events of a module; `before` are those of the same source.
    pub fn random(rng: &mut Rng, texts: &[String], source: &Source, number: usize, before: &[Self]) -> Self {
        if !before.is_empty() && rng.chance(22) {
            return rng.pick(before).again(rng, source, number);
        }
        let mood = match rng.below(100) {
            0..66 => Mood::Tidy,
            66..84 => Mood::Sparse,
            _ => Mood::Wild,
        };
        let mut draft = Draft { rng, texts, mood, event: Self::default() };
        let mut root = Map::new();
        draft.extras(&mut root, source, number);
        root.insert(
            "currency".to_owned(),
            draft.rng.pick(&[json!("EUR"), json!("JPY"), json!("kwd"), json!("ISK")]).clone(),
        );
        if source.each {
            let nodes = match draft.rng.below(100) {
                0..8 => 0,
                8..11 => 40,
                _ => draft.rng.between(1, 3),
            };
            let nodes = (0..nodes).map(|_| draft.node(source, number, &mut root));
            let nodes: Vec<_> = nodes.collect();
            root.insert("wrap".to_owned(), nodes.iter().map(|node| json!({ "node": node })).collect());
            root.insert("items".to_owned(), nodes.into());
        } else {
            let mut node = root.clone();
            source.slots.iter().for_each(|slot| draft.fill(slot, &mut node, &mut root));
            root.extend(node);
        }
        draft.identity(&mut root, source, number);
        draft.finish(root)
    }

    /// The same once more, or the same under another id.
    fn again(&self, rng: &mut Rng, source: &Source, number: usize) -> Self {
        let mut again = self.clone();
        let fresh = format!("again-{number}");
        match source.event_id {
            _ if rng.chance(45) => {}
            Some("$.id") if self.document.is_object() && !self.form => {
                again.document["id"] = json!(fresh);
                again.body = again.document.to_string().into_bytes();
            }
            Some("header:X-Id") => {
                again.headers.retain(|(name, _)| name != "X-Id");
                again.headers.push(("X-Id".to_owned(), fresh));
            }
            _ => {}
        }
        again
    }
}

impl Draft<'_> {
    fn node(&mut self, source: &Source, number: usize, root: &mut Map<String, Value>) -> Value {
        let mut node = Map::new();
        self.extras(&mut node, source, number);
        source.slots.iter().for_each(|slot| self.fill(slot, &mut node, root));
        node.into()
    }

    /// What conditions look at, and when it happened.
    fn extras(&mut self, into: &mut Map<String, Value>, source: &Source, number: usize) {
        let rng = &mut *self.rng;
        let digits = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (key, among) in [
            ("flag", vec![json!("a"), json!("b"), json!("ab"), Value::Null, json!(1)]),
            ("n", vec![json!(1), json!(2), digits("2.50"), json!(9), json!("1"), digits("1e400")]),
            ("m", vec![json!(1), digits("2.5"), digits("1.0")]),
            ("big", vec![digits("123456789012345"), digits("123456789012345.0"), digits("9007199254740993")]),
            ("tags", vec![json!([]), json!(["x"]), json!(["x", "y"]), json!(["y", "y", "z"])]),
            ("note", vec![json!("xx"), json!("y"), json!("")]),
        ] {
            if rng.chance(75) {
                into.insert(key.to_owned(), rng.pick(&among).clone());
            }
        }
        into.insert("op".to_owned(), json!(if rng.chance(20) { "delete" } else { "put" }));
        let seconds = 1_772_442_000 + 10 * number + rng.below(240);
        let at = match source.occurred_at {
            _ if rng.chance(2) => json!("soon"),
            _ if rng.chance(12) => return,
            Some("unix") => json!(seconds),
            Some("unix_ms") => json!(seconds * 1_000 + 7),
            _ => json!(jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap().to_string()),
        };
        into.insert("at".to_owned(), at);
    }

    fn identity(&mut self, root: &mut Map<String, Value>, source: &Source, number: usize) {
        let id =
            if self.rng.chance(90) { format!("id-{number}") } else { format!("id-{}", self.rng.below(number + 1)) };
        let kinds = ["thing.created", "thing.changed", "other", "another.thing", "thing."];
        let kind = if self.rng.chance(75) { kinds[self.rng.below(2)] } else { *self.rng.pick(&kinds) };
        for (place, text) in [(source.event_id, id), (source.event_type, kind.to_owned())] {
            let Some(place) = place.filter(|_| !self.rng.chance(4)) else { continue };
            match place.split_once(':') {
                Some(("header", name)) => self.event.headers.push((name.to_owned(), text)),
                Some((_, name)) => self.parameter(name, &text),
                None if place == "body" => {}
                None => drop(root.insert(place.trim_start_matches("$.").to_owned(), text.into())),
            }
        }
    }

    /// What a sender puts for this rule; `None` is nothing.
    fn value(&mut self, slot: &Slot) -> Option<Value> {
        let (missing, null, odd) = match self.mood {
            Mood::Tidy => (6, 0, 0),
            Mood::Sparse => (25, 20, 0),
            Mood::Wild => (5, 5, 18),
        };
        let (missing, null, odd) = if slot.finds { (missing / 12, null / 12, odd / 3) } else { (missing, null, odd) };
        let chance = self.rng.below(100);
        if chance < missing {
            return None;
        }
        Some(match chance - missing {
            chance if chance < null => Value::Null,
            chance if chance < null + odd => self.odd(),
            _ => self.rng.pick(&slot.good).clone(),
        })
    }

    fn odd(&mut self) -> Value {
        let digits = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        if self.rng.chance(45) {
            return self.rng.pick(self.texts).as_str().into();
        }
        let long = "8".repeat(1_000);
        let among = [
            json!(""),
            json!("  "),
            json!(true),
            json!([]),
            json!({}),
            json!([[1, null], { "a": { "b": [] } }]),
            digits("-0"),
            digits("1e400"),
            digits("1E-7"),
            digits("9223372036854775808"),
            digits("0.30000000000000004"),
            digits(&long),
            json!("a\u{0}b"),
            json!("x".repeat(600)),
            json!("2026-02-30"),
            json!("2026-03-01 10:00"),
        ];
        self.rng.pick(&among).clone()
    }

    fn fill(&mut self, slot: &Slot, node: &mut Map<String, Value>, root: &mut Map<String, Value>) {
        let key = &slot.key;
        if matches!(slot.place, Place::Every | Place::Filtered | Place::Slice) {
            let entries = (0..self.rng.between(0, 3)).map(|n| match self.value(slot) {
                Some(value) => json!({ "n": n + self.rng.below(3), "v": value }),
                None => json!({ "n": n }),
            });
            let entries: Vec<_> = entries.collect();
            if !self.rng.chance(8) {
                node.insert(format!("many_{key}"), entries.into());
            }
            return;
        }
        let Some(value) = self.value(slot) else { return };
        match slot.place {
            Place::Plain => drop(node.insert(key.clone(), value)),
            Place::Nested => inner(node, &["nest", "in"]).extend([(key.clone(), value)]),
            Place::Odd => inner(node, &["odd \"key' 日本"]).extend([(key.clone(), value)]),
            Place::Second => drop(node.insert(format!("list_{key}"), json!([null, value]))),
            Place::Last => drop(node.insert(format!("list_{key}"), json!(["first", value]))),
            Place::Root => drop(root.insert(format!("root_{key}"), value)),
            Place::Descendant => {
                inner(node, &["deep", "er"]).insert(key.clone(), value);
                if let Some(value) = self.value(slot).filter(|_| self.rng.chance(30)) {
                    inner(node, &["else", "where"]).insert(key.clone(), json!([{ (key): value }]));
                }
            }
            Place::Header => self.header(&format!("X-{}", key.replace('_', "-")), &value),
            Place::Query => {
                self.parameter(key, &plain(&value));
                if self.mood == Mood::Wild && self.rng.chance(5) {
                    write!(self.event.query, "&{key}=again").unwrap();
                }
            }
            _ => {}
        }
    }

    /// Once a request: a second header of the name would be another thing. HTTP has no room for control characters.
    fn header(&mut self, name: &str, value: &Value) {
        let text = plain(value);
        let fits = text.trim() == text && !text.is_empty() && text.len() < 900 && !text.contains(char::is_control);
        if fits && !self.event.headers.iter().any(|(other, _)| other == name) {
            self.event.headers.push((name.to_owned(), text));
        }
    }

    fn parameter(&mut self, name: &str, value: &str) {
        // The nodes of one event share its URL.
        if !self.event.query.contains(&format!("&{name}=")) {
            write!(self.event.query, "&{name}={}", percent(value.as_bytes())).unwrap();
        }
    }

    fn finish(self, root: Map<String, Value>) -> Event {
        let Self { rng, mut event, .. } = self;
        event.document = root.into();
        event.body = event.document.to_string().into_bytes();
        event.form = rng.chance(4);
        if event.form {
            event.body = format!("payload={}", percent(&event.body)).into_bytes();
        }
        if rng.chance(2) {
            let end = rng.below(event.body.len() + 1);
            event.body.truncate(end);
        }
        event
    }
}

/// The object at a path of keys, made where there is none.
fn inner<'a>(map: &'a mut Map<String, Value>, path: &[&str]) -> &'a mut Map<String, Value> {
    path.iter().fold(map, |map, key| {
        map.entry(*key).or_insert_with(|| json!({})).as_object_mut().expect("nothing else is put there")
    })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    })
}
