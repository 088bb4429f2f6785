//! A rule as it stands in a mapping, the same in TOML and JSON. Not checked.

use serde::{Deserialize, Serialize};
use serde_json::Value as Node;

use crate::map::transform::{self, RawTransform};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Node>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_null: Option<OnNull>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_empty: Option<OnEmpty>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Take>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "transform::list")]
    pub transform: Vec<RawTransform>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

/// What nothing at the path means. The field keeps its value unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    #[default]
    Keep,
    Default,
    Null,
    Error,
}

/// What a null means. It empties the field unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    #[default]
    Null,
    Keep,
    Default,
    Error,
}

/// What an empty text means, after the transforms. It is a text unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    #[default]
    Text,
    Null,
    Keep,
    Error,
}

/// What becomes of several nodes. Several under `one` are an error, never silently the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    #[default]
    One,
    First,
    Last,
    /// Their texts, joined by a comma.
    Join,
    Count,
    Json,
}
