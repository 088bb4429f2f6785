//! A module goes, with its table and its sources. Its last shape is kept, for the changes that tell of it.

use super::{Of, number_edits};
use crate::record::definition::Definition;
use crate::store::layout::execute;
use crate::store::{StoreError, Tx, on, shapes, triggers};

/// What is of the module's sources, and what is of the module, in the order in which it can go.
const OF_SOURCES: [&str; 4] = ["tokens", "secrets", "mappings", "source_counts"];
const OF_MODULE: [&str; 2] = ["sources", "dropped_columns"];

pub(super) async fn delete(
    tx: &mut Tx<'_>,
    of: Of<'_>,
    from: i64,
    definition: &Definition,
    now: i64,
) -> Result<(), StoreError> {
    let shape = of.shape(definition, from)?;
    // On PostgreSQL this holds the table against edits, too.
    triggers::remove(tx, of.dialect, &shape).await?;
    number_edits(tx, of, now).await?;
    super::ddl(tx, format!("DROP TABLE \"{}\"", shape.table())).await?;
    for text in triggers::remains(of.dialect, &shape) {
        execute(tx, text).await?;
    }
    shapes::keep(tx, (of.id, of.slug, from), definition).await?;
    let id = of.id.to_string();
    for table in OF_SOURCES {
        let text = format!("DELETE FROM {table} WHERE source_id IN (SELECT id FROM sources WHERE module_id = $1)");
        remove(tx, text, &id).await?;
    }
    for table in OF_MODULE {
        remove(tx, format!("DELETE FROM {table} WHERE module_id = $1"), &id).await?;
    }
    let text = "DELETE FROM modules WHERE id = $1 AND shape = $2";
    let gone = on!(tx, tx => sqlx::query(text).bind(id).bind(from).execute(&mut **tx).await?.rows_affected());
    if gone == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn remove(tx: &mut Tx<'_>, text: String, module: &str) -> Result<(), StoreError> {
    let text = crate::store::dialect::sql(text);
    on!(tx, tx => sqlx::query(text).bind(module).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
