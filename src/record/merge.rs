//! The merge: what stands and what came in give the row to write, the outcome, and whether a change is owed.
//! Pure; the writer calls it under the row's lock, preview calls it without one.

use std::sync::Arc;

use super::row::{CustomData, Guards, Row};
use super::shape::Shape;
use super::value::Value;
use crate::clock::Timestamp;
use crate::id::{EventId, RecordId, SourceId};

/// What one rule found, for one field.
#[derive(Clone, Debug, PartialEq)]
pub enum Put {
    Value(Value),
    Null,
    /// The field stays as it is; on create it takes the default.
    Keep,
}

/// One rule's word on a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldPut {
    /// Place of the rule in its mapping, for messages.
    pub rule: usize,
    /// Place of the field in the shape.
    pub field: usize,
    pub put: Put,
    /// Fills the field on create when nothing else does.
    pub default: Option<Value>,
    /// The rule insists on a value, as a required field does.
    pub required: bool,
}

/// One rule's word on a place inside `custom_data`.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomPut {
    pub path: Arc<[String]>,
    /// `None` leaves the place as it is.
    pub node: Option<serde_json::Value>,
    /// Fills the place on create when nothing else does.
    pub default: Option<serde_json::Value>,
}

/// One record's worth of a judged event.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub source: SourceId,
    pub event: EventId,
    pub occurred_at: Option<Timestamp>,
    pub fields: Vec<FieldPut>,
    pub custom: Vec<CustomPut>,
}

/// What became of one record. The names are those of the answer (DESIGN 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Created,
    Updated,
    Unchanged,
    Stale,
    Duplicate,
    Ignored,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// The row to stand afterwards. A change is owed exactly when the outcome is created or updated;
/// an unchanged row differs from the existing one in its guards at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    pub outcome: Outcome,
    pub row: Row,
}

/// A required field would be left without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRequired {
    /// The rule that fills the field, when there is one.
    pub rule: Option<usize>,
    pub field: usize,
}

/// `fresh` is the id that a created record takes.
pub fn merge(
    shape: &Shape,
    existing: Option<&Row>,
    incoming: &Incoming,
    fresh: RecordId,
    now: Timestamp,
) -> Result<Merged, Vec<MissingRequired>> {
    let Some(existing) = existing else { return create(shape, incoming, fresh, now) };
    let guard = existing.guards.get(&incoming.source).copied();
    let stale = incoming.occurred_at.zip(guard).is_some_and(|(at, guard)| at.micros() < guard);
    if stale {
        return Ok(Merged { outcome: Outcome::Stale, row: existing.clone() });
    }
    update(shape, existing, incoming, now)
}

fn create(shape: &Shape, incoming: &Incoming, fresh: RecordId, now: Timestamp) -> Result<Merged, Vec<MissingRequired>> {
    let mut fields: Vec<Option<Value>> = vec![None; shape.fields.len()];
    for put in &incoming.fields {
        fields[put.field] = match &put.put {
            Put::Value(value) => Some(value.clone()),
            Put::Null => None,
            Put::Keep => put.default.clone(),
        };
    }
    let lacks = |field: usize| fields[field].is_none();
    let missing = required(shape, incoming).filter(|missing| lacks(missing.field)).collect::<Vec<_>>();
    if !missing.is_empty() {
        return Err(missing);
    }
    let row = Row {
        id: fresh,
        version: 1,
        event: Some(incoming.event),
        guards: guards(&Guards::new(), incoming),
        created_at: now,
        updated_at: now,
        fields,
        custom_data: custom_data(&CustomData::new(), incoming, |put| put.node.as_ref().or(put.default.as_ref())),
    };
    Ok(Merged { outcome: Outcome::Created, row })
}

fn update(shape: &Shape, existing: &Row, incoming: &Incoming, now: Timestamp) -> Result<Merged, Vec<MissingRequired>> {
    let mut row = existing.clone();
    for put in &incoming.fields {
        match &put.put {
            Put::Keep => {}
            Put::Null => row.fields[put.field] = None,
            // An equal value keeps the digits that stand: 12.5 after 12.50 changes nothing.
            Put::Value(value) if row.fields[put.field].as_ref() == Some(value) => {}
            Put::Value(value) => row.fields[put.field] = Some(value.clone()),
        }
    }
    let emptied = |missing: &MissingRequired| {
        row.fields[missing.field].is_none()
            && incoming.fields.iter().any(|put| put.field == missing.field && put.put == Put::Null)
    };
    let missing = required(shape, incoming).filter(emptied).collect::<Vec<_>>();
    if !missing.is_empty() {
        return Err(missing);
    }
    row.custom_data = custom_data(&existing.custom_data, incoming, |put| put.node.as_ref());
    row.guards = guards(&existing.guards, incoming);
    if row.fields == existing.fields && row.custom_data == existing.custom_data {
        return Ok(Merged { outcome: Outcome::Unchanged, row });
    }
    row.version += 1;
    row.event = Some(incoming.event);
    row.updated_at = now.max(existing.updated_at);
    Ok(Merged { outcome: Outcome::Updated, row })
}

/// Every field that must have a value: by the module, or by a rule of this source.
fn required<'a>(shape: &'a Shape, incoming: &'a Incoming) -> impl Iterator<Item = MissingRequired> + 'a {
    shape.fields.iter().enumerate().filter_map(|(place, field)| {
        let put = incoming.fields.iter().find(|put| put.field == place);
        let insists = field.required || put.is_some_and(|put| put.required);
        insists.then(|| MissingRequired { rule: put.map(|put| put.rule), field: place })
    })
}

fn guards(existing: &Guards, incoming: &Incoming) -> Guards {
    let mut guards = existing.clone();
    if let Some(at) = incoming.occurred_at {
        guards.insert(incoming.source, at.micros());
    }
    guards
}

fn custom_data(
    existing: &CustomData,
    incoming: &Incoming,
    node: impl Fn(&CustomPut) -> Option<&serde_json::Value>,
) -> CustomData {
    let mut custom = existing.clone();
    for put in &incoming.custom {
        if let Some(node) = node(put) {
            set(&mut custom, &put.path, node);
        }
    }
    custom
}

/// Puts `node` at `path`; what stands in the way and is no object gives way.
fn set(object: &mut CustomData, path: &[String], node: &serde_json::Value) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), node.clone());
        }
        [first, rest @ ..] => {
            let child = object.entry(first.clone()).or_insert_with(|| CustomData::new().into());
            if !child.is_object() {
                *child = CustomData::new().into();
            }
            if let Some(child) = child.as_object_mut() {
                set(child, rest, node);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::field::{Field, FieldName, Kind, ModuleSlug};
    use super::*;
    use crate::id::ModuleId;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).unwrap()
    }

    fn shape() -> Shape {
        let field = |name, required| Field { name: FieldName::parse(name).unwrap(), kind: Kind::Text, required };
        let fields = vec![field("code", true), field("note", false)];
        let slug = ModuleSlug::parse("orders").unwrap();
        Shape { module: ModuleId::new(at(0)), slug, name: "Orders".into(), number: 1, fields, matching: vec![0] }
    }

    fn put(field: usize, put: Put) -> FieldPut {
        FieldPut { rule: field, field, put, default: None, required: false }
    }

    fn text(text: &str) -> Put {
        Put::Value(Value::Text(text.into()))
    }

    fn incoming(source: SourceId, occurred_at: Option<i64>, fields: Vec<FieldPut>) -> Incoming {
        Incoming { source, event: EventId::new(at(1)), occurred_at: occurred_at.map(at), fields, custom: vec![] }
    }

    fn merged(existing: Option<&Row>, incoming: &Incoming) -> Merged {
        merge(&shape(), existing, incoming, RecordId::new(at(1)), at(5)).unwrap()
    }

    #[test]
    fn a_record_is_created_then_updated_then_unchanged_then_stale() {
        let source = SourceId::new(at(0));
        let created = merged(None, &incoming(source, Some(10), vec![put(0, text("a")), put(1, text("x"))]));
        assert_eq!((created.outcome, created.row.version), (Outcome::Created, 1));
        let updated =
            merged(Some(&created.row), &incoming(source, Some(20), vec![put(0, text("a")), put(1, text("y"))]));
        assert_eq!((updated.outcome, updated.row.version), (Outcome::Updated, 2));
        let unchanged = merged(Some(&updated.row), &incoming(source, Some(30), vec![put(0, text("a"))]));
        assert_eq!((unchanged.outcome, unchanged.row.version), (Outcome::Unchanged, 2));
        assert_eq!(unchanged.row.guards[&source], 30);
        let stale =
            merged(Some(&unchanged.row), &incoming(source, Some(29), vec![put(0, text("a")), put(1, text("z"))]));
        assert_eq!((stale.outcome, &stale.row), (Outcome::Stale, &unchanged.row));
        let equal = merged(Some(&unchanged.row), &incoming(source, Some(30), vec![put(1, text("z"))]));
        assert_eq!(equal.outcome, Outcome::Updated);
        let other_source = SourceId::new(at(9));
        assert_eq!(
            merged(Some(&unchanged.row), &incoming(other_source, Some(1), vec![put(1, text("w"))])).outcome,
            Outcome::Updated
        );
    }

    #[test]
    fn required_binds_on_create_and_a_later_null_is_refused() {
        let source = SourceId::new(at(0));
        let lacking = incoming(source, None, vec![put(1, text("x"))]);
        let refused = merge(&shape(), None, &lacking, RecordId::new(at(1)), at(5)).unwrap_err();
        assert_eq!(refused, [MissingRequired { rule: None, field: 0 }]);
        let row = merged(None, &incoming(source, None, vec![put(0, text("a"))])).row;
        assert_eq!(merged(Some(&row), &incoming(source, None, vec![put(1, text("x"))])).outcome, Outcome::Updated);
        let nulled = incoming(source, None, vec![put(0, Put::Null)]);
        assert!(merge(&shape(), Some(&row), &nulled, RecordId::new(at(1)), at(5)).is_err());
    }

    #[test]
    fn a_default_fills_on_create_only() {
        let source = SourceId::new(at(0));
        let defaulted = FieldPut { default: Some(Value::Text("d".into())), ..put(1, Put::Keep) };
        let row = merged(None, &incoming(source, None, vec![put(0, text("a")), defaulted.clone()])).row;
        assert_eq!(row.fields[1], Some(Value::Text("d".into())));
        let emptied = merged(Some(&row), &incoming(source, None, vec![put(1, Put::Null)])).row;
        assert_eq!(merged(Some(&emptied), &incoming(source, None, vec![defaulted])).outcome, Outcome::Unchanged);
    }

    #[test]
    fn custom_data_is_set_by_path() {
        let mut custom = CustomData::new();
        let path = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        set(&mut custom, &path(&["a"]), &1.into());
        set(&mut custom, &path(&["a", "b"]), &2.into());
        set(&mut custom, &path(&["a", "c"]), &3.into());
        assert_eq!(serde_json::Value::from(custom), serde_json::json!({"a": {"b": 2, "c": 3}}));
    }
}
