//! Day partitions of `events` on PostgreSQL, made ahead of time. SQLite has none.

use super::dialect::sql;
use super::{Either, Store, StoreError};
use crate::clock::Timestamp;
use crate::id::EventId;

const DAY: i64 = 86_400_000_000;
/// Days made ahead; an outage of housekeeping shorter than that goes unnoticed.
const AHEAD: i64 = 7;

impl Store {
    /// Makes the partitions of today and the days to come that do not exist yet.
    pub async fn make_partitions(&self, now: Timestamp) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.write else { return Ok(()) };
        let today = now.micros().div_euclid(DAY) * DAY;
        for day in (0..=AHEAD).map(|days| today + days * DAY) {
            let (Some(from), Some(to)) = (Timestamp::from_micros(day), Timestamp::from_micros(day + DAY)) else {
                continue;
            };
            let name = format!("events_{}", &from.to_string()[..10].replace('-', ""));
            let exists: bool =
                sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(&name).fetch_one(pool).await?;
            if exists {
                continue;
            }
            let (from, to) = (EventId::floor(from), EventId::floor(to));
            // The lock keeps two replicas from making the same day at once, and gives way to running batches.
            let mut tx = pool.begin().await?;
            sqlx::raw_sql(self.dialect.begin_plan(&[i64::MAX - 1])).execute(&mut *tx).await?;
            let text = format!(
                "CREATE TABLE IF NOT EXISTS \"{name}\" PARTITION OF events FOR VALUES FROM ('{from}') TO ('{to}')"
            );
            sqlx::query(sql(text)).execute(&mut *tx).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
