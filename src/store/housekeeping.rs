//! What is removed as time passes: event ids, and what deleted records left, that need not be remembered any more;
//! deliveries, attempts, jobs and changes that were kept for long enough. The documents that bodies are made by stay:
//! there is one for each configuration that ever sent something.

use super::dialect::sql;
use super::{Store, StoreError, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::{AttemptId, DeliveryId};

/// Rows removed in one statement; small, so that ingestion never waits for it.
const BATCH: i64 = 1_000;
/// The same of rows that hold bodies or whole records.
const WIDE: i64 = 200;

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
        Ok(is_full(gone.max(buried), BATCH))
    }

    /// Removes some of the settled deliveries, the attempts and the finished jobs from before `until`, as far as they
    /// lie in no partition of a day; says whether there may be more.
    pub async fn remove_deliveries(&self, until: Timestamp) -> Result<bool, StoreError> {
        let deliveries = self.remove_below("deliveries", &DeliveryId::floor(until).to_string(), BATCH).await?;
        let attempts = self.remove_below("attempts", &AttemptId::floor(until).to_string(), WIDE).await?;
        let text = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE finished_at < $1 LIMIT $2)";
        let jobs = on!(&self.write, pool => sqlx::query(text).bind(until.micros()).bind(BATCH)
            .execute(pool).await?.rows_affected());
        Ok(deliveries || attempts || is_full(jobs, BATCH))
    }

    async fn remove_below(&self, table: &str, id: &str, most: i64) -> Result<bool, StoreError> {
        let table = self.dialect.of_no_day(table);
        let text =
            sql(format!("DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE id < $1 ORDER BY id LIMIT $2)"));
        let gone = on!(&self.write, pool => sqlx::query(text).bind(id).bind(most).execute(pool).await?.rows_affected());
        Ok(is_full(gone, most))
    }

    /// Removes some of the changes from before `until`, from the beginning of the log on, up to the first that someone
    /// still needs: deliveries were not made of it yet, one of them is not settled, or an endpoint has missed it. Says
    /// whether there may be more.
    pub async fn remove_changes(&self, until: Timestamp) -> Result<bool, StoreError> {
        // For changes this old all of these bounds only ever move up, so what one statement has seen holds.
        let text = "SELECT seq, at FROM changes WHERE seq <= (SELECT min(needless) FROM (SELECT seq AS needless FROM fanout \
            UNION ALL SELECT min(seq) - 1 FROM due UNION ALL SELECT min(missed_from) FROM endpoints) bounds) \
            ORDER BY seq LIMIT $1";
        let first: Vec<(i64, i64)> = on!(&self.read, pool => sqlx::query_as(text).bind(WIDE).fetch_all(pool).await)?;
        let old = first.iter().take_while(|(_, at)| *at < until.micros()).count();
        let Some((last, _)) = old.checked_sub(1).and_then(|last| first.get(last)) else { return Ok(false) };

        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&[])).await?;
        // Of several replicas the second finds it done.
        let text = "UPDATE log_start SET seq = $1 WHERE seq < $1";
        on!(&mut tx, tx => sqlx::query(text).bind(last).execute(&mut **tx).await.map(|_| ()))?;
        let text = "DELETE FROM changes WHERE seq <= $1";
        on!(&mut tx, tx => sqlx::query(text).bind(last).execute(&mut **tx).await.map(|_| ()))?;
        super::commit(tx).await?;
        Ok(old == first.len() && is_full(old as u64, WIDE))
    }
}

fn is_full(rows: u64, most: i64) -> bool {
    i64::try_from(rows).unwrap_or(most) >= most
}
