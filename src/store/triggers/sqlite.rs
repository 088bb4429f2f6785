//! The triggers on SQLite. Columns are texts there for what it has no type for, so more has to be looked at; times that
//! are written in another form than ours are put into it. An AFTER trigger that updates its own row does not meet itself,
//! whatever `recursive_triggers` says: the version has moved then.

use super::{Refusal, edited, refusals, too_long};
use crate::record::shape::Shape;
use crate::store::dialect::{Dialect, Type};

const DIALECT: Dialect = Dialect::Sqlite;

pub(super) fn drops(shape: &Shape) -> Vec<String> {
    let drop = |event| format!("DROP TRIGGER IF EXISTS \"edit_{}_{event}\"", shape.table());
    ["insert", "update", "delete"].map(drop).into()
}

pub(super) fn texts(shape: &Shape) -> Vec<String> {
    vec![on_insert(shape), on_update(shape), on_delete(shape)]
}

fn on_insert(shape: &Shape) -> String {
    let (table, now) = (shape.table(), DIALECT.now());
    let no_id = Refusal {
        when: "length(NEW.\"_id\") <> 30 OR NEW.\"_id\" NOT GLOB 'rec_[0-7]*' \
               OR substr(NEW.\"_id\", 5) GLOB '*[^0-9a-hjkmnp-tv-z]*'"
            .to_owned(),
        why: "tidegate: _id: not an id of a record; leave it out, and one is made".to_owned(),
    };
    format!(
        "CREATE TRIGGER \"edit_{table}_insert\" AFTER INSERT ON \"{table}\" WHEN NEW.\"_version\" = 0 BEGIN
  {}
  UPDATE \"{table}\" SET \"_version\" = 1, \"_guard\" = '{{}}', \"_event_id\" = NULL, \"_created_at\" = {now}, \
    \"_updated_at\" = {now}{} WHERE \"_id\" = NEW.\"_id\";
  {}
END",
        refuse(shape, no_id, |_, _| "true".to_owned()),
        put_in_form(shape),
        note_new(shape, "insert", "NULL"),
    )
}

fn on_update(shape: &Shape) -> String {
    let (table, now) = (shape.table(), DIALECT.now());
    let moved = |name: &str, _| format!("NEW.\"{name}\" IS NOT OLD.\"{name}\"");
    let any = edited(shape).map(|(name, kind)| moved(name, kind)).collect::<Vec<_>>().join(" OR ");
    let other_id = Refusal {
        when: "NEW.\"_id\" IS NOT OLD.\"_id\"".to_owned(),
        why: "tidegate: _id: a record keeps its id".to_owned(),
    };
    format!(
        "CREATE TRIGGER \"edit_{table}_update\" AFTER UPDATE ON \"{table}\" WHEN NEW.\"_version\" = OLD.\"_version\" \
         AND (NEW.\"_id\" IS NOT OLD.\"_id\" OR {any}) BEGIN
  {}
  UPDATE \"{table}\" SET \"_version\" = OLD.\"_version\" + 1, \"_event_id\" = NULL, \
    \"_updated_at\" = max(\"_updated_at\", {now}){} WHERE \"_id\" = NEW.\"_id\";
  {}
END",
        refuse(shape, other_id, moved),
        put_in_form(shape),
        note_new(shape, "update", &row(shape, "OLD")),
    )
}

fn on_delete(shape: &Shape) -> String {
    let table = shape.table();
    format!(
        "CREATE TRIGGER \"edit_{table}_delete\" AFTER DELETE ON \"{table}\" WHEN OLD.\"_version\" >= 0 BEGIN
  {} VALUES ({}, '{}', OLD.\"_id\", 'delete', OLD.\"_version\" + 1, {}, {}, NULL);
END",
        INTO,
        DIALECT.now_micros(),
        shape.module,
        shape.number,
        row(shape, "OLD"),
    )
}

const INTO: &str = "INSERT INTO edits (at, module_id, record_id, op, version, shape, before, after)";

/// The row as it stands by now, its times in their form.
fn note_new(shape: &Shape, op: &str, before: &str) -> String {
    format!(
        "{INTO} SELECT {}, '{}', t.\"_id\", '{op}', t.\"_version\", {}, {before}, {} FROM \"{}\" t WHERE t.\"_id\" = NEW.\"_id\";",
        DIALECT.now_micros(),
        shape.module,
        shape.number,
        row(shape, "t"),
        shape.table(),
    )
}

/// The columns as one JSON object. Put together by hand: functions take no more than 127 arguments, and modules may have
/// 200 fields.
fn row(shape: &Shape, row: &str) -> String {
    let member = |(name, kind)| {
        let column = format!("{row}.\"{name}\"");
        let value = match kind {
            Type::Boolean => format!("CASE {column} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"),
            Type::Json => format!("coalesce({column}, 'null')"),
            _ => format!("json_quote({column})"),
        };
        format!("\"{name}\":' || {value} || '")
    };
    format!("'{{{}}}'", edited(shape).map(member).collect::<Vec<_>>().join(","))
}

fn refuse(shape: &Shape, first: Refusal, moved: impl Fn(&str, Type) -> String) -> String {
    let module = shape.module;
    let listed = |name: &str| {
        format!(
            "EXISTS (SELECT 1 FROM modules m, json_each(m.definition, '$.fields') f, json_each(f.value, '$.values') v \
             WHERE m.id = '{module}' AND f.value ->> '$.name' = '{name}' AND v.value = NEW.\"{name}\")"
        )
    };
    let custom = Refusal {
        when: "json_type(NEW.\"custom_data\") <> 'object'".to_owned(),
        why: "tidegate: custom_data: not a JSON object".to_owned(),
    };
    let refusals = [first, custom].into_iter().chain(refusals(shape, moved, bad, listed));
    let arms = refusals.map(|Refusal { when, why }| format!(" WHEN {when} THEN RAISE(ABORT, '{why}')"));
    format!("SELECT CASE{} END;", arms.collect::<String>())
}

fn bad(name: &str, kind: Type) -> Option<String> {
    let value = format!("NEW.\"{name}\"");
    match kind {
        Type::Decimal => Some(bad_decimal(&value)),
        Type::Timestamp => Some(bad_time(&value)),
        // Of a day that no month has, the calendar of SQLite makes another one.
        Type::Date => Some(format!("date({value}, '+0 days') IS NOT {value} OR {value} < '0001-01-01'")),
        _ => None,
    }
}

/// Plain notation, as our own are written.
fn bad_decimal(value: &str) -> String {
    let digits = format!("substr({value}, 1 + ({value} GLOB '-*'))");
    format!(
        "{digits} GLOB '*[^0-9.]*' OR {digits} NOT GLOB '[0-9]*' OR {digits} NOT GLOB '*[0-9]' OR {digits} GLOB '*.*.*' \
         OR {digits} GLOB '0[0-9]*' OR ({value} GLOB '-*' AND ltrim({value}, '-0.') = '') OR {}",
        too_long(value)
    )
}

/// A date, `T` or a blank, a time, perhaps a fraction, perhaps an offset: without one it is UTC, as everywhere in SQLite.
fn bad_time(value: &str) -> String {
    let time = Time::of(value);
    format!(
        "{value} NOT GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9][0-9]:[0-9][0-9]:[0-9][0-9]*' \
         OR date(substr({value}, 1, 10), '+0 days') IS NOT substr({value}, 1, 10) \
         OR {fraction} GLOB '?*.*' OR {fraction} GLOB '[^.]*' OR {fraction} = '.' OR {seconds} IS NULL \
         OR {seconds} < '0001-01-01T00:00:00' OR {seconds} > '9999-12-30T22:00:00'",
        fraction = time.fraction,
        seconds = time.seconds,
    )
}

/// Parts of a time that another client wrote, as SQL.
struct Time {
    /// In UTC, to the second: SQLite rounds what is below.
    seconds: String,
    /// Empty, or a point and digits.
    fraction: String,
}

impl Time {
    fn of(value: &str) -> Self {
        let offset = format!("ltrim(substr({value}, 20), '.0123456789')");
        Self {
            seconds: format!("strftime('%Y-%m-%dT%H:%M:%S', substr({value}, 1, 19) || {offset})"),
            fraction: format!("substr({value}, 20, length({value}) - 19 - length({offset}))"),
        }
    }
}

/// Settings that put times into our form: UTC, six digits, more of them cut.
fn put_in_form(shape: &Shape) -> String {
    let times = edited(shape).filter(|(_, kind)| *kind == Type::Timestamp);
    let set = times.map(|(name, _)| {
        let Time { seconds, fraction } = Time::of(&format!("NEW.\"{name}\""));
        format!(
            ", \"{name}\" = {seconds} || substr({fraction} || substr('.000000', length({fraction}) + 1), 1, 7) || 'Z'"
        )
    });
    set.collect()
}
