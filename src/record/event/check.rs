//! Everything that is wrong with the events of a module, at once.

use serde_json::{Value, json};

use super::sight::Sight;
use super::{
    CONST, DEEPEST_DATA, EventDefinition, LONGEST_NAME, MOST_EVENTS, MOST_MEMBERS, RawData, RawEvent, RawNode,
};
use crate::condition::Condition;
use crate::condition::path::Path;
use crate::record::change::{EventType, SYSTEM_PREFIXES};
use crate::record::definition::{Fault, FieldDefinition, key_in_path};

/// The longest key in `data`, in bytes.
const LONGEST_KEY: usize = 100;

/// Those that are clear, beside what is not. `unnamed` are fields whose names cannot be, of which nothing is said here.
pub fn check(raw: &[RawEvent], fields: &[FieldDefinition], unnamed: &[String]) -> (Vec<EventDefinition>, Vec<Fault>) {
    let (mut events, mut faults) = (Vec::<EventDefinition>::new(), Vec::new());
    if raw.len() > MOST_EVENTS {
        let detail = format!("a module names at most {MOST_EVENTS} events, this one {}", raw.len());
        return (events, vec![Fault::new("module.event", detail)]);
    }
    let sight = Sight { fields, unnamed };
    for (place, raw) in raw.iter().enumerate() {
        let before = faults.len();
        let at = |key: &str| format!("module.event[{}].{key}", place + 1);
        let mut told = |key: &str, found: Result<(), String>| {
            faults.extend(found.err().map(|detail| Fault::new(at(key), detail)));
        };
        told("name", name(&raw.name).and_then(|()| once(&raw.name, &events)));
        told("when", when(&raw.when, sight));
        let data = raw
            .data
            .as_ref()
            .map(|data| Data { sight, left: MOST_MEMBERS, faults: &mut faults }.read(data, &at("data"), 1));
        if faults.len() == before {
            events.push(EventDefinition { name: raw.name.clone(), when: raw.when.clone(), data });
        }
    }
    (events, faults)
}

fn name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the event has no `name`; write one, such as name = \"order.paid\"".into());
    }
    if EventType::find(name).is_some() {
        return Err(format!(
            "every module has `{name}` already; give the event a name of its own, such as `order.paid`"
        ));
    }
    if let Some(prefix) = system_prefix(name) {
        return Err(format!(
            "names that begin with `{prefix}` are those of the gateway's own events; begin with another word"
        ));
    }
    if is_name(name) {
        return Ok(());
    }
    let shown = name.chars().take(80).collect::<String>();
    let hint = meant(name).map_or_else(String::new, |meant| format!("; write `{meant}` instead"));
    Err(format!(
        "`{shown}` is not a name of an event: it is words joined by dots, each a lower-case letter, then lower-case \
         letters, digits or underscores, at most {LONGEST_NAME} bytes in all{hint}"
    ))
}

fn system_prefix(name: &str) -> Option<&'static str> {
    SYSTEM_PREFIXES.iter().copied().find(|prefix| name.starts_with(prefix))
}

fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        word.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    name.len() <= LONGEST_NAME && name.split('.').all(is_word)
}

/// `Trade:Completed`, `tradeCompleted` and the like.
fn meant(name: &str) -> Option<String> {
    let mut meant = String::new();
    for char in name.trim().chars() {
        let before = meant.chars().last();
        match char {
            'A'..='Z' if before.is_some_and(|before| before.is_ascii_lowercase()) => {
                meant.extend(['_', char.to_ascii_lowercase()]);
            }
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' => meant.push(char.to_ascii_lowercase()),
            '.' | ':' | '/' => meant.push('.'),
            _ => meant.push('_'),
        }
    }
    (is_name(&meant) && EventType::find(&meant).is_none() && system_prefix(&meant).is_none()).then_some(meant)
}

fn once(name: &str, events: &[EventDefinition]) -> Result<(), String> {
    if events.iter().any(|event| event.name == name) {
        return Err(format!(
            "another event has the name `{name}` already; give each its own, or join the two conditions by `||`"
        ));
    }
    Ok(())
}

fn when(text: &str, sight: Sight<'_>) -> Result<(), String> {
    if text.is_empty() {
        return Err("the event has no `when`, which says for what changes it stands: when = \"@.changes.status.to == \
                    'paid'\""
            .into());
    }
    let condition = Condition::compile(text).map_err(|bad| bad.to_string())?;
    for mention in condition.mentions() {
        sight.check(&mention.names)?;
        mention.text.map_or(Ok(()), |text| sight.check_text(&mention.names, text))?;
    }
    Ok(())
}

/// The members of `data`, read in order.
struct Data<'f> {
    sight: Sight<'f>,
    left: usize,
    faults: &'f mut Vec<Fault>,
}

impl Data<'_> {
    fn read(&mut self, data: &RawData, at: &str, depth: usize) -> Value {
        if data.0.is_empty() {
            let example = "such as data = { id = \"@.after.id\" }";
            self.faults
                .push(Fault::new(at, format!("the table is empty; list what is told, {example}, or take it away")));
        }
        let pairs = data.0.iter().map_while(|(key, node)| {
            let at = format!("{at}.{}", key_in_path(key));
            self.left = self.left.checked_sub(1).or_else(|| {
                self.faults.push(Fault::new(&at, format!("the data of an event has at most {MOST_MEMBERS} members")));
                None
            })?;
            if key.is_empty() || key.len() > LONGEST_KEY {
                self.faults.push(Fault::new(&at, format!("a key in `data` is a text of 1 to {LONGEST_KEY} bytes")));
            }
            Some(json!([key, self.node(node, &at, depth)]))
        });
        Value::Array(pairs.collect())
    }

    fn node(&mut self, node: &RawNode, at: &str, depth: usize) -> Value {
        match node {
            RawNode::Leaf(text) => {
                self.faults.extend(leaf(text, self.sight).err().map(|detail| Fault::new(at, detail)));
                Value::String(text.clone())
            }
            RawNode::Table(_) if depth == DEEPEST_DATA => {
                self.faults.push(Fault::new(at, format!("tables stand in each other at most {DEEPEST_DATA} deep")));
                Value::Null
            }
            RawNode::Table(inner) => self.read(inner, at, depth + 1),
        }
    }
}

fn leaf(text: &str, sight: Sight<'_>) -> Result<(), String> {
    if text.starts_with(CONST) {
        return Ok(());
    }
    let Some(rest) = text.strip_prefix('@') else {
        return Err(match (text.strip_prefix('$'), sight.fields.iter().any(|field| field.name.as_str() == text)) {
            (Some(rest), _) => format!("`@` is the change here, so paths begin with it: write \"@{rest}\""),
            (None, true) => format!("write \"@.after.{text}\" for what the field holds"),
            (None, false) => format!(
                "here stands a path that begins with `@`, such as \"@.after.amount\", or a text: \"{CONST}{}\"",
                text.chars().take(80).collect::<String>()
            ),
        });
    };
    let path = Path::compile(&format!("${rest}")).map_err(|bad| bad.to_string())?;
    if !path.is_singular() {
        return Err("the path may find several values; use names and indexes only, such as \"@.after.tags[0]\"".into());
    }
    sight.check(&path.names())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_their_grammar() {
        for good in ["paid", "order.paid", "a1_b.c2.d_", &"a".repeat(64)] {
            assert_eq!(name(good), Ok(()), "{good}");
        }
        for (bad, part) in [
            ("", "has no `name`"),
            ("order..paid", "joined by dots"),
            (".paid", "joined by dots"),
            ("order.1st", "joined by dots"),
            (&"a".repeat(65), "at most 64 bytes"),
            ("Order:Paid", "write `order.paid` instead"),
            ("orderPaid", "write `order_paid` instead"),
            ("order paid", "write `order_paid` instead"),
            ("Status-Change", "at most 64 bytes in all"),
            ("record_created", "every module has `record_created`"),
            ("endpoint.disabled", "the gateway's own events"),
        ] {
            let detail = name(bad).unwrap_err();
            assert!(detail.contains(part), "{bad}: {detail}");
        }
        assert!(name("Status-Change").unwrap_err().ends_with("in all"), "no name that cannot be is proposed");
    }
}
