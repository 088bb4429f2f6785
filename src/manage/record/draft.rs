//! What an admin gives a record, checked as what rules find is: coercion without a transform, what is required, what
//! identifies. Every fault at once.

use std::borrow::Cow;

use serde_json::{Map, Value as Node};

use crate::map::rule::{match_text, without_nul};
use crate::problem::{Code, Problem};
use crate::record::definition::no_field;
use crate::record::field::Field;
use crate::record::merge::{FieldPut, MissingRequired, Put, Puts};
use crate::record::row::Row;
use crate::record::shape::Shape;
use crate::record::value::{BadValue, Value, coerce};
use crate::store::table::Table;

/// A record's members, as a request has them.
#[derive(Clone, Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schema(as = RecordMembers, example = json!({ "fields": { "product_code": "A-1", "quantity": 5 }, "customData": { "note": "by hand" } }))]
pub struct Members {
    /// By name; null empties a field, and one that is not named stays as it is.
    #[schema(value_type = Object)]
    pub fields: Map<String, Node>,
    /// Merged into what stands (RFC 7396): null removes a member.
    #[schema(value_type = Object)]
    pub custom_data: Map<String, Node>,
}

/// One fault.
pub(super) struct Fault {
    field: String,
    code: &'static str,
    detail: String,
}

impl Fault {
    fn new(field: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { field: field.into(), code, detail: detail.into() }
    }
}

pub(super) fn unfit(faults: &[Fault]) -> Problem {
    let detail = match faults {
        [one] => format!("{}: {}", one.field, one.detail),
        many => format!("{} errors; nothing was written", many.len()),
    };
    let error =
        |Fault { field, code, detail }: &Fault| serde_json::json!({ "field": field, "code": code, "detail": detail });
    Problem::new(Code::InvalidDocument, detail).with_errors(faults.iter().map(error).collect())
}

/// What the merge found missing after all.
pub(super) fn missing(shape: &Shape, missing: &[MissingRequired]) -> Problem {
    unfit(&missing.iter().map(|missing| required(&shape.fields[missing.field])).collect::<Vec<_>>())
}

fn required(field: &Field) -> Fault {
    Fault::new(field.name.as_str(), "required", "the field is required, and would be left without a value")
}

/// `existing` is none for a new record.
pub(super) fn puts(table: &Table, members: &Members, existing: Option<&Row>) -> Result<Puts, Problem> {
    let shape = &table.shape;
    let (mut puts, mut faults) = (Puts::default(), Vec::new());
    for (name, node) in &members.fields {
        let Some(place) = shape.place(name) else {
            let detail = no_field(name, shape.fields.iter().map(|field| field.name.as_str()));
            faults.push(Fault::new(name, "unknown_field", detail));
            continue;
        };
        match put(table, place, node) {
            Ok(put) => puts.fields.push(FieldPut { rule: place, field: place, put, default: None, required: false }),
            Err(fault) => faults.push(fault),
        }
    }
    if existing.is_none() {
        let lacks = |field: &&Field| field.required && !members.fields.contains_key(field.name.as_str());
        faults.extend(shape.fields.iter().filter(lacks).map(required));
    }
    faults.extend(unidentified(table, members, existing));
    match without_nul(Cow::Owned(Node::Object(members.custom_data.clone()))) {
        Ok(_) => puts.patch.clone_from(&members.custom_data),
        Err(BadValue { code, detail }) => faults.push(Fault::new("customData", code, detail)),
    }
    if faults.is_empty() { Ok(puts) } else { Err(unfit(&faults)) }
}

fn put(table: &Table, place: usize, node: &Node) -> Result<Put, Fault> {
    let field = &table.shape.fields[place];
    if node.is_null() {
        return if field.required { Err(required(field)) } else { Ok(Put::Null) };
    }
    let identifies = table.keys.iter().any(|key| key.fields.contains(&place));
    let value = without_nul(Cow::Borrowed(node)).and_then(|node| match coerce(&field.kind, &node)? {
        Value::Text(text) if identifies => match_text(&text).map(Value::Text),
        other => Ok(other),
    });
    value.map(Put::Value).map_err(|BadValue { code, detail }| Fault::new(field.name.as_str(), code, detail))
}

/// No event would find a record that has none of its keys whole. One that another SQL client made so may stay so.
fn unidentified(table: &Table, members: &Members, existing: Option<&Row>) -> Vec<Fault> {
    let stands = |place: usize| existing.is_some_and(|row| row.fields[place].is_some());
    let has = |place: usize| match members.fields.get(table.shape.fields[place].name.as_str()) {
        Some(node) => !node.is_null(),
        None => stands(place),
    };
    let is_whole =
        |has: &dyn Fn(usize) -> bool| table.keys.iter().any(|key| key.fields.iter().all(|place| has(*place)));
    if is_whole(&has) || (existing.is_some() && !is_whole(&stands)) {
        return Vec::new();
    }
    let detail = "records are found by this field, and this one would have no value in it";
    // A required one is told already.
    let lacking = table.shape.matching.iter().map(|place| (*place, &table.shape.fields[*place]));
    let lacking = lacking.filter(|(place, field)| !has(*place) && !field.required);
    lacking.map(|(_, field)| Fault::new(field.name.as_str(), "match_value", detail)).collect()
}

/// Whether what was checked depends on the row as it was read: a key would lose a value.
pub(super) fn is_bound_to_row(table: &Table, puts: &Puts) -> bool {
    let identifies = |place: usize| table.keys.iter().any(|key| key.fields.contains(&place));
    puts.fields.iter().any(|put| put.put == Put::Null && identifies(put.field))
}
