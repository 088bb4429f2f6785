//! A page of a module's records: those that fit, sorted, from a place on.

use std::time::Duration;

use super::filter::{Column, Draft, Filter};
use crate::clock::Clock;
use crate::id::RecordId;
use crate::record::row::Row;
use crate::record::value::Value;
use crate::store::table::Table;
use crate::store::{Store, StoreError, Texts};

/// Bytes of the records of one page; a single larger one goes alone.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Records without a value come last, in either direction; those of equal values go by their ids.
#[derive(Clone, Copy, Debug)]
pub struct Sort {
    pub column: Column,
    pub descending: bool,
}

/// The last record of the page before: its value of the sorted column, and its id.
#[derive(Clone, Debug)]
pub struct Place {
    pub value: Option<Value>,
    pub id: RecordId,
}

#[derive(Clone, Debug)]
pub struct Wanted {
    pub filters: Vec<Filter>,
    pub sort: Sort,
    pub after: Option<Place>,
    pub limit: i64,
}

/// Rows, and whether more follow.
pub type Found = (Vec<Row>, bool);

impl Store {
    /// Answers [`StoreError::TooLong`] when that takes longer than `most`.
    pub async fn records(
        &self,
        table: &Table,
        wanted: &Wanted,
        (clock, most): (&Clock, Duration),
    ) -> Result<Found, StoreError> {
        let mut draft = Draft { dialect: self.dialect, shape: &table.shape, cells: Vec::new() };
        let text = wanted.text(table, &mut draft);
        let size = |Texts(texts): &Texts| texts.iter().flatten().map(String::len).sum();
        let mut reading = self.bounded(clock, most).await?;
        let (found, is_cut) = reading.fetch(&text, &draft.cells, (MOST_BYTES, size)).await?;
        reading.done().await?;
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit || is_cut;
        let rows = found.iter().take(limit).map(|Texts(texts)| table.read(texts)).collect::<Result<Vec<_>, _>>()?;
        Ok((rows, more))
    }
}

impl Wanted {
    fn text(&self, table: &Table, draft: &mut Draft<'_>) -> String {
        let mut conditions = self.filters.iter().map(|filter| draft.condition(filter)).collect::<Vec<_>>();
        conditions.extend(self.after.as_ref().map(|place| self.beyond(place, draft)));
        let conditions = if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") };
        let order = match (self.sort.column, self.sort.descending) {
            (Column::Id, false) => "t.\"_id\"".to_owned(),
            (Column::Id, true) => "t.\"_id\" DESC".to_owned(),
            (_, false) => format!("{} ASC NULLS LAST, t.\"_id\"", draft.column(self.sort.column)),
            (_, true) => format!("{} DESC NULLS LAST, t.\"_id\" DESC", draft.column(self.sort.column)),
        };
        let limit = draft.bind((self.limit + 1).into());
        format!("{} WHERE {conditions} ORDER BY {order} LIMIT {limit}", table.select)
    }

    /// Behind the last record of the page before.
    fn beyond(&self, place: &Place, draft: &mut Draft<'_>) -> String {
        let sign = if self.sort.descending { "<" } else { ">" };
        let id = draft.bind(place.id.to_string().into());
        let follows = format!("t.\"_id\" {sign} {id}");
        if self.sort.column == Column::Id {
            return follows;
        }
        let (column, kind) = (draft.column(self.sort.column), self.sort.column.kind(draft.shape));
        match &place.value {
            None => format!("({column} IS NULL AND {follows})"),
            Some(value) => {
                let value = draft.value(&kind, value);
                format!("({column} {sign} {value} OR ({column} = {value} AND {follows}) OR {column} IS NULL)")
            }
        }
    }
}
