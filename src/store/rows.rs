//! Many rows with one statement. On PostgreSQL they travel as one array a column, so that the statement has one text
//! and one plan whatever their number. SQLite has no arrays: there they are bound as `VALUES`, in statements made for
//! 1, 2, 4, … rows and filled up with rows of nulls.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::QueryAs;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{FromRow, SqlStr};

use super::dialect::{Dialect, Type, sql};
use super::{Either, Tx};

/// Values in one statement of SQLite, at most; it takes 32,766.
const MOST_VALUES: usize = 2_000;
/// Statements of one text on SQLite: for 1 to 128 rows.
const SIZES: usize = 8;
/// Stands in a text where the rows go.
const ROWS: &str = "\u{1}rows";

/// One value of a row that is sent.
#[derive(Clone, Debug)]
pub(super) enum Cell<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Boolean(bool),
    Bytes(&'a [u8]),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Cell<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// The rows of one statement. The first value of each is never null.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    width: usize,
    cells: Vec<Cell<'a>>,
}

impl<'a> Rows<'a> {
    /// Rows of so many values each.
    pub fn new(width: usize, rows: usize) -> Self {
        Self { width, cells: Vec::with_capacity(width * rows) }
    }

    /// Adds one row; it has as many values as the statement has columns.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell<'a>>) {
        self.cells.extend(row);
        debug_assert!(self.cells.len().is_multiple_of(self.width), "a row has all its values");
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub fn count(&self) -> usize {
        self.cells.len() / self.width
    }

    fn column(&self, place: usize) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().skip(place).step_by(self.width)
    }
}

/// A statement over many rows, and after them perhaps one number more.
#[derive(Clone, Debug)]
pub(super) struct Statement(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    columns: Vec<Type>,
    /// On SQLite with a mark in the place of the rows.
    text: SqlStr,
    sized: [OnceLock<SqlStr>; SIZES],
    /// The most rows in one statement of SQLite, as a power of two.
    most: usize,
}

impl Statement {
    /// `text` gets what stands for the rows, a table `r` with these columns, and the placeholder of the number.
    pub fn new(dialect: Dialect, columns: &[(&str, Type)], text: impl FnOnce(&str, &str) -> String) -> Self {
        let kinds = columns.iter().map(|(_, kind)| *kind).collect::<Vec<_>>();
        let text = match dialect {
            Dialect::Postgres => text(&arrays(columns), &format!("${}", columns.len() + 1)),
            Dialect::Sqlite => text(&values(columns), "?"),
        };
        let most = (MOST_VALUES / columns.len().max(1)).clamp(1, 1 << (SIZES - 1));
        let most = 1 << most.ilog2();
        Self(Arc::new(Prepared { columns: kinds, text: sql(text), sized: Default::default(), most }))
    }

    /// How many rows it has touched.
    pub async fn execute(&self, tx: &mut Tx<'_>, rows: &Rows<'_>) -> Result<u64, sqlx::Error> {
        match tx {
            Either::Postgres(tx) => {
                let query = sqlx::query_with(self.0.text.clone(), self.arrays(rows, None)?);
                Ok(query.execute(&mut **tx).await?.rows_affected())
            }
            Either::Sqlite(tx) => {
                let mut touched = 0;
                for cells in rows.cells.chunks(rows.width * self.0.most) {
                    let (text, values) = self.values(cells, rows.width, None)?;
                    touched += sqlx::query_with(text, values).execute(&mut **tx).await?.rows_affected();
                }
                Ok(touched)
            }
        }
    }

    /// What it returns for these rows; `number` goes into the placeholder behind them.
    pub async fn fetch<T>(&self, tx: &mut Tx<'_>, rows: &Rows<'_>, number: Option<i64>) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        match tx {
            Either::Postgres(tx) => {
                let query: QueryAs<'_, Postgres, T, _> =
                    sqlx::query_as_with(self.0.text.clone(), self.arrays(rows, number)?);
                query.fetch_all(&mut **tx).await
            }
            Either::Sqlite(tx) => {
                let mut found = Vec::new();
                for cells in rows.cells.chunks(rows.width * self.0.most) {
                    let (text, values) = self.values(cells, rows.width, number)?;
                    let query: QueryAs<'_, Sqlite, T, _> = sqlx::query_as_with(text, values);
                    found.append(&mut query.fetch_all(&mut **tx).await?);
                }
                Ok(found)
            }
        }
    }

    fn arrays(&self, rows: &Rows<'_>, number: Option<i64>) -> Result<PgArguments, sqlx::Error> {
        use sqlx::Arguments as _;
        let mut arguments = PgArguments::default();
        for (place, kind) in self.0.columns.iter().enumerate() {
            let column = rows.column(place);
            match kind {
                Type::Integer => arguments.add(column.map(Cell::integer).collect::<Vec<_>>()),
                Type::Boolean => arguments.add(column.map(Cell::boolean).collect::<Vec<_>>()),
                Type::Bytes => arguments.add(column.map(Cell::bytes).collect::<Vec<_>>()),
                _ => arguments.add(column.map(Cell::text).collect::<Vec<_>>()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        if let Some(number) = number {
            arguments.add(number).map_err(sqlx::Error::Encode)?;
        }
        Ok(arguments)
    }

    /// The statement for as many rows, and its values: the missing rows are nulls.
    fn values(
        &self,
        cells: &[Cell<'_>],
        width: usize,
        number: Option<i64>,
    ) -> Result<(SqlStr, SqliteArguments), sqlx::Error> {
        use sqlx::Arguments as _;
        let rows = (cells.len() / width).next_power_of_two();
        let mut arguments = SqliteArguments::default();
        arguments.reserve(rows * width + 1, 0);
        for cell in cells {
            match cell {
                Cell::Null => arguments.add(None::<i64>),
                Cell::Text(text) => arguments.add(&**text),
                Cell::Integer(number) => arguments.add(*number),
                Cell::Boolean(value) => arguments.add(*value),
                Cell::Bytes(bytes) => arguments.add(*bytes),
            }
            .map_err(sqlx::Error::Encode)?;
        }
        for _ in cells.len()..rows * width {
            arguments.add(None::<i64>).map_err(sqlx::Error::Encode)?;
        }
        if let Some(number) = number {
            arguments.add(number).map_err(sqlx::Error::Encode)?;
        }
        Ok((self.sized(rows, width), arguments))
    }

    fn sized(&self, rows: usize, width: usize) -> SqlStr {
        let made = self.0.sized.get(rows.ilog2() as usize);
        let make = || {
            let row = format!("({})", vec!["?"; width].join(","));
            sql(self.0.text.as_str().replace(ROWS, &vec![row; rows].join(",")))
        };
        made.map_or_else(make, |made| made.get_or_init(make).clone())
    }
}

impl Cell<'_> {
    fn integer(&self) -> Option<i64> {
        if let Self::Integer(number) = self { Some(*number) } else { None }
    }

    fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }

    fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

fn arrays(columns: &[(&str, Type)]) -> String {
    let arrays = columns.iter().enumerate().map(|(place, (_, kind))| format!("${}::{}", place + 1, kind.array()));
    let names = columns.iter().map(|(name, _)| format!("\"{name}\""));
    format!("unnest({}) AS r({})", arrays.collect::<Vec<_>>().join(", "), names.collect::<Vec<_>>().join(", "),)
}

fn values(columns: &[(&str, Type)]) -> String {
    let names = columns.iter().enumerate().map(|(place, (name, _))| format!("column{} AS \"{name}\"", place + 1));
    format!("(SELECT {} FROM (VALUES {ROWS}) WHERE column1 IS NOT NULL) AS r", names.collect::<Vec<_>>().join(", "))
}
