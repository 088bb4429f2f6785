//! Replicas that are alive, and the version of the configuration that they should have.

use std::time::Duration;

use super::{Store, StoreError, on};
use crate::clock::Timestamp;
use crate::id::ReplicaId;

/// A replica not seen for longer than this counts as gone.
pub const GONE_AFTER: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    pub config_version: i64,
    /// Live replicas, this one included.
    pub replicas: u32,
}

impl Store {
    /// On SQLite there is one gateway, which its lock proves, and nothing to be written.
    pub async fn beat(&self, replica: ReplicaId, now: Timestamp) -> Result<(), StoreError> {
        if !self.has_replicas() {
            return Ok(());
        }
        let text = "INSERT INTO replicas (id, seen_at) VALUES ($1, $2) \
            ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at";
        on!(&self.write, pool => sqlx::query(text).bind(replica.to_string()).bind(now.micros())
            .execute(pool).await.map(|_| ()))?;
        let text = "DELETE FROM replicas WHERE seen_at < $1";
        let gone = now.micros() - i64::try_from(GONE_AFTER.as_micros()).unwrap_or(0) * 6;
        on!(&self.write, pool => sqlx::query(text).bind(gone).execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    pub async fn pulse(&self, now: Timestamp) -> Result<Pulse, StoreError> {
        let text = "SELECT config_version, (SELECT count(*) FROM replicas WHERE seen_at >= $1) FROM gateway";
        let since = now.micros() - i64::try_from(GONE_AFTER.as_micros()).unwrap_or(0);
        let (config_version, replicas): (i64, i64) =
            on!(&self.read, pool => sqlx::query_as(text).bind(since).fetch_one(pool).await)?;
        Ok(Pulse { config_version, replicas: u32::try_from(replicas).unwrap_or(1).max(1) })
    }

    /// Those that were seen lately.
    pub async fn live_replicas(&self, now: Timestamp) -> Result<Vec<ReplicaId>, StoreError> {
        let text = "SELECT id FROM replicas WHERE seen_at >= $1";
        let since = now.micros() - i64::try_from(GONE_AFTER.as_micros()).unwrap_or(0);
        let ids: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(text).bind(since).fetch_all(pool).await)?;
        Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }

    pub fn has_replicas(&self) -> bool {
        matches!(self.write, super::Either::Postgres(_))
    }

    /// Says at once that this replica is gone.
    pub async fn leave(&self, replica: ReplicaId) -> Result<(), StoreError> {
        if !self.has_replicas() {
            return Ok(());
        }
        let text = "DELETE FROM replicas WHERE id = $1";
        on!(&self.write, pool => sqlx::query(text).bind(replica.to_string()).execute(pool).await.map(|_| ()))?;
        Ok(())
    }
}
