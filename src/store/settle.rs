//! What became of deliveries: attempts, what is settled for good, what is tried again, and how endpoints fare.

use std::collections::HashSet;

use bytes::Bytes;

use super::dialect::{Dialect, Type};
use super::due::{Due, Lane};
use super::rows::{Cell, Rows, Statement};
use super::{Store, StoreError, Tx, acquire, begin_batch, on};
use crate::clock::Timestamp;
use crate::id::{AttemptId, EndpointId};

/// One try, as the history keeps it.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    pub id: AttemptId,
    /// From 1.
    pub number: u32,
    pub at: Timestamp,
    pub url: String,
    /// A JSON object; custom headers by name only.
    pub request_headers: String,
    /// The first bytes of it, and how many there were.
    pub request_body: Bytes,
    pub request_size: usize,
    pub address: Option<String>,
    pub status: Option<u16>,
    pub response_headers: Option<String>,
    pub response_body: Option<Bytes>,
    /// A class of errors, and what may be said of this one.
    pub error: Option<(&'static str, String)>,
    /// Microseconds.
    pub dns: Option<i64>,
    pub connect: Option<i64>,
    pub tls: Option<i64>,
    pub first_byte: Option<i64>,
    pub total: i64,
}

/// What an attempt means for its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Delivered,
    /// No more tries.
    Failed,
    Again(Timestamp),
}

#[derive(Clone, Debug)]
pub struct Settled {
    pub due: Due,
    pub attempt: NewAttempt,
    pub fate: Fate,
    /// It was answered that the endpoint is no more.
    pub gone: bool,
}

/// How an endpoint fared before this batch, of those that met a failure in it.
#[derive(Clone, Debug)]
pub struct Failing {
    pub endpoint: EndpointId,
    /// Since the last delivered one.
    pub since: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// A delivery was given up in this batch.
    pub gave_up: bool,
}

const ATTEMPT: [(&str, Type); 21] = [
    ("id", Type::Text),
    ("delivery_id", Type::Text),
    ("endpoint_id", Type::Text),
    ("number", Type::Integer),
    ("at", Type::Integer),
    ("url", Type::Text),
    ("request_headers", Type::Text),
    ("request_body", Type::Bytes),
    ("request_size", Type::Integer),
    ("address", Type::Text),
    ("status", Type::Integer),
    ("response_headers", Type::Text),
    ("response_body", Type::Bytes),
    ("error", Type::Text),
    ("detail", Type::Text),
    ("dns_us", Type::Integer),
    ("connect_us", Type::Integer),
    ("tls_us", Type::Integer),
    ("first_byte_us", Type::Integer),
    ("total_us", Type::Integer),
    ("next_at", Type::Integer),
];

const DELIVERY: [(&str, Type); 14] = [
    ("id", Type::Text),
    ("endpoint_id", Type::Text),
    ("seq", Type::Integer),
    ("part", Type::Integer),
    ("type", Type::Text),
    ("module_id", Type::Text),
    ("record_id", Type::Text),
    ("rendering", Type::Text),
    ("state", Type::Text),
    ("attempts", Type::Integer),
    ("status", Type::Integer),
    ("error", Type::Text),
    ("created_at", Type::Integer),
    ("settled_at", Type::Integer),
];

#[derive(Clone, Debug)]
pub(super) struct Statements {
    attempts: Statement,
    settle: Statement,
    deliveries: Statement,
    again: Statement,
    release: Statement,
    fine: Statement,
    fared: Statement,
    failed: Statement,
}

impl Statements {
    pub fn new(dialect: Dialect) -> Self {
        let claimed = [("id", Type::Text), ("claim", Type::Text)];
        let of_record = [("endpoint_id", Type::Text), ("record_id", Type::Text), ("now", Type::Integer)];
        let again = [
            ("id", Type::Text),
            ("claim", Type::Text),
            ("run_at", Type::Integer),
            ("attempts", Type::Integer),
            ("lane", Type::Integer),
        ];
        let endpoint = [("id", Type::Text)];
        let at = [("id", Type::Text), ("now", Type::Integer)];
        Self {
            attempts: insert(dialect, "attempts", &ATTEMPT, "ON CONFLICT DO NOTHING"),
            settle: Statement::new(dialect, &claimed, |rows, _| {
                format!("DELETE FROM due WHERE (id, claim) IN (SELECT r.id, r.claim FROM {rows}) RETURNING id")
            }),
            // One that was sent again is there already.
            deliveries: insert(
                dialect,
                "deliveries",
                &DELIVERY,
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, \
                 status = excluded.status, error = excluded.error, settled_at = excluded.settled_at",
            ),
            again: Statement::new(dialect, &again, |rows, _| {
                format!(
                    "UPDATE due AS t SET run_at = r.run_at, claim = NULL, attempts = r.attempts, lane = r.lane FROM {rows} \
                     WHERE t.id = r.id AND t.claim = r.claim"
                )
            }),
            release: Statement::new(dialect, &of_record, |rows, _| {
                format!(
                    "UPDATE due AS t SET run_at = f.now FROM (SELECT (SELECT d.id FROM due d WHERE d.ordered = 1 \
                     AND d.endpoint_id = r.endpoint_id AND d.record_id = r.record_id ORDER BY d.seq, d.part LIMIT 1) AS id, \
                     r.now FROM {rows}) AS f WHERE t.id = f.id AND t.run_at IS NULL"
                )
            }),
            fine: Statement::new(dialect, &endpoint, |rows, _| {
                format!(
                    "UPDATE endpoints SET failing_since = NULL, failed_at = NULL, told_at = NULL \
                     WHERE failing_since IS NOT NULL AND id IN (SELECT r.id FROM {rows})"
                )
            }),
            fared: Statement::new(dialect, &endpoint, |rows, _| {
                format!(
                    "SELECT e.id, e.failing_since, e.failed_at FROM {rows} CROSS JOIN endpoints e WHERE e.id = r.id"
                )
            }),
            failed: Statement::new(dialect, &at, |rows, _| {
                format!(
                    "UPDATE endpoints AS t SET failing_since = coalesce(t.failing_since, r.now), failed_at = r.now \
                     FROM {rows} WHERE t.id = r.id"
                )
            }),
        }
    }
}

fn insert(dialect: Dialect, table: &str, columns: &[(&str, Type)], conflict: &str) -> Statement {
    let names = columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let sent = columns.iter().map(|(name, kind)| dialect.sent(name, *kind)).collect::<Vec<_>>().join(", ");
    Statement::new(dialect, columns, |rows, _| {
        format!("INSERT INTO {table} ({names}) SELECT {sent} FROM {rows} WHERE true {conflict}")
    })
}

impl Settled {
    fn attempt(&self) -> [Cell<'_>; ATTEMPT.len()] {
        let attempt = &self.attempt;
        let next = if let Fate::Again(at) = self.fate { Some(at.micros()) } else { None };
        [
            attempt.id.to_string().into(),
            self.due.id.to_string().into(),
            self.due.endpoint.to_string().into(),
            i64::from(attempt.number).into(),
            attempt.at.micros().into(),
            attempt.url.as_str().into(),
            attempt.request_headers.as_str().into(),
            Cell::Bytes(&attempt.request_body),
            i64::try_from(attempt.request_size).unwrap_or(i64::MAX).into(),
            attempt.address.as_deref().into(),
            attempt.status.map(i64::from).into(),
            attempt.response_headers.as_deref().into(),
            attempt.response_body.as_deref().map_or(Cell::Null, Cell::Bytes),
            attempt.error.as_ref().map(|(class, _)| *class).into(),
            attempt.error.as_ref().map(|(_, detail)| &**detail).into(),
            attempt.dns.into(),
            attempt.connect.into(),
            attempt.tls.into(),
            attempt.first_byte.into(),
            attempt.total.into(),
            next.into(),
        ]
    }

    fn delivery(&self, now: Timestamp) -> [Cell<'_>; DELIVERY.len()] {
        let (due, attempt) = (&self.due, &self.attempt);
        [
            due.id.to_string().into(),
            due.endpoint.to_string().into(),
            due.seq.into(),
            due.part.into(),
            due.event.as_str().into(),
            due.module.as_str().into(),
            due.record.as_str().into(),
            due.rendering.as_str().into(),
            if self.fate == Fate::Delivered { "delivered" } else { "failed" }.into(),
            i64::from(attempt.number).into(),
            attempt.status.map(i64::from).into(),
            attempt.error.as_ref().map(|(class, _)| *class).into(),
            due.created_at.micros().into(),
            now.micros().into(),
        ]
    }

    fn claimed(&self) -> [Cell<'_>; 2] {
        [self.due.id.to_string().into(), self.due.claim.as_deref().unwrap_or_default().into()]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fared {
    Well,
    Badly,
}

/// Sorted, each once.
fn endpoints(settled: &[Settled], fared: Fared) -> Vec<EndpointId> {
    let is_of = |one: &&Settled| (one.fate == Fate::Delivered) == (fared == Fared::Well);
    let mut ids = settled.iter().filter(is_of).map(|one| one.due.endpoint).collect::<Vec<_>>();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Store {
    /// Writes what became of claimed deliveries, in one transaction. An attempt is kept whatever became of its claim;
    /// the delivery is only touched under it. Answers how those endpoints fared that met a failure.
    pub async fn settle(&self, settled: &[Settled], now: Timestamp) -> Result<Vec<Failing>, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin_batch(&mut conn, self.dialect.begin_settle()).await?;
        let mut attempts = Rows::new(ATTEMPT.len(), settled.len());
        settled.iter().for_each(|one| attempts.push(one.attempt()));
        self.settle.attempts.execute(&mut tx, &attempts).await?;
        self.finish(&mut tx, settled, now).await?;
        self.put_off(&mut tx, settled).await?;
        let failing = self.fare(&mut tx, settled, now).await?;
        super::commit(tx).await?;
        Ok(failing)
    }

    /// Those that are delivered or given up.
    async fn finish(&self, tx: &mut Tx<'_>, settled: &[Settled], now: Timestamp) -> Result<(), StoreError> {
        let finished = || settled.iter().filter(|one| !matches!(one.fate, Fate::Again(_)));
        let mut claimed = Rows::new(2, settled.len());
        finished().for_each(|one| claimed.push(one.claimed()));
        if claimed.is_empty() {
            return Ok(());
        }
        let gone: Vec<(String,)> = self.settle.settle.fetch(tx, &claimed, None).await?;
        let gone: HashSet<String> = gone.into_iter().map(|(id,)| id).collect();
        let (mut rows, mut records) = (Rows::new(DELIVERY.len(), gone.len()), Rows::new(3, 0));
        for one in finished().filter(|one| gone.contains(&one.due.id.to_string())) {
            rows.push(one.delivery(now));
            if one.due.ordered {
                let (endpoint, record) = (one.due.endpoint.to_string(), one.due.record.as_str());
                records.push([endpoint.into(), record.into(), now.micros().into()]);
            }
        }
        if !rows.is_empty() {
            self.settle.deliveries.execute(tx, &rows).await?;
        }
        if !records.is_empty() {
            self.settle.release.execute(tx, &records).await?;
        }
        Ok(())
    }

    /// Those that are tried again.
    async fn put_off(&self, tx: &mut Tx<'_>, settled: &[Settled]) -> Result<(), StoreError> {
        let mut rows = Rows::new(5, 0);
        for one in settled {
            let Fate::Again(at) = one.fate else { continue };
            let lane = if one.due.lane == Lane::Resend { Lane::Resend } else { Lane::Retry };
            let [id, claim] = one.claimed();
            rows.push([id, claim, at.micros().into(), i64::from(one.attempt.number).into(), lane.number().into()]);
        }
        if !rows.is_empty() {
            self.settle.again.execute(tx, &rows).await?;
        }
        Ok(())
    }

    async fn fare(&self, tx: &mut Tx<'_>, settled: &[Settled], now: Timestamp) -> Result<Vec<Failing>, StoreError> {
        let (fine, failed) = (endpoints(settled, Fared::Well), endpoints(settled, Fared::Badly));
        let rows = |ids: &[EndpointId]| {
            let mut rows = Rows::new(1, ids.len());
            ids.iter().for_each(|id| rows.push([id.to_string().into()]));
            rows
        };
        if !fine.is_empty() {
            self.settle.fine.execute(tx, &rows(&fine)).await?;
        }
        if failed.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<(String, Option<i64>, Option<i64>)> = self.settle.fared.fetch(tx, &rows(&failed), None).await?;
        let mut at = Rows::new(2, failed.len());
        failed.iter().for_each(|id| at.push([id.to_string().into(), now.micros().into()]));
        self.settle.failed.execute(tx, &at).await?;
        let gave_up = |id: EndpointId| settled.iter().any(|one| one.due.endpoint == id && one.fate == Fate::Failed);
        let read = |(id, since, last): (String, Option<i64>, Option<i64>)| {
            let endpoint = id.parse().ok()?;
            let time = |micros: Option<i64>| micros.and_then(Timestamp::from_micros);
            Some(Failing { endpoint, since: time(since), last: time(last), gave_up: gave_up(endpoint) })
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    /// Whether the operator is to be told that this endpoint fails: once until it fares well again.
    pub async fn tell_of_failing(&self, endpoint: EndpointId, now: Timestamp) -> Result<bool, StoreError> {
        let text = "UPDATE endpoints SET told_at = $2 WHERE id = $1 AND told_at IS NULL";
        let told = on!(&self.write, pool => sqlx::query(text).bind(endpoint.to_string()).bind(now.micros())
            .execute(pool).await?.rows_affected());
        Ok(told == 1)
    }
}
