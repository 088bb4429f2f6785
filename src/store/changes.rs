//! The log of changes, read. `seq` is the order of commits: what is visible up to a number is all there ever will be.

use super::{Store, StoreError, on};
use crate::id::ModuleId;

/// A row of the log. Rows before and after are JSON, as they were written.
#[derive(Debug, sqlx::FromRow)]
pub struct StoredChange {
    pub seq: i64,
    pub id: String,
    pub at: i64,
    pub module_id: String,
    pub record_id: String,
    pub op: String,
    pub version: i64,
    pub before: Option<String>,
    pub after: Option<String>,
    pub event_id: Option<String>,
    pub actor: String,
    pub hops: i64,
}

impl Store {
    /// The number of the newest change; 0 before the first.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        let text = "SELECT coalesce(max(seq), 0) FROM changes";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?)
    }

    /// Numbers, and the bytes of the rows before and after: so that nobody reads more than there is room for.
    pub async fn change_sizes(
        &self,
        (after, to): (i64, i64),
        module: Option<ModuleId>,
        limit: i64,
    ) -> Result<Vec<(i64, i64)>, StoreError> {
        let text = "SELECT seq, CAST(coalesce(octet_length(before), 0) + coalesce(octet_length(after), 0) AS BIGINT) \
            FROM changes WHERE seq > $1 AND seq <= $2 AND ($3 = '' OR module_id = $3) ORDER BY seq LIMIT $4";
        let module = module.map(|module| module.to_string()).unwrap_or_default();
        Ok(on!(&self.read, pool => sqlx::query_as(text)
            .bind(after).bind(to).bind(module).bind(limit).fetch_all(pool).await)?)
    }

    /// In order, after one number and up to another, of one module when it is named.
    pub async fn changes(
        &self,
        (after, to): (i64, i64),
        module: Option<ModuleId>,
    ) -> Result<Vec<StoredChange>, StoreError> {
        let text = "SELECT seq, id, at, module_id, record_id, op, version, before, after, event_id, actor, hops \
            FROM changes WHERE seq > $1 AND seq <= $2 AND ($3 = '' OR module_id = $3) ORDER BY seq";
        let module = module.map(|module| module.to_string()).unwrap_or_default();
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(after).bind(to).bind(module).fetch_all(pool).await)?)
    }
}
