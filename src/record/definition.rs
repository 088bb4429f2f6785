//! A module as it is written down: in a file by an admin, and in storage. Raw first, then checked into a [`Shape`].

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::event::{self, EventDefinition, RawEvent};
use super::field::{Field, FieldName, Kind, ModuleSlug};
use super::nearest::{listed, nearest};
use super::shape::{MOST_FIELDS, Shape};
use crate::id::ModuleId;

/// The most fields that may identify a record together; their values fill one index entry.
pub const MOST_MATCH_FIELDS: usize = 5;
/// The most values of a status field.
pub const MOST_STATUS_VALUES: usize = 200;
const LONGEST_STATUS_VALUE: usize = 200;

/// The types that a field can have.
const KINDS: &[&str] = &["text", "integer", "decimal", "boolean", "timestamp", "date", "json", "status"];
/// What others call them.
const OTHER_KINDS: &[(&str, &[&str])] = &[
    ("text", &["string", "str", "varchar", "char", "uuid", "email", "url", "id"]),
    ("integer", &["int", "bigint", "long", "int64", "i64", "smallint", "serial", "whole"]),
    ("decimal", &["number", "numeric", "float", "double", "money", "currency", "real"]),
    ("boolean", &["bool", "flag", "checkbox"]),
    ("timestamp", &["datetime", "timestamptz", "time", "instant"]),
    ("json", &["jsonb", "object", "array", "list", "map", "any"]),
    ("status", &["enum", "choice", "select", "picklist"]),
];

/// `[module]` of a module file. What is left out is empty, so that one check tells of everything that is missing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawModule {
    pub slug: String,
    pub name: Option<String>,
    #[serde(rename = "match")]
    pub matching: Vec<String>,
    pub fields: RawFields,
    #[serde(rename = "event")]
    pub events: Vec<RawEvent>,
}

/// Fields in the order in which the file lists them.
#[derive(Clone, Debug, Default)]
pub struct RawFields(pub Vec<(String, RawField)>);

/// `"integer"`, or a table with `type` and more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawField {
    #[serde(rename = "type")]
    pub kind: String,
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
    /// In the order in which a change's types list them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<EventDefinition>,
    /// What fields are known by where a name would have to be changed everywhere: in the names of indexes, and in what
    /// deleted records leave behind. A field that is not here is known by its name; one that was renamed by its first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<FieldName, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Field)]
pub struct FieldDefinition {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// A key as paths of keys have it: in quotes unless TOML takes it without.
pub fn key_in_path(key: &str) -> String {
    let bare = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if bare { key.to_owned() } else { format!("\"{}\"", key.replace('"', "'")) }
}

/// A module as far as it is clear, beside what is not: enough to check its sources against.
#[derive(Debug)]
pub struct Sketch {
    pub slug: Option<ModuleSlug>,
    pub name: Option<String>,
    /// None when it is not clear which they are.
    pub matching: Option<Vec<FieldName>>,
    /// With the type that was probably meant where it is none.
    pub fields: Vec<FieldDefinition>,
    /// Fields whose names cannot be.
    pub unnamed: Vec<String>,
    pub events: Vec<EventDefinition>,
    pub faults: Vec<Fault>,
}

impl RawModule {
    /// Every fault at once.
    pub fn sketch(&self) -> Sketch {
        let mut faults = Vec::new();
        let slug =
            ModuleSlug::parse(&self.slug).map_err(|error| faults.push(Fault::new("module.slug", error.to_string())));
        let (mut fields, mut unnamed) = (Vec::new(), Vec::new());
        for (name, raw) in &self.fields.0 {
            let mut fault = |detail| faults.push(Fault::new(format!("module.fields.{}", key_in_path(name)), detail));
            match FieldName::parse(name) {
                Ok(name) => {
                    let (definition, detail) = raw.definition(name);
                    detail.into_iter().for_each(&mut fault);
                    fields.push(definition);
                }
                Err(error) => {
                    fault(error.to_string());
                    unnamed.push(name.clone());
                }
            }
        }
        faults.extend(self.check_count());
        let matching = match self.check_match(&fields, &unnamed) {
            Ok(matching) => matching,
            Err(detail) => {
                faults.push(Fault::new("module.match", detail));
                None
            }
        };
        let (events, found) = event::check(&self.events, &fields, &unnamed);
        faults.extend(found);
        Sketch { slug: slug.ok(), name: self.name.clone(), matching, fields, unnamed, events, faults }
    }

    fn check_count(&self) -> Option<Fault> {
        let detail = match self.fields.0.len() {
            1..=MOST_FIELDS => return None,
            0 => "the module has no fields; list them below a line [module.fields], such as quantity = \"integer\""
                .into(),
            count => format!("a module has at most {MOST_FIELDS} fields, this one {count}"),
        };
        Some(Fault::new("module.fields", detail))
    }

    fn check_match(&self, fields: &[FieldDefinition], unnamed: &[String]) -> Result<Option<Vec<FieldName>>, String> {
        let is_unclear = self.matching.iter().any(|name| unnamed.contains(name)) || self.fields.0.is_empty();
        if is_unclear && !self.matching.is_empty() {
            return Ok(None);
        }
        if self.matching.is_empty() {
            return Err("the module has no `match`; it names the fields by which a record is found again: match = \
                        [\"product_code\"]"
                .to_owned());
        }
        check_match(&self.matching, fields).map(Some)
    }
}

impl Sketch {
    /// The slug and the definition, when nothing is unclear.
    pub fn finished(self) -> Option<(ModuleSlug, Definition)> {
        match (self.slug, self.matching) {
            (Some(slug), Some(matching)) if self.faults.is_empty() => {
                let name = self.name.unwrap_or_else(|| slug.to_string());
                let keys = vec![matching.clone()];
                let (fields, events) = (self.fields, self.events);
                Some((slug, Definition { name, matching, fields, keys, events, marks: BTreeMap::new() }))
            }
            _ => None,
        }
    }
}

/// The fields of a `match`, if they may identify a record of a module with these fields.
pub fn check_match(names: &[String], fields: &[FieldDefinition]) -> Result<Vec<FieldName>, String> {
    if names.is_empty() || names.len() > MOST_MATCH_FIELDS {
        return Err(format!("`match` names 1 to {MOST_MATCH_FIELDS} fields, this one {}", names.len()));
    }
    let mut matching = Vec::<FieldName>::new();
    for name in names {
        let Some(field) = fields.iter().find(|field| field.name.as_str() == name) else {
            return Err(no_field(name, fields.iter().map(|field| field.name.as_str())));
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

/// For a name that is no field: the one that was meant, or those that there are.
pub fn no_field<'a>(name: &str, fields: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(name, fields.clone()) {
        Some(near) => format!("`{name}` is not a field of the module; did you mean `{near}`?"),
        None => format!("`{name}` is not a field of the module, which has {}", listed(fields)),
    }
}

impl RawField {
    /// The field, and what is wrong with it: then with the type that was probably meant.
    pub fn definition(&self, name: FieldName) -> (FieldDefinition, Option<String>) {
        let values = self.values.clone().unwrap_or_default();
        let (kind, values, detail) = match kind_of(&self.kind, self.values.as_deref()) {
            Ok(_) => (self.kind.clone(), values, None),
            Err(detail) => {
                let kind = meant(&self.kind).unwrap_or("text");
                let is_status = kind == "status" && status(&values).is_ok();
                let stands = if is_status || kind != "status" { kind } else { "text" };
                (stands.to_owned(), if is_status { values } else { Vec::new() }, Some(detail))
            }
        };
        (FieldDefinition { name, kind, required: self.required, values }, detail)
    }
}

/// The type that a word was meant to be, or is.
fn meant(kind: &str) -> Option<&'static str> {
    let word = kind.to_ascii_lowercase();
    let other = OTHER_KINDS.iter().find(|(_, others)| others.contains(&word.as_str()));
    other.map(|(kind, _)| *kind).or_else(|| nearest(&word, KINDS.iter().copied()))
}

pub fn is_kind(text: &str) -> bool {
    KINDS.contains(&text)
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
        "" => return Err(format!("the field has no type; write type = \"text\", or another of {}", KINDS.join(", "))),
        other => {
            return Err(match meant(other) {
                Some(kind) => format!("\"{other}\" is not a field type; did you mean \"{kind}\"?"),
                None => format!("\"{other}\" is not a field type; there are {}", KINDS.join(", ")),
            });
        }
    };
    if values.is_some_and(|values| !values.is_empty()) {
        return Err(format!(
            "`values` belongs to a status field, and this is a {kind} field; write type = \"status\", or take `values` away"
        ));
    }
    Ok(plain)
}

fn status(values: &[String]) -> Result<Kind, String> {
    let example = "such as { type = \"status\", values = [\"open\", \"closed\"] }";
    if values.is_empty() {
        return Err(format!("a status field lists the values that it can have, {example}"));
    }
    if values.len() > MOST_STATUS_VALUES {
        return Err(format!("a status field has at most {MOST_STATUS_VALUES} values, this one {}", values.len()));
    }
    let mut seen = std::collections::BTreeSet::new();
    if let Some(twice) = values.iter().find(|value| !seen.insert(value.as_str())) {
        return Err(format!("the status \"{twice}\" is listed twice; take one away"));
    }
    let sized = |value: &String| (1..=LONGEST_STATUS_VALUE).contains(&value.len()) && !value.contains('\0');
    if !values.iter().all(sized) {
        return Err(format!("a status is a text of 1 to {LONGEST_STATUS_VALUE} bytes, {example}"));
    }
    Ok(Kind::Status(Arc::from(values)))
}

impl FieldDefinition {
    pub fn kind(&self) -> Option<Kind> {
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
        let events = self.events.iter().map(EventDefinition::compiled).collect::<Option<Vec<_>>>()?;
        Some((Shape { module, slug, name: self.name.clone(), number, fields, matching, events }, keys))
    }

    /// What a field is known by, see [`Self::marks`].
    pub fn mark<'a>(&'a self, name: &'a FieldName) -> &'a str {
        self.marks.get(name).map_or(name.as_str(), String::as_str)
    }

    /// The same for the fields of each key, in order.
    pub fn key_marks(&self) -> Vec<Vec<String>> {
        let marks = |names: &Vec<FieldName>| names.iter().map(|name| self.mark(name).to_owned()).collect();
        self.keys.iter().map(marks).collect()
    }

    pub fn field(&self, name: &FieldName) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.name == *name)
    }

    /// The number of the shape that this makes of a module that had another definition. Events alone make no new one:
    /// nothing that is judged depends on them.
    pub fn number_after(&self, old: &Self, number: i64) -> i64 {
        // Marks move with fields alone.
        let Self { name, matching, fields, keys, events: _, marks: _ } = self;
        let same = *name == old.name && *matching == old.matching && *fields == old.fields && *keys == old.keys;
        if same { number } else { number + 1 }
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
