//! Settled deliveries that are sent again: back among what is due, as they were, their attempts counted on and their
//! schedule begun anew. The settled row stays, and is written over when it is settled anew.

use super::dialect::{Dialect, sql};
use super::jobs::{Claimed, Progress, Then, advance};
use super::plan::Step;
use super::{Store, StoreError, Tx, acquire, begin, begin_look, on};
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EndpointId};

/// Settled deliveries that one page looks through; those that do not fit cost, too.
const WINDOW: i64 = 5_000;

/// Deliveries of an endpoint that were sent again and are due: with more of them, jobs make no more.
const CROWD: i64 = 5_000;

/// Which settled deliveries.
#[derive(Clone, Debug)]
pub struct Settled {
    pub endpoint: Option<EndpointId>,
    /// When they were settled; both ends are included.
    pub from: Option<Timestamp>,
    pub to: Timestamp,
    /// `delivered` or `failed`, or either.
    pub state: Option<&'static str>,
    /// The event's type.
    pub event: Option<String>,
}

/// Ids that fit, in order, and where to look on; `None`: nothing is left.
#[derive(Debug)]
pub struct Page {
    pub ids: Vec<String>,
    pub next: Option<String>,
}

/// What came of sending one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resent {
    Now,
    /// A replica has it in hand.
    BeingSent,
    /// An earlier delivery of its record goes first.
    Waits,
    /// Its endpoint is disabled or gone.
    NoEndpoint,
    Unknown,
}

impl Settled {
    /// Parameters 1 to 5, over the columns of `deliveries`.
    fn fits(&self) -> String {
        format!(
            "{} AND settled_at >= $2 AND settled_at <= $3 AND ($4 = '' OR state = $4) AND ($5 = '' OR type = $5)",
            self.of_endpoint()
        )
    }

    /// With a text of its own, so that the index of endpoints serves where one is named.
    fn of_endpoint(&self) -> &'static str {
        if self.endpoint.is_some() { "endpoint_id = $1" } else { "$1 = ''" }
    }

    fn parameters(&self) -> (String, i64, i64, &'static str, &str) {
        (
            self.endpoint.map(|id| id.to_string()).unwrap_or_default(),
            self.from.map_or(i64::MIN, Timestamp::micros),
            self.to.micros(),
            self.state.unwrap_or_default(),
            self.event.as_deref().unwrap_or_default(),
        )
    }
}

impl Store {
    /// How many would be sent again, and how many would not, since they are due already or their endpoint is disabled
    /// or gone.
    pub async fn count_settled(&self, wanted: &Settled) -> Result<(i64, i64), StoreError> {
        let text = sql(format!(
            "SELECT count(*) FILTER (WHERE e.id IS NOT NULL AND q.id IS NULL), \
             count(*) FILTER (WHERE e.id IS NULL OR q.id IS NOT NULL) \
             FROM (SELECT id, endpoint_id FROM deliveries WHERE {}) d \
             LEFT JOIN endpoints e ON e.id = d.endpoint_id AND e.state = 'enabled' LEFT JOIN due q ON q.id = d.id",
            wanted.fits()
        ));
        let (endpoint, from, to, state, event) = wanted.parameters();
        Ok(on!(&self.read, pool => sqlx::query_as(text).bind(endpoint).bind(from).bind(to).bind(state).bind(event)
            .fetch_one(pool).await)?)
    }

    /// At most `limit` that fit, above an id.
    pub async fn settled_page(&self, wanted: &Settled, after: &str, limit: i64) -> Result<Page, StoreError> {
        let window = format!(
            "(SELECT id, endpoint_id, state, type, settled_at FROM deliveries WHERE {} AND id > $6 ORDER BY id LIMIT $7) d",
            wanted.of_endpoint()
        );
        let text = sql(format!("SELECT id FROM {window} WHERE {} ORDER BY id LIMIT $8", wanted.fits()));
        let (endpoint, from, to, state, event) = wanted.parameters();
        let mut ids: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(text).bind(&endpoint).bind(from).bind(to)
            .bind(state).bind(event).bind(after).bind(WINDOW).bind(limit + 1).fetch_all(pool).await)?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        if ids.len() > most {
            // The one too many says that more follow.
            ids.truncate(most);
            let next = ids.last().cloned();
            return Ok(Page { ids, next });
        }
        let text = sql(format!(
            "SELECT count(*), max(id) FROM (SELECT id FROM deliveries WHERE {} AND id > $2 ORDER BY id LIMIT $3) d",
            wanted.of_endpoint()
        ));
        let (seen, last): (i64, Option<String>) = on!(&self.read, pool => sqlx::query_as(text).bind(endpoint)
            .bind(after).bind(WINDOW).fetch_one(pool).await)?;
        Ok(Page { ids, next: last.filter(|_| seen >= WINDOW) })
    }

    /// Whether so much is due to an endpoint by jobs that the next ones are to wait.
    pub async fn is_crowded(&self, endpoint: EndpointId) -> Result<bool, StoreError> {
        let text = "SELECT count(*) FROM (SELECT 1 FROM due WHERE endpoint_id = $1 AND lane = 2 LIMIT $2) d";
        let mut conn = acquire(&self.read).await?;
        let mut tx = begin_look(&mut conn, self.dialect.begin_look()).await?;
        let due: i64 = on!(&mut tx, tx => sqlx::query_scalar(text).bind(endpoint.to_string()).bind(CROWD + 1)
            .fetch_one(&mut **tx).await)?;
        super::commit(tx).await?;
        Ok(due > CROWD)
    }

    /// The same of any endpoint of these settled deliveries.
    pub async fn are_crowded(&self, ids: &[String]) -> Result<bool, StoreError> {
        let text = sql(format!("SELECT DISTINCT endpoint_id FROM deliveries WHERE {}", self.dialect.among("id")));
        let ids = serde_json::to_string(ids).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let endpoints: Vec<String> = on!(&self.read, pool => sqlx::query_scalar(text).bind(ids).fetch_all(pool).await)?;
        for endpoint in endpoints {
            let corrupt = |_| StoreError::Corrupt(format!("deliveries of {endpoint}"));
            if self.is_crowded(endpoint.parse().map_err(corrupt)?).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// One step of a job: these are due again, and the job has come past them. `then` is told how many they were.
    /// Answers nothing when the job is someone else's or has ended: then nothing was done.
    pub async fn resend(
        &self,
        job: &Claimed,
        page: &Page,
        then: impl Fn(i64) -> Then,
        now: Timestamp,
    ) -> Result<Option<Progress>, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let done = make_due(&mut tx, self.dialect, &page.ids, now).await?;
        let found = i64::try_from(page.ids.len()).unwrap_or(i64::MAX);
        let cursor = page.next.clone().or_else(|| page.ids.last().cloned()).unwrap_or_else(|| job.job.cursor.clone());
        let progress = Progress { done, skipped: found - done, cursor, then: then(done) };
        if !advance(&mut tx, job, &progress, now).await? {
            return Ok(None);
        }
        super::commit(tx).await?;
        Ok(Some(progress))
    }

    /// One delivery is due now, whether it was put off or settled, with its row of the audit log.
    pub async fn resend_one(&self, id: DeliveryId, audit: &Step, now: Timestamp) -> Result<Resent, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let resent = match hasten(&mut tx, self.dialect, id, now).await? {
            Some(hastened) => hastened,
            None => again(&mut tx, self.dialect, id, now).await?,
        };
        if resent == Resent::Now {
            self.step(&mut tx, audit, now.micros()).await?;
            super::commit(tx).await?;
        }
        Ok(resent)
    }
}

/// One that is due already; nothing when it is not.
async fn hasten(
    tx: &mut Tx<'_>,
    dialect: Dialect,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Option<Resent>, sqlx::Error> {
    let text = sql(format!(
        "SELECT d.run_at, d.claim, e.state FROM due d LEFT JOIN endpoints e ON e.id = d.endpoint_id WHERE d.id = $1{}",
        dialect.for_update_of("d")
    ));
    let found: Option<(Option<i64>, Option<String>, Option<String>)> =
        on!(&mut *tx, tx => sqlx::query_as(text).bind(id.to_string()).fetch_optional(&mut **tx).await)?;
    Ok(match found {
        None => None,
        Some((_, _, state)) if state.as_deref() != Some("enabled") => Some(Resent::NoEndpoint),
        Some((None, ..)) => Some(Resent::Waits),
        // A claim whose lease has run out is nobody's.
        Some((Some(until), Some(_), _)) if until > now.micros() => Some(Resent::BeingSent),
        Some(_) => {
            let text = "UPDATE due SET run_at = $2, claim = NULL, lane = 2, retried_from = attempts WHERE id = $1";
            on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(now.micros()).execute(&mut **tx).await.map(|_| ()))?;
            Some(Resent::Now)
        }
    })
}

/// One that is settled.
async fn again(tx: &mut Tx<'_>, dialect: Dialect, id: DeliveryId, now: Timestamp) -> Result<Resent, sqlx::Error> {
    if make_due(tx, dialect, &[id.to_string()], now).await? == 1 {
        return Ok(Resent::Now);
    }
    let text = "SELECT count(*) FROM deliveries WHERE id = $1";
    let settled: i64 = on!(tx, tx => sqlx::query_scalar(text).bind(id.to_string()).fetch_one(&mut **tx).await)?;
    Ok(if settled == 0 { Resent::Unknown } else { Resent::NoEndpoint })
}

/// Those of enabled endpoints that are not due already; says how many. An endpoint cannot be deleted meanwhile, since
/// what is owed to it goes with it.
async fn make_due(tx: &mut Tx<'_>, dialect: Dialect, ids: &[String], now: Timestamp) -> Result<i64, sqlx::Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let text = sql(format!(
        "INSERT INTO due (id, endpoint_id, seq, part, type, module_id, record_id, rendering, ordered, lane, attempts, \
         retried_from, run_at, claim, created_at) SELECT d.id, d.endpoint_id, d.seq, d.part, d.type, d.module_id, d.record_id, d.rendering, 0, 2, \
         d.attempts, d.attempts, $2, NULL, d.created_at FROM deliveries d JOIN endpoints e ON e.id = d.endpoint_id \
         WHERE e.state = 'enabled' AND {}{} ON CONFLICT (id) DO NOTHING",
        dialect.among("d.id"),
        dialect.for_key_share_of("e")
    ));
    let ids = serde_json::to_string(ids).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let made = on!(tx, tx => sqlx::query(text).bind(ids).bind(now.micros()).execute(&mut **tx).await?.rows_affected());
    Ok(i64::try_from(made).unwrap_or(i64::MAX))
}
