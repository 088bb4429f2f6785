//! Modules are administered over the API: made, altered in every way, deleted. What stands in the way is named, and then
//! nothing has moved.

mod altering;
mod commands;
mod deleting;
mod follow;
mod load;
mod making;
mod names;
mod obstacles;

use http::Method;
use serde_json::{Value, json};

use crate::app::{App, text};
use crate::client::{Answer, Sender};

const ORDERS: &str = include_str!("../data/modules/orders.toml");

async fn call(app: &App, method: Method, path: &str, body: Value) -> Answer {
    let request = app.request(method, &format!("/api/v1{path}")).bearer_auth(&app.key);
    Answer::to(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn patch(app: &App, slug: &str, body: Value) -> Answer {
    call(app, Method::PATCH, &format!("/modules/{slug}"), body).await
}

/// Alters the fields of the orders.
async fn fields(app: &App, fields: Value) -> Answer {
    patch(app, "orders", json!({ "fields": fields })).await
}

/// What the API says would be done.
async fn trial(app: &App, body: Value) -> Value {
    patch(app, "orders?dryRun=true", body).await.done()
}

/// Where errors are, in order.
fn places(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect()
}

async fn order(sender: &Sender, code: &str, more: Value) -> Value {
    let mut event = json!({ "type": "stock", "code": code });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    sender.post(event).await.done()
}

/// The changes of a type, or all of the log.
async fn log(app: &App, of_type: &str) -> Vec<Value> {
    let wanted = if of_type.is_empty() { String::new() } else { format!("?type={of_type}") };
    app.see(&format!("/changes{wanted}")).await["data"].as_array().unwrap().clone()
}

/// All that an alteration touches, as the database holds it.
async fn dump(app: &App) -> Vec<Vec<Option<String>>> {
    let mut all = Vec::new();
    for table in
        ["modules", "sources", "mappings", "tokens", "shapes", "dropped_columns", "changes", "audit", "m_orders"]
    {
        let sql = match app.database().engine() {
            crate::database::Engine::Postgres => format!("SELECT CAST(t AS text) FROM {table} t ORDER BY 1"),
            crate::database::Engine::Sqlite => {
                let columns =
                    app.database().rows(sqlx::AssertSqlSafe(format!("SELECT name FROM pragma_table_info('{table}')")));
                let columns = columns.await.into_iter().flatten().flatten();
                let columns = columns.map(|name| format!("quote(\"{name}\")")).collect::<Vec<_>>().join(" || ',' || ");
                format!("SELECT {columns} FROM {table} ORDER BY 1")
            }
        };
        all.extend(app.database().rows(sqlx::AssertSqlSafe(sql)).await);
    }
    all
}
