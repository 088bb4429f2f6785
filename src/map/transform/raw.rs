//! A transform as it stands in a mapping, the same in TOML and JSON: a word, or a table with one verb and what
//! belongs to it.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Not checked: any word, any table.
#[derive(Clone, Debug, PartialEq)]
pub enum RawTransform {
    Word(String),
    Table(Box<RawTable>),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replace: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minor_units: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<BTreeMap<String, i64>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, Value>>,
    /// `null` says null, which only JSON can; left out means none.
    #[serde(default, rename = "else", skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub otherwise: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl RawTable {
    /// The verbs that stand in the table; one does something, several would need an order.
    pub(super) fn verbs(&self) -> Vec<&'static str> {
        let all = [
            ("replace", self.replace.is_some()),
            ("prefix", self.prefix.is_some()),
            ("suffix", self.suffix.is_some()),
            ("split", self.split.is_some()),
            ("number", self.number.is_some()),
            ("scale", self.scale.is_some()),
            ("minor_units", self.minor_units.is_some()),
            ("timestamp", self.timestamp.is_some()),
            ("map", self.map.is_some()),
            ("hash", self.hash.is_some()),
        ];
        all.into_iter().filter_map(|(verb, stands)| stands.then_some(verb)).collect()
    }

    /// A key without the verb that it belongs to.
    pub(super) fn stray(&self) -> Option<(&'static str, &'static str)> {
        [
            ("with", self.with.is_some(), "replace", self.replace.is_some()),
            ("part", self.part.is_some(), "split", self.split.is_some()),
            ("digits", self.digits.is_some(), "minor_units", self.minor_units.is_some()),
            ("zone", self.zone.is_some(), "timestamp", self.timestamp.is_some()),
            ("else", self.otherwise.is_some(), "map", self.map.is_some()),
        ]
        .into_iter()
        .find_map(|(key, stands, verb, has_verb)| (stands && !has_verb).then_some((key, verb)))
    }
}

/// As an admin writes it in TOML, for messages and the reference page.
impl fmt::Display for RawTransform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match toml::Value::try_from(self) {
            Ok(value) => value.fmt(f),
            Err(_) => f.write_str("the transform"),
        }
    }
}

impl Serialize for RawTransform {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => serializer.serialize_str(word),
            Self::Table(table) => table.serialize(serializer),
        }
    }
}

/// By hand, since serde's untagged enums cannot carry numbers that are kept by their digits (serde-rs/json #1108).
impl<'de> Deserialize<'de> for RawTransform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrTable;

        impl<'de> Visitor<'de> for WordOrTable {
            type Value = RawTransform;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a transform: \"trim\", \"lowercase\", \"uppercase\", or a table such as { scale = -2 }")
            }

            fn visit_str<E: Error>(self, word: &str) -> Result<RawTransform, E> {
                Ok(RawTransform::Word(word.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RawTransform, A::Error> {
                Box::deserialize(MapAccessDeserializer::new(table)).map(RawTransform::Table)
            }
        }

        deserializer.deserialize_any(WordOrTable)
    }
}

/// A rule's `transform`. One transform alone, without the brackets of a list, is what people write first.
pub fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RawTransform>, D::Error> {
    struct List;

    impl<'de> Visitor<'de> for List {
        type Value = Vec<RawTransform>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of transforms, such as [\"trim\", { scale = -2 }]")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, transforms: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(transforms))
        }

        fn visit_str<E: Error>(self, word: &str) -> Result<Self::Value, E> {
            Err(E::custom(format_args!("`transform` is a list: write transform = [{word:?}]")))
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
            let table = Box::deserialize(MapAccessDeserializer::new(table)).map(RawTransform::Table)?;
            Err(A::Error::custom(format_args!("`transform` is a list: write transform = [{table}]")))
        }
    }

    deserializer.deserialize_any(List)
}
