//! (b): a handler as one would write it by hand for what Tidegate promises: the signature, the event id claimed, the
//! record inserted or updated, the event with its body and the change with the row before and after, in one transaction.
//! Tables and indexes are like Tidegate's.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use tidegate::clock::Clock;
use tidegate::id::{ChangeId, EventId, RecordId};

use crate::plain::{self, Event, Order};
use crate::subject::SECRET;

const TABLES: &str = r"
CREATE TABLE dedupe (source TEXT NOT NULL, key TEXT NOT NULL, event_id TEXT NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (source, key));
CREATE INDEX dedupe_expiry ON dedupe (expires_at);
CREATE TABLE orders (id TEXT PRIMARY KEY, version BIGINT NOT NULL, event_id TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    product_code TEXT NOT NULL UNIQUE, quantity BIGINT, work_center TEXT, price NUMERIC, urgent BOOLEAN, due {timestamp});
CREATE TABLE events (id TEXT PRIMARY KEY, received_at BIGINT NOT NULL, source TEXT NOT NULL, verdict TEXT NOT NULL, event_type TEXT NOT NULL,
    record_id TEXT NOT NULL, headers TEXT NOT NULL, body {bytes} NOT NULL, body_size BIGINT NOT NULL, duration_us BIGINT NOT NULL);
CREATE INDEX events_source ON events (source, id);
CREATE TABLE changes (seq {serial}, id TEXT NOT NULL, at BIGINT NOT NULL, record_id TEXT NOT NULL, op TEXT NOT NULL,
    version BIGINT NOT NULL, before TEXT, after TEXT NOT NULL, event_id TEXT NOT NULL, actor TEXT NOT NULL);
CREATE INDEX changes_record ON changes (record_id, seq);
";

const CLAIM: &str =
    "INSERT INTO dedupe (source, key, event_id, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const EVENT: &str = "INSERT INTO events (id, received_at, source, verdict, event_type, record_id, headers, body, body_size, duration_us) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const CHANGE: &str = "INSERT INTO changes (id, at, record_id, op, version, before, after, event_id, actor) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// What the databases do not spell alike.
const FIND_POSTGRES: &str = "SELECT id, version, product_code, quantity, work_center, price::text AS price, urgent, due::text AS due \
    FROM orders WHERE product_code = $1 FOR UPDATE";
const FIND_SQLITE: &str = "SELECT id, version, product_code, quantity, work_center, CAST(price AS TEXT) AS price, urgent, due \
    FROM orders WHERE product_code = $1";
const UPSERT_POSTGRES: &str = "INSERT INTO orders (id, version, event_id, created_at, updated_at, product_code, quantity, work_center, price, urgent, due) \
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7, CAST($8::text AS numeric), $9, CAST($10::text AS timestamptz)) \
    ON CONFLICT (product_code) DO UPDATE SET version = excluded.version, event_id = excluded.event_id, updated_at = excluded.updated_at, \
    quantity = excluded.quantity, work_center = excluded.work_center, price = excluded.price, urgent = excluded.urgent, due = excluded.due";
const UPSERT_SQLITE: &str = "INSERT INTO orders (id, version, event_id, created_at, updated_at, product_code, quantity, work_center, price, urgent, due) \
    VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, $9, $10) \
    ON CONFLICT (product_code) DO UPDATE SET version = excluded.version, event_id = excluded.event_id, updated_at = excluded.updated_at, \
    quantity = excluded.quantity, work_center = excluded.work_center, price = excluded.price, urgent = excluded.urgent, due = excluded.due";

/// How long an event id is remembered.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3_600);

struct App<P> {
    pool: P,
    /// With the key taken in.
    mac: Hmac<Sha256>,
    clock: Clock,
}

/// One request, as far as it is understood.
struct Request {
    source: String,
    event: Event,
    headers: String,
    body: Bytes,
}

#[derive(Serialize, sqlx::FromRow)]
struct Row {
    #[serde(skip)]
    id: String,
    #[serde(skip)]
    version: i64,
    product_code: String,
    quantity: Option<i64>,
    work_center: Option<String>,
    price: Option<String>,
    urgent: Option<bool>,
    due: Option<String>,
}

impl Row {
    fn new(id: String, version: i64, order: Order) -> Self {
        Self {
            id,
            version,
            product_code: order.sku,
            quantity: Some(order.qty),
            work_center: Some(order.station),
            price: Some(order.price),
            urgent: Some(order.urgent),
            due: Some(order.due),
        }
    }
}

/// The writes of one request, in its transaction, which they commit.
macro_rules! writes {
    ($name:ident, $database:ty, $find:expr, $upsert:expr) => {
        async fn $name(mut tx: Transaction<'static, $database>, request: Request, clock: &Clock) -> Result<Value, sqlx::Error> {
            let Request { source, event, headers, body } = request;
            let at = clock.now();
            let (now, event_id) = (at.micros(), EventId::new(at).to_string());
            let claim = sqlx::query(CLAIM).bind(&source).bind(&event.id).bind(&event_id).bind(at.after(REMEMBERED).micros());
            if claim.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(json!({ "outcome": "duplicate" }));
            }
            let before: Option<Row> = sqlx::query_as($find).bind(&event.payload.sku).fetch_optional(&mut *tx).await?;
            let (id, version, op, outcome) = match &before {
                Some(row) => (row.id.clone(), row.version + 1, "update", "updated"),
                None => (RecordId::new(at).to_string(), 1, "insert", "created"),
            };
            let after = Row::new(id, version, event.payload);
            let upsert = sqlx::query($upsert).bind(&after.id).bind(version).bind(&event_id).bind(now);
            let upsert = upsert.bind(&after.product_code).bind(after.quantity).bind(&after.work_center);
            upsert.bind(&after.price).bind(after.urgent).bind(&after.due).execute(&mut *tx).await?;
            let insert = sqlx::query(EVENT).bind(&event_id).bind(now).bind(&source).bind(outcome).bind(event.kind);
            let insert = insert.bind(&after.id).bind(headers).bind(&body[..]).bind(body.len() as i64);
            insert.bind(clock.now().micros() - now).execute(&mut *tx).await?;
            let change = sqlx::query(CHANGE).bind(ChangeId::new(at).to_string()).bind(now).bind(&after.id).bind(op).bind(version);
            let change = change.bind(before.as_ref().map(text)).bind(text(&after)).bind(&event_id).bind(&source);
            change.execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(json!({ "recordId": after.id, "eventId": event_id, "outcome": outcome }))
        }
    };
}

writes!(write_postgres, Postgres, FIND_POSTGRES, UPSERT_POSTGRES);
writes!(write_sqlite, Sqlite, FIND_SQLITE, UPSERT_SQLITE);

fn text(row: &Row) -> String {
    serde_json::to_string(row).unwrap()
}

type Answer = (StatusCode, Json<Value>);

fn understood<P>(app: &App<P>, source: String, headers: &HeaderMap, body: Bytes) -> Result<Request, Answer> {
    let signature = headers.get("x-webhook-signature").and_then(|value| value.as_bytes().strip_prefix(b"sha256="));
    let signature = signature.and_then(|digits| HEXLOWER.decode(digits).ok()).unwrap_or_default();
    let mac = app.mac.clone().chain_update(&body);
    if mac.verify_slice(&signature).is_err() {
        return Err((StatusCode::UNAUTHORIZED, Json(json!({ "error": "signature" }))));
    }
    let event = serde_json::from_slice(&body)
        .map_err(|error| (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() }))))?;
    let names = headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().into()));
    let headers = Value::Object(names.map(|(name, value)| (name.to_owned(), value)).collect()).to_string();
    Ok(Request { source, event, headers, body })
}

fn answer(done: Result<Value, sqlx::Error>) -> Answer {
    match done {
        Ok(value) => (StatusCode::ACCEPTED, Json(value)),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error.to_string() }))),
    }
}

macro_rules! handler {
    ($pool:ty, $begin:expr, $write:ident) => {
        post(|State(app): State<Arc<App<$pool>>>, Path(source): Path<String>, headers: HeaderMap, body: Bytes| async move {
            let request = match understood(&app, source, &headers, body) {
                Ok(request) => request,
                Err(refusal) => return refusal,
            };
            match $begin(&app.pool).await {
                Ok(tx) => answer($write(tx, request, &app.clock).await),
                Err(error) => answer(Err(error)),
            }
        })
    };
}

/// Serves on a free port, which it prints, until it is killed.
#[tokio::main]
pub async fn serve(url: &str) {
    let secret = std::env::var(SECRET).unwrap();
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let routes = match url.strip_prefix("sqlite:") {
        Some(file) => {
            let pool = plain::sqlite(file).await;
            let tables = tables("TEXT", "BLOB", "INTEGER PRIMARY KEY AUTOINCREMENT");
            sqlx::raw_sql(AssertSqlSafe(tables)).execute(&pool).await.unwrap();
            let route = handler!(
                SqlitePool,
                |pool: &SqlitePool| {
                    let pool = pool.clone();
                    async move { pool.begin_with("BEGIN IMMEDIATE").await }
                },
                write_sqlite
            );
            Router::new().route("/hooks/{source}", route).with_state(Arc::new(App {
                pool,
                mac,
                clock: Clock::system(),
            }))
        }
        None => {
            let pool = plain::postgres(url).await;
            let tables = tables("TIMESTAMPTZ", "BYTEA", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY");
            sqlx::raw_sql(AssertSqlSafe(tables)).execute(&pool).await.unwrap();
            let route = handler!(
                PgPool,
                |pool: &PgPool| {
                    let pool = pool.clone();
                    async move { pool.begin().await }
                },
                write_postgres
            );
            Router::new().route("/hooks/{source}", route).with_state(Arc::new(App {
                pool,
                mac,
                clock: Clock::system(),
            }))
        }
    };
    plain::listen(routes).await;
}

fn tables(timestamp: &str, bytes: &str, serial: &str) -> String {
    TABLES.replace("{timestamp}", timestamp).replace("{bytes}", bytes).replace("{serial}", serial)
}
