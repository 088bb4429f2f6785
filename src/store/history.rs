//! Deliveries and their attempts, as they are looked at: what is due and what is settled, newest first.

use super::dialect::sql;
use super::{Store, StoreError, on};
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EndpointId};

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    Pending,
    /// A replica has it in hand.
    Sending,
    /// An earlier delivery of its record goes first.
    Waiting,
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Sending, Self::Waiting, Self::Delivered, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn find(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    fn is_settled(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed)
    }
}

#[derive(Clone, Debug)]
pub struct StoredDelivery {
    pub id: DeliveryId,
    pub endpoint: String,
    pub seq: i64,
    pub event: String,
    /// Empty for an event of the gateway itself.
    pub module: String,
    pub record: String,
    pub state: DeliveryState,
    pub attempts: i64,
    /// Of the last attempt.
    pub status: Option<i64>,
    pub error: Option<String>,
    pub created_at: Timestamp,
    /// When it may be sent next.
    pub next_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct StoredAttempt {
    pub number: i64,
    pub at: i64,
    pub url: String,
    pub request_headers: String,
    pub request_body: Vec<u8>,
    pub request_size: i64,
    pub address: Option<String>,
    pub status: Option<i64>,
    pub response_headers: Option<String>,
    pub response_body: Option<Vec<u8>>,
    pub error: Option<String>,
    pub detail: Option<String>,
    pub dns_us: Option<i64>,
    pub connect_us: Option<i64>,
    pub tls_us: Option<i64>,
    pub first_byte_us: Option<i64>,
    pub total_us: i64,
    pub next_at: Option<i64>,
}

/// Which deliveries of an endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub endpoint: EndpointId,
    pub state: Option<DeliveryState>,
    pub event: Option<&'a str>,
    pub before: Option<DeliveryId>,
    pub limit: i64,
}

impl Wanted<'_> {
    /// Endpoint, an id that sorts after the first one, type and state; empty where any will do.
    fn parameters(&self) -> (String, String, &str, &'static str) {
        let before = self.before.map_or_else(|| "dlv_~".to_owned(), |before| before.to_string());
        let state = self.state.map(DeliveryState::as_str).unwrap_or_default();
        (self.endpoint.to_string(), before, self.event.unwrap_or_default(), state)
    }
}

/// The same names from either table. Of what is due `$2` is the time.
const OF_DUE: &str = "id, endpoint_id, seq, type, module_id, record_id, attempts, created_at, run_at, \
    CAST(NULL AS BIGINT) AS settled_at, CASE WHEN run_at IS NULL THEN 'waiting' \
    WHEN claim IS NOT NULL AND run_at > $2 THEN 'sending' ELSE 'pending' END AS state, \
    (SELECT a.status FROM attempts a WHERE a.delivery_id = due.id ORDER BY a.id DESC LIMIT 1) AS status, \
    (SELECT a.error FROM attempts a WHERE a.delivery_id = due.id ORDER BY a.id DESC LIMIT 1) AS error";
const OF_SETTLED: &str = "id, endpoint_id, seq, type, module_id, record_id, attempts, created_at, \
    CAST(NULL AS BIGINT) AS run_at, settled_at, state, status, error";

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    endpoint_id: String,
    seq: i64,
    #[sqlx(rename = "type")]
    event: String,
    module_id: String,
    record_id: String,
    attempts: i64,
    created_at: i64,
    run_at: Option<i64>,
    settled_at: Option<i64>,
    state: String,
    status: Option<i64>,
    error: Option<String>,
}

impl Columns {
    fn read(self) -> Result<StoredDelivery, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the delivery {}", self.id));
        let state = DeliveryState::find(&self.state).ok_or_else(corrupt)?;
        // Of one that is being sent it is the end of the lease, which is nobody's concern.
        let next = self.run_at.filter(|_| state == DeliveryState::Pending);
        Ok(StoredDelivery {
            id: self.id.parse().map_err(|_| corrupt())?,
            endpoint: self.endpoint_id,
            seq: self.seq,
            event: self.event,
            module: self.module_id,
            record: self.record_id,
            state,
            attempts: self.attempts,
            status: self.status,
            error: self.error,
            created_at: Timestamp::from_micros(self.created_at).unwrap_or_default(),
            next_at: next.and_then(Timestamp::from_micros),
            settled_at: self.settled_at.and_then(Timestamp::from_micros),
        })
    }
}

impl Store {
    /// Newest first. One that was settled and is sent again stands there once, as due.
    pub async fn deliveries(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<Vec<StoredDelivery>, StoreError> {
        // What is due goes first: one that is settled between the two reads is found, and not left out.
        let mut rows = Vec::new();
        if wanted.state.is_none_or(|state| !state.is_settled()) {
            rows.append(&mut self.due_of(wanted, now).await?);
        }
        if wanted.state.is_none_or(DeliveryState::is_settled) {
            rows.append(&mut self.settled_of(wanted).await?);
        }
        let mut all = rows.into_iter().map(Columns::read).collect::<Result<Vec<_>, _>>()?;
        // Stable: of the same delivery the one that is due stays.
        all.sort_by_key(|delivery| std::cmp::Reverse(delivery.id));
        all.dedup_by_key(|delivery| delivery.id);
        all.truncate(usize::try_from(wanted.limit).unwrap_or(usize::MAX));
        Ok(all)
    }

    async fn due_of(&self, wanted: &Wanted<'_>, now: Timestamp) -> Result<Vec<Columns>, sqlx::Error> {
        let text = sql(format!(
            "SELECT * FROM (SELECT {OF_DUE} FROM due WHERE endpoint_id = $1 AND id < $3 AND ($4 = '' OR type = $4)) d \
             WHERE $5 = '' OR state = $5 ORDER BY id DESC LIMIT $6"
        ));
        let (endpoint, before, event, state) = wanted.parameters();
        on!(&self.read, pool => sqlx::query_as(text).bind(endpoint).bind(now.micros()).bind(before).bind(event)
            .bind(state).bind(wanted.limit).fetch_all(pool).await)
    }

    async fn settled_of(&self, wanted: &Wanted<'_>) -> Result<Vec<Columns>, sqlx::Error> {
        let text = sql(format!(
            "SELECT {OF_SETTLED} FROM deliveries WHERE endpoint_id = $1 AND id < $2 AND ($3 = '' OR type = $3) \
             AND ($4 = '' OR state = $4) AND NOT EXISTS (SELECT 1 FROM due q WHERE q.id = deliveries.id) \
             ORDER BY id DESC LIMIT $5"
        ));
        let (endpoint, before, event, state) = wanted.parameters();
        on!(&self.read, pool => sqlx::query_as(text).bind(endpoint).bind(before).bind(event).bind(state)
            .bind(wanted.limit).fetch_all(pool).await)
    }

    pub async fn delivery(&self, id: DeliveryId, now: Timestamp) -> Result<Option<StoredDelivery>, StoreError> {
        let text = sql(format!("SELECT {OF_DUE} FROM due WHERE id = $1"));
        let mut row: Option<Columns> = on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string())
            .bind(now.micros()).fetch_optional(pool).await)?;
        if row.is_none() {
            let text = sql(format!("SELECT {OF_SETTLED} FROM deliveries WHERE id = $1"));
            row = on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?;
        }
        row.map(Columns::read).transpose()
    }

    /// The last ones, oldest first.
    pub async fn attempts(&self, id: DeliveryId, most: i64) -> Result<Vec<StoredAttempt>, StoreError> {
        let text = "SELECT number, at, url, request_headers, request_body, request_size, address, status, response_headers, \
            response_body, error, detail, dns_us, connect_us, tls_us, first_byte_us, total_us, next_at \
            FROM attempts WHERE delivery_id = $1 ORDER BY id DESC LIMIT $2";
        let mut rows: Vec<StoredAttempt> = on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).bind(most)
            .fetch_all(pool).await)?;
        rows.reverse();
        Ok(rows)
    }
}
