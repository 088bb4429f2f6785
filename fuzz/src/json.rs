//! The strict scan of a body. What it lets pass, `serde_json` reads to the same value, no key lost, within the bounds;
//! written out again it reads as the same. What it calls no JSON, `serde_json` does not read either.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tidegate::map::json::{self, LONGEST_NUMBER, MOST_DEPTH};

pub fn run(input: &[u8]) {
    let value = match json::parse(input) {
        Ok(value) => value,
        Err(bad) => {
            assert!(bad.at <= input.len(), "{bad:?}");
            let is_json = serde_json::from_slice::<IgnoredAny>(input).is_ok();
            assert!(!(is_json && bad.code == "invalid_json"), "serde_json reads it: {bad:?}");
            return;
        }
    };
    assert_eq!(serde_json::from_slice::<Value>(input).expect("serde_json reads it"), value);
    let Members(sent) = serde_json::from_slice(input).expect("serde_json reads it");
    assert_eq!(sent, members(&value), "a key is lost");
    within_bounds(&value, 0);
    let written = serde_json::to_vec(&value).expect("a value can be written");
    assert_eq!(json::parse(&written).expect("what was written is read again"), value);
}

fn within_bounds(value: &Value, depth: usize) {
    assert!(depth <= MOST_DEPTH);
    match value {
        Value::Number(number) => assert!(number.as_str().len() <= LONGEST_NUMBER, "{number}"),
        Value::Array(items) => items.iter().for_each(|item| within_bounds(item, depth + 1)),
        Value::Object(members) => members.values().for_each(|value| within_bounds(value, depth + 1)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(inner) => inner.len() + inner.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

/// How many members the objects have as sent, each of two equal keys counted.
struct Members(usize);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Count).map(Self)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_str<E>(self, _: &str) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut sum = 0;
        while let Some(Members(inner)) = items.next_element()? {
            sum += inner;
        }
        Ok(sum)
    }

    /// Numbers that are kept by their digits come here, too: as an object with a key that no body may have.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<usize, A::Error> {
        let mut sum = 0;
        while let Some((key, Members(inner))) = members.next_entry::<String, _>()? {
            sum += inner + usize::from(!key.starts_with("$serde_json::"));
        }
        Ok(sum)
    }
}
