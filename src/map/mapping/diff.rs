//! What became of a mapping from one version to another: rules added, removed, changed, moved, and its other keys.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::RawMapping;
use crate::map::rule::RawRule;

/// A value as it was and as it is; null where there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved<T> {
    pub from: T,
    pub to: T,
}

/// By the names that a mapping's document has for them.
pub type Members = BTreeMap<String, Moved<Value>>;

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diff {
    pub rules: RulesDiff,
    /// Of the mapping itself: `when`, `match` and the like.
    pub keys: Members,
}

/// Places count from 1: of what was removed as it stood, of all else as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RulesDiff {
    pub added: Vec<Placed>,
    pub removed: Vec<Placed>,
    pub changed: Vec<Changed>,
    /// Of several rules for one field the first that counts fills it: those that stand in another order there.
    pub moved: Vec<Shifted>,
    /// The rules stand in another order, even if that changes nothing.
    pub reordered: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placed {
    pub place: usize,
    pub rule: RawRule,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    pub place: usize,
    /// As it is now, so that one knows which it is.
    pub from: String,
    pub to: String,
    pub members: Members,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shifted {
    pub rule: RawRule,
    pub place: Moved<usize>,
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub fn between(old: &RawMapping, new: &RawMapping) -> Self {
        let keys = |mapping: &RawMapping| object(&RawMapping { rules: Vec::new(), ..mapping.clone() });
        Self { rules: RulesDiff::between(&old.rules, &new.rules), keys: members(&keys(old), &keys(new)) }
    }
}

impl RulesDiff {
    fn between(old: &[RawRule], new: &[RawRule]) -> Self {
        let pairs = Pairs::of(old, new);
        let placed = |rules: &[RawRule], place: usize| Placed { place: place + 1, rule: rules[place].clone() };
        let mut diff = Self {
            added: (0..new.len()).filter(|place| pairs.old_of(*place).is_none()).map(|p| placed(new, p)).collect(),
            removed: (0..old.len()).filter(|place| !pairs.has(*place)).map(|place| placed(old, place)).collect(),
            ..Self::default()
        };
        for (place, rule) in new.iter().enumerate() {
            let Some(was) = pairs.old_of(place).map(|place| &old[place]).filter(|was| *was != rule) else { continue };
            let members = members(&object(was), &object(rule));
            diff.changed.push(Changed { place: place + 1, from: rule.from.clone(), to: rule.to.clone(), members });
        }
        diff.moved = pairs.moved(new);
        diff.reordered = !pairs.0.iter().flatten().is_sorted();
        diff
    }
}

/// For each new rule the old one that it was.
struct Pairs(Vec<Option<usize>>);

impl Pairs {
    /// Equal ones first, then those that fill the same from the same place, then those that fill the same.
    fn of(old: &[RawRule], new: &[RawRule]) -> Self {
        let mut pairs = Self(vec![None; new.len()]);
        let alike: [fn(&RawRule, &RawRule) -> bool; 3] =
            [|a, b| a == b, |a, b| a.to == b.to && a.from == b.from, |a, b| a.to == b.to];
        for is_alike in alike {
            for (place, rule) in new.iter().enumerate() {
                if pairs.0[place].is_some() {
                    continue;
                }
                pairs.0[place] = (0..old.len()).find(|was| is_alike(&old[*was], rule) && !pairs.has(*was));
            }
        }
        pairs
    }

    fn old_of(&self, new: usize) -> Option<usize> {
        self.0[new]
    }

    fn has(&self, old: usize) -> bool {
        self.0.contains(&Some(old))
    }

    /// Among those that fill the same place, before and after, each one's rank.
    fn moved(&self, new: &[RawRule]) -> Vec<Shifted> {
        let mut by_target: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
        for (place, was) in self.0.iter().enumerate() {
            if let Some(was) = was {
                by_target.entry(&new[place].to).or_default().push((*was, place));
            }
        }
        let mut moved = Vec::new();
        for after in by_target.into_values() {
            let mut before = after.clone();
            before.sort_unstable();
            for ((was, place), (other, _)) in after.iter().zip(&before) {
                if was != other {
                    let place = Moved { from: was + 1, to: place + 1 };
                    moved.push(Shifted { rule: new[place.to - 1].clone(), place });
                }
            }
        }
        moved.sort_by_key(|shifted| shifted.place.to);
        moved
    }
}

/// A document's members; what cannot be written as an object has none.
pub fn object(document: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(document) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// The members that differ.
pub fn members(old: &Map<String, Value>, new: &Map<String, Value>) -> Members {
    let names = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name)));
    let value = |of: &Map<String, Value>, name: &String| of.get(name).cloned().unwrap_or_default();
    let differs = names.filter(|name| value(old, name) != value(new, name));
    differs.map(|name| (name.clone(), Moved { from: value(old, name), to: value(new, name) })).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn diff(old: Value, new: Value) -> Value {
        let mapping = |value| serde_json::from_value(value).unwrap();
        serde_json::to_value(Diff::between(&mapping(old), &mapping(new))).unwrap()
    }

    fn rules(rules: &[(&str, &str, Option<&str>)]) -> Value {
        let rule = |(from, to, when): &(&str, &str, Option<&str>)| json!({ "from": from, "to": to, "when": when });
        json!({ "rule": rules.iter().map(rule).collect::<Vec<_>>() })
    }

    #[test]
    fn rules_are_paired_by_what_they_fill() {
        let old = rules(&[("$.a", "a", None), ("$.b", "b", None), ("$.c", "c", None)]);
        let new = rules(&[("$.a", "a", None), ("$.x", "b", None), ("$.d", "d", None)]);
        let found = diff(old, new);
        assert_eq!(found["rules"]["added"], json!([{ "place": 3, "rule": { "from": "$.d", "to": "d" } }]));
        assert_eq!(found["rules"]["removed"], json!([{ "place": 3, "rule": { "from": "$.c", "to": "c" } }]));
        let changed =
            json!([{ "place": 2, "from": "$.x", "to": "b", "members": { "from": { "from": "$.b", "to": "$.x" } } }]);
        assert_eq!((&found["rules"]["changed"], &found["rules"]["reordered"]), (&changed, &json!(false)));
    }

    #[test]
    fn order_counts_among_rules_for_one_field() {
        let (one, two, other) = (("$.a", "a", Some("@.x")), ("$.b", "a", None), ("$.c", "c", None));
        let found = diff(rules(&[one, two, other]), rules(&[two, one, other]));
        let moved: Vec<_> = found["rules"]["moved"].as_array().unwrap().iter().map(|moved| &moved["place"]).collect();
        assert_eq!(moved, [&json!({ "from": 2, "to": 1 }), &json!({ "from": 1, "to": 2 })]);
        assert_eq!(found["rules"]["changed"], json!([]));
        let found = diff(rules(&[one, two, other]), rules(&[other, one, two]));
        assert_eq!((&found["rules"]["moved"], &found["rules"]["reordered"]), (&json!([]), &json!(true)));
        let inserted = diff(rules(&[one, two]), rules(&[other, one, two]));
        assert_eq!((&inserted["rules"]["reordered"], &inserted["rules"]["moved"]), (&json!(false), &json!([])));
    }

    #[test]
    fn keys_of_the_mapping_are_told_by_name() {
        let found = diff(json!({ "when": "@.a", "only": ["x"] }), json!({ "when": "@.b", "each": "$.items[*]" }));
        let wanted = json!({
            "each": { "from": null, "to": "$.items[*]" },
            "only": { "from": ["x"], "to": null },
            "when": { "from": "@.a", "to": "@.b" },
        });
        assert_eq!(found["keys"], wanted);
    }
}
