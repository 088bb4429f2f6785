//! The audit log: who did what to which, when and from where; newest first. Rows are written with what they tell of, as
//! a step of its transaction (`plan.rs`).

use super::dialect::sql;
use super::{Store, StoreError, on};
use crate::clock::Timestamp;

/// Rows removed at once.
const BATCH: i64 = 500;

/// Which rows. What is not said is not looked at.
#[derive(Clone, Debug, Default)]
pub struct Wanted<'a> {
    pub actor: Option<&'a str>,
    pub action: Option<&'a str>,
    /// What the target begins with.
    pub target: Option<&'a str>,
    pub since: Option<Timestamp>,
    /// Not included.
    pub until: Option<Timestamp>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct AuditRow {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    /// Of a key, also of a revoked one.
    pub actor_name: Option<String>,
    pub action: String,
    pub target: String,
    /// `{"before":…,"after":…}`; in rows of the first versions a text for people, or nothing.
    pub detail: String,
    pub address: Option<String>,
}

impl Wanted<'_> {
    /// Conditions on texts, numbered from `$5` on, and the texts.
    fn texts(&self) -> (String, Vec<String>) {
        let (mut conditions, mut texts) = (String::new(), Vec::new());
        let mut add = |condition: &str, text: String| {
            texts.push(text);
            conditions.push_str(&format!(" AND {condition} ${}", texts.len() + 4));
        };
        if let Some(actor) = self.actor {
            add("a.actor =", actor.to_owned());
        }
        if let Some(action) = self.action {
            add("a.action =", action.to_owned());
        }
        if let Some(target) = self.target {
            add("a.target >=", target.to_owned());
            // Sorts after all that begins with it.
            add("a.target <", format!("{target}\u{10ffff}"));
        }
        (conditions, texts)
    }
}

impl Store {
    /// Newest first, before a number when one is given.
    pub async fn audit(
        &self,
        wanted: &Wanted<'_>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let (conditions, texts) = wanted.texts();
        let text = sql(format!(
            "SELECT a.seq, a.at, a.actor, k.name AS actor_name, a.action, a.target, a.detail, a.address \
             FROM audit a LEFT JOIN api_keys k ON k.id = a.actor \
             WHERE a.seq < $1 AND a.at >= $2 AND a.at < $3{conditions} ORDER BY a.seq DESC LIMIT $4"
        ));
        let since = wanted.since.map_or(i64::MIN, Timestamp::micros);
        let until = wanted.until.map_or(i64::MAX, Timestamp::micros);
        let rows = on!(&self.read, pool => {
            let query = sqlx::query_as(text).bind(before.unwrap_or(i64::MAX)).bind(since).bind(until).bind(limit);
            texts.into_iter().fold(query, |query, text| query.bind(text)).fetch_all(pool).await
        })?;
        Ok(rows)
    }

    /// Removes some of the rows from before `until`; says whether there may be more.
    pub async fn remove_audit(&self, until: Timestamp) -> Result<bool, StoreError> {
        let text = "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit WHERE at < $1 ORDER BY at LIMIT $2)";
        let gone = on!(&self.write, pool => sqlx::query(text).bind(until.micros()).bind(BATCH)
            .execute(pool).await?.rows_affected());
        Ok(i64::try_from(gone).unwrap_or(BATCH) >= BATCH)
    }
}
