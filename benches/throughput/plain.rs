//! (a): a handler that parses the body and upserts one row through a pool, with the usual settings, and answers. No
//! signature, no event log, no dedupe, no changes.

use std::str::FromStr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use tokio::net::TcpListener;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS plain (product_code text PRIMARY KEY, quantity bigint, work_center text, price text, urgent boolean, due text)";
const UPSERT: &str = "INSERT INTO plain (product_code, quantity, work_center, price, urgent, due) VALUES ($1, $2, $3, $4, $5, $6) \
    ON CONFLICT (product_code) DO UPDATE SET quantity = excluded.quantity, work_center = excluded.work_center, \
    price = excluded.price, urgent = excluded.urgent, due = excluded.due";

/// What is read of a body.
#[derive(Deserialize)]
pub struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub payload: Order,
}

#[derive(Deserialize)]
pub struct Order {
    pub sku: String,
    pub qty: i64,
    pub station: String,
    pub price: String,
    pub urgent: bool,
    pub due: String,
}

macro_rules! handler {
    ($pool:ty) => {
        post(|State(pool): State<$pool>, body: Bytes| async move {
            let Ok(Event { payload, .. }) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
            let upsert = sqlx::query(UPSERT)
                .bind(payload.sku)
                .bind(payload.qty)
                .bind(payload.station)
                .bind(payload.price)
                .bind(payload.urgent)
                .bind(payload.due);
            match upsert.execute(&pool).await {
                Ok(_) => StatusCode::ACCEPTED,
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
            }
        })
    };
}

/// Serves on a free port, which it prints, until it is killed.
#[tokio::main]
pub async fn serve(url: &str) {
    let routes = match url.strip_prefix("sqlite:") {
        Some(file) => {
            let pool = sqlite(file).await;
            sqlx::query(TABLE).execute(&pool).await.unwrap();
            Router::new().route("/", handler!(SqlitePool)).with_state(pool)
        }
        None => {
            let pool = postgres(url).await;
            sqlx::query(TABLE).execute(&pool).await.unwrap();
            Router::new().route("/", handler!(PgPool)).with_state(pool)
        }
    };
    listen(routes).await;
}

pub async fn listen(routes: Router) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, routes).await.unwrap();
}

/// SQLite has one writer; a pool of one is the fastest way to queue for it.
pub async fn sqlite(file: &str) -> SqlitePool {
    let options = SqliteConnectOptions::from_str(file).unwrap();
    let options =
        options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap()
}

pub async fn postgres(url: &str) -> PgPool {
    PgPoolOptions::new().max_connections(20).connect(url).await.unwrap()
}
