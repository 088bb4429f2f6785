//! What is removed as time passes: event ids, and what deleted records left, that need not be remembered any more.

use super::{Store, StoreError, on};
use crate::clock::Timestamp;

/// Rows removed in one statement; small, so that ingestion never waits for it.
const BATCH: i64 = 1_000;

impl Store {
    /// Forgets some expired event ids and tombstones; says whether there may be more.
    pub async fn forget_expired(&self, now: Timestamp) -> Result<bool, StoreError> {
        let text = "DELETE FROM dedupe WHERE (source_id, key) IN \
            (SELECT source_id, key FROM dedupe WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        let gone = on!(&self.write, pool => sqlx::query(text).bind(now.micros()).bind(BATCH)
            .execute(pool).await?.rows_affected());
        let text = "DELETE FROM tombstones WHERE digest IN \
            (SELECT digest FROM tombstones WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
        let buried = on!(&self.write, pool => sqlx::query(text).bind(now.micros()).bind(BATCH)
            .execute(pool).await?.rows_affected());
        Ok(i64::try_from(gone.max(buried)).unwrap_or(BATCH) >= BATCH)
    }
}
