//! Names and kinds of fields. A name that exists has been checked, which is what makes a quoted identifier safe.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text breaks the grammar of the name asked for.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is not a {what}: {rule}")]
pub struct BadName {
    text: String,
    what: &'static str,
    rule: &'static str,
}

fn is_name(text: &str, longest: usize, joint: u8) -> bool {
    let tail_is_fine = |char: u8| char.is_ascii_lowercase() || char.is_ascii_digit() || char == joint;
    text.len() <= longest
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(tail_is_fine)
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident is $what:literal, at most $longest:literal, joined by $joint:literal: $rule:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, BadName> {
                if is_name(text, $longest, $joint) && !Self::is_reserved(text) {
                    return Ok(Self(text.into()));
                }
                Err(BadName { text: text.chars().take(80).collect(), what: $what, rule: $rule })
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

names! {
    /// Names a module in URLs and files; its table is `m_` + the slug with `_` for `-`.
    ModuleSlug is "module slug", at most 48, joined by b'-':
        "a lower-case letter, then at most 47 lower-case letters, digits or dashes";
    /// Names a source within its module.
    SourceSlug is "source slug", at most 48, joined by b'-':
        "a lower-case letter, then at most 47 lower-case letters, digits or dashes";
    /// Names a field, and the column that holds it.
    FieldName is "field name", at most 51, joined by b'_':
        "a lower-case letter, then at most 50 lower-case letters, digits or underscores; custom_data, ctid, cmin, cmax, xmin, xmax and tableoid are taken";
}

impl ModuleSlug {
    fn is_reserved(_: &str) -> bool {
        false
    }
}

impl SourceSlug {
    fn is_reserved(_: &str) -> bool {
        false
    }
}

impl FieldName {
    /// `custom_data`, and what every table of PostgreSQL has already.
    fn is_reserved(text: &str) -> bool {
        ["custom_data", "tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"].contains(&text)
    }
}

/// What a field holds (DESIGN 4, field types).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// 64 bits, signed.
    Integer,
    /// Exact, at most 100 digits.
    Decimal,
    Boolean,
    Timestamp,
    Date,
    Json,
    /// A closed list of texts.
    Status(Arc<[String]>),
}

impl Kind {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Json => "json",
            Self::Status(_) => "status",
        }
    }

    /// Whether a field of this kind may identify a record.
    pub fn can_match(&self) -> bool {
        !matches!(self, Self::Decimal | Self::Json)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: FieldName,
    pub kind: Kind,
    /// Binds when a record is created; afterwards a null is refused.
    pub required: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_held_to_their_grammar() {
        assert!(ModuleSlug::parse("work-orders").is_ok());
        assert!(FieldName::parse(&"a".repeat(51)).is_ok());
        for bad in ["", "Work", "1a", "-a", "a_b", "a\"b", "é", &"a".repeat(49)] {
            assert!(ModuleSlug::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "_id", "a-b", "custom_data", "xmin", "a b", &"a".repeat(52)] {
            assert!(FieldName::parse(bad).is_err(), "{bad}");
        }
    }
}
