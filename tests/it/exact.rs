//! Values come back exactly as they were sent: through the API, and by SQL out of a column of the right type.

use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use crate::app::{App, text};
use crate::database::Engine;

both!(every_value_is_read_back, keys_with_dots_and_quotes_are_found, custom_data_keeps_its_form);

const MODULE: &str = include_str!("../data/modules/everything.toml");

/// Each value in an event of its own, so that one failure names one value.
async fn every_value_is_read_back(app: App) {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../data/exact.json")).unwrap();
    let sender = app.sender(MODULE).await;
    for (number, vector) in vectors.iter().enumerate() {
        let (why, field) = (&vector["why"], text(&vector["field"]));
        let code = format!("v-{number}");
        let mut event = json!({ "code": code });
        event[field] = vector["sent"].clone();
        let answer = sender.post(event).await.accepted("created");

        let record = app.record("everything", &answer).await;
        assert_eq!(record["fields"][field], vector["api"], "{why}: through the API");

        let name = if app.database().engine() == Engine::Sqlite { "sqlite" } else { "postgres" };
        let wanted = vector.get("sql").or(vector.get(name)).and_then(Value::as_str);
        let sql = format!("SELECT CAST({field} AS text) FROM m_everything WHERE code = '{code}'");
        assert_eq!(app.database().text(AssertSqlSafe(sql)).await.as_deref(), wanted, "{why}: by SQL");
    }
}

async fn keys_with_dots_and_quotes_are_found(app: App) {
    let sender = app.sender(MODULE).await;
    let event = json!({ "code": "q", r#"a.b "c" 'd' [e]"#: { "$ref": "found" }, "a": { "b": "not this" } });
    let answer = sender.post(event).await.accepted("created");
    let record = app.record("everything", &answer).await;
    assert_eq!(record["customData"], json!({ "quoted": "found" }));
}

async fn custom_data_keeps_its_form(app: App) {
    let sender = app.sender(MODULE).await;
    let custom: Value =
        serde_json::from_str(r#"{"z": 1.50, "a": [12345678901234567890, "💶", null], "n": {}}"#).unwrap();
    let answer = sender.post(json!({ "code": "c", "custom": custom })).await.accepted("created");
    let record = app.record("everything", &answer).await;
    assert_eq!(record["customData"], json!({ "from": { "sender": custom } }));

    let stored = app.database().text("SELECT CAST(custom_data AS text) FROM m_everything").await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), record["customData"]);
    assert!(stored.contains("1.50") && stored.contains("12345678901234567890"), "{stored}");
}
