//! What of the records that stand is in the way of an alteration: all of it at once, with some of the records named.

mod keys;

use super::MOST_CONVERTED;
use super::obstacle::{MOST_TOLD, Obstacle, Offender};
use super::values::Conversion;
use crate::record::alteration::Alteration;
use crate::record::definition::FieldDefinition;
use crate::store::dialect::{Dialect, sql};
use crate::store::{StoreError, Tx, on};

/// The columns are as they were before the alteration.
pub(super) async fn find(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    table: &str,
    alteration: &Alteration,
) -> Result<Vec<Obstacle>, StoreError> {
    let mut found = Vec::new();
    let converts = alteration.converted().next().is_some();
    let is_too_large = converts && rows_up_to(tx, table, MOST_CONVERTED + 1).await? > MOST_CONVERTED;
    for pair in alteration.converted() {
        found.extend(if is_too_large { Some(too_large(pair.0)) } else { offends(tx, dialect, table, pair).await? });
    }
    for field in alteration.added().filter(|field| field.required) {
        found.extend(lacking(tx, table, (field, None)).await?);
    }
    for (was, _) in alteration.kept().filter(|(was, is)| is.required && !was.required) {
        found.extend(lacking(tx, table, (was, Some(was.name.as_str()))).await?);
    }
    for (was, is) in alteration.kept().filter(|(was, is)| was.kind == "status" && is.kind == "status") {
        found.extend(unlisted(tx, dialect, table, (was, is)).await?);
    }
    for key in alteration.new.keys.iter().filter(|key| !alteration.is_kept_key(key)) {
        if !(is_too_large && key.iter().any(|name| alteration.is_converted(name))) {
            found.extend(keys::look(tx, dialect, table, (alteration, key)).await?);
        }
    }
    Ok(found)
}

async fn rows_up_to(tx: &mut Tx<'_>, table: &str, most: i64) -> Result<i64, sqlx::Error> {
    let text = sql(format!("SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM \"{table}\" LIMIT {most}) AS r"));
    on!(tx, tx => sqlx::query_scalar(text).fetch_one(&mut **tx).await)
}

fn too_large(field: &FieldDefinition) -> Obstacle {
    let detail = format!(
        "the module has more than {MOST_CONVERTED} records, and events would have to wait while all their values are \
         converted; add a field of the new type beside it, and have the mappings fill that"
    );
    Obstacle::new(format!("fields.{}.type", field.name), detail)
}

async fn offends(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    table: &str,
    (was, is): (&FieldDefinition, &FieldDefinition),
) -> Result<Option<Obstacle>, StoreError> {
    let conversion = Conversion::new(table, was.name.as_str(), (was, is))?;
    let (count, records) = conversion.offenders(tx, dialect).await?;
    let detail = format!("{} a value that is no {}; correct these first", records_have(count), is.kind);
    let obstacle = Obstacle::new(format!("fields.{}.type", was.name), detail);
    Ok((count > 0).then(|| obstacle.of_records(count, records)))
}

/// Records without a value for a field that is to be required; an added one has none anywhere.
async fn lacking(
    tx: &mut Tx<'_>,
    table: &str,
    (field, column): (&FieldDefinition, Option<&str>),
) -> Result<Option<Obstacle>, StoreError> {
    let lacks = column.map_or_else(|| "1 = 1".to_owned(), |column| format!("\"{column}\" IS NULL"));
    let (count, records) = those(tx, table, &lacks, "").await?;
    let advice = match column {
        Some(_) => "give them one first",
        None => "add the field, have it filled, then require it",
    };
    let detail = format!("{} no value for it; {advice}", records_have(count));
    let obstacle = Obstacle::new(format!("fields.{}.required", field.name), detail);
    Ok((count > 0).then(|| obstacle.of_records(count, records)))
}

/// Records that hold a value which is not listed any more.
async fn unlisted(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    table: &str,
    (was, is): (&FieldDefinition, &FieldDefinition),
) -> Result<Option<Obstacle>, StoreError> {
    if was.values.iter().all(|value| is.values.contains(value)) {
        return Ok(None);
    }
    let column = format!("\"{}\"", was.name);
    let listed = serde_json::to_string(&is.values).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let which = format!("{column} IS NOT NULL AND NOT ({})", dialect.among(&column));
    let (count, records) = those(tx, table, &which, &listed).await?;
    let detail = format!("{} a status that `values` does not list any more; change these first", records_have(count));
    let obstacle = Obstacle::new(format!("fields.{}.values", was.name), detail);
    Ok((count > 0).then(|| obstacle.of_records(count, records)))
}

/// How many records there are of a kind, and some of them; `$1` is `parameter`.
async fn those(tx: &mut Tx<'_>, table: &str, which: &str, parameter: &str) -> Result<(i64, Vec<Offender>), StoreError> {
    // The parameter is there whether or not the condition asks for it.
    let from = format!("FROM \"{table}\" WHERE CAST($1 AS TEXT) IS NOT NULL AND {which}");
    let count = sql(format!("SELECT CAST(count(*) AS BIGINT) {from}"));
    let count: i64 = on!(&mut *tx, tx => sqlx::query_scalar(count).bind(parameter).fetch_one(&mut **tx).await?);
    if count == 0 {
        return Ok((0, Vec::new()));
    }
    let some = sql(format!("SELECT \"_id\" {from} ORDER BY \"_id\" LIMIT {MOST_TOLD}"));
    let ids: Vec<(String,)> = on!(tx, tx => sqlx::query_as(some).bind(parameter).fetch_all(&mut **tx).await?);
    Ok((count, ids.into_iter().map(|(id,)| Offender { id, detail: None }).collect()))
}

pub(super) fn records_have(count: i64) -> String {
    if count == 1 { "1 record has".to_owned() } else { format!("{count} records have") }
}
