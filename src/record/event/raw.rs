//! `[[module.event]]` as it is written.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::EventDefinition;

/// What is left out is empty, so that one check tells of everything that is missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawEvent {
    pub name: String,
    pub when: String,
    pub data: Option<RawData>,
}

/// Members in the order in which the file lists them.
#[derive(Clone, Debug, Default)]
pub struct RawData(pub Vec<(String, RawNode)>);

#[derive(Clone, Debug)]
pub enum RawNode {
    Leaf(String),
    Table(RawData),
}

/// As it was written, whatever it is checked against now.
impl From<&EventDefinition> for RawEvent {
    fn from(event: &EventDefinition) -> Self {
        let data = event.data.as_ref().map(members);
        Self { name: event.name.clone(), when: event.when.clone(), data }
    }
}

fn members(pairs: &Value) -> RawData {
    let pair = |pair: &Value| {
        let (key, node) = (pair.get(0)?.as_str()?, pair.get(1)?);
        let node = node.as_str().map_or_else(|| RawNode::Table(members(node)), |text| RawNode::Leaf(text.to_owned()));
        Some((key.to_owned(), node))
    };
    RawData(pairs.as_array().into_iter().flatten().filter_map(pair).collect())
}

impl<'de> Deserialize<'de> for RawData {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = RawData;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawData, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(RawData(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl<'de> Deserialize<'de> for RawNode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = RawNode;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a path in quotes such as \"@.after.amount\", a text such as \"const:EUR\", or a table of these",
                )
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<RawNode, E> {
                Ok(RawNode::Leaf(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawNode, A::Error> {
                RawData::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(RawNode::Table)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
