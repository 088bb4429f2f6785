//! SQLite's write-ahead log, moved into the database beside the writer. Left to itself SQLite lets the commit that
//! finds the log long do that while everybody waits, every four megabytes; here the log may grow longer, which
//! spares writing the same pages again and again, and a connection of its own does the work.

use std::time::Duration;

use sqlx::SqlitePool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::dialect::sql;

/// Pages (of 4 KiB) in the log from which on it is emptied: 8 MiB. Measured: four times that is a tenth quicker, and every
/// tenth of a second all wait for the disk twice as long.
const LONG: i64 = 2_048;
/// So many pages are moved in a moment, while the writer waits.
const SHORT: i64 = 256;
/// The writer goes on meanwhile; each round moves what the one before it has let pass.
const ROUNDS: usize = 8;
/// How long the log may grow without a word.
const UNTOLD: Duration = Duration::from_secs(5);
/// Between two looks at a log that grows.
const REST: Duration = Duration::from_millis(20);
/// The same when a reader still needs the log.
const LONG_REST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Checkpoints {
    beside: SqlitePool,
    writer: SqlitePool,
    committed: Notify,
}

/// What a checkpoint tells: pages in the log, and how many of them are in the database, too.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
struct Log {
    /// Not 0 when another connection was in the way.
    busy: i64,
    log: i64,
    checkpointed: i64,
}

impl Checkpoints {
    /// `beside` is one connection, `writer` the one that all writing goes through.
    pub fn new(beside: SqlitePool, writer: SqlitePool) -> Self {
        Self { beside, writer, committed: Notify::new() }
    }

    /// The log has grown.
    pub fn committed(&self) {
        self.committed.notify_one();
    }

    /// Ends when it is told to; SQLite moves what is left in the log when the last connection closes.
    pub async fn run(&self, closing: CancellationToken) {
        tokio::select! {
            () = self.watch() => {}
            () = closing.cancelled() => {}
        }
        self.beside.close().await;
    }

    async fn watch(&self) {
        loop {
            // Not every transaction is told of: refusals and settings are written, too.
            let _ = tokio::time::timeout(UNTOLD, self.committed.notified()).await;
            let rest = match self.tick().await {
                Ok(true) => REST,
                Ok(false) => LONG_REST,
                Err(error) => {
                    tracing::warn!(error = super::error::told(&error), "the write-ahead log could not be emptied");
                    LONG_REST
                }
            };
            tokio::time::sleep(rest).await;
        }
    }

    /// Empties the log if it is long; `false` when a reader stood in the way.
    pub async fn tick(&self) -> Result<bool, sqlx::Error> {
        if checkpoint(&self.beside, "NOOP").await?.log < LONG {
            return Ok(true);
        }
        for _ in 0..ROUNDS {
            let Log { log, checkpointed, .. } = checkpoint(&self.beside, "PASSIVE").await?;
            if log - checkpointed <= SHORT {
                break;
            }
        }
        // The log begins anew only when nothing is left of it, and while the writer writes something always is.
        let Log { busy, log, checkpointed } = checkpoint(&self.writer, "PASSIVE").await?;
        Ok(busy == 0 && log == checkpointed)
    }
}

async fn checkpoint(on: &SqlitePool, mode: &str) -> Result<Log, sqlx::Error> {
    sqlx::query_as(sql(format!("PRAGMA wal_checkpoint({mode})"))).fetch_one(on).await
}
