//! Names and kinds of fields. A name that exists has been checked, which is what makes a quoted identifier safe.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text breaks the grammar of the name asked for.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum BadName {
    #[error("the {what} is missing; write one, such as {example}")]
    Missing { what: &'static str, example: &'static str },
    #[error("`{text}` is not a {what}: it is {rule}{hint}")]
    Bad { text: String, what: &'static str, rule: &'static str, hint: String },
    #[error("`{text}` cannot be a {what}: {why}")]
    Taken { text: String, what: &'static str, why: &'static str },
}

/// The name that a text was probably meant to be.
fn meant(text: &str, longest: usize, joint: u8) -> Option<String> {
    let joint = char::from(joint);
    let mut name = String::new();
    let mut before = ' ';
    for char in text.chars() {
        if char.is_ascii_uppercase() && before.is_ascii_lowercase() {
            name.push(joint);
        }
        before = char;
        match char {
            'A'..='Z' | 'a'..='z' | '0'..='9' => name.push(char.to_ascii_lowercase()),
            _ if name.ends_with(joint) => {}
            _ => name.push(joint),
        }
    }
    let name = name.trim_matches(joint);
    is_name(name, longest, u8::try_from(joint).ok()?).then(|| name.to_owned())
}

fn is_name(text: &str, longest: usize, joint: u8) -> bool {
    let tail_is_fine = |char: u8| char.is_ascii_lowercase() || char.is_ascii_digit() || char == joint;
    text.len() <= longest
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(tail_is_fine)
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident is $what:literal, at most $longest:literal, joined by $joint:literal: $rule:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn parse(text: &str) -> Result<Self, BadName> {
                if let Some(why) = Self::taken(text) {
                    return Err(BadName::Taken { text: text.to_owned(), what: $what, why });
                }
                if is_name(text, $longest, $joint) {
                    return Ok(Self(text.into()));
                }
                if text.is_empty() {
                    return Err(BadName::Missing { what: $what, example: $example });
                }
                let meant = meant(text, $longest, $joint).filter(|name| Self::taken(name).is_none());
                let hint = meant.map_or_else(String::new, |name| format!("; write `{name}` instead"));
                Err(BadName::Bad { text: text.chars().take(80).collect(), what: $what, rule: $rule, hint })
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

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let schema = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
                schema.description(Some($rule)).into()
            }
        }

        impl utoipa::ToSchema for $name {}

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
        "a lower-case letter, then at most 47 lower-case letters, digits or dashes", "slug = \"work-orders\"";
    /// Names a source within its module.
    SourceSlug is "source slug", at most 48, joined by b'-':
        "a lower-case letter, then at most 47 lower-case letters, digits or dashes", "slug = \"erp\"";
    /// Names a field, and the column that holds it.
    FieldName is "field name", at most 51, joined by b'_':
        "a lower-case letter, then at most 50 lower-case letters, digits or underscores",
        "quantity = \"integer\"";
}

impl ModuleSlug {
    fn taken(_: &str) -> Option<&'static str> {
        None
    }
}

impl SourceSlug {
    fn taken(_: &str) -> Option<&'static str> {
        None
    }
}

impl FieldName {
    /// `custom_data`, and what every table of PostgreSQL has already.
    fn taken(text: &str) -> Option<&'static str> {
        match text {
            "custom_data" => {
                Some("every record has it beside its fields; leave it out, and fill it by to = \"custom_data.note\"")
            }
            "tableoid" | "xmin" | "cmin" | "xmax" | "cmax" | "ctid" => {
                Some("every table of PostgreSQL has such a column already; choose another name")
            }
            _ => None,
        }
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

    #[test]
    fn a_name_that_cannot_be_comes_with_one_that_can() {
        for (bad, part) in [
            ("orderTags", "write `order_tags` instead"),
            ("ID", "write `id` instead"),
            ("Product Code", "write `product_code` instead"),
            ("product-code", "write `product_code` instead"),
            ("_id", "write `id` instead"),
            ("Xmin", "digits or underscores"),
            ("xmin", "choose another name"),
            ("custom_data", "to = \"custom_data.note\""),
            ("7", "digits or underscores"),
            ("", "such as quantity"),
        ] {
            let message = FieldName::parse(bad).unwrap_err().to_string();
            assert!(message.ends_with(part) || message.contains(part), "{bad}: {message}");
        }
        assert!(ModuleSlug::parse("Work_Orders").unwrap_err().to_string().ends_with("write `work-orders` instead"));
    }
}
