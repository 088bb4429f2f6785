//! What modules were: for changes that were made before a module was altered or deleted, and are read after it.

use std::collections::HashMap;
use std::sync::Arc;

use super::alter::to_json;
use super::{Store, StoreError, Tx, on};
use crate::id::ModuleId;
use crate::record::definition::Definition;
use crate::record::field::ModuleSlug;
use crate::record::shape::Shape;

/// By module and number of the shape.
pub type Past = HashMap<(ModuleId, i64), Arc<Shape>>;

/// Before the module's row is changed, and after the last change of the shape stands in the log.
pub(super) async fn keep(
    tx: &mut Tx<'_>,
    (id, slug, number): (ModuleId, &ModuleSlug, i64),
    definition: &Definition,
) -> Result<(), StoreError> {
    let text = "INSERT INTO shapes (module_id, number, slug, definition, last_seq) \
        SELECT $1, $2, $3, $4, coalesce(max(seq), (SELECT seq FROM log_start)) FROM changes";
    let document = to_json(definition)?;
    on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(number).bind(slug.as_str()).bind(document)
        .execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}

impl Store {
    /// All that are kept. Those of `known` are not read again: none ever changes.
    pub async fn past_shapes(&self, known: &Past) -> Result<Past, StoreError> {
        let text = "SELECT module_id, number FROM shapes";
        let rows: Vec<(String, i64)> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let mut past = Past::with_capacity(rows.len());
        for (module, number) in rows {
            let id = module.parse().map_err(|_| StoreError::Corrupt(format!("the module {module}")))?;
            let shape = match known.get(&(id, number)) {
                Some(shape) => Some(Arc::clone(shape)),
                None => self.past_shape(id, number).await?,
            };
            past.extend(shape.map(|shape| ((id, number), shape)));
        }
        Ok(past)
    }

    async fn past_shape(&self, id: ModuleId, number: i64) -> Result<Option<Arc<Shape>>, StoreError> {
        let text = "SELECT slug, definition FROM shapes WHERE module_id = $1 AND number = $2";
        let found: Option<(String, String)> = on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string())
            .bind(number).fetch_optional(pool).await)?;
        let Some((slug, definition)) = found else { return Ok(None) };
        let shape = || {
            let definition: Definition = serde_json::from_str(&definition).ok()?;
            Some(definition.shape(id, ModuleSlug::parse(&slug).ok()?, number)?.0)
        };
        let corrupt = || StoreError::Corrupt(format!("shape {number} of module {slug}"));
        shape().map(|shape| Some(Arc::new(shape))).ok_or_else(corrupt)
    }

    /// Forgets those of whose time no change is left.
    pub async fn forget_shapes(&self) -> Result<(), StoreError> {
        let text = "DELETE FROM shapes WHERE last_seq <= (SELECT seq FROM log_start)";
        on!(&self.write, pool => sqlx::query(text).execute(pool).await.map(|_| ()))?;
        Ok(())
    }
}
