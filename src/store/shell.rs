//! The operator's own SQL on a SQLite file, with the engine of this binary: also while a gateway has it open. Others may
//! carry an older engine, whose write-ahead log is not safe between processes.

use std::path::Path;
use std::time::Duration;

use data_encoding::HEXLOWER;
use futures_util::TryStreamExt as _;
use serde_json::Value;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Column as _, ConnectOptions as _, Connection as _, Either, Row as _};
use sqlx::{SqliteConnection, TypeInfo as _, ValueRef as _};

use super::dialect::sql;

/// How long a statement waits for the gateway's transactions.
const BUSY: Duration = Duration::from_secs(10);

pub struct Shell(SqliteConnection);

/// What one statement came to.
#[derive(Debug, Default)]
pub struct Answer {
    /// Empty when no row came back.
    pub columns: Vec<String>,
    /// Null, numbers and texts; bytes as `x'00ff'`.
    pub rows: Vec<Vec<Value>>,
    /// Rows that were inserted, updated or deleted; none of a statement that does something else.
    pub changed: Option<u64>,
}

impl Shell {
    /// The file has to be there.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn open(file: &Path) -> Result<Self, String> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .synchronous(SqliteSynchronous::Full)
            // Without it, what INSERT OR REPLACE replaces goes without a trigger, and without a change.
            .pragma("recursive_triggers", "true")
            .disable_statement_logging();
        options.connect().await.map(Self).map_err(said)
    }

    /// Runs one statement to its end.
    ///
    /// # Errors
    /// What SQLite says.
    pub async fn run(&mut self, statement: &str) -> Result<Answer, String> {
        let mut answer = Answer::default();
        let mut found = sqlx::raw_sql(sql(statement.to_owned())).fetch_many(&mut self.0);
        while let Some(found) = found.try_next().await.map_err(said)? {
            match found {
                Either::Left(done) if writes(statement) => answer.changed = Some(done.rows_affected()),
                Either::Left(_) => {}
                Either::Right(row) => {
                    if answer.rows.is_empty() {
                        answer.columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
                    }
                    answer.rows.push(values(&row).map_err(said)?);
                }
            }
        }
        Ok(answer)
    }

    /// # Errors
    /// What SQLite says.
    pub async fn close(self) -> Result<(), String> {
        self.0.close().await.map_err(said)
    }
}

/// To the operator who wrote the statement: all that there is to be said.
fn said(error: sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

fn writes(statement: &str) -> bool {
    let word = statement.trim_start().split(|char: char| !char.is_ascii_alphabetic()).next().unwrap_or_default();
    ["insert", "update", "delete", "replace"].contains(&&*word.to_ascii_lowercase())
}

fn values(row: &SqliteRow) -> Result<Vec<Value>, sqlx::Error> {
    (0..row.len()).map(|place| value(row, place)).collect()
}

/// By the value's own type: a column has none.
fn value(row: &SqliteRow, place: usize) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => Value::from(row.try_get_unchecked::<i64, _>(place)?),
        "REAL" => Value::from(row.try_get_unchecked::<f64, _>(place)?),
        kind => {
            let bytes = row.try_get_unchecked::<Vec<u8>, _>(place)?;
            let is_text = kind != "BLOB";
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            Value::from(if is_text { text() } else { format!("x'{}'", HEXLOWER.encode(&bytes)) })
        }
    })
}

/// The statements of a text. Semicolons in quotes, in comments and in the body of a trigger end none.
pub fn statements(text: &str) -> Vec<&str> {
    let (mut found, mut begin, mut part) = (Vec::new(), 0, 0);
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let next = match rest.as_bytes()[0] {
            quote @ (b'\'' | b'"' | b'`') => {
                1 + rest[1..].find(char::from(quote)).map_or(rest.len() - 1, |end| end + 1)
            }
            b'[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            b'-' if rest.starts_with("--") => rest.find('\n').map_or(rest.len(), |end| end + 1),
            b'/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            b';' => {
                let statement = &text[begin..at];
                if !is_trigger(statement) || text[part..at].trim().eq_ignore_ascii_case("end") {
                    found.push(statement);
                    begin = at + 1;
                }
                part = at + 1;
                1
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += next;
    }
    found.push(&text[begin..]);
    found.retain(|statement| !statement.trim().is_empty());
    found
}

fn is_trigger(statement: &str) -> bool {
    let words = statement.split_ascii_whitespace().map(str::to_ascii_lowercase);
    let words = words.filter(|word| !["temp", "temporary"].contains(&&**word)).take(2);
    words.eq(["create", "trigger"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_where_statements_end() {
        assert_eq!(
            statements("SELECT 1; SELECT ';', \"a;b\" -- c;\n ;;  "),
            ["SELECT 1", " SELECT ';', \"a;b\" -- c;\n "]
        );
        assert_eq!(statements("SELECT 'it''s;' /* ; */, [a;b]"), ["SELECT 'it''s;' /* ; */, [a;b]"]);
        let trigger = "create temp trigger t after insert on a begin select case 1 when 1 then 2 end; select 'ä;'; end";
        assert_eq!(statements(&format!("{trigger}; SELECT 2")), [trigger, " SELECT 2"]);
        assert_eq!(statements("SELECT 'open"), ["SELECT 'open"]);
        assert!(statements(" ; \n").is_empty());
    }
}
