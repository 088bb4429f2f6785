//! A transform as it stands in a mapping, the same in TOML and JSON: a word, or a table with one verb.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Not checked: any word, any table.
#[derive(Clone, Debug, PartialEq)]
pub enum RawTransform {
    Word(String),
    Table(RawTable),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<BTreeMap<String, Value>>,
    /// `null` says null, which only JSON can; left out means none.
    #[serde(default, rename = "else", skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub otherwise: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
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
                RawTable::deserialize(MapAccessDeserializer::new(table)).map(RawTransform::Table)
            }
        }

        deserializer.deserialize_any(WordOrTable)
    }
}
