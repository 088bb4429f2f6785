//! Reading records.

use super::table::Table;
use super::{Store, StoreError, on, texts};
use crate::id::RecordId;
use crate::record::row::Row;

impl Store {
    pub async fn record(&self, table: &Table, id: RecordId) -> Result<Option<Row>, StoreError> {
        let text = table.get.clone();
        let texts: Option<Vec<Option<String>>> = on!(&self.read, pool => {
            let row = sqlx::query(text).bind(id.to_string()).fetch_optional(pool).await?;
            row.as_ref().map(texts).transpose()
        })?;
        texts.map(|texts| table.read(&texts)).transpose()
    }

    /// Oldest first, after an id when one is given.
    pub async fn records(&self, table: &Table, after: Option<RecordId>, limit: i64) -> Result<Vec<Row>, StoreError> {
        let text = table.list.clone();
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let rows: Vec<Vec<Option<String>>> = on!(&self.read, pool => {
            let rows = sqlx::query(text).bind(after).bind(limit).fetch_all(pool).await?;
            rows.iter().map(texts).collect::<Result<_, sqlx::Error>>()
        })?;
        rows.iter().map(|texts| table.read(texts)).collect()
    }
}
