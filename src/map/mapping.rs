//! A mapping: the rules of a source with what decides whether and once they apply. One document with the same keys
//! in TOML and JSON; raw as written, then checked against the module's shape.

use serde::{Deserialize, Serialize};

use super::input::Input;
use super::rule::{RawRule, Rule, Target};
use crate::record::definition::Fault;
use crate::record::shape::Shape;

/// The most rules of one mapping.
const MOST_RULES: usize = 400;
/// The most patterns of `only`.
const MOST_PATTERNS: usize = 100;

#[derive(Clone, Debug, std::default::Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawMapping {
    #[serde(rename = "match", default, skip_serializing_if = "Option::is_none")]
    pub matching: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<String>,
    #[serde(rename = "rule", default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RawRule>,
}

/// What identifies an event, for deduplication.
#[derive(Clone, Debug)]
pub enum EventIdFrom {
    /// The body's own bytes.
    Body,
    Input(Input),
}

/// A checked mapping. `raw` is what the admin wrote and what is shown.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub raw: RawMapping,
    /// Places of the fields that identify the record.
    pub matching: Vec<usize>,
    pub event_type: Option<Input>,
    pub only: Option<Vec<String>>,
    pub event_id: Option<EventIdFrom>,
    pub occurred_at: Option<Input>,
    pub rules: Vec<Rule>,
}

impl RawMapping {
    /// `keys` are the sets of fields that identify records of the module. Every fault at once; `rule[2].from` is the
    /// second rule's.
    pub fn check(&self, shape: &Shape, keys: &[Vec<usize>]) -> Result<Mapping, Vec<Fault>> {
        let mut faults = Vec::new();
        let identifies = |place: usize| keys.iter().any(|key| key.contains(&place));
        let mut rules = Vec::with_capacity(self.rules.len());
        for (place, raw) in self.rules.iter().enumerate() {
            let at = |key: &str| format!("rule[{}].{key}", place + 1);
            match Rule::check(raw, shape, identifies) {
                Ok(rule) => rules.push(rule),
                Err(found) => faults.extend(found.into_iter().map(|(key, detail)| Fault::new(at(key), detail))),
            }
        }
        if self.rules.is_empty() || self.rules.len() > MOST_RULES {
            faults.push(Fault::new("rule", format!("a mapping has 1 to {MOST_RULES} rules")));
        }
        let mut input = |key: &str, text: &Option<String>| {
            text.as_deref().and_then(|text| single(text).map_err(|detail| faults.push(Fault::new(key, detail))).ok())
        };
        let event_type = input("event_type", &self.event_type);
        let occurred_at = input("occurred_at", &self.occurred_at);
        let event_id = match self.event_id.as_deref() {
            Some("body") => Some(EventIdFrom::Body),
            _ => input("event_id", &self.event_id).map(EventIdFrom::Input),
        };
        let matching =
            self.matching(shape).map_err(|detail| faults.push(Fault::new("match", detail))).unwrap_or_default();
        faults.extend(self.check_only());
        if faults.is_empty() {
            faults.extend(self.check_targets(shape, &matching, &rules));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let only = self.only.clone();
        Ok(Mapping { raw: self.clone(), matching, event_type, only, event_id, occurred_at, rules })
    }

    fn matching(&self, shape: &Shape) -> Result<Vec<usize>, String> {
        let Some(names) = &self.matching else { return Ok(shape.matching.clone()) };
        let place = |name: &String| shape.place(name).ok_or_else(|| format!("`{name}` is not a field of the module"));
        names.iter().map(place).collect()
    }

    fn check_only(&self) -> Option<Fault> {
        let patterns = self.only.as_ref()?;
        let detail = if self.event_type.is_none() {
            "`only` picks event types, and the source does not say where the type stands: event_type = \"$.type\""
                .to_owned()
        } else if patterns.is_empty() || patterns.len() > MOST_PATTERNS || patterns.iter().any(String::is_empty) {
            format!("`only` lists 1 to {MOST_PATTERNS} event types, such as \"order.*\"")
        } else {
            return None;
        };
        Some(Fault::new("only", detail))
    }

    /// Each field is filled by one rule at most, and the matching ones by one each.
    fn check_targets(&self, shape: &Shape, matching: &[usize], rules: &[Rule]) -> Vec<Fault> {
        let mut faults = Vec::new();
        let filled = |wanted: usize| {
            let fills = move |rule: &&Rule| matches!(rule.target, Target::Field { place, .. } if place == wanted);
            rules.iter().filter(fills).count()
        };
        for (place, raw) in self.rules.iter().enumerate() {
            let earlier = self.rules[..place].iter().position(|other| other.to == raw.to);
            if let Some(earlier) = earlier {
                let detail = format!("rule {} fills `{}` already", earlier + 1, raw.to);
                faults.push(Fault::new(format!("rule[{}].to", place + 1), detail));
            }
        }
        for place in matching.iter().filter(|place| filled(**place) == 0) {
            let name = &shape.fields[*place].name;
            faults.push(Fault::new("match", format!("records are found by `{name}`, and no rule fills it")));
        }
        faults
    }
}

fn single(text: &str) -> Result<Input, String> {
    let input = Input::check(text)?;
    if input.is_singular() {
        return Ok(input);
    }
    Err("the path can find several nodes; one that names a single place is needed, such as $.id".to_owned())
}

/// Whether a type fits a pattern in which `*` stands for any text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, wanted) in [
            ("order.*", "order.created", true),
            ("order.*", "order.", true),
            ("order.*", "orders.created", false),
            ("*", "", true),
            ("*.created", "order.created", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("push", "push", true),
            ("push", "pushed", false),
        ] {
            assert_eq!(fits(pattern, text), wanted, "{pattern} {text}");
        }
    }
}
