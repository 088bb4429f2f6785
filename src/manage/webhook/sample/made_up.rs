//! A change that did not happen: a record with a plausible value in every field. Pure but for its ids.

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::deliver::endpoint::Endpoint;
use crate::id::{ChangeId, ModuleId, RecordId};
use crate::record::change::{CUSTOM, Change, EventType, Fields, MODULE_ALTERED, MODULE_DELETED, moved};
use crate::record::field::{Field, Kind};
use crate::record::shape::Shape;

/// Changes that are tried for one that is as a named event wants it.
const MOST_TRIED: usize = 200;
const ACTOR: &str = "test";

/// One whose event is of this type. Where a named event wants what no plain change is, its data are those of a plain
/// one.
pub fn of_a_record(shape: &Shape, event: &str, at: Timestamp) -> Change {
    let row = row(shape, at);
    let custom = with(&row, CUSTOM, json!({ "note": "a test" }));
    let (updated, moved) = (updates(shape, &row, at).next(), statuses(shape, &row).next());
    let rows = match EventType::find(event) {
        Some(EventType::RecordCreated) => (None, Some(row)),
        Some(EventType::RecordDeleted) => (Some(row), None),
        Some(EventType::CustomDataUpdated) => (Some(row), Some(custom)),
        Some(EventType::RecordUpdated) => updated.unwrap_or((None, Some(row))),
        Some(EventType::StatusChange) => moved.unwrap_or((None, Some(row))),
        None => named(shape, event, &row, at),
    };
    change(shape, rows, at)
}

pub fn of_the_gateway(event: &str, endpoint: &Endpoint, at: Timestamp) -> Change {
    let host = endpoint.url.host_str().unwrap_or_default();
    let of_a_module = json!({ "module": "made-up", "module_id": ModuleId::new(at), "shape": 2 });
    let data = match event {
        MODULE_ALTERED => {
            let mut data = of_a_module;
            data["added"] = json!([{ "name": "note", "type": "text" }]);
            data
        }
        MODULE_DELETED => of_a_module,
        _ => json!({ "endpoint": endpoint.id, "host": host, "cause": "failing", "failing_since": at }),
    };
    Change {
        seq: 0,
        id: ChangeId::new(at).to_string(),
        at,
        module: None,
        record: String::new(),
        op: event.to_owned(),
        version: 0,
        shape: 0,
        before: None,
        after: data.as_object().cloned(),
        moved: Map::new(),
        event: None,
        actor: ACTOR.to_owned(),
        hops: 0,
    }
}

type Rows = (Option<Fields>, Option<Fields>);

fn change(shape: &Shape, (before, after): Rows, at: Timestamp) -> Change {
    let (op, version) = match (&before, &after) {
        (None, _) => ("insert", 1),
        (Some(_), Some(_)) => ("update", 2),
        (Some(_), None) => ("delete", 2),
    };
    Change {
        seq: 0,
        id: ChangeId::new(at).to_string(),
        at,
        module: Some(shape.module),
        record: RecordId::new(at).to_string(),
        op: op.to_owned(),
        version,
        shape: shape.number,
        moved: moved(before.as_ref(), after.as_ref()),
        before,
        after,
        event: None,
        actor: ACTOR.to_owned(),
        hops: 0,
    }
}

/// The first that the module would name so; else an update, since most events are.
fn named(shape: &Shape, event: &str, row: &Fields, at: Timestamp) -> Rows {
    let kinds = shape.fields.iter().filter_map(|field| match &field.kind {
        Kind::Status(values) => Some((field, values)),
        _ => None,
    });
    let made = kinds.flat_map(|(field, values)| {
        values.iter().map(|value| (None, Some(with(row, field.name.as_str(), json!(value)))))
    });
    let plain = [(None, Some(row.clone())), (Some(row.clone()), None)];
    let tried = statuses(shape, row).chain(made).chain(updates(shape, row, at)).chain(plain);
    let wanted = shape.events.iter().find(|named| named.name == event);
    let is_so = |rows: &Rows| wanted.is_some_and(|wanted| wanted.is(&change(shape, rows.clone(), at).document(shape)));
    let found = tried.take(MOST_TRIED).find(is_so);
    found.or_else(|| updates(shape, row, at).next()).unwrap_or_else(|| (None, Some(row.clone())))
}

/// One field moves; what identifies a record last.
fn updates<'a>(shape: &'a Shape, row: &'a Fields, at: Timestamp) -> impl Iterator<Item = Rows> + 'a {
    let identifies = |place: &usize| shape.matching.contains(place);
    let (first, last): (Vec<_>, Vec<_>) = (0..shape.fields.len()).partition(|place| !identifies(place));
    first.into_iter().chain(last).map(move |place| {
        let field = &shape.fields[place];
        (Some(row.clone()), Some(with(row, field.name.as_str(), value(field, 1, at))))
    })
}

/// A status moves, from each value to each other.
fn statuses<'a>(shape: &'a Shape, row: &'a Fields) -> impl Iterator<Item = Rows> + 'a {
    shape.fields.iter().flat_map(move |field| {
        let values = match &field.kind {
            Kind::Status(values) => &values[..],
            _ => &[],
        };
        let from_any = std::iter::once(Value::Null).chain(values.iter().map(|from| json!(from)));
        let pairs = from_any.flat_map(move |from| values.iter().map(move |to| (from.clone(), json!(to))));
        let pairs = pairs.filter(|(from, to)| from != to && (values.len() == 1 || !from.is_null()));
        let name = field.name.as_str();
        pairs.map(move |(from, to)| (Some(with(row, name, from)), Some(with(row, name, to))))
    })
}

fn row(shape: &Shape, at: Timestamp) -> Fields {
    let fields = shape.fields.iter().map(|field| (field.name.to_string(), value(field, 0, at)));
    fields.chain([(CUSTOM.to_owned(), json!({}))]).collect()
}

fn with(row: &Fields, name: &str, value: Value) -> Fields {
    let mut row = row.clone();
    row.insert(name.to_owned(), value);
    row
}

/// As rows of the log have them. The one that is `other` is another value.
fn value(field: &Field, other: usize, at: Timestamp) -> Value {
    let time = at.after(std::time::Duration::from_hours(24) * u32::from(other != 0)).to_string();
    match &field.kind {
        Kind::Text => json!([format!("a {}", field.name), format!("another {}", field.name)][other]),
        Kind::Integer => json!([7, 8][other]),
        Kind::Decimal => json!(["19.95", "21.50"][other]),
        Kind::Boolean => json!(other == 0),
        Kind::Timestamp => json!(time),
        Kind::Date => json!(time.split('T').next()),
        Kind::Json => json!({ "example": other == 0 }),
        Kind::Status(values) => values.get(other).map_or(Value::Null, |value| json!(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Condition;
    use crate::id::ModuleId;
    use crate::record::event::NamedEvent;
    use crate::record::field::{FieldName, ModuleSlug};

    fn shape(fields: Vec<(&str, Kind)>, when: &str) -> Shape {
        let field = |(name, kind)| Field { name: FieldName::parse(name).unwrap(), kind, required: false };
        Shape {
            module: ModuleId::new(Timestamp::default()),
            slug: ModuleSlug::parse("m").unwrap(),
            name: "M".to_owned(),
            number: 3,
            fields: fields.into_iter().map(field).collect(),
            matching: vec![0],
            events: vec![NamedEvent { name: "n".to_owned(), when: Condition::compile(when).unwrap(), data: None }],
        }
    }

    fn all() -> Vec<(&'static str, Kind)> {
        let values: Vec<String> = ["open", "closed", "lost"].map(str::to_owned).to_vec();
        vec![
            ("code", Kind::Text),
            ("count", Kind::Integer),
            ("price", Kind::Decimal),
            ("is_paid", Kind::Boolean),
            ("seen_at", Kind::Timestamp),
            ("due", Kind::Date),
            ("more", Kind::Json),
            ("state", Kind::Status(values.into())),
        ]
    }

    #[test]
    fn each_type_is_what_is_made_up_for_it() {
        let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        let shape = shape(all(), "@.changes.state.from == 'lost' && @.after.state == 'open'");
        for of_type in EventType::ALL.map(EventType::as_str).into_iter().chain(["n"]) {
            let change = of_a_record(&shape, of_type, at);
            assert!(change.types(Some(&shape)).iter().any(|found| found == of_type), "{of_type}: {change:?}");
            let row = change.after.as_ref().or(change.before.as_ref()).unwrap();
            let is_filled = |field: &Field| !row[field.name.as_str()].is_null();
            assert!(shape.fields.iter().all(is_filled), "{of_type}: {row:?}");
        }
        let updated = of_a_record(&shape, "record_updated", at);
        assert_eq!(updated.moved.keys().collect::<Vec<_>>(), ["count"], "what identifies it stays");
    }

    #[test]
    fn a_module_of_little_has_changes_all_the_same() {
        let at = Timestamp::default();
        let one = shape(vec![("state", Kind::Status(vec!["only".to_owned()].into()))], "@.after.state == 'never'");
        for of_type in ["record_created", "record_updated", "record_deleted", "status_change", "n"] {
            let change = of_a_record(&one, of_type, at);
            assert!(change.before.is_some() || change.after.is_some(), "{of_type}");
        }
        assert_eq!(of_a_record(&one, "status_change", at).types(Some(&one)), ["record_updated", "status_change"]);
    }
}
