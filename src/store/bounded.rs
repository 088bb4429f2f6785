//! Reading for a page that may look at a lot: in one snapshot, and for no longer than a given time. Who asks for too much
//! is told so, and the database is not kept busy with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::QueryAs;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{FromRow, SqlStr};

use super::dialect::sql;
use super::error::{Class, classify};
use super::rows::Cell;
use super::{Conn, Either, Store, StoreError, abandon, acquire, on};
use crate::clock::Clock;

/// How often SQLite looks whether its time is over: after so many steps of its machine.
const STEPS: i32 = 10_000;

/// A connection with a snapshot and an end. Given up half-way, the connection is closed, so that what it still does ends,
/// too.
pub(super) struct Bounded {
    conn: Option<Conn>,
    given_up: Arc<AtomicBool>,
}

impl Store {
    /// Of what is read on it together, `most` is the time.
    pub(super) async fn bounded(&self, clock: &Clock, most: Duration) -> Result<Bounded, StoreError> {
        let given_up = Arc::new(AtomicBool::new(false));
        let mut conn = acquire(&self.read).await?;
        if let Either::Sqlite(conn) = &mut conn {
            let (given_up, clock, end) = (Arc::clone(&given_up), clock.clone(), clock.monotonic() + most);
            let goes_on = move || !given_up.load(Ordering::Relaxed) && clock.monotonic() < end;
            conn.lock_handle().await?.set_progress_handler(STEPS, goes_on);
        }
        let bounded = Bounded { conn: Some(conn), given_up };
        bounded.run(self.dialect.begin_bounded(most)).await
    }
}

impl Bounded {
    async fn run(mut self, text: SqlStr) -> Result<Self, StoreError> {
        let Some(conn) = &mut self.conn else { return Ok(self) };
        on!(conn, conn => sqlx::raw_sql(text).execute(&mut **conn).await.map(|_| ()))?;
        Ok(self)
    }

    /// Rows in their order, as many as fit into so many bytes, as `size` tells them, and always the first; and whether
    /// there was one that did not fit.
    pub async fn fetch<T>(
        &mut self,
        text: &str,
        cells: &[Cell<'_>],
        (most, size): (usize, impl Fn(&T) -> usize),
    ) -> Result<(Vec<T>, bool), StoreError>
    where
        T: for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let (mut rows, mut held) = (Vec::new(), 0);
        let mut fits = |row: &T| {
            let is_first = held == 0;
            held += size(row) + 1;
            is_first || held <= most
        };
        let text = sql(text.to_owned());
        let done = match &mut self.conn {
            None => return Err(StoreError::Corrupt("a connection that was given up".to_owned())),
            Some(Either::Sqlite(conn)) => {
                let query: QueryAs<'_, Sqlite, T, _> = sqlx::query_as_with(text, sqlite(cells)?);
                let mut found = query.persistent(false).fetch(&mut **conn);
                loop {
                    match found.try_next().await {
                        Ok(Some(row)) if fits(&row) => rows.push(row),
                        Ok(one_more) => break Ok(one_more.is_some()),
                        Err(error) => break Err(error),
                    }
                }
            }
            Some(Either::Postgres(conn)) => {
                let query: QueryAs<'_, Postgres, T, _> = sqlx::query_as_with(text, postgres(cells)?);
                let mut found = query.persistent(false).fetch(&mut **conn);
                loop {
                    match found.try_next().await {
                        Ok(Some(row)) if fits(&row) => rows.push(row),
                        Ok(one_more) => break Ok(one_more.is_some()),
                        Err(error) => break Err(error),
                    }
                }
            }
        };
        done.map(|is_cut| (rows, is_cut)).map_err(told)
    }

    /// Gives the connection back as it was.
    pub async fn done(mut self) -> Result<(), StoreError> {
        let Some(mut conn) = self.conn.take() else { return Ok(()) };
        // From here on nobody would close it: should this be given up, its handler has nothing left to end.
        on!(&mut conn, conn => sqlx::raw_sql("ROLLBACK").execute(&mut **conn).await.map(|_| ()))?;
        if let Either::Sqlite(conn) = &mut conn {
            conn.lock_handle().await?.remove_progress_handler();
        }
        Ok(())
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.given_up.store(true, Ordering::Relaxed);
            abandon(conn);
        }
    }
}

/// What was ended by its time is the caller's to mend; anything else is as ever.
fn told(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    // QUERY_CANCELED of PostgreSQL, and INTERRUPT of SQLite.
    if classify(&error) == Class::Down && ["57014", "9"].contains(&code.as_str()) {
        return StoreError::TooLong;
    }
    error.into()
}

fn sqlite(cells: &[Cell<'_>]) -> Result<SqliteArguments, sqlx::Error> {
    use sqlx::Arguments as _;
    let mut arguments = SqliteArguments::default();
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
    Ok(arguments)
}

fn postgres(cells: &[Cell<'_>]) -> Result<PgArguments, sqlx::Error> {
    use sqlx::Arguments as _;
    let mut arguments = PgArguments::default();
    for cell in cells {
        match cell {
            Cell::Null => arguments.add(None::<String>),
            Cell::Text(text) => arguments.add(&**text),
            Cell::Integer(number) => arguments.add(*number),
            Cell::Boolean(value) => arguments.add(*value),
            Cell::Bytes(bytes) => arguments.add(*bytes),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}
