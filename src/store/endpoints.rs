//! Endpoints as they are kept: settings, secrets and custom headers sealed, and how they fare.

use std::collections::HashMap;

use super::{Store, StoreError, Tx, on};
use crate::clock::Timestamp;
use crate::id::{EndpointId, WorkspaceId};

#[derive(Clone, Debug)]
pub struct StoredEndpoint {
    pub id: EndpointId,
    /// The document as it was saved.
    pub settings: String,
    /// Custom headers as one JSON object; opened with the gateway's seal key and this endpoint's id.
    pub headers: Option<Vec<u8>>,
    pub enabled: bool,
    /// Why it is disabled: `admin`, `gone` or `failing`.
    pub cause: Option<String>,
    pub state_at: Timestamp,
    /// Changes above this number are owed to it.
    pub since: i64,
    /// The changes that it missed: above the first number, up to the second, which still grows when it is none.
    pub missed: Option<(i64, Option<i64>)>,
    pub failing_since: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    /// Moves with every change of its settings, headers, secrets or state.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The one in use first; in rotation the next one follows.
    pub secrets: Vec<SealedSecret>,
}

#[derive(Clone, Debug)]
pub struct SealedSecret {
    pub sealed: Vec<u8>,
    pub created_at: Timestamp,
    /// From then on it is not used any more.
    pub expires_at: Option<Timestamp>,
}

/// All endpoints, and the number of their configuration: deliveries are made for no other.
#[derive(Clone, Debug)]
pub struct Endpoints {
    pub epoch: i64,
    pub all: Vec<StoredEndpoint>,
}

/// A change of one endpoint's row. All but `Create` need the version that was looked at.
#[derive(Debug)]
pub enum EndpointStep {
    Create {
        settings: String,
        headers: Option<Vec<u8>>,
        secrets: Vec<SealedSecret>,
    },
    Alter {
        version: i64,
        settings: String,
        headers: Option<Vec<u8>>,
    },
    /// These instead of those that there are.
    Secrets {
        version: i64,
        secrets: Vec<SealedSecret>,
    },
    Enable {
        version: i64,
    },
    /// `cause` is `admin`, `gone` or `failing`.
    Disable {
        version: i64,
        cause: &'static str,
    },
    /// With all that was owed to it. What was settled stays in the history.
    Delete {
        version: i64,
    },
}

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    settings: String,
    headers: Option<Vec<u8>>,
    state: String,
    cause: Option<String>,
    state_at: i64,
    since: i64,
    missed_from: Option<i64>,
    missed_to: Option<i64>,
    failing_since: Option<i64>,
    failed_at: Option<i64>,
    version: i64,
    created_at: i64,
    updated_at: i64,
}

impl Store {
    /// Every endpoint, oldest first. The epoch is read first: what is newer than it is found outdated.
    pub async fn endpoints(&self) -> Result<Endpoints, StoreError> {
        let text = "SELECT epoch FROM fanout";
        let epoch = on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?;
        let text = "SELECT id, settings, headers, state, cause, state_at, since, missed_from, missed_to, failing_since, \
            failed_at, version, created_at, updated_at FROM endpoints ORDER BY id";
        let rows: Vec<Columns> = on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let text =
            "SELECT endpoint_id, sealed, created_at, expires_at FROM endpoint_secrets ORDER BY endpoint_id, place";
        let secrets: Vec<(String, Vec<u8>, i64, Option<i64>)> =
            on!(&self.read, pool => sqlx::query_as(text).fetch_all(pool).await)?;
        let mut of: HashMap<String, Vec<SealedSecret>> = HashMap::new();
        for (id, sealed, created_at, expires_at) in secrets {
            let created_at = Timestamp::from_micros(created_at).unwrap_or_default();
            let expires_at = expires_at.and_then(Timestamp::from_micros);
            of.entry(id).or_default().push(SealedSecret { sealed, created_at, expires_at });
        }
        let read = |row: Columns| {
            let id = row.id.clone();
            let secrets = of.remove(&id).unwrap_or_default();
            row.read(secrets).ok_or_else(|| StoreError::Corrupt(format!("the endpoint {id}")))
        };
        Ok(Endpoints { epoch, all: rows.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// The id that was made at the first start.
    pub async fn workspace(&self) -> Result<WorkspaceId, StoreError> {
        let text = "SELECT workspace_id FROM gateway";
        let id: String = on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?;
        id.parse().map_err(|_| StoreError::Corrupt("the workspace's id".to_owned()))
    }
}

impl Columns {
    fn read(self, secrets: Vec<SealedSecret>) -> Option<StoredEndpoint> {
        let time = |micros: Option<i64>| micros.and_then(Timestamp::from_micros);
        Some(StoredEndpoint {
            id: self.id.parse().ok()?,
            settings: self.settings,
            headers: self.headers,
            enabled: self.state == "enabled",
            cause: self.cause,
            state_at: Timestamp::from_micros(self.state_at)?,
            since: self.since,
            missed: self.missed_from.map(|from| (from, self.missed_to)),
            failing_since: time(self.failing_since),
            failed_at: time(self.failed_at),
            version: self.version,
            created_at: Timestamp::from_micros(self.created_at)?,
            updated_at: Timestamp::from_micros(self.updated_at)?,
            secrets,
        })
    }
}

/// Carries one out. Whatever it is, who makes deliveries waits for it and then looks at the endpoints anew.
pub(super) async fn step(tx: &mut Tx<'_>, id: EndpointId, step: &EndpointStep, now: i64) -> Result<(), StoreError> {
    let text = "UPDATE fanout SET epoch = epoch + 1 WHERE one = 1 RETURNING seq";
    let made: i64 = on!(&mut *tx, tx => sqlx::query_scalar(text).fetch_one(&mut **tx).await)?;
    let id = id.to_string();
    match step {
        EndpointStep::Create { settings, headers, secrets } => {
            let text = "INSERT INTO endpoints (id, settings, headers, state, state_at, since, version, created_at, updated_at) \
                VALUES ($1, $2, $3, 'enabled', $4, (SELECT coalesce(max(seq), (SELECT seq FROM log_start)) FROM changes), 1, $4, $4)";
            on!(&mut *tx, tx => sqlx::query(text).bind(&id).bind(settings).bind(headers).bind(now)
                .execute(&mut **tx).await.map(|_| ()))?;
            insert_secrets(tx, &id, secrets).await
        }
        EndpointStep::Alter { version, settings, headers } => {
            let text = "UPDATE endpoints SET settings = $2, headers = $3, version = version + 1, updated_at = $4 \
                WHERE id = $1 AND version = $5";
            let moved = on!(tx, tx => sqlx::query(text).bind(&id).bind(settings).bind(headers).bind(now).bind(version)
                .execute(&mut **tx).await?.rows_affected());
            one(moved)
        }
        EndpointStep::Secrets { version, secrets } => {
            let text = "UPDATE endpoints SET version = version + 1, updated_at = $2 WHERE id = $1 AND version = $3";
            one(touch(tx, text, (&id, now, *version)).await?)?;
            let text = "DELETE FROM endpoint_secrets WHERE endpoint_id = $1";
            on!(&mut *tx, tx => sqlx::query(text).bind(&id).execute(&mut **tx).await.map(|_| ()))?;
            insert_secrets(tx, &id, secrets).await
        }
        EndpointStep::Enable { version } => {
            let text = "UPDATE endpoints SET state = 'enabled', cause = NULL, state_at = $2, updated_at = $2, \
                version = version + 1, failing_since = NULL, failed_at = NULL, told_at = NULL, \
                since = (SELECT coalesce(max(seq), (SELECT seq FROM log_start)) FROM changes), \
                missed_to = CASE WHEN missed_from IS NULL THEN NULL ELSE (SELECT coalesce(max(seq), (SELECT seq FROM log_start)) FROM changes) END \
                WHERE id = $1 AND version = $3 AND state = 'disabled'";
            one(touch(tx, text, (&id, now, *version)).await?)
        }
        EndpointStep::Disable { version, cause } => {
            let text = "UPDATE endpoints SET state = 'disabled', cause = $4, state_at = $2, updated_at = $2, \
                version = version + 1, missed_from = coalesce(missed_from, CASE WHEN since > $5 THEN since ELSE $5 END), \
                missed_to = NULL WHERE id = $1 AND version = $3 AND state = 'enabled'";
            let moved = on!(tx, tx => sqlx::query(text).bind(&id).bind(now).bind(version).bind(*cause).bind(made)
                .execute(&mut **tx).await?.rows_affected());
            one(moved)
        }
        EndpointStep::Delete { version } => {
            let text = "DELETE FROM endpoints WHERE id = $1 AND version = $2";
            let gone = on!(&mut *tx, tx => sqlx::query(text).bind(&id).bind(version).execute(&mut **tx).await?.rows_affected());
            one(gone)?;
            let text = "DELETE FROM due WHERE endpoint_id = $1";
            on!(tx, tx => sqlx::query(text).bind(&id).execute(&mut **tx).await.map(|_| ()))?;
            Ok(())
        }
    }
}

async fn touch(tx: &mut Tx<'_>, text: &'static str, (id, now, version): (&str, i64, i64)) -> Result<u64, StoreError> {
    Ok(on!(tx, tx => sqlx::query(text).bind(id).bind(now).bind(version).execute(&mut **tx).await?.rows_affected()))
}

fn one(moved: u64) -> Result<(), StoreError> {
    if moved == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

async fn insert_secrets(tx: &mut Tx<'_>, id: &str, secrets: &[SealedSecret]) -> Result<(), StoreError> {
    let text =
        "INSERT INTO endpoint_secrets (endpoint_id, place, sealed, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
    for (place, secret) in (0i64..).zip(secrets) {
        let (created_at, expires_at) = (secret.created_at.micros(), secret.expires_at.map(Timestamp::micros));
        on!(&mut *tx, tx => sqlx::query(text).bind(id).bind(place).bind(&secret.sealed).bind(created_at).bind(expires_at)
            .execute(&mut **tx).await.map(|_| ()))?;
    }
    Ok(())
}
