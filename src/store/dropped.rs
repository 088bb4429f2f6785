//! Columns of fields that were dropped go when nobody is held up by it. On PostgreSQL that takes a moment, whatever the
//! table's size. SQLite writes the table anew, and nothing else meanwhile: that is done at once where there are few
//! rows, and else when no event has come in for a while.

use std::time::Duration;

use super::dialect::{Dialect, sql};
use super::error::told;
use super::layout::execute;
use super::{Store, StoreError, acquire, begin, on};
use crate::clock::Timestamp;
use crate::record::field::ModuleSlug;
use crate::record::shape::table_of;

/// On SQLite: rows up to which a table is written anew at any time.
const FEW: i64 = 1_000;
/// On SQLite: how long no event has come in when a larger one is.
const IDLE: Duration = Duration::from_secs(60);
/// Columns that one round removes; each is a transaction of its own.
const MOST: i64 = 20;

/// A column that is to go: its module, table and name.
struct Gone {
    module: String,
    table: String,
    name: String,
}

impl Store {
    /// Removes some of the columns, as far as it is the time for it.
    pub async fn remove_columns(&self, now: Timestamp) -> Result<(), StoreError> {
        let text = "SELECT d.module_id, m.slug, d.name FROM dropped_columns d JOIN modules m ON m.id = d.module_id \
            ORDER BY d.dropped_at, d.name";
        let rows: Vec<(String, String, String)> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let mut tried = 0;
        for (module, slug, name) in rows {
            let Ok(slug) = ModuleSlug::parse(&slug) else { continue };
            let gone = Gone { module, table: table_of(&slug), name };
            if tried < MOST && self.is_time(&gone, now).await? {
                tried += 1;
                self.remove_column(&gone).await?;
            }
        }
        Ok(())
    }

    async fn is_time(&self, gone: &Gone, now: Timestamp) -> Result<bool, StoreError> {
        if self.dialect == Dialect::Postgres {
            return Ok(true);
        }
        let few = sql(format!("SELECT count(*) FROM (SELECT 1 FROM \"{}\" LIMIT {})", gone.table, FEW + 1));
        let rows: i64 = on!(&self.read, pool => sqlx::query_scalar(few).fetch_one(pool).await)?;
        let last = "SELECT received_at FROM events ORDER BY id DESC LIMIT 1";
        let last: Option<i64> = on!(&self.read, pool => sqlx::query_scalar(last).fetch_optional(pool).await)?;
        let last = last.and_then(Timestamp::from_micros);
        Ok(rows <= FEW || last.is_none_or(|last| now.since(last) > IDLE))
    }

    /// One that cannot be removed, because someone holds the table or has built on the column, stays until the next
    /// round.
    async fn remove_column(&self, gone: &Gone) -> Result<(), StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.for_a_moment()).await?;
        let text = "DELETE FROM dropped_columns WHERE module_id = $1 AND name = $2";
        let is_ours = on!(&mut tx, tx => sqlx::query(text).bind(&gone.module).bind(&gone.name)
            .execute(&mut **tx).await?.rows_affected())
            == 1;
        let stands = self.dialect.has_column();
        let stands: i64 = on!(&mut tx, tx => sqlx::query_scalar(stands).bind(&gone.table).bind(&gone.name)
            .fetch_one(&mut **tx).await?);
        if is_ours && stands == 1 {
            let text = format!("ALTER TABLE \"{}\" DROP COLUMN \"{}\"", gone.table, gone.name);
            if let Err(error) = execute(&mut tx, text).await {
                let (table, column) = (&gone.table, &gone.name);
                tracing::warn!(
                    table,
                    column,
                    error = told(&error),
                    "the column of a dropped field could not be removed yet"
                );
                return Ok(());
            }
        }
        Ok(super::commit(tx).await?)
    }
}
