//! The only SQL. One text runs on both databases; what truly differs stands in `dialect.rs`.
//! Identifiers come from checked names alone, everything else is bound.

pub mod alter;
pub mod audit;
mod bounded;
pub mod changes;
mod checkpoint;
mod connect;
mod dialect;
mod dropped;
pub mod due;
pub mod edits;
pub mod endpoints;
mod error;
pub mod event_page;
pub mod events;
pub mod heartbeat;
pub mod history;
pub mod housekeeping;
pub mod jobs;
pub mod kept;
pub mod keys;
mod layout;
pub mod mappings;
pub mod missed;
pub mod modules;
mod partitions;
pub mod plan;
pub mod record_history;
pub mod records;
pub mod redeliver;
pub mod refusals;
pub mod replays;
mod rows;
pub mod settle;
pub mod setup;
pub mod shapes;
pub mod shell;
pub mod source_steps;
pub mod sources;
pub mod table;
pub mod triggers;
pub mod usage;
pub mod writer;

pub use connect::{Connect, ConnectError, Store};
pub use error::{RETRY_AFTER, StoreError, in_the_way};

use sqlx::Connection as _;
use sqlx::pool::PoolConnection;

/// The same thing on either database.
#[derive(Clone, Debug)]
enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

type Pool = Either<sqlx::SqlitePool, sqlx::PgPool>;
type Conn = Either<PoolConnection<sqlx::Sqlite>, PoolConnection<sqlx::Postgres>>;
type Tx<'c> = Either<sqlx::Transaction<'c, sqlx::Sqlite>, sqlx::Transaction<'c, sqlx::Postgres>>;

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

async fn acquire(pool: &Pool) -> Result<Conn, sqlx::Error> {
    Ok(match pool {
        Either::Sqlite(pool) => Either::Sqlite(pool.acquire().await?),
        Either::Postgres(pool) => Either::Postgres(pool.acquire().await?),
    })
}

/// Begins a transaction that writes: on SQLite it takes the write lock at once, so that it never fails half-way. On
/// PostgreSQL the opening (settings, locks) runs inside it: when a lock is not to be had, or the caller is gone while
/// it waits, the transaction is rolled back before the connection serves anyone else.
async fn begin(conn: &mut Conn, opening: sqlx::SqlStr) -> Result<Tx<'_>, sqlx::Error> {
    Ok(match conn {
        Either::Sqlite(conn) => Either::Sqlite(conn.begin_with("BEGIN IMMEDIATE").await?),
        Either::Postgres(conn) => {
            let mut tx = conn.begin().await?;
            sqlx::raw_sql(opening).execute(&mut *tx).await?;
            Either::Postgres(tx)
        }
    })
}

/// Begins a transaction that only reads, and sees everything as of one moment.
async fn begin_read(conn: &mut Conn) -> Result<Tx<'_>, sqlx::Error> {
    Ok(match conn {
        Either::Sqlite(conn) => Either::Sqlite(conn.begin().await?),
        Either::Postgres(conn) => {
            Either::Postgres(conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
        }
    })
}

/// The same in one round trip, for a lane: if this fails, or is given up, the connection may be left in a transaction
/// and has to be abandoned.
async fn begin_batch(conn: &mut Conn, opening: sqlx::SqlStr) -> Result<Tx<'_>, sqlx::Error> {
    Ok(match conn {
        Either::Sqlite(conn) => Either::Sqlite(conn.begin_with("BEGIN IMMEDIATE").await?),
        Either::Postgres(conn) => Either::Postgres(conn.begin_with(opening).await?),
    })
}

/// One that reads. On PostgreSQL it has deadlines, which a statement by itself has not.
async fn begin_look(conn: &mut Conn, opening: sqlx::SqlStr) -> Result<Tx<'_>, sqlx::Error> {
    Ok(match conn {
        Either::Sqlite(conn) => Either::Sqlite(conn.begin().await?),
        Either::Postgres(conn) => Either::Postgres(conn.begin_with(opening).await?),
    })
}

/// Begins a transaction that reads, and holds nobody up.
async fn begin_reading(conn: &mut Conn) -> Result<Tx<'_>, sqlx::Error> {
    Ok(match conn {
        Either::Sqlite(conn) => Either::Sqlite(conn.begin().await?),
        Either::Postgres(conn) => Either::Postgres(conn.begin().await?),
    })
}

/// Every column of a row, as text.
struct Texts(Vec<Option<String>>);

impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for Texts
where
    usize: sqlx::ColumnIndex<R>,
    Option<String>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>().map(Self)
    }
}

async fn commit(tx: Tx<'_>) -> Result<(), sqlx::Error> {
    on!(tx, tx => tx.commit().await)
}

/// Closes a connection that does not answer, without a word to the other end and without keeping its place in the pool.
fn abandon(conn: Conn) {
    on!(conn, conn => drop(conn.detach()));
}
