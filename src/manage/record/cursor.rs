//! Where a list of records goes on: the last record's value of the sorted column and its id. Opaque outside, and bound to
//! the list that gave it: with other filters or another order it would leave records out.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::filter::Asked;
use crate::problem::{Code, Problem};
use crate::record::row::Row;
use crate::record::shape::Shape;
use crate::record::value::Value;
use crate::secret::{digest, hex};
use crate::store::records::filter::Column;
use crate::store::records::page::{Place, Sort};

/// What the list asks for, as far as a cursor depends on it.
fn list(shape: &Shape, asked: &Asked) -> String {
    let mut filters = asked.filters.iter().collect::<Vec<_>>();
    filters.sort();
    let all = json!([shape.module, filters, asked.sort]).to_string();
    hex(&digest(&all)).chars().take(16).collect()
}

pub fn of(shape: &Shape, asked: &Asked, sort: Sort, last: &Row) -> String {
    let value = match sort.column {
        Column::Id => None,
        Column::Field(place) => last.fields[place].as_ref().map(|value| value.text().into_owned()),
        Column::Version => Some(last.version.to_string()),
        Column::CreatedAt => Some(last.created_at.to_string()),
        Column::UpdatedAt => Some(last.updated_at.to_string()),
    };
    BASE64URL_NOPAD.encode(json!([list(shape, asked), value, last.id]).to_string().as_bytes())
}

pub fn read(shape: &Shape, asked: &Asked, sort: Sort) -> Result<Option<Place>, Problem> {
    let Some(text) = &asked.cursor else { return Ok(None) };
    let bad = || Problem::new(Code::InvalidRequest, "`cursor` is not one that this list has given");
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| bad())?;
    let (of, value, id): (String, Option<String>, String) = serde_json::from_slice(&bytes).map_err(|_| bad())?;
    if of != list(shape, asked) {
        let detail =
            "`cursor` was given for a list with other filters or another `sort`; begin that list anew without it";
        return Err(Problem::new(Code::InvalidRequest, detail));
    }
    if value.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(bad());
    }
    let value = value.map(|text| Value::read(&sort.column.kind(shape), &text)).transpose();
    Ok(Some(Place { value: value.map_err(|_| bad())?, id: id.parse().map_err(|_| bad())? }))
}
