//! Modules as they are kept, and their tables as the rest of the house meets them.

use std::sync::Arc;

use super::table::Table;
use super::{Store, StoreError, on};
use crate::clock::Timestamp;
use crate::id::ModuleId;
use crate::record::definition::Definition;
use crate::record::field::ModuleSlug;

/// A module with its statements.
#[derive(Clone, Debug)]
pub struct StoredModule {
    pub definition: Definition,
    /// Moves with every change of the module; the number of its shape only where records are concerned.
    pub version: i64,
    pub table: Arc<Table>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl StoredModule {
    pub fn id(&self) -> ModuleId {
        self.table.shape.module
    }

    pub fn slug(&self) -> &ModuleSlug {
        &self.table.shape.slug
    }
}

type Columns = (String, String, i64, String, i64, i64, i64);

impl Store {
    /// Every module, by slug.
    pub async fn modules(&self) -> Result<Vec<StoredModule>, StoreError> {
        let text = "SELECT id, slug, shape, definition, version, created_at, updated_at FROM modules ORDER BY slug";
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let read = |row: Columns| {
            let slug = row.1.clone();
            self.module(row).ok_or_else(|| StoreError::Corrupt(format!("the definition of module {slug}")))
        };
        rows.into_iter().map(read).collect()
    }

    /// A table as it would be with one more set of fields that identifies records.
    pub fn table_with_key(&self, table: &Table, fields: &[usize]) -> Arc<Table> {
        Arc::new(table.with_key(fields, self.dialect))
    }

    fn module(&self, row: Columns) -> Option<StoredModule> {
        let (id, slug, number, definition, version, created_at, updated_at) = row;
        let definition: Definition = serde_json::from_str(&definition).ok()?;
        let (shape, keys) = definition.shape(id.parse().ok()?, ModuleSlug::parse(&slug).ok()?, number)?;
        let keys = (&keys[..], definition.key_marks());
        Some(StoredModule {
            table: Arc::new(Table::new(Arc::new(shape), keys, self.dialect)),
            definition,
            version,
            created_at: Timestamp::from_micros(created_at)?,
            updated_at: Timestamp::from_micros(updated_at)?,
        })
    }
}
