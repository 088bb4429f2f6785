//! A mapping: the rules of a source with what decides whether and once they apply. One document with the same keys
//! in TOML and JSON; raw as written, then checked against the module's shape.

mod check;
pub mod diff;
mod read;
mod targets;

use serde::{Deserialize, Serialize};

use super::input::Input;
use super::moment::{Moment, RawMoment};
use super::rule::{RawRule, Rule};
use crate::condition::Condition;
use crate::condition::path::Path;

/// The most rules of one mapping.
pub const MOST_RULES: usize = 400;
/// The longest module file, in bytes.
pub const LONGEST_FILE: usize = 1024 * 1024;
/// When this many faults were found, no further rule is checked.
pub const MOST_FAULTS: usize = 100;
/// The most patterns of `only`.
pub const MOST_PATTERNS: usize = 100;

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
    pub when: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<RawMoment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_when: Option<String>,
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
    pub when: Option<Condition>,
    /// One record for each node that it selects.
    pub each: Option<Path>,
    pub event_id: Option<EventIdFrom>,
    pub occurred_at: Option<Moment>,
    pub delete_when: Option<Condition>,
    pub rules: Vec<Rule>,
    /// The parameters of the URL that some of it looks at.
    pub parameters: Vec<String>,
}

impl Mapping {
    /// Whether some of it looks at more than single places, so that a small payload may take long.
    pub fn is_wide(&self) -> bool {
        let conditions = self.when.is_some() || self.delete_when.is_some();
        self.each.is_some() || conditions || self.rules.iter().any(Rule::is_wide)
    }
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
