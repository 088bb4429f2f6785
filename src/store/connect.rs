//! Opening the database: pools, durability, migrations.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::checkpoint::Checkpoints;
use super::dialect::Dialect;
use super::{Either, Pool, due, on, settle};

/// Lanes of the writer on PostgreSQL: one for two cores, at most four. Measured on two cores at 64 and 256 connections:
/// a second lane halves the batches, and costs more than the two overlap. One lane can commit what two cores take in.
const MOST_LANES: usize = 4;
/// Connections of one lane: the one it works with, and another while an unanswering one goes down.
pub(super) const LANE_CONNECTIONS: u32 = 2;
/// Connections for everything but the lanes.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for a connection before the database counts as not answering.
const ACQUIRE: Duration = Duration::from_secs(5);
/// Below the writer's deadline, so that a foreign lock on the file ends in a clear answer.
const BUSY: Duration = Duration::from_secs(5);
/// Modules times purposes: below it, statements would be prepared again and again.
const STATEMENTS: usize = 1_000;

/// Which database, and where.
#[derive(Clone, Debug)]
pub enum Connect {
    Sqlite {
        file: PathBuf,
    },
    /// `direct` goes past a pooler and serves migrations only, whose lock belongs to a session.
    Postgres {
        url: SecretString,
        direct: Option<SecretString>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the database URL cannot be read: expected postgres://user:password@host:port/database")]
    Url,
    #[error("cannot open the database: {0}")]
    Open(#[from] sqlx::Error),
    #[error("cannot migrate the database: {0}")]
    Migrate(#[from] MigrateError),
}

/// The database of one gateway. Cheap to clone; all clones share the pools.
#[derive(Clone, Debug)]
pub struct Store {
    pub(super) dialect: Dialect,
    pub(super) read: Pool,
    pub(super) write: Pool,
    /// One for each lane; its connections live on the lane's thread.
    pub(super) lanes: Vec<Pool>,
    pub(super) checkpoints: Option<Arc<Checkpoints>>,
    pub(super) due: due::Statements,
    pub(super) settle: settle::Statements,
}

impl Store {
    /// Opens the database and brings its schema up to date.
    pub async fn connect(connect: &Connect) -> Result<Self, ConnectError> {
        match connect {
            Connect::Sqlite { file } => sqlite(file).await,
            Connect::Postgres { url, direct } => postgres(url, direct.as_ref()).await,
        }
    }

    /// What the banner says of it.
    pub fn describe(&self) -> &'static str {
        match self.dialect {
            Dialect::Sqlite => "SQLite, WAL, synchronous=FULL: a 202 is on disk",
            Dialect::Postgres => "PostgreSQL: a 202 is committed as synchronous_commit says there",
        }
    }

    /// One round trip; for readiness.
    pub async fn ping(&self) -> Result<(), super::StoreError> {
        on!(&self.read, pool => sqlx::query("SELECT 1").execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    pub async fn close(&self) {
        on!(&self.read, pool => pool.close().await);
        on!(&self.write, pool => pool.close().await);
    }
}

async fn sqlite(file: &std::path::Path) -> Result<Store, ConnectError> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(STATEMENTS)
        .pragma("temp_store", "memory")
        .pragma("cache_size", "-16384")
        .pragma("journal_size_limit", "67108864")
        .pragma("wal_autocheckpoint", "0")
        .disable_statement_logging();
    // One writer, always: everything that writes begins with BEGIN IMMEDIATE on this connection.
    let write = SqlitePoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE);
    // SQLite itself ends a transaction that met a full disk or an input/output error. sqlx goes on believing in it, and
    // could begin no other: such a connection is closed, and the next one takes its place.
    let write = write.before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }));
    let write = write.connect_with(options.clone()).await?;
    sqlx::migrate!("migrations/sqlite").run(&write).await?;
    let pool = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
    let checkpoints = Checkpoints::new(pool(1).connect_with(options.clone()).await?, write.clone());
    let options = options.pragma("query_only", "true");
    let read = pool(4).connect_with(options).await?;
    let write = Either::Sqlite(write);
    let checkpoints = Some(Arc::new(checkpoints));
    let dialect = Dialect::Sqlite;
    Ok(Store {
        dialect,
        read: Either::Sqlite(read),
        lanes: vec![write.clone()],
        write,
        checkpoints,
        due: due::Statements::new(dialect),
        settle: settle::Statements::new(dialect),
    })
}

async fn postgres(url: &SecretString, direct: Option<&SecretString>) -> Result<Store, ConnectError> {
    let parse = |url: &SecretString| {
        let options = PgConnectOptions::from_str(url.expose_secret()).map_err(|_| ConnectError::Url)?;
        Ok::<_, ConnectError>(options.application_name("tidegate").disable_statement_logging())
    };
    let migrate = PgPoolOptions::new().max_connections(1).acquire_timeout(ACQUIRE);
    let migrate = migrate.connect_with(parse(direct.unwrap_or(url))?).await?;
    sqlx::migrate!("migrations/postgres").run(&migrate).await?;
    migrate.close().await;

    let options = parse(url)?.statement_cache_capacity(STATEMENTS);
    let pool = |connections: u32| PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE);
    // A lane finds out by itself that a connection has died; asking before every batch would be a round trip each.
    let lane = || pool(LANE_CONNECTIONS).test_before_acquire(false).connect_lazy_with(options.clone());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let lanes = (0..(cores / 2).clamp(1, MOST_LANES)).map(|_| Either::Postgres(lane())).collect();
    let pool = Either::Postgres(pool(CONNECTIONS).connect_lazy_with(options.clone()));
    let dialect = Dialect::Postgres;
    Ok(Store {
        dialect,
        read: pool.clone(),
        write: pool,
        lanes,
        checkpoints: None,
        due: due::Statements::new(dialect),
        settle: settle::Statements::new(dialect),
    })
}
