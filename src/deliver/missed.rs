//! What an endpoint missed while it was disabled is delivered after all, as a job: over the log, from where it was
//! disabled to where it was enabled, page by page. What was made before is left alone, so that a range may hold a while
//! in which the endpoint was enabled.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::book::{Book, Made};
use super::endpoint::Endpoint;
use super::engine::Deliveries;
use super::fanout::{MOST_BYTES, MOST_CHANGES, deliveries};
use crate::clock::Timestamp;
use crate::id::EndpointId;
use crate::limit::pace::Pace;
use crate::record::change::Change;
use crate::record::cursor::Cursor;
use crate::store::StoreError;
use crate::store::due::{Lane, NewDue};
use crate::store::jobs::{Claimed, Progress, Then};
use crate::store::missed::Page;

/// Deliveries of one step, but that those of one change are not parted.
const MOST_DUE: i64 = 1_000;
/// Before it is looked again whether the endpoint has room.
const PAUSE: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// `webhook` names the same in the API's other places.
    #[serde(alias = "webhook")]
    endpoint: EndpointId,
    /// How many are due in a minute, at most.
    per_minute: Option<Pace>,
}

/// What a job's row keeps: the range as it stood when the job was made.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    endpoint: EndpointId,
    /// Behind the first cursor, up to the second.
    from: String,
    to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_minute: Option<Pace>,
    /// Changes of the range that were not kept any more: nothing can be sent of them.
    changes_gone: i64,
}

/// Deliveries that a job would make, and what it would leave alone.
#[derive(Debug)]
pub struct Count {
    pub spec: Spec,
    pub total: i64,
    pub skipped: i64,
}

/// Why there is nothing to do for a job, or no more.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error("there is no webhook of this id")]
    Unknown,
    #[error("the webhook is disabled: enable it, then ask for what it has missed")]
    Disabled,
    #[error("the webhook has missed nothing")]
    NothingMissed,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Where a page of the log begins and where the range ends.
type Range = (i64, i64);

/// What a page of the log comes to, and up to which change.
struct Owed {
    due: Vec<NewDue>,
    renderings: HashMap<String, Arc<Made>>,
    to: i64,
}

impl Deliveries {
    /// Counts by going over the log; writes nothing.
    pub async fn count_missed(&self, asked: Asked, now: Timestamp) -> Result<Count, Stopped> {
        let book = self.book_in_force().await?;
        let endpoint = enabled(&book, asked.endpoint)?;
        let stored = self.store.endpoints().await?.all.into_iter().find(|stored| stored.id == endpoint.id);
        let range = stored.and_then(|stored| stored.missed).and_then(|(from, to)| Some((from, to?)));
        let (from, to) = range.filter(|(from, to)| from < to).ok_or(Stopped::NothingMissed)?;
        let start = self.store.log_start().await?;
        let gone = start.clamp(from, to) - from;
        let (mut at, mut total, mut skipped) = (from.max(start), 0, gone);
        while at < to {
            let owed = self.owed((at, to), (&book, endpoint), i64::MAX, now).await?;
            let made_before = self.store.made_before(&owed.due).await?;
            total += count(owed.due.len()) - made_before;
            skipped += made_before;
            at = owed.to;
        }
        let (from, to) = (Cursor(from).to_string(), Cursor(to).to_string());
        let spec = Spec { endpoint: endpoint.id, from, to, per_minute: asked.per_minute, changes_gone: gone };
        Ok(Count { spec, total, skipped })
    }

    /// The next step of such a job. Answers nothing when the job is someone else's or has ended.
    pub async fn deliver_missed(&self, job: &Claimed, now: Timestamp) -> Result<Option<Progress>, Stopped> {
        let spec: Spec = serde_json::from_str(&job.job.spec)
            .map_err(|error| StoreError::Corrupt(format!("the job's spec: {error}")))?;
        let begin = if job.job.cursor.is_empty() { &spec.from } else { &job.job.cursor };
        let (from, to) = (number(begin)?, number(&spec.to)?);
        let book = self.book_in_force().await?;
        let endpoint = enabled(&book, spec.endpoint)?;
        if self.store.is_crowded(endpoint.id).await? {
            let progress = Progress::none(job, now.after(PAUSE));
            let held = self.store.advance_job(job, &progress, now).await?;
            return Ok(held.then_some(progress));
        }
        let most = spec.per_minute.map_or(MOST_DUE, |pace| pace.a_second().min(MOST_DUE));
        let owed = self.owed((from, to), (&book, endpoint), most, now).await?;
        // Asked when all was read: what has gone since was still seen.
        let start = self.store.log_start().await?.min(to);
        let page = if start > from {
            Page { endpoint: endpoint.id, due: Vec::new(), gone: start - from, to: start }
        } else {
            self.keep(&owed.renderings.into_values().collect::<Vec<_>>()).await?;
            Page { endpoint: endpoint.id, due: owed.due, gone: 0, to: owed.to }
        };
        let is_last = page.to >= to;
        let pace = |done| spec.per_minute.map_or(now, |pace| pace.after(done, now));
        let then = |done| if is_last { Then::Finished } else { Then::Next(pace(done)) };
        let progress = self.store.make_missed(job, page, then, now).await?;
        self.more();
        Ok(progress)
    }

    /// # Errors
    /// [`StoreError::Conflict`] while it is not known here yet how the endpoints stand.
    async fn book_in_force(&self) -> Result<Arc<Book>, StoreError> {
        let book = self.book();
        if self.store.fanned_out().await?.1 == book.epoch { Ok(book) } else { Err(self.is_outdated()) }
    }

    fn is_outdated(&self) -> StoreError {
        self.outdated.notify_one();
        StoreError::Conflict
    }

    async fn owed(
        &self,
        (from, to): Range,
        (book, endpoint): (&Book, &Endpoint),
        most: i64,
        now: Timestamp,
    ) -> Result<Owed, StoreError> {
        let changes = self.store.changes_above(from, MOST_CHANGES, MOST_BYTES).await?;
        if !changes.iter().all(|change| change.seq > to || book.is_up_to_date(change)) {
            return Err(self.is_outdated());
        }
        Ok(owed(changes, to, (book, endpoint), most, now))
    }
}

/// Up to the end of the range where the changes reach it.
fn owed(changes: Vec<Change>, to: i64, (book, endpoint): (&Book, &Endpoint), most: i64, now: Timestamp) -> Owed {
    let mut owed = Owed { due: Vec::new(), renderings: HashMap::new(), to };
    for change in changes.into_iter().take_while(|change| change.seq <= to) {
        owed.to = change.seq;
        for (mut due, made) in deliveries(book, &change, |other| other.id == endpoint.id) {
            due.lane = Lane::Resend;
            owed.renderings.insert(made.id.clone(), made);
            owed.due.push(NewDue { due, run_at: now });
        }
        if count(owed.due.len()) >= most {
            break;
        }
    }
    owed
}

fn enabled(book: &Book, id: EndpointId) -> Result<&Endpoint, Stopped> {
    let endpoint = book.endpoint(id).ok_or(Stopped::Unknown)?;
    if endpoint.enabled { Ok(endpoint) } else { Err(Stopped::Disabled) }
}

fn number(cursor: &str) -> Result<i64, StoreError> {
    let read = cursor.parse::<Cursor>();
    read.map(|cursor| cursor.0).map_err(|_| StoreError::Corrupt("the job's cursor".to_owned()))
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
