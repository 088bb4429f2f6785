//! What is owed to endpoints: made from the log, claimed under a lease, put off, sent again.

use std::collections::HashSet;

use super::dialect::{Dialect, Type};
use super::heartbeat::GONE_AFTER;
use super::rows::{Cell, Rows, Statement};
use super::{Store, StoreError, Tx, acquire, begin_batch, begin_look, on};
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EndpointId, ReplicaId};

/// Which of an endpoint's deliveries: each kind has its share of the attempts, so that none starves another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    Fresh,
    Retry,
    Resend,
}

impl Lane {
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Retry, Self::Resend];

    pub(super) fn number(self) -> i64 {
        match self {
            Self::Fresh => 0,
            Self::Retry => 1,
            Self::Resend => 2,
        }
    }

    fn find(number: i64) -> Self {
        Self::ALL.into_iter().find(|lane| lane.number() == number).unwrap_or(Self::Resend)
    }
}

/// One event of one change that is owed to one endpoint.
#[derive(Clone, Debug)]
pub struct Due {
    pub id: DeliveryId,
    pub endpoint: EndpointId,
    pub seq: i64,
    /// Which of the change's events.
    pub part: i64,
    pub event: String,
    /// As the change has it: empty for an event of the gateway itself.
    pub module: String,
    pub record: String,
    /// Address of the document that its body is made by.
    pub rendering: String,
    /// Not before an earlier one of the same record and endpoint is settled.
    pub ordered: bool,
    pub lane: Lane,
    /// So far.
    pub attempts: u32,
    /// How many of them were before it was sent again: its schedule begins there.
    pub retried_from: u32,
    /// Who sends it: it may be settled under this name only.
    pub claim: Option<String>,
    pub created_at: Timestamp,
}

/// A delivery to be, with the end of its lease if it is claimed at once.
#[derive(Clone, Debug)]
pub struct NewDue {
    pub due: Due,
    pub run_at: Timestamp,
}

/// How many to claim of an endpoint's lane.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    pub endpoint: EndpointId,
    pub lane: Lane,
    pub most: usize,
}

/// What came of making deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    Done,
    /// Someone else made them, or the endpoints have changed.
    Outdated,
}

const COLUMNS: [(&str, Type); 15] = [
    ("id", Type::Text),
    ("endpoint_id", Type::Text),
    ("seq", Type::Integer),
    ("part", Type::Integer),
    ("type", Type::Text),
    ("module_id", Type::Text),
    ("record_id", Type::Text),
    ("rendering", Type::Text),
    ("ordered", Type::Integer),
    ("lane", Type::Integer),
    ("attempts", Type::Integer),
    ("retried_from", Type::Integer),
    ("run_at", Type::Integer),
    ("claim", Type::Text),
    ("created_at", Type::Integer),
];

/// Statements made once.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    insert: Statement,
    predecessors: Statement,
    ready: Statement,
    claim: Option<Statement>,
    give_back: Statement,
}

impl Statements {
    pub fn new(dialect: Dialect) -> Self {
        let names = COLUMNS.map(|(name, _)| name).join(", ");
        let sent = COLUMNS.map(|(name, _)| format!("r.{name}")).join(", ");
        let insert = Statement::new(dialect, &COLUMNS, |rows, _| {
            format!("INSERT INTO due ({names}) SELECT {sent} FROM {rows} WHERE true ON CONFLICT (id) DO NOTHING")
        });
        let of_record = [("endpoint_id", Type::Text), ("record_id", Type::Text)];
        // Held until the commit: one that is being settled is waited for, and then is not found.
        let lock = dialect.for_share_of("d");
        let predecessors = Statement::new(dialect, &of_record, |rows, _| {
            format!(
                "SELECT d.endpoint_id, d.record_id FROM {rows} CROSS JOIN due d WHERE d.ordered = 1 \
                 AND d.endpoint_id = r.endpoint_id AND d.record_id = r.record_id{lock}"
            )
        });
        let claimed = [("id", Type::Text), ("claim", Type::Text), ("now", Type::Integer)];
        let give_back = Statement::new(dialect, &claimed, |rows, _| {
            format!(
                "UPDATE due AS t SET claim = NULL, run_at = r.now FROM {rows} WHERE t.id = r.id AND t.claim = r.claim"
            )
        });
        let picked = [("place", Type::Integer), ("endpoint_id", Type::Text), ("lane", Type::Integer)];
        let ready = Statement::new(dialect, &picked, |rows, now| {
            format!(
                "SELECT r.place FROM {rows} WHERE (SELECT min(d.run_at) FROM due d WHERE d.endpoint_id = r.endpoint_id \
                 AND d.lane = r.lane) <= {now}"
            )
        });
        Self { insert, predecessors, ready, claim: dialect.claims_in_one().then(|| claim(dialect)), give_back }
    }
}

/// `r.claim` and `r.until` are the same in each row.
fn claim(dialect: Dialect) -> Statement {
    let columns = [
        ("endpoint_id", Type::Text),
        ("lane", Type::Integer),
        ("most", Type::Integer),
        ("claim", Type::Text),
        ("until", Type::Integer),
    ];
    let names = COLUMNS.map(|(name, _)| format!("t.{name}")).join(", ");
    Statement::new(dialect, &columns, |rows, now| {
        format!(
            "WITH picked AS MATERIALIZED (SELECT p.id, r.claim, r.until FROM {rows} CROSS JOIN LATERAL \
             (SELECT d.id FROM due d WHERE d.endpoint_id = r.endpoint_id AND d.lane = r.lane AND d.run_at <= {now} \
             ORDER BY d.run_at LIMIT r.most FOR UPDATE SKIP LOCKED) p) \
             UPDATE due AS t SET claim = picked.claim, run_at = picked.until FROM picked WHERE t.id = picked.id \
             RETURNING {names}"
        )
    })
}

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    endpoint_id: String,
    seq: i64,
    part: i64,
    #[sqlx(rename = "type")]
    event: String,
    module_id: String,
    record_id: String,
    rendering: String,
    ordered: i64,
    lane: i64,
    attempts: i64,
    retried_from: i64,
    claim: Option<String>,
    created_at: i64,
}

impl Columns {
    fn read(self) -> Result<Due, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the delivery {}", self.id));
        let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        Ok(Due {
            id: self.id.parse().map_err(|_| corrupt())?,
            endpoint: self.endpoint_id.parse().map_err(|_| corrupt())?,
            seq: self.seq,
            part: self.part,
            event: self.event,
            module: self.module_id,
            record: self.record_id,
            rendering: self.rendering,
            ordered: self.ordered == 1,
            lane: Lane::find(self.lane),
            attempts: count(self.attempts),
            retried_from: count(self.retried_from),
            claim: self.claim,
            created_at: Timestamp::from_micros(self.created_at).unwrap_or_default(),
        })
    }
}

impl NewDue {
    fn cells(&self, blocked: bool) -> [Cell<'_>; COLUMNS.len()] {
        let due = &self.due;
        [
            due.id.to_string().into(),
            due.endpoint.to_string().into(),
            due.seq.into(),
            due.part.into(),
            due.event.as_str().into(),
            due.module.as_str().into(),
            due.record.as_str().into(),
            due.rendering.as_str().into(),
            i64::from(due.ordered).into(),
            due.lane.number().into(),
            i64::from(due.attempts).into(),
            i64::from(due.retried_from).into(),
            (!blocked).then(|| self.run_at.micros()).into(),
            due.claim.as_deref().into(),
            due.created_at.micros().into(),
        ]
    }
}

impl Store {
    /// Where the making of deliveries stands, and the epoch of the endpoints.
    pub async fn fanned_out(&self) -> Result<(i64, i64), StoreError> {
        let text = "SELECT seq, epoch FROM fanout";
        Ok(on!(&self.read, pool => sqlx::query_as(text).fetch_one(pool).await)?)
    }

    /// Documents that bodies are made by. One that is there stays.
    pub async fn keep_renderings(&self, documents: &[(String, String)]) -> Result<(), StoreError> {
        let text = "INSERT INTO renderings (id, document) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";
        for (id, document) in documents {
            on!(&self.write, pool => sqlx::query(text).bind(id).bind(document).execute(pool).await.map(|_| ()))?;
        }
        Ok(())
    }

    pub async fn rendering(&self, id: &str) -> Result<Option<String>, StoreError> {
        let text = "SELECT document FROM renderings WHERE id = $1";
        Ok(on!(&self.read, pool => sqlx::query_scalar(text).bind(id).fetch_optional(pool).await)?)
    }

    /// Writes the deliveries of the changes above `from` up to `to`, if these were not made yet and the endpoints are
    /// still those of `epoch`. Of a record's deliveries that keep their order, only the first of all may be sent.
    pub async fn make_due(&self, (from, to): (i64, i64), epoch: i64, owed: &[NewDue]) -> Result<Made, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin_batch(&mut conn, self.dialect.begin_movers()).await?;
        let text = "UPDATE fanout SET seq = $1 WHERE one = 1 AND seq = $2 AND epoch = $3";
        let moved = on!(&mut tx, tx => sqlx::query(text).bind(to).bind(from).bind(epoch)
            .execute(&mut **tx).await?.rows_affected());
        if moved == 0 {
            return Ok(Made::Outdated);
        }
        self.insert_due(&mut tx, owed).await?;
        super::commit(tx).await?;
        Ok(Made::Done)
    }

    /// Says how many were not there before.
    pub(super) async fn insert_due(&self, tx: &mut Tx<'_>, owed: &[NewDue]) -> Result<u64, StoreError> {
        let mut waits_for = self.predecessors(tx, owed).await?;
        let mut rows = Rows::new(COLUMNS.len(), owed.len());
        for new in owed {
            let key = || (new.due.endpoint.to_string(), new.due.record.clone());
            let blocked = new.due.ordered && !waits_for.insert(key());
            rows.push(new.cells(blocked));
        }
        if rows.is_empty() {
            return Ok(0);
        }
        Ok(self.due.insert.execute(tx, &rows).await?)
    }

    /// Endpoints and records of which something is still owed in order.
    async fn predecessors(&self, tx: &mut Tx<'_>, owed: &[NewDue]) -> Result<HashSet<(String, String)>, StoreError> {
        let ordered = owed.iter().filter(|new| new.due.ordered);
        let mut of = ordered.map(|new| (new.due.endpoint.to_string(), &*new.due.record)).collect::<Vec<_>>();
        of.sort_unstable();
        of.dedup();
        if of.is_empty() {
            return Ok(HashSet::new());
        }
        let mut rows = Rows::new(2, of.len());
        of.into_iter().for_each(|(endpoint, record)| rows.push([endpoint.into(), record.into()]));
        let found: Vec<(String, String)> = self.due.predecessors.fetch(tx, &rows, None).await?;
        Ok(found.into_iter().collect())
    }

    /// Which of these have something that may be sent now. Takes no lock.
    pub async fn ready(&self, picks: Vec<Pick>, now: Timestamp) -> Result<Vec<Pick>, StoreError> {
        let mut rows = Rows::new(3, picks.len());
        for (place, pick) in (0i64..).zip(&picks) {
            rows.push([place.into(), pick.endpoint.to_string().into(), pick.lane.number().into()]);
        }
        let mut conn = acquire(&self.read).await?;
        let mut tx = begin_look(&mut conn, self.dialect.begin_look()).await?;
        let found: Vec<(i64,)> = self.due.ready.fetch(&mut tx, &rows, Some(now.micros())).await?;
        super::commit(tx).await?;
        let ready = found.into_iter().map(|(place,)| place).collect::<HashSet<_>>();
        let picks = (0i64..).zip(picks).filter(|(place, _)| ready.contains(place));
        Ok(picks.map(|(_, pick)| pick).collect())
    }

    /// Claims what may be sent now, until the lease ends.
    pub async fn claim(
        &self,
        picks: &[Pick],
        claim: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<Vec<Due>, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin_batch(&mut conn, self.dialect.begin_movers()).await?;
        let found: Vec<Columns> = match &self.due.claim {
            Some(statement) => {
                let mut rows = Rows::new(5, picks.len());
                for pick in picks {
                    let most = i64::try_from(pick.most).unwrap_or(i64::MAX);
                    let (endpoint, lane) = (pick.endpoint.to_string(), pick.lane.number());
                    rows.push([endpoint.into(), lane.into(), most.into(), claim.into(), until.micros().into()]);
                }
                statement.fetch(&mut tx, &rows, Some(now.micros())).await?
            }
            None => claim_each(&mut tx, picks, claim, (now, until)).await?,
        };
        super::commit(tx).await?;
        found.into_iter().map(Columns::read).collect()
    }

    /// Gives back what was claimed and not sent.
    pub async fn give_back(&self, claimed: &[Due], now: Timestamp) -> Result<(), StoreError> {
        if claimed.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::new(3, claimed.len());
        for due in claimed {
            rows.push([
                due.id.to_string().into(),
                due.claim.as_deref().unwrap_or_default().into(),
                now.micros().into(),
            ]);
        }
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin_batch(&mut conn, self.dialect.begin_movers()).await?;
        self.due.give_back.execute(&mut tx, &rows).await?;
        Ok(super::commit(tx).await?)
    }

    /// Leases of replicas that are gone end now: theirs is whoever takes it. Says how many.
    pub async fn end_leases(&self, live: &[ReplicaId], now: Timestamp) -> Result<u64, StoreError> {
        let live = serde_json::to_string(live).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let among = self.dialect.among("substr(claim, 1, 30)");
        // One that has begun since they were looked at is not gone.
        let text = super::dialect::sql(format!(
            "UPDATE due SET claim = NULL, run_at = $2 WHERE claim IS NOT NULL AND NOT ({among}) \
             AND substr(claim, 1, 30) NOT IN (SELECT id FROM replicas WHERE seen_at >= $3)"
        ));
        let since = now.micros() - i64::try_from(GONE_AFTER.as_micros()).unwrap_or(0);
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin_batch(&mut conn, self.dialect.begin_movers()).await?;
        let ended = on!(&mut tx, tx => sqlx::query(text).bind(live).bind(now.micros()).bind(since)
            .execute(&mut **tx).await?.rows_affected());
        super::commit(tx).await?;
        Ok(ended)
    }

    /// What is owed and when the oldest of it could have been sent; and how many changes wait for their deliveries.
    pub async fn backlog(&self) -> Result<Backlog, StoreError> {
        let text = "SELECT count(*), min(run_at), coalesce((SELECT max(seq) FROM changes) - (SELECT seq FROM fanout), 0) \
            FROM due";
        let mut conn = acquire(&self.read).await?;
        let mut tx = begin_look(&mut conn, self.dialect.begin_look()).await?;
        let (due, oldest, lag): (i64, Option<i64>, i64) =
            on!(&mut tx, tx => sqlx::query_as(text).fetch_one(&mut **tx).await)?;
        super::commit(tx).await?;
        Ok(Backlog { due, oldest: oldest.and_then(Timestamp::from_micros), lag })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    pub due: i64,
    pub oldest: Option<Timestamp>,
    /// Changes of which no deliveries were made yet.
    pub lag: i64,
}

/// A statement for each pick.
async fn claim_each(
    tx: &mut Tx<'_>,
    picks: &[Pick],
    claim: &str,
    (now, until): (Timestamp, Timestamp),
) -> Result<Vec<Columns>, sqlx::Error> {
    let text = "UPDATE due SET claim = $1, run_at = $2 WHERE id IN (SELECT id FROM due WHERE endpoint_id = $3 AND lane = $4 \
        AND run_at <= $5 ORDER BY run_at LIMIT $6) RETURNING id, endpoint_id, seq, part, type, module_id, record_id, \
        rendering, ordered, lane, attempts, retried_from, claim, created_at";
    let mut found = Vec::new();
    for pick in picks {
        let most = i64::try_from(pick.most).unwrap_or(i64::MAX);
        let (endpoint, lane) = (pick.endpoint.to_string(), pick.lane.number());
        let mut rows: Vec<Columns> = on!(&mut *tx, tx => sqlx::query_as(text).bind(claim).bind(until.micros())
            .bind(endpoint).bind(lane).bind(now.micros()).bind(most).fetch_all(&mut **tx).await)?;
        found.append(&mut rows);
    }
    Ok(found)
}
