//! What sources are used for: how often each answered what, by day, and when a token was last seen. Replicas add what
//! they have counted since they last did.

use super::dialect::sql;
use super::{Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::SourceId;

/// Days removed in one statement.
const BATCH: i64 = 1_000;

/// How often a source gave one answer on one day, since that was last told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    pub source: SourceId,
    /// Its midnight, UTC.
    pub day: Timestamp,
    /// An outcome, `handshake`, or the code of a problem.
    pub cause: &'static str,
    pub count: i64,
    pub last_at: Timestamp,
}

/// Of one source and cause, over all days that are kept.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredCount {
    pub source_id: String,
    pub cause: String,
    pub count: i64,
    pub first_day: i64,
    pub last_at: i64,
}

impl Store {
    /// Adds what was counted, and tells when tokens were used, by digest.
    pub async fn add_usage(&self, counted: &[Counted], tokens: &[(String, Timestamp)]) -> Result<(), StoreError> {
        // In one order, so that two replicas never wait for each other.
        let mut rows: Vec<_> = counted.iter().map(|row| (row.source.to_string(), row)).collect();
        rows.sort_by(|one, other| (&one.0, one.1.day, one.1.cause).cmp(&(&other.0, other.1.day, other.1.cause)));
        let mut used: Vec<_> = tokens.iter().collect();
        used.sort();
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&[])).await?;
        for (source, row) in rows {
            add(&mut tx, &source, row).await?;
        }
        for (digest, at) in used {
            let text =
                "UPDATE tokens SET last_used_at = $2 WHERE digest = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
            on!(&mut tx, tx => sqlx::query(text).bind(digest).bind(at.micros()).execute(&mut **tx).await.map(|_| ()))?;
        }
        Ok(super::commit(tx).await?)
    }

    /// Of these sources.
    pub async fn usage(&self, sources: &[SourceId]) -> Result<Vec<StoredCount>, StoreError> {
        let ids = serde_json::to_string(sources).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let text = sql(format!(
            "SELECT source_id, cause, CAST(sum(count) AS BIGINT) AS count, min(day) AS first_day, max(last_at) AS last_at \
             FROM source_counts WHERE {} GROUP BY source_id, cause ORDER BY source_id, cause",
            self.dialect.among("source_id")
        ));
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(ids).fetch_all(pool).await)?)
    }

    /// Removes some counts of days before `until`, and what tokens and secrets have ended; says whether there may be more.
    pub async fn forget_usage(&self, until: Timestamp, now: Timestamp) -> Result<bool, StoreError> {
        for text in ["DELETE FROM tokens WHERE expires_at <= $1", "DELETE FROM secrets WHERE expires_at <= $1"] {
            on!(&self.write, pool => sqlx::query(text).bind(now.micros()).execute(pool).await.map(|_| ()))?;
        }
        let text = "DELETE FROM source_counts WHERE (source_id, day, cause) IN \
            (SELECT source_id, day, cause FROM source_counts WHERE day < $1 ORDER BY day LIMIT $2)";
        let gone = on!(&self.write, pool => sqlx::query(text).bind(until.micros()).bind(BATCH)
            .execute(pool).await?.rows_affected());
        Ok(i64::try_from(gone).unwrap_or(BATCH) >= BATCH)
    }
}

async fn add(tx: &mut Tx<'_>, source: &str, row: &Counted) -> Result<(), StoreError> {
    let text = "INSERT INTO source_counts (source_id, day, cause, count, last_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (source_id, day, cause) DO UPDATE SET count = source_counts.count + excluded.count, \
        last_at = CASE WHEN source_counts.last_at > excluded.last_at THEN source_counts.last_at ELSE excluded.last_at END";
    let (day, last_at) = (row.day.micros(), row.last_at.micros());
    on!(&mut *tx, tx => sqlx::query(text).bind(source).bind(day).bind(row.cause).bind(row.count).bind(last_at)
        .execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
