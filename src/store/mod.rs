//! The only SQL. One text runs on both databases; what truly differs stands in `dialect.rs`.
//! Identifiers come from checked names alone, everything else is bound.

mod connect;
mod dialect;
mod error;
pub mod events;
pub mod heartbeat;
pub mod housekeeping;
pub mod keys;
pub mod modules;
mod partitions;
pub mod plan;
pub mod records;
pub mod refusals;
pub mod setup;
pub mod sources;
pub mod table;
pub mod writer;

pub use connect::{Connect, ConnectError, Store};
pub use error::{RETRY_AFTER, StoreError};

/// The same thing on either database.
#[derive(Clone, Debug)]
enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

type Pool = Either<sqlx::SqlitePool, sqlx::PgPool>;
type Tx = Either<sqlx::Transaction<'static, sqlx::Sqlite>, sqlx::Transaction<'static, sqlx::Postgres>>;

/// Runs the same body on whichever database is in use. Both arms are compiled, so both are checked.
macro_rules! on {
    ($either:expr, $c:ident => $body:expr) => {
        match $either {
            $crate::store::Either::Sqlite($c) => $body,
            $crate::store::Either::Postgres($c) => $body,
        }
    };
}
use on;

/// Begins a transaction that writes: on SQLite it takes the write lock at once, so that it never fails half-way.
async fn begin(pool: &Pool, postgres: sqlx::SqlStr) -> Result<Tx, sqlx::Error> {
    Ok(match pool {
        Either::Sqlite(pool) => Either::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
        Either::Postgres(pool) => Either::Postgres(pool.begin_with(postgres).await?),
    })
}

async fn commit(tx: Tx) -> Result<(), sqlx::Error> {
    on!(tx, tx => tx.commit().await)
}
