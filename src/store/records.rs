//! Reading records.

use super::table::Table;
use super::{Store, StoreError, Texts, on};
use crate::id::RecordId;
use crate::record::row::Row;

impl Store {
    pub async fn record(&self, table: &Table, id: RecordId) -> Result<Option<Row>, StoreError> {
        let text = table.get.clone();
        let row: Option<Texts> =
            on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?;
        row.map(|Texts(texts)| table.read(&texts)).transpose()
    }

    /// Oldest first, after an id when one is given.
    pub async fn records(&self, table: &Table, after: Option<RecordId>, limit: i64) -> Result<Vec<Row>, StoreError> {
        let text = table.list.clone();
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let rows: Vec<Texts> =
            on!(&self.read, pool => sqlx::query_as(text).bind(after).bind(limit).fetch_all(pool).await)?;
        rows.iter().map(|Texts(texts)| table.read(texts)).collect()
    }
}
