//! A row as a trigger wrote it down when another SQL client edited it, made what the log has: the values of its fields
//! in their one form. Pure. Nothing a client can write makes this fail: what no field could hold is told as it stood.

use std::collections::HashMap;

use serde_json::Value as Node;
use serde_json::value::RawValue;

use super::field::{Field, Kind};
use super::value::{Value, coerce};

/// The row as one JSON object in the form of [`super::row::Snapshot`], as text. `written` is a JSON object of columns;
/// fields that it lacks were not there yet.
pub fn snapshot(fields: &[Field], written: &[u8]) -> String {
    let text = String::from_utf8_lossy(written);
    let columns: HashMap<String, &RawValue> = serde_json::from_str(&text).unwrap_or_default();
    let mut members = Vec::with_capacity(fields.len() + 1);
    for field in fields {
        if let Some(column) = columns.get(field.name.as_str()) {
            members.push(format!("\"{}\":{}", field.name, value(&field.kind, column)));
        }
    }
    let custom = columns.get("custom_data").map_or_else(|| "{}".to_owned(), |column| value(&Kind::Json, column));
    members.push(format!("\"custom_data\":{custom}"));
    format!("{{{}}}", members.join(","))
}

/// As [`Value`] writes itself.
fn value(kind: &Kind, column: &RawValue) -> String {
    let Ok(node) = serde_json::from_str::<Node>(column.get()) else {
        // JSON to the database and not to us: nested too deeply, or half of a surrogate pair.
        return Node::from(column.get()).to_string();
    };
    let found = match (kind, &node) {
        (_, Node::Null) => None,
        // One that is not listed any more stands all the same.
        (Kind::Status(_), Node::String(text)) => Some(Value::Text(text.as_str().into())),
        (kind, node) => coerce(kind, node).ok(),
    };
    let written = found.and_then(|value| serde_json::to_string(&value).ok());
    written.unwrap_or_else(|| node.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::field::FieldName;
    use super::*;

    fn fields() -> Vec<Field> {
        let kinds = [
            ("code", Kind::Text),
            ("amount", Kind::Decimal),
            ("count", Kind::Integer),
            ("done", Kind::Boolean),
            ("moment", Kind::Timestamp),
            ("day", Kind::Date),
            ("document", Kind::Json),
            ("state", Kind::Status(["open".to_owned()].into())),
        ];
        let field = |(name, kind)| Field { name: FieldName::parse(name).unwrap(), kind, required: false };
        kinds.into_iter().map(field).collect()
    }

    #[test]
    fn both_databases_are_read_into_one_form() {
        let wanted = r#"{"code":"a \" b","amount":"12.50","count":-7,"done":true,"moment":"2026-01-02T03:04:05.100000Z","day":"2026-01-02","document":{"a":[1.50],"b":null},"state":"gone","custom_data":{"k":1}}"#;
        let sqlite = r#"{"code":"a \" b","amount":"12.50","count":-7,"done":true,"moment":"2026-01-02T03:04:05.100000Z","day":"2026-01-02","document":{"b": null, "a":[1.50]},"state":"gone","custom_data":{"k":1}}"#;
        let postgres = r#"{"_id":"rec_1","_version":3,"custom_data":{ "k" : 1 },"code":"a \" b","amount":12.50,"count":-7,"done":true,"moment":"2026-01-02T03:04:05.1+00:00","day":"2026-01-02","document":{"b":null,"a":[1.50]},"state":"gone"}"#;
        assert_eq!(snapshot(&fields(), sqlite.as_bytes()), wanted);
        assert_eq!(snapshot(&fields(), postgres.as_bytes()), wanted);
    }

    #[test]
    fn what_no_field_could_hold_is_told_as_it_stood() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        let odd = format!(r#"{{"amount":"much","moment":null,"document":{deep},"custom_data":"\ud800"}}"#);
        let told: Node = serde_json::from_str(&snapshot(&fields(), odd.as_bytes())).unwrap();
        assert_eq!(told["amount"], "much");
        assert_eq!(told["document"], deep.as_str());
        assert_eq!((&told["moment"], &told["custom_data"]), (&Node::Null, &Node::from("\"\\ud800\"")));
        assert!(told.get("code").is_none(), "it was not there");
        assert_eq!(snapshot(&fields(), b"\xff"), r#"{"custom_data":{}}"#);
    }
}
