//! Transforms: what a rule does with a node before it is coerced. A closed list of pure functions; no arithmetic on
//! floats, no locale of the machine. Null passes all of them untouched: what null means is the rule's to say.
//! `entry.rs` tells admins what each does; its examples are tests.

mod check;
mod currency;
pub mod entry;
mod hint;
mod locale;
mod number;
mod raw;
mod text;
mod time;
mod types;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

pub use currency::{MOST_OVERRIDES, MinorUnits, NOT_TWO_DIGITS};
pub use locale::{LOCALES, Locale};
pub use raw::{RawTable, RawTransform, list};
pub use time::{LONGEST_FORMAT, Reading};

use super::input::{Input, Sight};
use super::onlooker::Onlooker;
use crate::record::value::{BadValue, describe};

/// The most transforms of one rule.
pub const MOST_TRANSFORMS: usize = 10;
/// The longest text of `replace`, `with`, `prefix`, `suffix` and `split`, in bytes.
pub const LONGEST_PIECE: usize = 200;
/// The most parts that `split` makes of a text.
pub const MOST_PARTS: usize = 1_000;
/// The longest text that a transform gives, in bytes: `replace` would make gigabytes of a body full of one letter.
pub const LONGEST_RESULT: usize = 1024 * 1024;
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
    /// Every occurrence, from the left, not looking at what was put in.
    Replace {
        text: Box<str>,
        with: Box<str>,
    },
    /// An empty text stays empty.
    Prefix(Box<str>),
    Suffix(Box<str>),
    /// One part, or the array of all. An empty text has none.
    Split {
        separator: Box<str>,
        part: Option<i64>,
    },
    /// A text that writes a number as people of this language do.
    Number(&'static Locale),
    /// Times 10 to this power: -2 makes 19.99 of 1999 minor units.
    Scale(i32),
    MinorUnits(MinorUnits),
    Timestamp(Reading),
    /// The node's text looked up; `otherwise` stands for all that is not listed.
    Map {
        entries: BTreeMap<String, Value>,
        otherwise: Option<Value>,
    },
    /// SHA-256 of the text, in hexadecimal.
    Hash,
}

/// Reads what an input of another transform finds: the currency of an amount.
type Look<'l> = &'l dyn Fn(&Input) -> Option<String>;

impl Transform {
    /// The parameter of the URL that it looks at.
    fn parameter(&self) -> Option<&str> {
        match self {
            Self::MinorUnits(units) => units.currency().parameter(),
            _ => None,
        }
    }

    /// The node itself when nothing changes.
    pub fn apply<'a>(&'a self, node: Cow<'a, Value>, sight: Sight<'_>) -> Result<Cow<'a, Value>, BadValue> {
        self.apply_with(node, &|input| input.text(sight))
    }

    fn apply_with<'a>(&'a self, node: Cow<'a, Value>, look: Look<'_>) -> Result<Cow<'a, Value>, BadValue> {
        if node.is_null() {
            return Ok(node);
        }
        let made = match self {
            Self::Trim => text::rewritten(node, |text| Ok(Cow::Borrowed(text.trim()))),
            Self::Lowercase => text::rewritten(node, |text| Ok(text::lowercase(text))),
            Self::Uppercase => text::rewritten(node, |text| Ok(text::uppercase(text))),
            Self::Replace { text, with } => text::rewritten(node, |from| text::replaced(from, text, with)),
            Self::Prefix(prefix) => text::rewritten(node, |text| Ok(text::joined(text, prefix, ""))),
            Self::Suffix(suffix) => text::rewritten(node, |text| Ok(text::joined(text, "", suffix))),
            Self::Split { separator, part } => text::split(&node, separator, *part).map(Cow::Owned),
            Self::Hash => text::hashed(&node).map(Cow::Owned),
            Self::Number(locale) => number::read(node, locale),
            Self::Scale(places) => number::scaled(&node, *places).map(Cow::Owned),
            Self::MinorUnits(units) => units.apply(&node, look(units.currency())).map(Cow::Owned),
            Self::Timestamp(reading) => {
                let at = reading.read(&text_of(&node)?)?;
                Ok(Cow::Owned(Value::String(at.to_string())))
            }
            Self::Map { entries, otherwise } => looked_up(entries, otherwise.as_ref(), &node),
        };
        made.and_then(bounded)
    }
}

/// The transforms of one rule, in the order in which they apply.
#[derive(Clone, Debug, Default)]
pub struct Chain(Vec<Transform>);

impl Chain {
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Transform::parameter)
    }

    pub fn steps(&self) -> usize {
        self.0.len()
    }

    pub fn apply<'a>(
        &'a self,
        node: Cow<'a, Value>,
        sight: Sight<'_>,
        onlooker: &mut impl Onlooker,
    ) -> Result<Cow<'a, Value>, BadValue> {
        self.0.iter().enumerate().try_fold(node, |node, (step, transform)| {
            let made = transform.apply(node, sight)?;
            onlooker.transformed(step, &made);
            Ok(made)
        })
    }
}

/// The text of a scalar: a string's content, a number as sent, a boolean's word.
fn text_of(node: &Value) -> Result<Cow<'_, str>, BadValue> {
    match node {
        Value::String(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Borrowed(number.as_str())),
        Value::Bool(truth) => Ok(Cow::Borrowed(if *truth { "true" } else { "false" })),
        other => Err(BadValue::new("wrong_type", format!("{} has no text to transform", describe(other)))),
    }
}

fn looked_up<'a>(
    entries: &'a BTreeMap<String, Value>,
    otherwise: Option<&'a Value>,
    node: &Value,
) -> Result<Cow<'a, Value>, BadValue> {
    let not_listed = || BadValue::new("not_in_map", "the value is not listed in `map`, which has no `else`");
    entries.get(text_of(node)?.as_ref()).or(otherwise).map(Cow::Borrowed).ok_or_else(not_listed)
}

fn too_large() -> BadValue {
    BadValue::new("too_large", format!("a transform gives texts of at most {LONGEST_RESULT} bytes"))
}

fn bounded(node: Cow<'_, Value>) -> Result<Cow<'_, Value>, BadValue> {
    match node.as_str() {
        Some(text) if text.len() > LONGEST_RESULT => Err(too_large()),
        _ => Ok(node),
    }
}

#[cfg(test)]
mod tests;
