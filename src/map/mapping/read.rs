//! A mapping out of JSON, past its mistakes: what cannot be read is told by its place and left out, so that all of it is
//! told at once. Module files have a reader of their own, which knows lines.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{MOST_FAULTS, RawMapping};
use crate::map::rule::RawRule;
use crate::record::definition::Fault;
use crate::record::nearest::{did_you_mean, listed, nearest};

impl RawMapping {
    /// As far as it reads, and what does not.
    pub fn read(document: Value) -> (Self, Vec<Fault>) {
        let mut faults = Vec::new();
        let Value::Object(mut members) = document else {
            let detail =
                "a mapping is an object, such as { \"rule\": [{ \"from\": \"$.sku\", \"to\": \"product_code\" }] }";
            return (Self::default(), vec![Fault::new("", detail)]);
        };
        let rules = rules(members.remove("rule"), &mut faults);
        let keys = readable::<Self>(members, &|key| key.to_owned(), &mut faults);
        (Self { rules, ..keys.unwrap_or_default() }, faults)
    }
}

fn rules(document: Option<Value>, faults: &mut Vec<Fault>) -> Vec<RawRule> {
    let rules = match document {
        None => return Vec::new(),
        Some(Value::Array(rules)) => rules,
        Some(_) => {
            faults.push(Fault::new("rule", "`rule` is a list of rules"));
            return Vec::new();
        }
    };
    let read = |(place, rule): (usize, Value)| {
        let number = place + 1;
        let members = match rule {
            Value::Object(members) if faults.len() < MOST_FAULTS => members,
            Value::Object(_) => Map::new(),
            _ => {
                let detail = "a rule is an object, such as { \"from\": \"$.sku\", \"to\": \"product_code\" }";
                faults.push(Fault::new(format!("rule[{number}]"), detail));
                Map::new()
            }
        };
        readable(members, &|key| format!("rule[{number}].{key}"), faults)
    };
    rules.into_iter().enumerate().filter_map(read).collect()
}

/// Each member is read by itself, since all may be left out; then those that can be, together.
fn readable<T: DeserializeOwned>(
    members: Map<String, Value>,
    at: &dyn Fn(&str) -> String,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let mut good = Map::new();
    for (key, value) in members {
        let alone = Map::from_iter([(key.clone(), value.clone())]);
        match T::deserialize(Value::Object(alone)) {
            Ok(_) => drop(good.insert(key, value)),
            Err(error) => faults.push(Fault::new(at(&key), detail(&key, &error.to_string()))),
        }
    }
    T::deserialize(Value::Object(good)).ok()
}

/// For a key that is not known: the one that was meant, or those that there are.
fn detail(key: &str, message: &str) -> String {
    if !message.starts_with(&format!("unknown field `{key}`")) {
        return message.to_owned();
    }
    let known = message.rfind("`, expected ").map_or("", |at| &message[at + 1..]);
    let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
    match nearest(key, known.iter().copied()) {
        Some(near) => format!("`{key}` is no key here{}", did_you_mean(Some(near), |near| format!("`{near}`"))),
        None => format!("`{key}` is no key here; there are {}", listed(known)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_does_not_read_is_told_at_once() {
        let (mapping, faults) = RawMapping::read(json!({
            "when": 5,
            "evnt_id": "$.id",
            "rule": [
                { "from": "$.a", "to": "a", "take": "all", "transfrom": [] },
                7,
                { "from": ["$.b"], "to": "b", "transform": [{ "scale": -2 }] },
            ],
        }));
        let places: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
        assert_eq!(places, ["rule[1].take", "rule[1].transfrom", "rule[2]", "rule[3].from", "evnt_id", "when"]);
        assert!(faults[1].detail.ends_with("did you mean `transform`?"), "{}", faults[1].detail);
        assert!(faults[4].detail.ends_with("did you mean `event_id`?"), "{}", faults[4].detail);
        assert_eq!(mapping.rules.len(), 3);
        assert_eq!((mapping.rules[0].to.as_str(), mapping.rules[2].transform.len()), ("a", 1));
    }

    #[test]
    fn what_reads_is_what_serde_reads() {
        let document =
            json!({ "match": ["a"], "rule": [{ "from": "$.a", "to": "a", "default": 1.50, "required": true }] });
        let (mapping, faults) = RawMapping::read(document.clone());
        assert_eq!((mapping, faults), (serde_json::from_value(document).unwrap(), Vec::new()));
    }
}
