//! `occurred_at`: where an event says when it happened, and how it writes that down.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::input::{Input, Seen, Sight};
use super::transform::{RawTable, RawTransform, Transform};
use crate::clock::Timestamp;
use crate::record::field::Kind;
use crate::record::value::{BadValue, Value, coerce};

/// A place that holds RFC 3339, or a table that says more: `{ from = "$.created", timestamp = "unix" }`.
#[derive(Clone, Debug, PartialEq)]
pub enum RawMoment {
    Place(String),
    Table(RawMomentTable),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawMomentTable {
    pub from: String,
    /// A format, `unix` or `unix_ms`, as the transform of that name takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A checked `occurred_at`.
#[derive(Clone, Debug)]
pub struct Moment {
    input: Input,
    transform: Option<Transform>,
}

impl RawMoment {
    pub fn from(&self) -> &str {
        match self {
            Self::Place(from) => from,
            Self::Table(table) => &table.from,
        }
    }

    pub fn check(&self) -> Result<Moment, String> {
        let input = Input::check(self.from())?;
        if !input.is_singular() {
            return Err(
                "the path can find several nodes; one that names a single place is needed, such as $.created_at"
                    .to_owned(),
            );
        }
        let transform = match self {
            Self::Table(RawMomentTable { timestamp: None, zone: Some(_), .. }) => {
                return Err("`zone` belongs to a `timestamp` format".to_owned());
            }
            Self::Table(RawMomentTable { timestamp: timestamp @ Some(_), zone, .. }) => {
                let table = RawTable { timestamp: timestamp.clone(), zone: zone.clone(), ..RawTable::default() };
                Some(Transform::check(&RawTransform::Table(table.into()))?)
            }
            _ => None,
        };
        Ok(Moment { input, transform })
    }
}

impl Moment {
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// `None` when the event does not say.
    pub fn read(&self, sight: Sight<'_>) -> Result<Option<Timestamp>, BadValue> {
        let node = match self.input.look(sight)? {
            Seen::One(node) if !node.is_null() => node,
            Seen::One(_) | Seen::Missing => return Ok(None),
            Seen::Many(nodes) => match nodes[..] {
                [node] => Cow::Borrowed(node),
                _ => return Err(BadValue::new("several_nodes", "the time is said more than once")),
            },
        };
        let node = self.transform.iter().try_fold(node, |node, transform| transform.apply(node, sight))?;
        match coerce(&Kind::Timestamp, &node)? {
            Value::Timestamp(at) => Ok(Some(at)),
            _ => Ok(None),
        }
    }
}

impl Serialize for RawMoment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Place(from) => serializer.serialize_str(from),
            Self::Table(table) => table.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RawMoment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlaceOrTable;

        impl<'de> Visitor<'de> for PlaceOrTable {
            type Value = RawMoment;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a place such as \"$.created_at\", or { from = \"$.created\", timestamp = \"unix\" }")
            }

            fn visit_str<E: Error>(self, from: &str) -> Result<RawMoment, E> {
                Ok(RawMoment::Place(from.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<RawMoment, A::Error> {
                RawMomentTable::deserialize(MapAccessDeserializer::new(table)).map(RawMoment::Table)
            }
        }

        deserializer.deserialize_any(PlaceOrTable)
    }
}
