//! The triggers on PostgreSQL: one function a table, and what calls it. It runs as its owner, so that whoever may write
//! the table need not have a right to `edits`, and finds tables where this connection finds them.

use super::{Refusal, edited, refusals, too_long};
use crate::record::shape::Shape;
use crate::store::dialect::{Dialect, Type};

const DIALECT: Dialect = Dialect::Postgres;
const TRIGGERS: [&str; 4] = ["edit_insert", "edit_update", "edit_delete", "edit_truncate"];

pub(super) fn drops(shape: &Shape) -> Vec<String> {
    TRIGGERS.map(|name| format!("DROP TRIGGER IF EXISTS \"{name}\" ON \"{}\"", shape.table())).into()
}

pub(super) fn texts(shape: &Shape) -> Vec<String> {
    let table = shape.table();
    let moved = edited(shape).map(|(name, kind)| moved(name, kind)).collect::<Vec<_>>().join(" OR ");
    let when = [
        "AFTER INSERT ON \"\u{1}\" FOR EACH ROW WHEN (NEW.\"_version\" = 0)".to_owned(),
        format!(
            "AFTER UPDATE ON \"\u{1}\" FOR EACH ROW WHEN (NEW.\"_version\" = OLD.\"_version\" AND \
             (NEW.\"_id\" <> OLD.\"_id\" OR {moved}))"
        ),
        "AFTER DELETE ON \"\u{1}\" FOR EACH ROW WHEN (OLD.\"_version\" >= 0)".to_owned(),
        "BEFORE TRUNCATE ON \"\u{1}\" FOR EACH STATEMENT".to_owned(),
    ];
    let triggers = TRIGGERS.iter().zip(when).map(|(name, when)| {
        let when = when.replace('\u{1}', &table);
        format!("CREATE TRIGGER \"{name}\" {when} EXECUTE FUNCTION \"edit_{table}\"()")
    });
    std::iter::once(function(shape)).chain(triggers).collect()
}

fn moved(name: &str, kind: Type) -> String {
    // By their digits, as the log tells them; and json has no equality.
    let cast = if matches!(kind, Type::Decimal | Type::Json) { "::text" } else { "" };
    format!("NEW.\"{name}\"{cast} IS DISTINCT FROM OLD.\"{name}\"{cast}")
}

fn function(shape: &Shape) -> String {
    let (table, module, number) = (shape.table(), shape.module, shape.number);
    let into = "INSERT INTO edits (at, module_id, record_id, op, version, shape, before, after)";
    let (micros, now) = (DIALECT.now_micros(), DIALECT.now());
    let refusals = refuse(shape);
    format!(
        "CREATE OR REPLACE FUNCTION \"edit_{table}\"() RETURNS trigger LANGUAGE plpgsql \
         SECURITY DEFINER SET search_path FROM CURRENT SET \"TimeZone\" = 'UTC' AS $edit$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN
    {into} SELECT {micros}, '{module}', \"_t\".\"_id\", 'delete', \"_t\".\"_version\" + 1, {number}, row_to_json(\"_t\"), NULL \
      FROM \"{table}\" \"_t\" ORDER BY \"_t\".\"_id\";
  ELSIF TG_OP = 'DELETE' THEN
    {into} VALUES ({micros}, '{module}', OLD.\"_id\", 'delete', OLD.\"_version\" + 1, {number}, row_to_json(OLD), NULL);
  ELSIF TG_OP = 'UPDATE' THEN
    IF NEW.\"_id\" <> OLD.\"_id\" THEN
      RAISE check_violation USING MESSAGE = 'tidegate: _id: a record keeps its id';
    END IF;
{refusals}    UPDATE \"{table}\" AS t SET \"_version\" = NEW.\"_version\" + 1, \"_event_id\" = NULL, \
      \"_updated_at\" = greatest(t.\"_updated_at\", {now}) WHERE t.\"_id\" = NEW.\"_id\";
    {into} VALUES ({micros}, '{module}', NEW.\"_id\", 'update', NEW.\"_version\" + 1, {number}, row_to_json(OLD), row_to_json(NEW));
  ELSE
    IF NEW.\"_id\" !~ '^rec_[0-7][0-9a-hjkmnp-tv-z]{{25}}$' THEN
      RAISE check_violation USING MESSAGE = 'tidegate: _id: not an id of a record; leave it out, and one is made';
    END IF;
{refusals}    UPDATE \"{table}\" AS t SET \"_version\" = 1, \"_guard\" = '{{}}', \"_event_id\" = NULL, \
      \"_created_at\" = {now}, \"_updated_at\" = {now} WHERE t.\"_id\" = NEW.\"_id\";
    {into} VALUES ({micros}, '{module}', NEW.\"_id\", 'insert', 1, {number}, NULL, row_to_json(NEW));
  END IF;
  RETURN NULL;
END
$edit$"
    )
}

fn refuse(shape: &Shape) -> String {
    let module = shape.module;
    let listed = |name: &str| {
        format!(
            "EXISTS (SELECT 1 FROM modules m, json_array_elements(m.definition::json -> 'fields') f, \
             json_array_elements_text(f -> 'values') v WHERE m.id = '{module}' AND f ->> 'name' = '{name}' AND v = NEW.\"{name}\")"
        )
    };
    // An insert has no old row: there each value has moved, and so has a null.
    let moved = |name: &str, kind| format!("(TG_OP = 'INSERT' OR {})", moved(name, kind));
    let custom = Refusal {
        when: "json_typeof(NEW.\"custom_data\") <> 'object'".to_owned(),
        why: "tidegate: custom_data: not a JSON object".to_owned(),
    };
    let refusals = std::iter::once(custom).chain(refusals(shape, moved, bad, listed));
    let line = |Refusal { when, why }| {
        format!(
            "    IF {when} THEN RAISE check_violation USING MESSAGE = '{why}', TABLE = '{}'; END IF;\n",
            shape.table()
        )
    };
    refusals.map(line).collect()
}

fn bad(name: &str, kind: Type) -> Option<String> {
    let value = format!("NEW.\"{name}\"");
    match kind {
        // It has a value that is no number, and infinite ones.
        Type::Decimal => Some(format!("{value}::text !~ '^[-0-9.]+$' OR {}", too_long(&format!("{value}::text")))),
        Type::Timestamp => {
            Some(format!("{value} NOT BETWEEN '0001-01-01 00:00:00+00' AND '9999-12-30 22:00:00.999999+00'"))
        }
        Type::Date => Some(format!("{value} NOT BETWEEN '0001-01-01' AND '9999-12-31'")),
        _ => None,
    }
}
