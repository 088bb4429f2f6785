//! What stands in the way of an alteration, as it is told: with ids of records, never with their values.

use serde::Serialize;

use crate::store::error::told;

/// Records, or groups of records, that are named for one obstacle.
pub const MOST_TOLD: usize = 20;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    /// The member of the request that it is in the way of, such as `fields.count.type`.
    pub field: String,
    pub detail: String,
    /// How many records it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i64>,
    /// Some of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<Offender>,
    /// Records of equal values, a list each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offender {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Obstacle {
    pub fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { field: field.into(), detail: detail.into(), count: None, records: Vec::new(), groups: Vec::new() }
    }

    pub(super) fn of_records(mut self, count: i64, records: Vec<Offender>) -> Self {
        (self.count, self.records) = (Some(count), records);
        self
    }
}

/// Views, indexes and triggers of the operator's own may rest on a column.
pub(super) fn built_on(error: &sqlx::Error) -> Option<Obstacle> {
    let database = error.as_database_error()?;
    let code = database.code()?;
    let is_postgres = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some();
    // PostgreSQL: something depends on it, it cannot be done while that stands, too many columns. SQLite: any error of
    // a statement, and a view that would no longer read is one.
    let is_so = if is_postgres { ["2BP01", "0A000", "54011"].contains(&&*code) } else { code == "1" };
    let detail = || {
        format!(
            "the database refuses to alter the table ({}); look for views, indexes and triggers of your own on it, and \
             remove them first",
            told(error)
        )
    };
    is_so.then(|| Obstacle::new("fields", detail()))
}
