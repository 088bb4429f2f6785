//! What an endpoint missed while it was disabled, made due after all, step by step. Each step forgets what it has come
//! past: what the endpoint has missed is always what nobody made due.

use std::collections::HashSet;

use super::dialect::{Dialect, sql};
use super::due::NewDue;
use super::jobs::{Claimed, Progress, Then, advance};
use super::{Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::EndpointId;
use crate::record::cursor::Cursor;

/// One step of a job.
#[derive(Debug)]
pub struct Page {
    pub endpoint: EndpointId,
    pub due: Vec<NewDue>,
    /// Changes that are not kept any more.
    pub gone: i64,
    /// The number of the last change that the step has come past.
    pub to: i64,
}

impl Store {
    /// Of these deliveries, the number of those that were made before.
    pub async fn made_before(&self, due: &[NewDue]) -> Result<i64, StoreError> {
        let text = sql(format!(
            "SELECT count(*) FROM (SELECT id FROM due WHERE {among} UNION SELECT id FROM deliveries WHERE {among}) made",
            among = self.dialect.among("id")
        ));
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).bind(ids(due)?).fetch_one(pool).await)?)
    }

    /// Makes a page of what was missed due, but for what was made before. `then` is told how many they were. Answers
    /// nothing when the job is someone else's or has ended: then nothing was done.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the endpoint is not enabled any more.
    pub async fn make_missed(
        &self,
        job: &Claimed,
        mut page: Page,
        then: impl Fn(i64) -> Then,
        now: Timestamp,
    ) -> Result<Option<Progress>, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        if !is_enabled(&mut tx, self.dialect, page.endpoint).await? {
            return Err(StoreError::Conflict);
        }
        let all = page.due.len();
        let made = made(&mut tx, self.dialect, ids(&page.due)?).await?;
        page.due.retain(|new| !made.contains(&new.due.id.to_string()));
        let done = self.insert_due(&mut tx, &page.due).await?;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let done = i64::try_from(done).unwrap_or(i64::MAX);
        let skipped = count(all) - done + page.gone;
        let progress = Progress { done, skipped, cursor: Cursor(page.to).to_string(), then: then(done) };
        if !advance(&mut tx, job, &progress, now).await? {
            return Ok(None);
        }
        // The last of its locks, as where deliveries are settled.
        forget(&mut tx, page.endpoint, page.to).await?;
        super::commit(tx).await?;
        Ok(Some(progress))
    }
}

fn ids(due: &[NewDue]) -> Result<String, StoreError> {
    let ids = due.iter().map(|new| new.due.id.to_string()).collect::<Vec<_>>();
    serde_json::to_string(&ids).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// It is not deleted before the commit: what is owed to it goes with it.
async fn is_enabled(tx: &mut Tx<'_>, dialect: Dialect, endpoint: EndpointId) -> Result<bool, sqlx::Error> {
    let text = sql(format!("SELECT e.state FROM endpoints e WHERE e.id = $1{}", dialect.for_key_share_of("e")));
    let state: Option<String> =
        on!(tx, tx => sqlx::query_scalar(text).bind(endpoint.to_string()).fetch_optional(&mut **tx).await)?;
    Ok(state.as_deref() == Some("enabled"))
}

/// What is due is held until the commit, and looked for first: what is not due then, and was made, is settled.
async fn made(tx: &mut Tx<'_>, dialect: Dialect, ids: String) -> Result<HashSet<String>, sqlx::Error> {
    let among = dialect.among("d.id");
    let due = sql(format!("SELECT d.id FROM due d WHERE {among}{}", dialect.for_share_of("d")));
    let settled = sql(format!("SELECT d.id FROM deliveries d WHERE {among}"));
    let mut made = HashSet::new();
    for text in [due, settled] {
        let found: Vec<String> = on!(&mut *tx, tx => sqlx::query_scalar(text).bind(&ids).fetch_all(&mut **tx).await)?;
        made.extend(found);
    }
    Ok(made)
}

/// What it has missed begins above that number. One that was disabled again meanwhile goes on missing.
async fn forget(tx: &mut Tx<'_>, endpoint: EndpointId, to: i64) -> Result<(), sqlx::Error> {
    let text = "UPDATE endpoints SET missed_from = CASE WHEN missed_to <= $2 THEN NULL ELSE $2 END, \
        missed_to = CASE WHEN missed_to <= $2 THEN NULL ELSE missed_to END WHERE id = $1 AND missed_from <= $2";
    on!(tx, tx => sqlx::query(text).bind(endpoint.to_string()).bind(to).execute(&mut **tx).await.map(|_| ()))
}
