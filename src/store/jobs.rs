//! Long work: what is asked for, who does it, and how far it has come. What a step writes and how far it brings its job
//! are one transaction, under the claim of whoever does it: no step is done twice, and none is left out.

use std::time::Duration;

use super::dialect::sql;
use super::plan::Step;
use super::{Either, Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::{JobId, ReplicaId};

/// How long a job stays with who has taken it, after its last step or after the next one is due.
pub const LEASE: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct StoredJob {
    pub id: JobId,
    pub kind: String,
    /// A JSON object, as the kind wrote it.
    pub spec: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    pub state: String,
    /// How many things there were to do when it was made.
    pub total: i64,
    pub done: i64,
    /// Looked at and left alone.
    pub skipped: i64,
    /// Where the next step begins; empty at the start.
    pub cursor: String,
    pub error: Option<String>,
    pub actor: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// A job to be.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub id: JobId,
    pub kind: &'a str,
    pub spec: &'a str,
    pub total: i64,
    pub actor: &'a str,
}

/// A job, and the name under which its steps are written.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub job: StoredJob,
    pub claim: String,
}

/// How far one step brings a job.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Beyond what was done before.
    pub done: i64,
    pub skipped: i64,
    pub cursor: String,
    pub then: Then,
}

impl Progress {
    /// Nothing is done before that time.
    pub fn none(job: &Claimed, until: Timestamp) -> Self {
        Self { done: 0, skipped: 0, cursor: job.job.cursor.clone(), then: Then::Next(until) }
    }
}

/// What follows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The next step, not before that time.
    Next(Timestamp),
    Finished,
}

/// What came of asking for an end.
#[derive(Clone, Debug)]
pub enum Cancelled {
    Now(StoredJob),
    /// It had ended before.
    TooLate(StoredJob),
    Unknown,
}

const COLUMNS: &str =
    "id, kind, spec, state, total, done, skipped, cursor, error, actor, created_at, updated_at, finished_at";

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    kind: String,
    spec: String,
    state: String,
    total: i64,
    done: i64,
    skipped: i64,
    cursor: String,
    error: Option<String>,
    actor: String,
    created_at: i64,
    updated_at: i64,
    finished_at: Option<i64>,
}

impl Columns {
    fn read(self) -> Result<StoredJob, StoreError> {
        Ok(StoredJob {
            id: self.id.parse().map_err(|_| StoreError::Corrupt(format!("the job {}", self.id)))?,
            kind: self.kind,
            spec: self.spec,
            state: self.state,
            total: self.total,
            done: self.done,
            skipped: self.skipped,
            cursor: self.cursor,
            error: self.error,
            actor: self.actor,
            created_at: Timestamp::from_micros(self.created_at).unwrap_or_default(),
            updated_at: Timestamp::from_micros(self.updated_at).unwrap_or_default(),
            finished_at: self.finished_at.and_then(Timestamp::from_micros),
        })
    }
}

impl Store {
    /// With its row of the audit log.
    pub async fn add_job(&self, job: &NewJob<'_>, audit: &Step, now: Timestamp) -> Result<StoredJob, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let text = sql(format!(
            "INSERT INTO jobs (id, kind, spec, state, total, done, skipped, cursor, actor, created_at, updated_at) \
             VALUES ($1, $2, $3, 'queued', $4, 0, 0, '', $5, $6, $6) RETURNING {COLUMNS}"
        ));
        let row: Columns = on!(&mut tx, tx => sqlx::query_as(text).bind(job.id.to_string()).bind(job.kind).bind(job.spec)
            .bind(job.total).bind(job.actor).bind(now.micros()).fetch_one(&mut **tx).await)?;
        self.step(&mut tx, audit, now.micros()).await?;
        super::commit(tx).await?;
        row.read()
    }

    /// Newest first, before an id when one is given.
    pub async fn jobs(&self, before: Option<JobId>, limit: i64) -> Result<Vec<StoredJob>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} FROM jobs WHERE id < $1 ORDER BY id DESC LIMIT $2"));
        // Sorts after every id.
        let before = before.map_or_else(|| "job_~".to_owned(), |before| before.to_string());
        let rows: Vec<Columns> =
            on!(&self.read, pool => sqlx::query_as(text).bind(before).bind(limit).fetch_all(pool).await)?;
        rows.into_iter().map(Columns::read).collect()
    }

    pub async fn job(&self, id: JobId) -> Result<Option<StoredJob>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} FROM jobs WHERE id = $1"));
        let row: Option<Columns> =
            on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?;
        row.map(Columns::read).transpose()
    }

    /// Ends a job: a step that is under way is not written any more.
    pub async fn cancel_job(&self, id: JobId, audit: &Step, now: Timestamp) -> Result<Cancelled, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let text = sql(format!(
            "UPDATE jobs SET state = 'cancelled', claim = NULL, lease_until = NULL, updated_at = $2, finished_at = $2 \
             WHERE id = $1 AND state IN ('queued', 'running') RETURNING {COLUMNS}"
        ));
        let row: Option<Columns> = on!(&mut tx, tx => sqlx::query_as(text).bind(id.to_string()).bind(now.micros())
            .fetch_optional(&mut **tx).await)?;
        let Some(row) = row else {
            drop(tx);
            return Ok(self.job(id).await?.map_or(Cancelled::Unknown, Cancelled::TooLate));
        };
        self.step(&mut tx, audit, now.micros()).await?;
        super::commit(tx).await?;
        row.read().map(Cancelled::Now)
    }

    /// Takes the oldest job of these kinds that nobody does, until the lease ends.
    pub async fn take_job(&self, kinds: &[&str], claim: &str, now: Timestamp) -> Result<Option<Claimed>, StoreError> {
        let kinds = serde_json::to_string(kinds).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let open = format!(
            "SELECT id FROM jobs WHERE state IN ('queued', 'running') AND {} \
             AND (lease_until IS NULL OR lease_until <= $2) ORDER BY id LIMIT 1",
            self.dialect.among("kind")
        );
        // Looked for without a lock first: mostly there is none.
        let text = sql(open.clone());
        let found: Option<String> = on!(&self.read, pool => sqlx::query_scalar(text).bind(&kinds).bind(now.micros()).fetch_optional(pool).await)?;
        if found.is_none() {
            return Ok(None);
        }
        let text = sql(format!(
            "UPDATE jobs SET state = 'running', claim = $3, lease_until = $4, updated_at = $2 \
             WHERE id = ({open}{}) RETURNING {COLUMNS}",
            self.dialect.skip_locked()
        ));
        let until = now.after(LEASE).micros();
        let row: Option<Columns> = on!(&self.write, pool => sqlx::query_as(text).bind(kinds).bind(now.micros())
            .bind(claim).bind(until).fetch_optional(pool).await)?;
        row.map(|row| Ok(Claimed { job: row.read()?, claim: claim.to_owned() })).transpose()
    }

    /// Whoever holds the database's only gateway holds no job yet: what was claimed before may be taken at once. Where
    /// there are replicas, leases run out.
    pub async fn free_jobs(&self, own: ReplicaId) -> Result<(), StoreError> {
        let Either::Sqlite(pool) = &self.write else { return Ok(()) };
        let text =
            "UPDATE jobs SET claim = NULL, lease_until = NULL WHERE claim IS NOT NULL AND substr(claim, 1, 30) <> $1";
        sqlx::query(text).bind(own.to_string()).execute(pool).await?;
        Ok(())
    }

    /// Gives a job back; its next step is due then.
    pub async fn release_job(&self, job: &Claimed, next: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let text = "UPDATE jobs SET claim = NULL, lease_until = $3, updated_at = $4 WHERE id = $1 AND claim = $2";
        on!(&self.write, pool => sqlx::query(text).bind(job.job.id.to_string()).bind(&job.claim).bind(next.micros())
            .bind(now.micros()).execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    /// The job cannot go on.
    pub async fn fail_job(&self, job: &Claimed, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        let text = "UPDATE jobs SET state = 'failed', error = $3, claim = NULL, lease_until = NULL, updated_at = $4, \
            finished_at = $4 WHERE id = $1 AND claim = $2 AND state = 'running'";
        on!(&self.write, pool => sqlx::query(text).bind(job.job.id.to_string()).bind(&job.claim).bind(reason)
            .bind(now.micros()).execute(pool).await.map(|_| ()))?;
        Ok(())
    }

    /// A step that writes nothing else. `false`: the job is someone else's, or has ended.
    pub async fn advance_job(&self, job: &Claimed, progress: &Progress, now: Timestamp) -> Result<bool, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let held = advance(&mut tx, job, progress, now).await?;
        super::commit(tx).await?;
        Ok(held)
    }
}

/// Part of the transaction that does the step, which is to be rolled back when this says `false`: the job is someone
/// else's, or has ended.
pub(super) async fn advance(
    tx: &mut Tx<'_>,
    job: &Claimed,
    progress: &Progress,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let (state, claim, lease, finished) = match progress.then {
        Then::Next(at) => ("running", Some(&job.claim), Some(at.max(now).after(LEASE).micros()), None),
        Then::Finished => ("done", None, None, Some(now.micros())),
    };
    let text = "UPDATE jobs SET done = done + $3, skipped = skipped + $4, cursor = $5, state = $6, claim = $7, \
        lease_until = $8, finished_at = $9, updated_at = $10 WHERE id = $1 AND claim = $2 AND state = 'running'";
    let moved = on!(tx, tx => sqlx::query(text).bind(job.job.id.to_string()).bind(&job.claim).bind(progress.done)
        .bind(progress.skipped).bind(&progress.cursor).bind(state).bind(claim).bind(lease).bind(finished)
        .bind(now.micros()).execute(&mut **tx).await?.rows_affected());
    Ok(moved == 1)
}
