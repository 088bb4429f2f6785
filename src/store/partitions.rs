//! Day partitions on PostgreSQL: made ahead of time, and dropped as a whole when they have become too old. SQLite has
//! none.

use std::collections::HashSet;

use sqlx::{PgPool, SqlStr};

use super::dialect::sql;
use super::{Either, Store, StoreError};
use crate::clock::Timestamp;
use crate::id::{AttemptId, DeliveryId, EventId};

const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
/// Days made ahead; an outage of housekeeping shorter than that goes unnoticed.
const AHEAD: usize = 7;
/// How often the drop of a day of events is tried in one round, and what lies between.
const TRIES: usize = 20;
const REST: std::time::Duration = std::time::Duration::from_millis(100);

/// A table partitioned by day, and the smallest id of an instant in it.
struct Daily {
    table: &'static str,
    floor: fn(Timestamp) -> String,
}

const EVENTS: Daily = Daily { table: "events", floor: |at| EventId::floor(at).to_string() };
const DELIVERIES: Daily = Daily { table: "deliveries", floor: |at| DeliveryId::floor(at).to_string() };
const ATTEMPTS: Daily = Daily { table: "attempts", floor: |at| AttemptId::floor(at).to_string() };

impl Daily {
    /// Names of one table sort by day.
    fn partition(&self, day: Timestamp) -> String {
        format!("{}_{}", self.table, &day.to_string()[..10].replace('-', ""))
    }
}

impl Store {
    /// Makes the partitions of today and the days to come that do not exist yet.
    pub async fn make_partitions(&self, now: Timestamp) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.write else { return Ok(()) };
        let today = std::iter::successors(Some(now.midnight()), |day| Some(day.after(DAY)));
        let days = today.take(AHEAD + 1).collect::<Vec<_>>();
        for daily in [EVENTS, DELIVERIES, ATTEMPTS] {
            let there = partitions(pool, daily.table).await?.into_iter().collect::<HashSet<_>>();
            let missing = days.iter().filter(|day| !there.contains(&daily.partition(**day))).collect::<Vec<_>>();
            if missing.is_empty() {
                continue;
            }
            // The lock keeps two replicas from making the same day at once.
            let mut tx = pool.begin().await?;
            sqlx::raw_sql(self.dialect.begin_plan(&[i64::MAX - 1])).execute(&mut *tx).await?;
            sqlx::raw_sql(self.dialect.for_a_moment()).execute(&mut *tx).await?;
            for day in missing {
                let (name, from, to) = (daily.partition(*day), (daily.floor)(*day), (daily.floor)(day.after(DAY)));
                let text = format!(
                    "CREATE TABLE IF NOT EXISTS \"{name}\" PARTITION OF {} FOR VALUES FROM ('{from}') TO ('{to}')",
                    daily.table
                );
                sqlx::query(sql(text)).execute(&mut *tx).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Drops the days of deliveries and attempts that were over at `until`.
    ///
    /// # Errors
    /// Also where someone reads them for longer than a moment.
    pub async fn drop_partitions(&self, until: Timestamp) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.write else { return Ok(()) };
        for daily in [DELIVERIES, ATTEMPTS] {
            let first_kept = daily.partition(until.midnight());
            for name in partitions(pool, daily.table).await?.into_iter().filter(|name| *name < first_kept) {
                drop_partition(pool, &name, self.dialect.for_a_moment()).await?;
            }
        }
        Ok(())
    }

    /// Drops the days of events that were over at `until`, and those over at `empty` that have no event any more.
    ///
    /// # Errors
    /// Also where someone reads them for longer than some moments.
    pub async fn drop_event_days(&self, until: Timestamp, empty: Timestamp) -> Result<(), StoreError> {
        let Either::Postgres(pool) = &self.write else { return Ok(()) };
        let (first_kept, first_full) = (EVENTS.partition(until.midnight()), EVENTS.partition(empty.midnight()));
        for name in partitions(pool, EVENTS.table).await? {
            if name < first_kept || name < first_full && is_empty(pool, &name).await? {
                self.drop_event_day(pool, &name).await?;
            }
        }
        Ok(())
    }

    /// Waits for those who use the table, and all who come later wait behind it: so it waits again and again, briefly.
    async fn drop_event_day(&self, pool: &PgPool, name: &str) -> Result<(), sqlx::Error> {
        for _ in 1..TRIES {
            if drop_partition(pool, name, self.dialect.for_an_instant()).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(REST).await;
        }
        drop_partition(pool, name, self.dialect.for_an_instant()).await
    }
}

async fn drop_partition(pool: &PgPool, name: &str, opening: SqlStr) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::raw_sql(opening).execute(&mut *tx).await?;
    sqlx::query(sql(format!("DROP TABLE IF EXISTS \"{name}\""))).execute(&mut *tx).await?;
    tx.commit().await
}

/// By the index: of what was deleted the table still has every page.
async fn is_empty(pool: &PgPool, name: &str) -> Result<bool, sqlx::Error> {
    let text = format!("SELECT id FROM \"{name}\" ORDER BY id LIMIT 1");
    let first: Option<String> = sqlx::query_scalar(sql(text)).fetch_optional(pool).await?;
    Ok(first.is_none())
}

/// Names of the partitions that have a day, in order.
async fn partitions(pool: &PgPool, table: &str) -> Result<Vec<String>, sqlx::Error> {
    let text = "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid \
        WHERE i.inhparent = $1::text::regclass AND c.relname ~ ('^' || $1 || '_[0-9]{8}$') ORDER BY 1";
    sqlx::query_scalar(text).bind(table).fetch_all(pool).await
}
