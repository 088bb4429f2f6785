//! What can go wrong with a database, sorted by what to do about it. Judged by code, never by text: messages are
//! localised.

use std::time::Duration;

use super::alter::Obstacle;
use crate::problem::{Code, Problem};

/// When a caller may try again after the database did not answer.
pub const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A store operation failed. The cause is logged where the error is handled and never leaves the process.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No answer, or no room: the same call may work later.
    #[error("the database is not available: {}", told(.0))]
    Unavailable(sqlx::Error),
    /// Someone else changed the same thing first.
    #[error("the configuration was changed at the same time")]
    Conflict,
    /// The existing records break a uniqueness that was asked for.
    #[error("records with equal values exist")]
    Duplicates,
    /// The existing records forbid an alteration of their module.
    #[error("{} things stand in the way of the alteration", .0.len())]
    InTheWay(Vec<Obstacle>),
    /// What was asked for took longer than it may.
    #[error("the database was given no more time for it")]
    TooLong,
    #[error("the database refused a statement: {}", told(.0))]
    Failed(sqlx::Error),
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match classify(&error) {
            Class::Down => Self::Unavailable(error),
            Class::Retry => Self::Conflict,
            Class::Unique => Self::Duplicates,
            Class::Other => Self::Failed(error),
        }
    }
}

/// The one place where a store's error is handled: told to the operator here, and to the caller without its cause.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                tracing::error!(%error, "a database call failed");
                Self::from(Code::DatabaseUnavailable).with_retry_after(RETRY_AFTER)
            }
            StoreError::Conflict => {
                Self::new(Code::Conflict, "the configuration was changed at the same time; try again")
            }
            StoreError::Duplicates => Self::new(Code::Conflict, "records with equal values exist"),
            StoreError::InTheWay(found) => in_the_way(&found),
            StoreError::TooLong => Code::TooCostly.into(),
            StoreError::Failed(_) | StoreError::Corrupt(_) => {
                tracing::error!(%error, "a database call failed");
                Code::InternalError.into()
            }
        }
    }
}

/// What a caller is told of what stands in the way of an alteration.
pub fn in_the_way(found: &[Obstacle]) -> Problem {
    let detail = match found {
        [one] => format!("{}: {}", one.field, one.detail),
        many => format!("{} things stand in the way; nothing was changed", many.len()),
    };
    let errors = found.iter().filter_map(|obstacle| serde_json::to_value(obstacle).ok()).collect();
    Problem::new(Code::Conflict, detail).with_errors(errors)
}

/// What may be logged of an error. Messages of databases quote values; their codes do not.
pub(super) fn told(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => format!("code {}", error.code().unwrap_or_default()),
        None => error.to_string(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The database does not answer, is full, or is shutting down.
    Down,
    /// Serialisation, deadlock, or a plan that met an altered table: once more from the read.
    Retry,
    /// A unique index refused a row.
    Unique,
    Other,
}

pub(super) fn classify(error: &sqlx::Error) -> Class {
    let Some(database) = error.as_database_error() else {
        return match error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Class::Down,
            _ => Class::Other,
        };
    };
    if database.is_unique_violation() {
        return Class::Unique;
    }
    let code = database.code().unwrap_or_default();
    if database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        return postgres(&code);
    }
    sqlite(&code)
}

/// The connection is gone, and another may do: it broke, or the server has said good-bye (a restart, an administrator).
pub(super) fn is_gone(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            ["57P01", "57P02", "57P05"].contains(&&*code) || code.starts_with("08")
        }
        _ => false,
    }
}

fn postgres(code: &str) -> Class {
    match code {
        // The last: a column that is gone may have the name of an aggregate, and then is taken for a call of it.
        "40001" | "40P01" | "0A000" | "42703" | "42P01" | "42803" => Class::Retry,
        // Connection, resources, operator intervention, system; and a lock or statement that took too long.
        "55P03" => Class::Down,
        // The server lets nobody in: wrong password, no such database, connections not allowed.
        "55000" => Class::Down,
        code if ["08", "28", "3D", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Class::Down,
        // A standby that was promoted late, or a read-only primary.
        "25006" => Class::Down,
        _ => Class::Other,
    }
}

/// Primary result codes of SQLite stand in the low byte of the extended one.
fn sqlite(code: &str) -> Class {
    match code.parse::<i32>().map(|code| code & 0xff) {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL
        Ok(5..=10 | 13..=15) => Class::Down,
        // A statement that does not fit the tables, as ours do unless a module was altered just now; SCHEMA
        Ok(1 | 17) => Class::Retry,
        _ => Class::Other,
    }
}
