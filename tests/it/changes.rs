//! The log of changes, read by SQL and played again from its beginning.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::app::Admin;
use crate::database::Place;

#[derive(Debug)]
pub struct Change {
    pub record: String,
    pub event: Option<String>,
    pub op: String,
    pub version: i64,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// A record as it stands: its version, and its fields with `custom_data` among them.
pub type Standing = BTreeMap<String, (i64, Value)>;

const LOG: &str = "SELECT record_id, event_id, op, CAST(version AS text), before, after FROM changes ORDER BY seq";

/// All changes, in the order of their numbers.
pub async fn changes(place: &Place) -> Vec<Change> {
    let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text).expect("a row is JSON"));
    let change = |row: Vec<Option<String>>| {
        let [record, event, op, version, before, after] = <[_; 6]>::try_from(row).unwrap();
        Change {
            record: record.unwrap(),
            event,
            op: op.unwrap(),
            version: version.unwrap().parse().unwrap(),
            before: json(before),
            after: json(after),
        }
    };
    place.rows(LOG).await.into_iter().map(change).collect()
}

/// What the log says of every record. Each change has to begin where the one before it ended.
pub fn replayed(changes: &[Change]) -> Standing {
    let mut standing = Standing::new();
    let mut gone = BTreeSet::new();
    for change in changes {
        let (version, row) = standing.get(&change.record).map_or((0, None), |(version, row)| (*version, Some(row)));
        assert_eq!(change.before.as_ref(), row, "{change:?} begins where the one before it ended");
        assert_eq!(change.version, version + 1, "{change:?} counts on");
        let op = match (row, &change.after) {
            (None, _) => "insert",
            (Some(_), Some(_)) => "update",
            (Some(_), None) => "delete",
        };
        assert_eq!(change.op, op, "{change:?}");
        assert!(!gone.contains(&change.record), "{change:?} comes after its delete, and an id is not used again");
        match change.after.clone() {
            Some(after) => drop(standing.insert(change.record.clone(), (change.version, after))),
            None => {
                standing.remove(&change.record);
                gone.insert(&change.record);
            }
        }
    }
    standing
}

/// All records of a module, as the API shows them.
pub async fn standing(admin: &Admin, module: &str) -> Standing {
    let records = admin.list(&format!("/modules/{module}/records"), 100).await;
    let standing = |record: Value| {
        let mut row = record["fields"].clone();
        row["custom_data"] = record["customData"].clone();
        (record["id"].as_str().unwrap().to_owned(), (record["version"].as_i64().unwrap(), row))
    };
    records.into_iter().map(standing).collect()
}

/// Log and table agree about every record of a module.
pub async fn assert_log_is_truth(admin: &Admin, place: &Place, module: &str) {
    let (told, stands) = (replayed(&changes(place).await), standing(admin, module).await);
    assert_eq!(told.len(), stands.len(), "the log tells of every record");
    for (id, row) in &stands {
        assert_eq!(told.get(id), Some(row), "the log tells how {id} came to be");
    }
    assert!(!changes(place).await.is_empty(), "there is something to compare");
}
