//! The values of a field that gets another type, page by page: each is taken as a payload's would be without a
//! transform. Nobody's events come in between.

use super::obstacle::{MOST_TOLD, Offender};
use crate::record::definition::FieldDefinition;
use crate::record::field::Kind;
use crate::record::value::{BadValue, Value, coerce};
use crate::store::dialect::{Dialect, Type, sql};
use crate::store::rows::{Cell, Rows, Statement};
use crate::store::{StoreError, Tx, on};

const PAGE: usize = 1_000;

/// A column and the two types of its field.
pub(super) struct Conversion<'a> {
    pub table: &'a str,
    /// As the column is called at the moment.
    pub column: &'a str,
    from: Kind,
    to: Kind,
}

/// A record's value in the other type; or why it has none.
pub(super) type Converted = (String, Result<Value, BadValue>);

impl<'a> Conversion<'a> {
    pub fn new(
        table: &'a str,
        column: &'a str,
        (was, is): (&FieldDefinition, &FieldDefinition),
    ) -> Result<Self, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the field {} of {table}", was.name));
        let (from, to) = was.kind().zip(is.kind()).ok_or_else(corrupt)?;
        Ok(Self { table, column, from, to })
    }

    pub fn convert(&self, text: &str) -> Result<Value, BadValue> {
        let value = Value::read(&self.from, text)?;
        let unreadable = |_| BadValue::new("wrong_type", "the stored value cannot be read");
        let node = match &value {
            Value::Json(raw) => serde_json::from_str(raw.get()).map_err(unreadable)?,
            value => serde_json::to_value(value).map_err(unreadable)?,
        };
        if node.is_null() {
            return Err(BadValue::new("wrong_type", format!("null is no {}", self.to.name())));
        }
        coerce(&self.to, &node)
    }

    /// The next records that have a value, after an id; empty at the end.
    pub async fn page(&self, tx: &mut Tx<'_>, dialect: Dialect, after: &str) -> Result<Vec<Converted>, StoreError> {
        let (table, column) = (self.table, self.column);
        let read = dialect.read(column, Type::from(&self.from));
        let text = sql(format!(
            "SELECT t.\"_id\", {read} FROM \"{table}\" t WHERE t.\"_id\" > $1 AND t.\"{column}\" IS NOT NULL \
             ORDER BY t.\"_id\" LIMIT {PAGE}"
        ));
        let rows: Vec<(String, String)> = on!(tx, tx => sqlx::query_as(text).bind(after).fetch_all(&mut **tx).await?);
        Ok(rows.into_iter().map(|(id, text)| (id, self.convert(&text))).collect())
    }

    /// How many values cannot be converted, and some of them.
    pub async fn offenders(&self, tx: &mut Tx<'_>, dialect: Dialect) -> Result<(i64, Vec<Offender>), StoreError> {
        let (mut count, mut records, mut after) = (0, Vec::new(), String::new());
        loop {
            let page = self.page(tx, dialect, &after).await?;
            let Some((last, _)) = page.last() else { return Ok((count, records)) };
            after.clone_from(last);
            for (id, value) in page {
                let Err(bad) = value else { continue };
                count += 1;
                if records.len() < MOST_TOLD {
                    records.push(Offender { id, detail: Some(bad.detail) });
                }
            }
        }
    }

    /// Writes every value into another column. Each can be converted: that was looked at.
    pub async fn write(&self, tx: &mut Tx<'_>, dialect: Dialect, into: &str) -> Result<(), StoreError> {
        let kind = Type::from(&self.to);
        let statement = Statement::new(dialect, &[("_id", Type::Text), ("value", kind)], |rows, _| {
            let (table, sent) = (self.table, dialect.sent("value", kind));
            format!("UPDATE \"{table}\" AS t SET \"{into}\" = {sent} FROM {rows} WHERE t.\"_id\" = r.\"_id\"")
        });
        let mut after = String::new();
        loop {
            let page = self.page(tx, dialect, &after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after.clone_from(last);
            let mut rows = Rows::new(2, page.len());
            for (id, value) in &page {
                let value = value.as_ref().map_err(|bad| StoreError::Corrupt(bad.to_string()))?;
                rows.push([id.as_str().into(), Cell::from(value)]);
            }
            statement.execute(tx, &rows).await?;
        }
    }
}
