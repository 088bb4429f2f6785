//! Pages of lists: a limit, a cursor, and the cursor of the page that follows.

use serde::Serialize;

use crate::problem::{Code, Problem};

/// Rows of one page, unless the caller asks for fewer.
const MOST: i64 = 100;

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

/// A list's `limit`, 1 to 100.
pub fn limit(asked: Option<i64>) -> Result<i64, Problem> {
    match asked.unwrap_or(MOST) {
        limit if (1..=MOST).contains(&limit) => Ok(limit),
        _ => Err(Problem::new(Code::InvalidRequest, format!("`limit` is a number from 1 to {MOST}"))),
    }
}

/// A cursor is opaque outside; here it is the id of the last row.
pub fn cursor<T: std::str::FromStr>(text: Option<&str>) -> Result<Option<T>, Problem> {
    let bad = |_| Problem::new(Code::InvalidRequest, "`cursor` is not one that this list has given");
    text.map(str::parse).transpose().map_err(bad)
}

impl<T> Page<T> {
    /// Rows were asked for one more than `limit`; the one too many says that another page follows.
    pub fn of<R>(mut rows: Vec<R>, limit: i64, id: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = if more { rows.last().map(id) } else { None };
        Self { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}
