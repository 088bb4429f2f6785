//! The columns of a table that is altered. A dropped one is renamed to what no field is called, which takes a moment
//! whatever the table's size, so that a field of its name may come again at once; it is removed later.

use super::values::Conversion;
use super::{Of, ddl};
use crate::record::alteration::Alteration;
use crate::store::dialect::Type;
use crate::store::{StoreError, Tx, layout, on};

/// Every statement that makes the old columns the new ones, those of added fields included.
pub(super) async fn alter(
    tx: &mut Tx<'_>,
    of: Of<'_>,
    (number, table): (i64, &str),
    alteration: &Alteration,
    now: i64,
) -> Result<(), StoreError> {
    let mut gone = 0;
    for field in alteration.dropped() {
        put_away(tx, of, (table, field.name.as_str()), &format!("_gone_{number}_{gone}"), now).await?;
        gone += 1;
    }
    // First all go by names of their own: fields may swap theirs.
    let mut named = Vec::new();
    for (place, (was, is)) in alteration.kept().enumerate() {
        let (column, between) = (was.name.as_str(), format!("_next_{place}"));
        if was.kind != is.kind {
            let kind = is.kind().ok_or_else(|| StoreError::Corrupt(format!("the type of {}", is.name)))?;
            let new = layout::column(of.dialect, &between, Type::from(&kind));
            ddl(tx, format!("ALTER TABLE \"{table}\" ADD COLUMN {new}")).await?;
            Conversion::new(table, column, (was, is))?.write(tx, of.dialect, &between).await?;
            put_away(tx, of, (table, column), &format!("_gone_{number}_{gone}"), now).await?;
            gone += 1;
        } else if was.name != is.name {
            rename(tx, table, (column, &between)).await?;
        } else {
            continue;
        }
        named.push((between, &is.name));
    }
    for (between, name) in named {
        rename(tx, table, (&between, name.as_str())).await?;
    }
    for field in alteration.added() {
        let kind = field.kind().ok_or_else(|| StoreError::Corrupt(format!("the type of {}", field.name)))?;
        let column = layout::column(of.dialect, field.name.as_str(), Type::from(&kind));
        ddl(tx, format!("ALTER TABLE \"{table}\" ADD COLUMN {column}")).await?;
    }
    Ok(())
}

async fn rename(tx: &mut Tx<'_>, table: &str, (from, to): (&str, &str)) -> Result<(), StoreError> {
    ddl(tx, format!("ALTER TABLE \"{table}\" RENAME COLUMN \"{from}\" TO \"{to}\"")).await
}

async fn put_away(
    tx: &mut Tx<'_>,
    of: Of<'_>,
    (table, column): (&str, &str),
    name: &str,
    now: i64,
) -> Result<(), StoreError> {
    rename(tx, table, (column, name)).await?;
    let text = "INSERT INTO dropped_columns (module_id, name, dropped_at) VALUES ($1, $2, $3)";
    on!(tx, tx => sqlx::query(text).bind(of.id.to_string()).bind(name).bind(now).execute(&mut **tx).await.map(|_| ()))?;
    Ok(())
}
