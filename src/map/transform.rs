//! Transforms: what a rule does with a node before it is coerced. A closed list of pure functions; no arithmetic on
//! floats, no locale of the machine. Null passes all of them untouched: what null means is the rule's to say.

mod raw;
mod time;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

pub use raw::{RawTable, RawTransform};
pub use time::Reading;

use crate::record::decimal::{BadDecimal, Decimal};
use crate::record::value::{BadValue, describe};

/// How far `scale` moves the point at most, either way.
pub const FARTHEST_SCALE: i32 = 30;
/// The most entries of a `map`.
pub const MOST_ENTRIES: usize = 1_000;

/// A transform that was checked.
#[derive(Clone, Debug)]
pub enum Transform {
    /// Takes Unicode white space from both ends.
    Trim,
    /// By the Unicode mappings that no language changes.
    Lowercase,
    Uppercase,
    /// The node's text looked up; `otherwise` stands for all that is not listed.
    Map {
        entries: BTreeMap<String, Value>,
        otherwise: Option<Value>,
    },
    /// Times 10 to this power: -2 makes 19.99 of 1999 minor units.
    Scale(i32),
    Timestamp(Reading),
}

impl Transform {
    /// The error is for the admin who writes the mapping.
    pub fn check(raw: &RawTransform) -> Result<Self, String> {
        let table = match raw {
            RawTransform::Word(word) => return by_word(word),
            RawTransform::Table(table) => table,
        };
        let RawTable { map, otherwise, scale, timestamp, zone } = table;
        if otherwise.is_some() && map.is_none() {
            return Err("`else` belongs to `map`".into());
        }
        if zone.is_some() && timestamp.is_none() {
            return Err("`zone` belongs to `timestamp`".into());
        }
        match (map, scale, timestamp) {
            (Some(entries), None, None) => mapping(entries, otherwise.as_ref()),
            (None, Some(places), None) => scaling(*places),
            (None, None, Some(format)) => Reading::check(format, zone.as_deref()).map(Self::Timestamp),
            _ => Err("a transform has one of `map`, `scale` and `timestamp`".into()),
        }
    }

    /// The node itself when nothing changes.
    pub fn apply<'a>(&'a self, node: Cow<'a, Value>) -> Result<Cow<'a, Value>, BadValue> {
        if node.is_null() {
            return Ok(node);
        }
        match self {
            Self::Trim => rewritten(node, |text| Cow::Borrowed(text.trim())),
            Self::Lowercase => rewritten(node, lowercase),
            Self::Uppercase => rewritten(node, uppercase),
            Self::Map { entries, otherwise } => looked_up(entries, otherwise.as_ref(), &node),
            Self::Scale(places) => scaled(&node, *places).map(Cow::Owned),
            Self::Timestamp(reading) => {
                let at = reading.read(&text(&node)?)?;
                Ok(Cow::Owned(Value::String(at.to_string())))
            }
        }
    }
}

fn by_word(word: &str) -> Result<Transform, String> {
    match word {
        "trim" => Ok(Transform::Trim),
        "lowercase" => Ok(Transform::Lowercase),
        "uppercase" => Ok(Transform::Uppercase),
        "map" | "scale" | "timestamp" => Err(format!("`{word}` is written as a table: {{ {word} = … }}")),
        other => Err(format!(
            "there is no transform `{other}`; there are \"trim\", \"lowercase\", \"uppercase\", {{ map = … }}, \
             {{ scale = … }}, {{ timestamp = … }}"
        )),
    }
}

fn mapping(entries: &BTreeMap<String, Value>, otherwise: Option<&Value>) -> Result<Transform, String> {
    if entries.is_empty() {
        return Err("`map` has no entries".into());
    }
    if entries.len() > MOST_ENTRIES {
        return Err(format!("`map` has more than {MOST_ENTRIES} entries"));
    }
    let scalar = |value: &Value| !value.is_array() && !value.is_object();
    if let Some((key, _)) = entries.iter().find(|(_, value)| !scalar(value)) {
        return Err(format!("`map` turns {key:?} into neither a text, a number, a boolean nor null"));
    }
    if !otherwise.is_none_or(scalar) {
        return Err("`else` is neither a text, a number, a boolean nor null".into());
    }
    Ok(Transform::Map { entries: entries.clone(), otherwise: otherwise.cloned() })
}

fn scaling(places: i64) -> Result<Transform, String> {
    i32::try_from(places)
        .ok()
        .filter(|places| places.abs() <= FARTHEST_SCALE)
        .map(Transform::Scale)
        .ok_or_else(|| format!("`scale` is a power of ten from -{FARTHEST_SCALE} to {FARTHEST_SCALE}"))
}

/// The text of a scalar: a string's content, a number as sent, a boolean's word.
fn text(node: &Value) -> Result<Cow<'_, str>, BadValue> {
    match node {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Borrowed(number.as_str())),
        Value::Bool(truth) => Ok(Cow::Borrowed(if *truth { "true" } else { "false" })),
        other => Err(BadValue::new("wrong_type", format!("{} has no text to transform", describe(other)))),
    }
}

fn rewritten<'a>(node: Cow<'a, Value>, rewrite: fn(&str) -> Cow<'_, str>) -> Result<Cow<'a, Value>, BadValue> {
    let before = text(&node)?;
    let after = rewrite(&before);
    if after == before {
        drop(after);
        return Ok(node);
    }
    Ok(Cow::Owned(Value::String(after.into_owned())))
}

fn lowercase(text: &str) -> Cow<'_, str> {
    let stands = |char: char| char.to_lowercase().eq([char]);
    if text.chars().all(stands) { Cow::Borrowed(text) } else { Cow::Owned(text.to_lowercase()) }
}

fn uppercase(text: &str) -> Cow<'_, str> {
    let stands = |char: char| char.to_uppercase().eq([char]);
    if text.chars().all(stands) { Cow::Borrowed(text) } else { Cow::Owned(text.to_uppercase()) }
}

fn looked_up<'a>(
    entries: &'a BTreeMap<String, Value>,
    otherwise: Option<&'a Value>,
    node: &Value,
) -> Result<Cow<'a, Value>, BadValue> {
    let not_listed = || BadValue::new("not_in_map", "the value is not listed in `map`, which has no `else`");
    entries.get(text(node)?.as_ref()).or(otherwise).map(Cow::Borrowed).ok_or_else(not_listed)
}

/// Always a number, so that an integer or decimal field takes it by its digits.
fn scaled(node: &Value, places: i32) -> Result<Value, BadValue> {
    if node.is_boolean() {
        return Err(BadValue::new("wrong_type", "a boolean cannot be scaled"));
    }
    let number = decimal(&text(node)?)?.scaled(places).map_err(bad_number)?;
    let number = number.as_str().parse().map_err(|_| bad_number(BadDecimal::Grammar))?;
    Ok(Value::Number(number))
}

fn decimal(text: &str) -> Result<Decimal, BadValue> {
    Decimal::parse(text).map_err(bad_number)
}

fn bad_number(error: BadDecimal) -> BadValue {
    match error {
        BadDecimal::Grammar => BadValue::new("not_a_number", format!("the text is {error}")),
        BadDecimal::TooLong => BadValue::new("out_of_range", format!("the number has {error}")),
    }
}

#[cfg(test)]
mod tests;
