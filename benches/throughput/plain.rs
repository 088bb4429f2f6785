//! What Tidegate is held against: a handler that parses the body and upserts one row through a pool, with the usual
//! settings, and answers. No signature, no event log, no dedupe, no changes.

use std::str::FromStr;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::net::TcpListener;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS plain (product_code text PRIMARY KEY, quantity bigint, work_center text, price text, urgent text, due text)";
const UPSERT: &str = "INSERT INTO plain (product_code, quantity, work_center, price, urgent, due) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (product_code) DO UPDATE SET quantity = excluded.quantity, work_center = excluded.work_center, \
    price = excluded.price, urgent = excluded.urgent, due = excluded.due";

macro_rules! handler {
    ($pool:ty) => {
        post(|State(pool): State<$pool>, body: axum::body::Bytes| async move {
            let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let payload = &document["payload"];
            sqlx::query(UPSERT)
                .bind(payload["sku"].as_str())
                .bind(payload["qty"].as_i64())
                .bind(payload["station"].as_str())
                .bind(payload["price"].as_str())
                .bind(payload["urgent"].to_string())
                .bind(payload["due"].as_str())
                .execute(&pool)
                .await
                .unwrap();
            StatusCode::ACCEPTED
        })
    };
}

/// Serves on a free port, which it prints, until it is killed.
#[tokio::main]
pub async fn serve(url: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let routes = match url.strip_prefix("sqlite:") {
        Some(file) => {
            let options = SqliteConnectOptions::from_str(file).unwrap();
            let options = options
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(std::time::Duration::from_secs(30));
            // SQLite has one writer; a pool of one is the fastest way to queue for it.
            let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
            sqlx::query(TABLE).execute(&pool).await.unwrap();
            Router::new().route("/", handler!(sqlx::SqlitePool)).with_state(pool)
        }
        None => {
            let pool = PgPoolOptions::new().max_connections(20).connect(url).await.unwrap();
            sqlx::query(TABLE).execute(&pool).await.unwrap();
            Router::new().route("/", handler!(sqlx::PgPool)).with_state(pool)
        }
    };
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, routes).await.unwrap();
}
