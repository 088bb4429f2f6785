//! The merge: what stands and what came in give the row to write, the outcome, and whether a change is owed.
//! Pure; the writer calls it under the row's lock, preview calls it without one.

use std::sync::Arc;

use super::patch;
use super::row::{CustomData, Guards, Row, Tombstone};
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

/// One record's worth of a judged event, or what an admin wants of a record.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// None of what is done by hand: no source's guard stands against it.
    pub source: Option<SourceId>,
    pub event: Option<EventId>,
    pub occurred_at: Option<Timestamp>,
    pub act: Act,
}

/// What an event does to its record.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Put(Puts),
    Delete,
}

/// What the rules found; one word a field at most.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Puts {
    pub fields: Vec<FieldPut>,
    pub custom: Vec<CustomPut>,
    /// What an admin wants of `custom_data`, merged into it last (RFC 7396).
    pub patch: CustomData,
}

/// What an event meets.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    Nothing,
    Row(&'a Row),
    Gone(&'a Tombstone),
}

/// What became of one record. The names are those of the answer (DESIGN 3).
///
/// In the order of what weighs more: the outcome of an event with several records is the first of theirs in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Created,
    Deleted,
    Updated,
    Unchanged,
    Stale,
    Duplicate,
    Ignored,
}

impl Outcome {
    pub const ALL: [Self; 7] =
        [Self::Created, Self::Deleted, Self::Updated, Self::Unchanged, Self::Stale, Self::Duplicate, Self::Ignored];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Stale => "stale",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Merged {
    /// The row to stand afterwards: created, updated, or unchanged, which differs from the existing one in its guards
    /// at most. A change is owed for the first two.
    Row { outcome: Outcome, row: Row },
    /// Nothing; the event is older than what this source applied to the record.
    Stale(RecordId),
    /// The record goes, and this stays. A change is owed.
    Deleted(Tombstone),
    /// Nothing: there was nothing to delete.
    Ignored,
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
    standing: Standing<'_>,
    incoming: &Incoming,
    fresh: RecordId,
    now: Timestamp,
) -> Result<Merged, Vec<MissingRequired>> {
    if let Some(id) = standing.stale(incoming) {
        return Ok(Merged::Stale(id));
    }
    let row = |(outcome, row)| Merged::Row { outcome, row };
    match (&incoming.act, standing) {
        (Act::Put(puts), Standing::Row(existing)) => update(shape, existing, (incoming, puts), now).map(row),
        (Act::Put(puts), Standing::Gone(gone)) => create(shape, (incoming, puts), (fresh, &gone.guards), now).map(row),
        (Act::Put(puts), Standing::Nothing) => create(shape, (incoming, puts), (fresh, &Guards::new()), now).map(row),
        (Act::Delete, Standing::Row(existing)) => {
            Ok(Merged::Deleted(Tombstone { id: existing.id, guards: guards(&existing.guards, incoming) }))
        }
        (Act::Delete, _) => Ok(Merged::Ignored),
    }
}

impl Standing<'_> {
    /// The record, when this source applied something strictly newer to it.
    fn stale(self, incoming: &Incoming) -> Option<RecordId> {
        let (id, guards) = match self {
            Self::Nothing => return None,
            Self::Row(row) => (row.id, &row.guards),
            Self::Gone(tombstone) => (tombstone.id, &tombstone.guards),
        };
        let guard = guards.get(&incoming.source?)?;
        (incoming.occurred_at?.micros() < *guard).then_some(id)
    }
}

type Applied = Result<(Outcome, Row), Vec<MissingRequired>>;

/// A record that takes the place of a deleted one starts with its guards: what was older before is older still.
fn create(
    shape: &Shape,
    (incoming, puts): (&Incoming, &Puts),
    (fresh, gone): (RecordId, &Guards),
    now: Timestamp,
) -> Applied {
    let mut fields: Vec<Option<Value>> = vec![None; shape.fields.len()];
    for put in &puts.fields {
        fields[put.field] = match &put.put {
            Put::Value(value) => Some(value.clone()),
            Put::Null => None,
            Put::Keep => put.default.clone(),
        };
    }
    let lacks = |field: usize| fields[field].is_none();
    let missing = required(shape, puts).filter(|missing| lacks(missing.field)).collect::<Vec<_>>();
    if !missing.is_empty() {
        return Err(missing);
    }
    let row = Row {
        id: fresh,
        version: 1,
        event: incoming.event,
        guards: guards(gone, incoming),
        created_at: now,
        updated_at: now,
        fields,
        custom_data: custom_data(&CustomData::new(), puts, |put| put.node.as_ref().or(put.default.as_ref())),
    };
    Ok((Outcome::Created, row))
}

fn update(shape: &Shape, existing: &Row, (incoming, puts): (&Incoming, &Puts), now: Timestamp) -> Applied {
    let mut row = existing.clone();
    for put in &puts.fields {
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
            && puts.fields.iter().any(|put| put.field == missing.field && put.put == Put::Null)
    };
    let missing = required(shape, puts).filter(emptied).collect::<Vec<_>>();
    if !missing.is_empty() {
        return Err(missing);
    }
    row.custom_data = custom_data(&existing.custom_data, puts, |put| put.node.as_ref());
    row.guards = guards(&existing.guards, incoming);
    if row.fields == existing.fields && row.custom_data == existing.custom_data {
        return Ok((Outcome::Unchanged, row));
    }
    row.version += 1;
    row.event = incoming.event;
    row.updated_at = now.max(existing.updated_at);
    Ok((Outcome::Updated, row))
}

/// Every field that must have a value: by the module, or by a rule of this source.
fn required<'a>(shape: &'a Shape, puts: &'a Puts) -> impl Iterator<Item = MissingRequired> + 'a {
    let mut by_field = vec![None; shape.fields.len()];
    puts.fields.iter().for_each(|put| by_field[put.field] = Some(put));
    shape.fields.iter().enumerate().filter_map(move |(place, field)| {
        let put = by_field[place];
        let insists = field.required || put.is_some_and(|put| put.required);
        insists.then(|| MissingRequired { rule: put.map(|put| put.rule), field: place })
    })
}

fn guards(existing: &Guards, incoming: &Incoming) -> Guards {
    let mut guards = existing.clone();
    if let Some((source, at)) = incoming.source.zip(incoming.occurred_at) {
        guards.insert(source, at.micros());
    }
    guards
}

fn custom_data(
    existing: &CustomData,
    puts: &Puts,
    node: impl Fn(&CustomPut) -> Option<&serde_json::Value>,
) -> CustomData {
    let mut custom = existing.clone();
    for put in &puts.custom {
        if let Some(node) = node(put) {
            set(&mut custom, &put.path, node);
        }
    }
    patch::apply(&mut custom, &puts.patch);
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
        let (module, name) = (ModuleId::new(at(0)), "Orders".into());
        Shape { module, slug, name, number: 1, fields, matching: vec![0], events: Vec::new() }
    }

    fn put(field: usize, put: Put) -> FieldPut {
        FieldPut { rule: field, field, put, default: None, required: false }
    }

    fn text(text: &str) -> Put {
        Put::Value(Value::Text(text.into()))
    }

    fn incoming(source: SourceId, occurred_at: Option<i64>, fields: Vec<FieldPut>) -> Incoming {
        let act = Act::Put(Puts { fields, ..Puts::default() });
        let (source, event) = (Some(source), Some(EventId::new(at(1))));
        Incoming { source, event, occurred_at: occurred_at.map(at), act }
    }

    fn delete(source: SourceId, occurred_at: i64) -> Incoming {
        Incoming { act: Act::Delete, ..incoming(source, Some(occurred_at), vec![]) }
    }

    fn merged(standing: Standing<'_>, incoming: &Incoming) -> Merged {
        merge(&shape(), standing, incoming, RecordId::new(at(1)), at(5)).unwrap()
    }

    fn row(existing: Option<&Row>, incoming: &Incoming) -> (Outcome, Row) {
        match merged(existing.map_or(Standing::Nothing, Standing::Row), incoming) {
            Merged::Row { outcome, row } => (outcome, row),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_is_created_then_updated_then_unchanged_then_stale() {
        let source = SourceId::new(at(0));
        let (outcome, created) = row(None, &incoming(source, Some(10), vec![put(0, text("a")), put(1, text("x"))]));
        assert_eq!((outcome, created.version), (Outcome::Created, 1));
        let (outcome, updated) =
            row(Some(&created), &incoming(source, Some(20), vec![put(0, text("a")), put(1, text("y"))]));
        assert_eq!((outcome, updated.version), (Outcome::Updated, 2));
        let (outcome, unchanged) = row(Some(&updated), &incoming(source, Some(30), vec![put(0, text("a"))]));
        assert_eq!((outcome, unchanged.version), (Outcome::Unchanged, 2));
        assert_eq!(unchanged.guards[&source], 30);
        let older = incoming(source, Some(29), vec![put(0, text("a")), put(1, text("z"))]);
        assert_eq!(merged(Standing::Row(&unchanged), &older), Merged::Stale(created.id));
        let equal = row(Some(&unchanged), &incoming(source, Some(30), vec![put(1, text("z"))]));
        assert_eq!(equal.0, Outcome::Updated);
        let other_source = SourceId::new(at(9));
        let other = row(Some(&unchanged), &incoming(other_source, Some(1), vec![put(1, text("w"))]));
        assert_eq!(other.0, Outcome::Updated);
    }

    #[test]
    fn a_deleted_record_stays_gone_for_what_is_older() {
        let source = SourceId::new(at(0));
        let made = incoming(source, Some(10), vec![put(0, text("a"))]);
        let (_, created) = row(None, &made);
        assert_eq!(merged(Standing::Nothing, &delete(source, 20)), Merged::Ignored);
        assert_eq!(merged(Standing::Row(&created), &delete(source, 9)), Merged::Stale(created.id));
        let Merged::Deleted(gone) = merged(Standing::Row(&created), &delete(source, 20)) else { panic!("not deleted") };
        assert_eq!((gone.id, gone.guards[&source]), (created.id, 20));
        assert_eq!(merged(Standing::Gone(&gone), &made), Merged::Stale(created.id));
        assert_eq!(merged(Standing::Gone(&gone), &delete(source, 19)), Merged::Stale(created.id));
        assert_eq!(merged(Standing::Gone(&gone), &delete(source, 21)), Merged::Ignored);
        let newer = incoming(source, Some(20), vec![put(0, text("a"))]);
        let Merged::Row { outcome, row } = merged(Standing::Gone(&gone), &newer) else { panic!("not created") };
        assert_eq!((outcome, row.version), (Outcome::Created, 1));
        let undated = incoming(source, None, vec![put(0, text("a"))]);
        assert!(matches!(merged(Standing::Gone(&gone), &undated), Merged::Row { outcome: Outcome::Created, .. }));
    }

    #[test]
    fn required_binds_on_create_and_a_later_null_is_refused() {
        let source = SourceId::new(at(0));
        let refused = |standing: Standing<'_>, incoming: &Incoming| {
            merge(&shape(), standing, incoming, RecordId::new(at(1)), at(5)).unwrap_err()
        };
        let lacking = incoming(source, None, vec![put(1, text("x"))]);
        assert_eq!(refused(Standing::Nothing, &lacking), [MissingRequired { rule: None, field: 0 }]);
        let (_, made) = row(None, &incoming(source, None, vec![put(0, text("a"))]));
        assert_eq!(row(Some(&made), &lacking).0, Outcome::Updated);
        let nulled = incoming(source, None, vec![put(0, Put::Null)]);
        assert_eq!(refused(Standing::Row(&made), &nulled), [MissingRequired { rule: Some(0), field: 0 }]);
    }

    #[test]
    fn a_default_fills_on_create_only() {
        let source = SourceId::new(at(0));
        let defaulted = FieldPut { default: Some(Value::Text("d".into())), ..put(1, Put::Keep) };
        let (_, made) = row(None, &incoming(source, None, vec![put(0, text("a")), defaulted.clone()]));
        assert_eq!(made.fields[1], Some(Value::Text("d".into())));
        let (_, emptied) = row(Some(&made), &incoming(source, None, vec![put(1, Put::Null)]));
        assert_eq!(row(Some(&emptied), &incoming(source, None, vec![defaulted])).0, Outcome::Unchanged);
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
