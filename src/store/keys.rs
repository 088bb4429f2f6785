//! API keys, as digests. The row of a revoked key stays: the audit log names it.

use super::dialect::sql;
use super::{Store, StoreError, Tx, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::KeyId;

/// What a key may do: a viewer reads, an editor also changes modules, sources and records, an owner everything.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Editor,
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Editor, Self::Owner].into_iter().find(|role| role.as_str() == text)
    }
}

/// A key without what opens the door.
#[derive(Clone, Debug)]
pub struct StoredKey {
    pub id: KeyId,
    pub name: String,
    pub role: Role,
    pub created_at: Timestamp,
    /// A key's id, or `gateway` for the first one.
    pub created_by: String,
    pub expires_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// As far as it was written.
    pub last_used_at: Option<Timestamp>,
}

impl StoredKey {
    /// Whether it opens anything.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| end > now)
    }

    /// A way in that stays.
    pub fn is_lasting_owner(&self) -> bool {
        self.role == Role::Owner && self.revoked_at.is_none() && self.expires_at.is_none()
    }
}

/// A change of one key's row.
#[derive(Debug)]
pub enum KeyStep {
    Create { name: String, role: Role, digest: String, created_by: String, expires_at: Option<Timestamp> },
    Revoke,
}

const COLUMNS: &str = "id, name, role, created_at, created_by, expires_at, revoked_at, last_used_at";

#[derive(sqlx::FromRow)]
struct Columns {
    id: String,
    name: String,
    role: String,
    created_at: i64,
    created_by: String,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl Columns {
    fn read(self) -> Result<StoredKey, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("the key {}", self.id));
        let time = |micros: Option<i64>| micros.and_then(Timestamp::from_micros);
        Ok(StoredKey {
            id: self.id.parse().map_err(|_| corrupt())?,
            role: Role::parse(&self.role).ok_or_else(corrupt)?,
            name: self.name,
            created_at: Timestamp::from_micros(self.created_at).unwrap_or_default(),
            created_by: self.created_by,
            expires_at: time(self.expires_at),
            revoked_at: time(self.revoked_at),
            last_used_at: time(self.last_used_at),
        })
    }
}

impl Store {
    /// Those that open something, by digest in hex.
    pub async fn live_keys(&self, now: Timestamp) -> Result<Vec<(String, StoredKey)>, StoreError> {
        let text = sql(format!(
            "SELECT digest, {COLUMNS} FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)"
        ));
        #[derive(sqlx::FromRow)]
        struct Live {
            digest: String,
            #[sqlx(flatten)]
            key: Columns,
        }
        let rows: Vec<Live> = on!(&self.read, pool => sqlx::query_as(text).bind(now.micros()).fetch_all(pool).await)?;
        rows.into_iter().map(|row| Ok((row.digest, row.key.read()?))).collect()
    }

    /// Revoked and expired ones, too: newest first, before an id when one is given.
    pub async fn keys(&self, before: Option<KeyId>, limit: i64) -> Result<Vec<StoredKey>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} FROM api_keys WHERE id < $1 ORDER BY id DESC LIMIT $2"));
        // Sorts after every id.
        let before = before.map_or_else(|| "key_~".to_owned(), |before| before.to_string());
        let rows: Vec<Columns> =
            on!(&self.read, pool => sqlx::query_as(text).bind(before).bind(limit).fetch_all(pool).await)?;
        rows.into_iter().map(Columns::read).collect()
    }

    pub async fn key(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let text = sql(format!("SELECT {COLUMNS} FROM api_keys WHERE id = $1"));
        let row: Option<Columns> =
            on!(&self.read, pool => sqlx::query_as(text).bind(id.to_string()).fetch_optional(pool).await)?;
        row.map(Columns::read).transpose()
    }

    /// Writes when keys were last used; what is there already and later stays.
    pub async fn keys_were_used(&self, used: &[(KeyId, Timestamp)]) -> Result<(), StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_step()).await?;
        let text =
            "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
        for (id, at) in used {
            on!(&mut tx, tx => sqlx::query(text).bind(id.to_string()).bind(at.micros()).execute(&mut **tx).await.map(|_| ()))?;
        }
        Ok(super::commit(tx).await?)
    }
}

pub(super) async fn step(tx: &mut Tx<'_>, id: KeyId, step: &KeyStep, now: i64) -> Result<(), StoreError> {
    match step {
        KeyStep::Create { name, role, digest, created_by, expires_at } => {
            let text = "INSERT INTO api_keys (id, name, role, digest, created_at, created_by, expires_at) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let expires_at = expires_at.map(Timestamp::micros);
            on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(name).bind(role.as_str()).bind(digest).bind(now)
                .bind(created_by).bind(expires_at).execute(&mut **tx).await.map(|_| ()))?;
            Ok(())
        }
        KeyStep::Revoke => {
            let text = "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
            let gone = on!(tx, tx => sqlx::query(text).bind(id.to_string()).bind(now)
                .execute(&mut **tx).await?.rows_affected());
            if gone == 1 { Ok(()) } else { Err(StoreError::Conflict) }
        }
    }
}
