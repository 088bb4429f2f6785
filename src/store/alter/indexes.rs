//! The unique indexes of a module's keys: those that go before its columns are altered, those that come after it.

use super::ddl;
use crate::record::alteration::Alteration;
use crate::record::definition::Definition;
use crate::record::field::FieldName;
use crate::store::layout::execute;
use crate::store::table::index_name;
use crate::store::{StoreError, Tx};

pub(super) async fn drop_old(tx: &mut Tx<'_>, table: &str, alteration: &Alteration) -> Result<(), StoreError> {
    for key in alteration.old.keys.iter().filter(|key| !alteration.stays_key(key)) {
        ddl(tx, format!("DROP INDEX \"{}\"", name(table, &alteration.old, key))).await?;
    }
    Ok(())
}

pub(super) async fn create_new(tx: &mut Tx<'_>, table: &str, alteration: &Alteration) -> Result<(), StoreError> {
    for key in alteration.new.keys.iter().filter(|key| !alteration.is_kept_key(key)) {
        create(tx, table, &alteration.new, key).await?;
    }
    Ok(())
}

pub(in crate::store) async fn create(
    tx: &mut Tx<'_>,
    table: &str,
    definition: &Definition,
    key: &[FieldName],
) -> Result<(), sqlx::Error> {
    let columns = key.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    execute(tx, format!("CREATE UNIQUE INDEX \"{}\" ON \"{table}\" ({columns})", name(table, definition, key))).await
}

fn name(table: &str, definition: &Definition, key: &[FieldName]) -> String {
    let marks = key.iter().map(|name| definition.mark(name).to_owned()).collect::<Vec<_>>();
    index_name(table, &marks)
}
