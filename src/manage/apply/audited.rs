//! Modules and sources as the audit log tells of them: definitions and settings, of secrets how many there are, of a
//! mapping its version. Mappings themselves are kept by version.

use serde_json::{Value, json};

use crate::record::definition::Definition;
use crate::source::Settings;

/// Null where there is none.
pub fn module(definition: Option<&Definition>) -> Value {
    definition.map_or(Value::Null, |definition| json!(definition))
}

pub fn source(settings: &Settings, mapping_version: i64, secrets: usize) -> Value {
    json!({ "settings": settings, "mappingVersion": mapping_version, "secrets": secrets })
}
