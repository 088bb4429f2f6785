//! Reading records.

pub mod filter;
pub mod page;

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
}
