//! How often things occurred: a test of random inputs is worth what they meet.

use std::collections::BTreeMap;

use serde_json::Value;

use super::kinds::ALL;
use super::module::Module;
use crate::app::text;

/// The least number of a hundred events.
const LEAST: [(&str, usize); 8] = [
    ("created", 8),
    ("updated", 8),
    ("unchanged", 3),
    ("stale", 3),
    ("duplicate", 3),
    ("deleted", 2),
    ("ignored", 5),
    ("refused", 10),
];

#[derive(Debug, Default)]
pub struct Tally {
    events: usize,
    outcomes: BTreeMap<String, usize>,
    /// Of problems, and of the errors in them.
    codes: BTreeMap<String, usize>,
    /// Fields with a value in the end, by kind.
    filled: BTreeMap<&'static str, usize>,
    /// Why modules were not taken.
    refused: BTreeMap<String, usize>,
}

fn count(into: &mut BTreeMap<String, usize>, what: &Value) {
    *into.entry(text(what).to_owned()).or_default() += 1;
}

impl Tally {
    pub fn answer(&mut self, answer: &Value) {
        self.events += 1;
        count(&mut self.outcomes, answer.get("outcome").unwrap_or(&"refused".into()));
        for problem in [answer].into_iter().chain(answer["errors"].as_array().into_iter().flatten()) {
            problem.get("code").into_iter().for_each(|code| count(&mut self.codes, code));
        }
    }

    pub fn refused(&mut self, errors: &[Value]) {
        errors.iter().for_each(|error| count(&mut self.refused, &error["detail"]));
    }

    pub fn records(&mut self, records: &[Value], module: &Module) {
        let fields = records.iter().filter_map(|record| record["fields"].as_object()).flatten();
        for (name, _) in fields.filter(|(_, value)| !value.is_null()) {
            let (_, kind) = module.kinds.iter().find(|(other, _)| other == name).unwrap();
            *self.filled.entry(kind.toml()).or_default() += 1;
        }
    }

    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        other.outcomes.into_iter().for_each(|(name, count)| *self.outcomes.entry(name).or_default() += count);
        other.codes.into_iter().for_each(|(name, count)| *self.codes.entry(name).or_default() += count);
        other.filled.into_iter().for_each(|(name, count)| *self.filled.entry(name).or_default() += count);
    }

    pub fn assert_not_vacuous(&self) {
        assert!(self.events >= 2_000, "{self:#?}");
        for (outcome, least) in LEAST {
            let count = self.outcomes.get(outcome).copied().unwrap_or_default();
            assert!(count * 100 >= least * self.events, "{count} events were {outcome}: {self:#?}");
        }
        assert!(self.codes.len() >= 15, "refused for many reasons: {self:#?}");
        for kind in ALL {
            let count = self.filled.get(kind.toml()).copied().unwrap_or_default();
            assert!(count >= 50, "{count} fields are {kind:?}: {self:#?}");
        }
        assert!(self.refused.values().sum::<usize>() < 50, "modules are to be taken: {self:#?}");
    }
}
