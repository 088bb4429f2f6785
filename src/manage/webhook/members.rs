//! The members of a webhook's document, as requests say them: every fault is found at once, and null takes a member
//! back to what it is where nobody says anything (RFC 7396).

use serde_json::{Map, Value, json};

use crate::deliver::endpoint::RawEndpoint;
use crate::problem::{Code, Problem};
use crate::record::nearest::{did_you_mean, nearest};

pub type Members = Map<String, Value>;

/// What is wrong with one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: String,
    pub detail: String,
}

impl Wrong {
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into() }
    }
}

/// Settings, and what they are.
const SETTINGS: [(&str, &str); 12] = [
    ("url", "a text"),
    ("description", "a text"),
    ("events", "a list of types of events"),
    ("modules", "a list of slugs"),
    ("filter", "a text, a condition such as `@.data.quantity > 10`"),
    ("profile", "a text, the name of a profile"),
    ("ordering", "`none` or `per_record`"),
    ("perMinute", "a whole number of deliveries"),
    ("concurrency", "a whole number of attempts"),
    ("retries", "a list of whole numbers of seconds"),
    ("timeout", "a whole number of seconds"),
    ("onGone", "`disable` or `retry`"),
];

/// Shown, and not changed by saying them.
const ELSEWHERE: [(&str, &str); 11] = [
    ("secret", "is replaced by POST …/rotate-secret"),
    ("secrets", "are replaced by POST …/rotate-secret"),
    ("state", "is changed by POST …/enable and …/disable"),
    ("cause", "is changed by POST …/enable and …/disable"),
    ("id", "cannot be chosen or changed"),
    ("version", "moves by itself; to change one version only, send it as If-Match"),
    ("missed", "is found out by the gateway"),
    ("failingSince", "is found out by the gateway"),
    ("stateAt", "is found out by the gateway"),
    ("createdAt", "is found out by the gateway"),
    ("updatedAt", "is found out by the gateway"),
];

/// `standing` with what is asked for.
pub fn merged(mut standing: Members, asked: Members) -> Members {
    for (name, value) in asked {
        match value {
            Value::Null => drop(standing.remove(&name)),
            value => drop(standing.insert(name, value)),
        }
    }
    standing
}

/// The settings that the members are.
pub fn read(members: Members) -> Result<RawEndpoint, Vec<Wrong>> {
    let mut wrong: Vec<_> = members.iter().filter_map(|(name, value)| why_not(name, value)).collect();
    if !members.contains_key("url") {
        wrong.insert(0, Wrong::new("url", "is missing: where to send, such as https://example.com/hooks"));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    serde_json::from_value(Value::Object(members)).map_err(|error| vec![Wrong::new("", error.to_string())])
}

/// Looked at alone, so that one fault does not hide another.
fn why_not(name: &str, value: &Value) -> Option<Wrong> {
    if let Some((_, where_else)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return Some(Wrong::new(name, *where_else));
    }
    let Some((_, what)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
        let known = SETTINGS.iter().map(|(name, _)| *name).chain(["headers"]);
        let hint = did_you_mean(nearest(name, known), |name| format!("`{name}`"));
        return Some(Wrong::new(name, format!("a webhook has no such member{hint}")));
    };
    let alone = serde_json::from_value::<RawEndpoint>(json!({ "url": "", name: value }));
    alone.err().map(|_| Wrong::new(name, format!("is {what}")))
}

/// A refusal with all that is wrong.
pub fn invalid(wrong: Vec<Wrong>) -> Problem {
    let detail = match &wrong[..] {
        [one] => format!("{}: {}", one.field, one.detail),
        many => format!("{} errors; nothing was changed", many.len()),
    };
    let errors = wrong.into_iter().map(|wrong| json!({ "field": wrong.field, "detail": wrong.detail }));
    Problem::new(Code::InvalidDocument, detail).with_errors(errors.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(value: Value) -> Members {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let wrong = read(members(json!({
            "concurrency": "many", "evnts": [], "retries": [1, "2"], "secret": "s", "ordering": "strict", "timeout": 2.5,
        })));
        let fields: Vec<_> = wrong.unwrap_err().into_iter().map(|wrong| wrong.field).collect();
        assert_eq!(fields, ["url", "concurrency", "evnts", "ordering", "retries", "secret", "timeout"]);
        let wrong = read(members(json!({"url": "u", "perminute": 3}))).unwrap_err();
        assert_eq!(wrong[0].detail, "a webhook has no such member; did you mean `perMinute`?");
    }

    #[test]
    fn each_setting_is_one_of_a_webhook() {
        let all = json!({
            "url": "u", "description": "d", "events": ["a"], "modules": ["m"], "filter": "@.a", "profile": "p",
            "ordering": "per_record", "perMinute": 1, "concurrency": 2, "retries": [3], "timeout": 4, "onGone": "retry",
        });
        let names: std::collections::BTreeSet<_> = SETTINGS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names, members(all.clone()).keys().cloned().collect());
        let raw = read(members(all.clone())).unwrap();
        assert_eq!(serde_json::to_value(&raw).unwrap(), all, "they are written as they are read");
    }

    #[test]
    fn null_takes_a_member_back() {
        let standing = members(json!({"url": "u", "timeout": 4, "filter": "f"}));
        let merged = merged(standing, members(json!({"timeout": null, "filter": "g", "concurrency": 1})));
        assert_eq!(Value::Object(merged), json!({"url": "u", "filter": "g", "concurrency": 1}));
    }
}
