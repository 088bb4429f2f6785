//! A change of a record as the log keeps it, and what it comes to: the fields that moved, and the types of the events
//! that it is. Pure.

use serde_json::{Map, Number, Value};

use super::field::Kind;
use super::shape::Shape;
use crate::clock::Timestamp;
use crate::id::ModuleId;

pub type Fields = Map<String, Value>;

/// What is free-form in a row, beside its fields, as rows of the log name it.
pub const CUSTOM: &str = "custom_data";

/// The types of events that every module has (the seed Collecta's five).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    RecordCreated,
    /// A typed field moved.
    RecordUpdated,
    RecordDeleted,
    /// A field of the type status moved.
    StatusChange,
    CustomDataUpdated,
}

impl EventType {
    pub const ALL: [Self; 5] =
        [Self::RecordCreated, Self::RecordUpdated, Self::RecordDeleted, Self::StatusChange, Self::CustomDataUpdated];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RecordCreated => "record_created",
            Self::RecordUpdated => "record_updated",
            Self::RecordDeleted => "record_deleted",
            Self::StatusChange => "status_change",
            Self::CustomDataUpdated => "custom_data_updated",
        }
    }

    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|of| of.as_str() == text)
    }
}

/// Type of the event of the gateway itself that an endpoint is sent nothing any more.
pub const ENDPOINT_DISABLED: &str = "endpoint.disabled";
/// That the records of a module are others from now on: fields were added, renamed, dropped or converted.
pub const MODULE_ALTERED: &str = "module.altered";
/// That a module is gone, with its records.
pub const MODULE_DELETED: &str = "module.deleted";
/// Types of events of the gateway itself, which have no module.
pub const SYSTEM: &[&str] = &[ENDPOINT_DISABLED, MODULE_ALTERED, MODULE_DELETED];
/// Each of them begins with one of these; no module may name an event so.
pub const SYSTEM_PREFIXES: &[&str] = &["endpoint.", "module."];

/// One committed mutation of one record, or an event of the gateway itself, which has neither module nor record: then
/// `op` is its type and `after` tells of it.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its place in the order of commits.
    pub seq: i64,
    pub id: String,
    pub at: Timestamp,
    pub module: Option<ModuleId>,
    /// Empty where there is no record.
    pub record: String,
    /// `insert`, `update`, `delete`, or the type of a system event.
    pub op: String,
    pub version: i64,
    /// Number of the module's shape when it was made.
    pub shape: i64,
    pub before: Option<Fields>,
    pub after: Option<Fields>,
    /// See [`moved`].
    pub moved: Fields,
    /// The inbound event that made it.
    pub event: Option<String>,
    pub actor: String,
    /// How many gateways the event has passed through.
    pub hops: i64,
}

impl Change {
    pub fn is_of_a_record(&self) -> bool {
        self.module.is_some()
    }

    /// The types of the events that it is: built-in ones, then those that the module names, in its file's order. `shape`
    /// is the module's, if it still stands.
    pub fn types(&self, shape: Option<&Shape>) -> Vec<String> {
        if !self.is_of_a_record() {
            return vec![self.op.clone()];
        }
        let types = types(self.before.as_ref(), self.after.as_ref(), &self.moved, shape);
        let mut types: Vec<_> = types.into_iter().map(|of| of.as_str().to_owned()).collect();
        if let Some(shape) = shape.filter(|shape| !shape.events.is_empty()) {
            let document = self.document(shape);
            types.extend(shape.events.iter().filter(|event| event.is(&document)).map(|event| event.name.clone()));
        }
        types
    }

    /// What the events that a module names look at: `{op, before, after, changes}`, where rows hold the fields and
    /// `custom_data`, and changes `{field: {from, to}}`. Decimals are numbers, with all their digits.
    pub fn document(&self, shape: &Shape) -> Value {
        let pair = |pair: &mut Value| pair.as_object_mut().into_iter().flat_map(Map::values_mut).for_each(number);
        self.in_one(|row| numbers(row, shape, number), |moved| numbers(moved, shape, pair))
    }

    /// The same where nobody knows any more which fields are decimals: they are texts, as in the log.
    pub fn texts(&self) -> Value {
        self.in_one(Value::Object, Value::Object)
    }

    fn in_one(&self, row: impl Fn(Fields) -> Value, moved: impl Fn(Fields) -> Value) -> Value {
        let of = |fields: &Option<Fields>| fields.clone().map_or(Value::Null, &row);
        let members = [
            ("op", Value::String(self.op.clone())),
            ("before", of(&self.before)),
            ("after", of(&self.after)),
            ("changes", moved(self.moved.clone())),
        ];
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

/// With what `make` makes of the decimal fields.
fn numbers(mut fields: Fields, shape: &Shape, make: impl Fn(&mut Value)) -> Value {
    let is_decimal = |name: &str| shape.place(name).is_some_and(|place| shape.fields[place].kind == Kind::Decimal);
    fields.iter_mut().filter(|(name, _)| is_decimal(name)).for_each(|(_, value)| make(value));
    Value::Object(fields)
}

/// A decimal, which rows of the log hold as a text, becomes the number that it is.
fn number(value: &mut Value) {
    if let Some(number) = value.as_str().and_then(|text| text.parse::<Number>().ok()) {
        *value = Value::Number(number);
    }
}

/// `{field: {from, to}}` for every field that moved, `custom_data` among them; empty unless both rows are there.
pub fn moved(before: Option<&Fields>, after: Option<&Fields>) -> Fields {
    let (Some(before), Some(after)) = (before, after) else { return Fields::new() };
    let names = after.keys().chain(before.keys().filter(|name| !after.contains_key(*name)));
    let of = |row: &Fields, name: &str| row.get(name).cloned().unwrap_or(Value::Null);
    let pairs = names.map(|name| (name, of(before, name), of(after, name))).filter(|(_, from, to)| from != to);
    pairs.map(|(name, from, to)| (name.clone(), serde_json::json!({ "from": from, "to": to }))).collect()
}

/// In the order of [`EventType::ALL`]. A field that the shape does not have any more is a typed field all the same.
pub fn types(before: Option<&Fields>, after: Option<&Fields>, moved: &Fields, shape: Option<&Shape>) -> Vec<EventType> {
    match (before, after) {
        (None, _) => vec![EventType::RecordCreated],
        (Some(_), None) => vec![EventType::RecordDeleted],
        (Some(_), Some(_)) => {
            let is_status = |name: &str| {
                let field = shape.and_then(|shape| shape.fields.get(shape.place(name)?));
                field.is_some_and(|field| matches!(field.kind, Kind::Status(_)))
            };
            let fields = || moved.keys().filter(|name| *name != CUSTOM);
            let updated = fields().next().is_some().then_some(EventType::RecordUpdated);
            let status = fields().any(|name| is_status(name)).then_some(EventType::StatusChange);
            let custom = moved.contains_key(CUSTOM).then_some(EventType::CustomDataUpdated);
            [updated, status, custom].into_iter().flatten().collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: &Value) -> Fields {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_moved_is_told_from_and_to() {
        let before = fields(&json!({"a": 1, "b": "x", "gone": true, "custom_data": {"k": [1]}}));
        let after = fields(&json!({"a": 2, "b": "x", "new": null, "custom_data": {"k": [1, 2]}}));
        let moved = moved(Some(&before), Some(&after));
        let wanted = json!({
            "a": {"from": 1, "to": 2},
            "custom_data": {"from": {"k": [1]}, "to": {"k": [1, 2]}},
            "gone": {"from": true, "to": null},
        });
        assert_eq!(Value::Object(moved.clone()), wanted);
        let both = types(Some(&before), Some(&after), &moved, None);
        assert_eq!(both, [EventType::RecordUpdated, EventType::CustomDataUpdated]);
        assert_eq!(types(None, Some(&after), &Fields::new(), None), [EventType::RecordCreated]);
        assert_eq!(types(Some(&before), None, &Fields::new(), None), [EventType::RecordDeleted]);
    }
}
