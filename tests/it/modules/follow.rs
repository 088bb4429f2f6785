//! A reader of the log that keeps records of its own, and follows the alterations that the log tells of.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::{App, text};

type Rows = BTreeMap<String, (i64, Value)>;

/// What the log says of every record is what the API shows of it. Each change begins where the one before it ended.
pub async fn assert_log_can_be_followed(app: &App, module: &str) {
    let mut rows = Rows::new();
    let (mut after, mut more) = (String::new(), true);
    while more {
        let page = app.see(&format!("/changes?limit=100{after}")).await;
        page["data"].as_array().unwrap().iter().for_each(|change| follow(&mut rows, change));
        (after, more) = (format!("&after={}", text(&page["nextCursor"])), page["hasMore"] == true);
    }
    let records = app.list(&format!("/modules/{module}/records"), 100).await;
    assert_eq!(rows.len(), records.len(), "the log tells of every record");
    for record in records {
        let (version, fields) = &rows[text(&record["id"])];
        assert_eq!((&record["version"], &record["fields"]), (&Value::from(*version), fields));
    }
}

fn follow(rows: &mut Rows, change: &Value) {
    match text(&change["op"]) {
        "module.altered" => {
            let told = &change["after"]["fields"];
            rows.values_mut().for_each(|(_, row)| *row = altered(row, told));
        }
        "delete" => drop(rows.remove(text(&change["recordId"]))),
        _ => {
            let id = text(&change["recordId"]);
            let before = rows.get(id).map_or(&Value::Null, |(_, row)| row);
            assert_eq!(&change["before"]["fields"], before, "{change} begins where the one before it ended");
            let version = change["version"].as_i64().unwrap();
            rows.insert(id.to_owned(), (version, change["after"]["fields"].clone()));
        }
    }
}

fn altered(row: &Value, told: &Value) -> Value {
    let list = |name: &str| told[name].as_array().cloned().unwrap_or_default();
    let mut fields = Map::new();
    for (name, value) in row.as_object().unwrap() {
        let to = list("renamed").iter().find(|pair| pair["from"] == **name).map(|pair| text(&pair["to"]).to_owned());
        // A field that is dropped may give its name to another.
        if to.is_some() || !list("dropped").iter().any(|dropped| *dropped == **name) {
            fields.insert(to.unwrap_or_else(|| name.clone()), value.clone());
        }
    }
    for added in list("added") {
        fields.insert(text(&added["name"]).to_owned(), Value::Null);
    }
    for converted in list("converted") {
        let value = fields.get_mut(text(&converted["field"])).unwrap();
        *value = into(text(&converted["to"]), value);
    }
    Value::Object(fields)
}

/// As a payload's value is taken without a transform.
fn into(kind: &str, value: &Value) -> Value {
    let kind = match kind {
        "text" => tidegate::record::field::Kind::Text,
        "integer" => tidegate::record::field::Kind::Integer,
        "decimal" => tidegate::record::field::Kind::Decimal,
        other => panic!("{other}"),
    };
    if value.is_null() {
        return Value::Null;
    }
    serde_json::to_value(tidegate::record::value::coerce(&kind, value).unwrap()).unwrap()
}
