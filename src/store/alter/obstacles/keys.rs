//! Whether the fields of a key identify the records that stand: no two have the same values, and each value is one that
//! an event's can equal.

use std::collections::BTreeMap;

use super::super::obstacle::{MOST_TOLD, Obstacle, Offender};
use super::super::values::Conversion;
use super::records_have;
use crate::map::rule::{LONGEST_MATCH_VALUE, can_identify};
use crate::record::alteration::Alteration;
use crate::record::definition::FieldDefinition;
use crate::record::field::FieldName;
use crate::record::value::Value;
use crate::store::dialect::{Dialect, Type, sql};
use crate::store::{StoreError, Texts, Tx, on};

const PAGE: usize = 1_000;
const FIELD: &str = "match";

/// A field of the key: as it was, as it will be.
type Pair<'a> = (&'a FieldDefinition, &'a FieldDefinition);

pub(super) async fn look(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    table: &str,
    (alteration, key): (&Alteration, &[FieldName]),
) -> Result<Vec<Obstacle>, StoreError> {
    let pair = |name| Some((alteration.before(name)?, alteration.new.field(name)?));
    // A field that is added has no values.
    let pairs: Vec<Pair<'_>> = key.iter().filter_map(pair).collect();
    let mut found = Vec::new();
    for (was, is) in pairs.iter().filter(|(was, is)| was.kind == "text" && is.kind == "text") {
        found.extend(unmatchable(tx, table, (was, is)).await?);
    }
    if pairs.len() < key.len() {
        return Ok(found);
    }
    if pairs.iter().any(|(was, is)| was.kind != is.kind) {
        found.extend(converted(tx, dialect, table, &pairs).await?);
    } else {
        let groups = equal(tx, table, &pairs).await?;
        found.extend(duplicates(&pairs, groups));
    }
    Ok(found)
}

fn names(pairs: &[Pair<'_>]) -> String {
    pairs.iter().map(|(_, is)| is.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn duplicates(pairs: &[Pair<'_>], groups: Vec<Vec<String>>) -> Option<Obstacle> {
    let detail =
        format!("records have equal values in {}; a match is unique, so make these differ first", names(pairs));
    let told = Obstacle { groups, ..Obstacle::new(FIELD, detail) };
    (!told.groups.is_empty()).then_some(told)
}

fn cannot_identify(name: &FieldName, count: i64, records: Vec<Offender>) -> Option<Obstacle> {
    let detail = format!(
        "{} a text in {name} that cannot identify a record (empty, longer than {LONGEST_MATCH_VALUE} bytes, or not \
         normalised as NFC); correct these first",
        records_have(count)
    );
    (count > 0).then(|| Obstacle::new(FIELD, detail).of_records(count, records))
}

/// A text that no event's match value can equal would make a second record of the next event. Looked through in pages:
/// only texts that are not plain ASCII of a fair length come here.
async fn unmatchable(
    tx: &mut Tx<'_>,
    table: &str,
    (was, is): (&FieldDefinition, &FieldDefinition),
) -> Result<Option<Obstacle>, StoreError> {
    let field = &was.name;
    let text = format!(
        "SELECT \"_id\", \"{field}\" FROM \"{table}\" WHERE \"_id\" > $1 AND (\"{field}\" = '' OR \
         octet_length(\"{field}\") > {LONGEST_MATCH_VALUE} OR octet_length(\"{field}\") <> length(\"{field}\")) \
         ORDER BY \"_id\" LIMIT {PAGE}"
    );
    let (mut count, mut records, mut after) = (0, Vec::new(), String::new());
    loop {
        let text = sql(text.clone());
        let rows: Vec<(String, String)> =
            on!(&mut *tx, tx => sqlx::query_as(text).bind(&after).fetch_all(&mut **tx).await)?;
        let Some((last, _)) = rows.last() else { return Ok(cannot_identify(&is.name, count, records)) };
        after.clone_from(last);
        for (id, _) in rows.into_iter().filter(|(_, text)| !can_identify(text)) {
            count += 1;
            if records.len() < MOST_TOLD {
                records.push(Offender { id, detail: None });
            }
        }
    }
}

/// Ids of records with equal values, some of some groups. As for the index, nothing is equal to null.
async fn equal(tx: &mut Tx<'_>, table: &str, pairs: &[Pair<'_>]) -> Result<Vec<Vec<String>>, StoreError> {
    let each = |text: &dyn Fn(&FieldName) -> String, join: &str| {
        pairs.iter().map(|(was, _)| text(&was.name)).collect::<Vec<_>>().join(join)
    };
    let text = format!(
        "SELECT g.\"_first\", t.\"_id\" FROM (SELECT {}, min(\"_id\") AS \"_first\" FROM \"{table}\" WHERE {} GROUP BY {} \
         HAVING count(*) > 1 ORDER BY min(\"_id\") LIMIT {MOST_TOLD}) AS g JOIN \"{table}\" AS t ON {} \
         ORDER BY g.\"_first\", t.\"_id\" LIMIT {}",
        each(&|name| format!("\"{name}\""), ", "),
        each(&|name| format!("\"{name}\" IS NOT NULL"), " AND "),
        each(&|name| format!("\"{name}\""), ", "),
        each(&|name| format!("t.\"{name}\" = g.\"{name}\""), " AND "),
        MOST_TOLD * MOST_TOLD,
    );
    let rows: Vec<(String, String)> = on!(tx, tx => sqlx::query_as(sql(text)).fetch_all(&mut **tx).await?);
    let mut groups = BTreeMap::<String, Vec<String>>::new();
    for (first, id) in rows {
        groups.entry(first).or_default().push(id);
    }
    Ok(groups.into_values().map(few).collect())
}

fn few(mut ids: Vec<String>) -> Vec<String> {
    ids.truncate(MOST_TOLD);
    ids
}

/// Where values are converted, they are compared as they will be. What cannot be converted is told elsewhere.
async fn converted(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    table: &str,
    pairs: &[Pair<'_>],
) -> Result<Vec<Obstacle>, StoreError> {
    let conversions = pairs.iter().map(|pair| Conversion::new(table, pair.0.name.as_str(), *pair));
    let conversions = conversions.collect::<Result<Vec<_>, _>>()?;
    let kinds = pairs.iter().filter_map(|(was, _)| Some((was.name.as_str(), Type::from(&was.kind()?))));
    let columns = kinds.map(|(name, kind)| dialect.read(name, kind)).collect::<Vec<_>>().join(", ");
    let text =
        format!("SELECT t.\"_id\", {columns} FROM \"{table}\" t WHERE t.\"_id\" > $1 ORDER BY t.\"_id\" LIMIT {PAGE}");
    let mut records = BTreeMap::<Vec<String>, Vec<String>>::new();
    let mut bad = vec![(0, Vec::new()); pairs.len()];
    let mut after = String::new();
    loop {
        let text = sql(text.clone());
        let rows: Vec<Texts> = on!(&mut *tx, tx => sqlx::query_as(text).bind(&after).fetch_all(&mut **tx).await?);
        if rows.is_empty() {
            break;
        }
        for Texts(mut texts) in rows {
            after = texts.remove(0).unwrap_or_default();
            let values = conversions.iter().zip(&texts).map(|(to, text)| to.convert(text.as_deref()?).ok());
            let Some(values) = values.collect::<Option<Vec<Value>>>() else { continue };
            for (bad, value) in bad.iter_mut().zip(&values) {
                note_bad(bad, value, &after);
            }
            let ids = records.entry(values.iter().map(|value| value.text().into_owned()).collect()).or_default();
            if ids.len() < MOST_TOLD {
                ids.push(after.clone());
            }
        }
    }
    let groups = records.into_values().filter(|ids| ids.len() > 1).take(MOST_TOLD).collect();
    let texts = pairs.iter().zip(bad).filter(|((was, _), _)| was.kind != "text");
    let mut found: Vec<_> =
        texts.filter_map(|((_, is), (count, some))| cannot_identify(&is.name, count, some)).collect();
    found.extend(duplicates(pairs, groups));
    Ok(found)
}

fn note_bad((count, some): &mut (i64, Vec<Offender>), value: &Value, id: &str) {
    if matches!(value, Value::Text(text) if !can_identify(text)) {
        *count += 1;
        if some.len() < MOST_TOLD {
            some.push(Offender { id: id.to_owned(), detail: None });
        }
    }
}
