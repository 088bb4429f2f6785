//! How a module's table is laid out, and how one that an earlier version made comes to the same.

use super::dialect::{Dialect, Type, sql};
use super::table::SYSTEM;
use super::{Tx, on};
use crate::record::shape::Shape;

/// CREATE TABLE, under a name of its own.
pub(super) fn create(dialect: Dialect, shape: &Shape, name: &str) -> String {
    let system = SYSTEM.map(|(name, kind)| format!("{}{}", column(dialect, name, kind), dialect.constraint(name)));
    let fields = shape.fields.iter().map(|field| column(dialect, field.name.as_str(), Type::from(&field.kind)));
    let columns = system.into_iter().chain(fields).collect::<Vec<_>>().join(", ");
    format!("CREATE TABLE \"{name}\" ({columns}){}", dialect.table_options())
}

pub(super) fn column(dialect: Dialect, name: &str, kind: Type) -> String {
    format!("\"{name}\" {}", dialect.column(name, kind))
}

/// Gives the system columns their defaults, so that other clients need not know them. It is done while no trigger stands;
/// rows that were inserted before there were any become records like any other.
pub(super) async fn renew(tx: &mut Tx<'_>, dialect: Dialect, shape: &Shape) -> Result<(), sqlx::Error> {
    execute(tx, format!("UPDATE \"{}\" SET \"_version\" = 1 WHERE \"_version\" = 0", shape.table())).await?;
    match dialect {
        Dialect::Postgres => renew_postgres(tx, dialect, shape).await,
        Dialect::Sqlite => renew_sqlite(tx, dialect, shape).await,
    }
}

async fn renew_postgres(tx: &mut Tx<'_>, dialect: Dialect, shape: &Shape) -> Result<(), sqlx::Error> {
    let default = |name: &str, value: &str| format!("ALTER \"{name}\" SET DEFAULT {value}");
    let defaults = [
        default("_id", &dialect.record_id()),
        default("_created_at", dialect.now()),
        default("_updated_at", dialect.now()),
    ];
    execute(tx, format!("ALTER TABLE \"{}\" {}", shape.table(), defaults.join(", "))).await
}

/// SQLite cannot alter a default: the table is made anew, and what stood on it (indexes, triggers of the operator's) again.
async fn renew_sqlite(tx: &mut Tx<'_>, dialect: Dialect, shape: &Shape) -> Result<(), sqlx::Error> {
    let table = shape.table();
    let text = "SELECT CAST(count(*) AS BIGINT) FROM pragma_table_info($1) WHERE name = '_id' AND dflt_value IS NULL";
    let old: i64 = on!(&mut *tx, tx => sqlx::query_scalar(text).bind(&table).fetch_one(&mut **tx).await?);
    if old == 0 {
        return Ok(());
    }
    let text = "SELECT sql FROM sqlite_schema WHERE tbl_name = $1 AND type IN ('index', 'trigger') AND sql IS NOT NULL";
    let beside: Vec<String> = on!(&mut *tx, tx => sqlx::query_scalar(text).bind(&table).fetch_all(&mut **tx).await?);
    let fields = shape.fields.iter().map(|field| field.name.as_str());
    let columns = SYSTEM.iter().map(|(name, _)| *name).chain(fields).map(|name| format!("\"{name}\""));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let new = format!("_{table}");
    execute(tx, create(dialect, shape, &new)).await?;
    execute(tx, format!("INSERT INTO \"{new}\" ({columns}) SELECT {columns} FROM \"{table}\"")).await?;
    execute(tx, format!("DROP TABLE \"{table}\"")).await?;
    execute(tx, format!("ALTER TABLE \"{new}\" RENAME TO \"{table}\"")).await?;
    for text in beside {
        execute(tx, text).await?;
    }
    Ok(())
}

/// One statement made of checked pieces.
pub(super) async fn execute(tx: &mut Tx<'_>, text: String) -> Result<(), sqlx::Error> {
    on!(tx, tx => sqlx::query(sql(text)).execute(&mut **tx).await.map(|_| ()))
}
