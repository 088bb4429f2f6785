//! A module as it is written down: in a file by an admin, and in storage. Raw first, then checked into a [`Shape`].

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::field::{Field, FieldName, Kind, ModuleSlug};
use super::shape::{MOST_FIELDS, Shape};
use crate::id::ModuleId;

/// The most fields that may identify a record together; their values fill one index entry.
pub const MOST_MATCH_FIELDS: usize = 5;
/// The most values of a status field.
const MOST_STATUS_VALUES: usize = 200;

/// `[module]` of a module file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawModule {
    pub slug: String,
    pub name: Option<String>,
    #[serde(rename = "match")]
    pub matching: Vec<String>,
    pub fields: RawFields,
}

/// Fields in the order in which the file lists them.
#[derive(Clone, Debug)]
pub struct RawFields(pub Vec<(String, RawField)>);

/// `"integer"`, or a table with `type` and more.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawField {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub required: bool,
    pub values: Option<Vec<String>>,
}

/// What a problem in a document is about: the path of keys from its top, such as `module.fields.status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub at: String,
    pub detail: String,
}

impl Fault {
    pub fn new(at: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { at: at.into(), detail: detail.into() }
    }
}

/// A checked module, as storage keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub name: String,
    #[serde(rename = "match")]
    pub matching: Vec<FieldName>,
    pub fields: Vec<FieldDefinition>,
    /// Every set of fields with a unique index: the module's own match and those of its sources.
    pub keys: Vec<Vec<FieldName>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDefinition {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

impl RawModule {
    /// Every fault at once.
    pub fn check(&self) -> Result<(ModuleSlug, Definition), Vec<Fault>> {
        let mut faults = Vec::new();
        let slug =
            ModuleSlug::parse(&self.slug).map_err(|error| faults.push(Fault::new("module.slug", error.to_string())));
        let count = self.fields.0.len();
        if count == 0 || count > MOST_FIELDS {
            faults
                .push(Fault::new("module.fields", format!("a module has 1 to {MOST_FIELDS} fields, this one {count}")));
        }
        let mut fields = Vec::new();
        for (name, raw) in &self.fields.0 {
            let at = format!("module.fields.{name}");
            match (FieldName::parse(name), raw.check()) {
                (Ok(name), Ok(_)) => fields.push(raw.definition(name)),
                (Err(error), _) => faults.push(Fault::new(at, error.to_string())),
                (_, Err(detail)) => faults.push(Fault::new(at, detail)),
            }
        }
        let matching =
            check_match(&self.matching, &fields).map_err(|detail| faults.push(Fault::new("module.match", detail)));
        match (slug, matching) {
            (Ok(slug), Ok(matching)) if faults.is_empty() => {
                let name = self.name.clone().unwrap_or_else(|| slug.to_string());
                Ok((slug, Definition { name, keys: vec![matching.clone()], matching, fields }))
            }
            _ => Err(faults),
        }
    }
}

/// The fields of a `match`, if they may identify a record of a module with these fields.
pub fn check_match(names: &[String], fields: &[FieldDefinition]) -> Result<Vec<FieldName>, String> {
    if names.is_empty() || names.len() > MOST_MATCH_FIELDS {
        return Err(format!("`match` names 1 to {MOST_MATCH_FIELDS} fields"));
    }
    let mut matching = Vec::<FieldName>::new();
    for name in names {
        let Some(field) = fields.iter().find(|field| field.name.as_str() == name) else {
            return Err(format!("`match` names `{name}`, which is not a field of the module"));
        };
        if matching.contains(&field.name) {
            return Err(format!("`match` names `{name}` twice"));
        }
        if !field.kind().is_some_and(|kind| kind.can_match()) {
            let kinds = "text, integer, boolean, date, timestamp and status";
            return Err(format!("`{name}` is a {} field; only {kinds} fields can identify a record", field.kind));
        }
        matching.push(field.name.clone());
    }
    Ok(matching)
}

impl RawField {
    fn check(&self) -> Result<Kind, String> {
        kind_of(&self.kind, self.values.as_deref())
    }

    fn definition(&self, name: FieldName) -> FieldDefinition {
        let values = self.values.clone().unwrap_or_default();
        FieldDefinition { name, kind: self.kind.clone(), required: self.required, values }
    }
}

fn kind_of(kind: &str, values: Option<&[String]>) -> Result<Kind, String> {
    let plain = match kind {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "decimal" => Kind::Decimal,
        "boolean" => Kind::Boolean,
        "timestamp" => Kind::Timestamp,
        "date" => Kind::Date,
        "json" => Kind::Json,
        "status" => return status(values.unwrap_or_default()),
        other => {
            let kinds = "text, integer, decimal, boolean, timestamp, date, json or status";
            return Err(format!("`{other}` is not a field type; use {kinds}"));
        }
    };
    if values.is_some_and(|values| !values.is_empty()) {
        return Err(format!("`values` belongs to a status field, and this is a {kind} field"));
    }
    Ok(plain)
}

fn status(values: &[String]) -> Result<Kind, String> {
    let distinct = values.iter().collect::<std::collections::BTreeSet<_>>().len();
    let sized = |value: &String| (1..=200).contains(&value.len()) && !value.contains('\0');
    if values.is_empty() || values.len() > MOST_STATUS_VALUES || distinct < values.len() || !values.iter().all(sized) {
        let rule = format!("1 to {MOST_STATUS_VALUES} different texts of 1 to 200 bytes");
        return Err(format!("a status field lists its values: values = [\"open\", \"closed\"], {rule}"));
    }
    Ok(Kind::Status(Arc::from(values)))
}

impl FieldDefinition {
    fn kind(&self) -> Option<Kind> {
        kind_of(&self.kind, Some(&self.values)).ok()
    }
}

impl Definition {
    /// The shape this defines, and the places of the fields of each key. `None` when storage was tampered with.
    pub fn shape(&self, module: ModuleId, slug: ModuleSlug, number: i64) -> Option<(Shape, Vec<Vec<usize>>)> {
        let fields = self
            .fields
            .iter()
            .map(|field| Some(Field { name: field.name.clone(), kind: field.kind()?, required: field.required }));
        let fields = fields.collect::<Option<Vec<_>>>()?;
        let places = |names: &[FieldName]| {
            names.iter().map(|name| fields.iter().position(|field| field.name == *name)).collect::<Option<Vec<_>>>()
        };
        let matching = places(&self.matching)?;
        let keys = self.keys.iter().map(|names| places(names)).collect::<Option<Vec<_>>>()?;
        Some((Shape { module, slug, name: self.name.clone(), number, fields, matching }, keys))
    }
}

impl<'de> Deserialize<'de> for RawFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = RawFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of fields, such as quantity = \"integer\"")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawFields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, FieldText(field))) = map.next_entry()? {
                    fields.push((name, field));
                }
                Ok(RawFields(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A field's two spellings.
struct FieldText(RawField);

impl<'de> Deserialize<'de> for FieldText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = FieldText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field type such as \"text\", or a table such as { type = \"text\", required = true }")
            }

            fn visit_str<E: serde::de::Error>(self, kind: &str) -> Result<FieldText, E> {
                Ok(FieldText(RawField { kind: kind.to_owned(), required: false, values: None }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FieldText, A::Error> {
                RawField::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(FieldText)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
