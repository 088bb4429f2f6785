//! The first start on an empty database, and what later starts check: the workspace, the seal key, the owner's key.

use super::plan::Step;
use super::{Store, StoreError, acquire, begin, on};
use crate::clock::Timestamp;
use crate::id::{KeyId, WorkspaceId};

/// What the database says of itself.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Id of the key that seals its secrets.
    pub seal_key: String,
    pub has_owner: bool,
}

impl Store {
    /// The database's time.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let super::Either::Postgres(pool) = &self.read else {
            return Err(StoreError::Corrupt("SQLite has no clock of its own".to_owned()));
        };
        let text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let micros: i64 = sqlx::query_scalar(text).fetch_one(pool).await?;
        Timestamp::from_micros(micros).ok_or_else(|| StoreError::Corrupt("the database's clock".to_owned()))
    }

    /// Whether the database has a clock that replicas share.
    pub fn has_clock(&self) -> bool {
        matches!(self.read, super::Either::Postgres(_))
    }

    /// Takes the database into use with this seal key, unless it is in use already.
    pub async fn set_up(&self, seal_key: &str, now: Timestamp) -> Result<Setup, StoreError> {
        let text = "INSERT INTO gateway (one, workspace_id, seal_key_id, config_version, created_at) \
            VALUES (1, $1, $2, 1, $3) ON CONFLICT DO NOTHING";
        let workspace = WorkspaceId::new(now).to_string();
        on!(&self.write, pool => sqlx::query(text).bind(workspace).bind(seal_key).bind(now.micros())
            .execute(pool).await.map(|_| ()))?;
        let text = "SELECT seal_key_id FROM gateway";
        let seal_key = on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?;
        let text = "SELECT count(*) FROM api_keys WHERE role = 'owner' AND revoked_at IS NULL AND expires_at IS NULL";
        let owners: i64 = on!(&self.read, pool => sqlx::query_scalar(text).fetch_one(pool).await)?;
        Ok(Setup { seal_key, has_owner: owners > 0 })
    }

    /// Makes the first owner key, where no owner has one that lasts; `false` when another replica was first.
    pub async fn add_first_owner(&self, digest: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut conn = acquire(&self.write).await?;
        let mut tx = begin(&mut conn, self.dialect.begin_plan(&[i64::MAX])).await?;
        let text = "INSERT INTO api_keys (id, name, role, digest, created_at) \
            SELECT $1, 'first owner', 'owner', $2, $3 WHERE NOT EXISTS \
            (SELECT 1 FROM api_keys WHERE role = 'owner' AND revoked_at IS NULL AND expires_at IS NULL)";
        let id = KeyId::new(now).to_string();
        let made = on!(&mut tx, tx => sqlx::query(text).bind(&id).bind(digest).bind(now.micros())
            .execute(&mut **tx).await?.rows_affected());
        if made == 1 {
            self.step(&mut tx, &first_owner(id), now.micros()).await?;
            // Replicas that run already take it, too.
            let text = "UPDATE gateway SET config_version = config_version + 1";
            on!(&mut tx, tx => sqlx::query(text).execute(&mut **tx).await.map(|_| ()))?;
        }
        super::commit(tx).await?;
        Ok(made == 1)
    }
}

/// Nobody asked for it: the gateway made it.
fn first_owner(id: String) -> Step {
    let after = serde_json::json!({ "name": "first owner", "role": "owner" });
    Step::Audit {
        actor: "gateway".to_owned(),
        action: "key.create",
        target: id,
        detail: serde_json::json!({ "before": null, "after": after }).to_string(),
        address: None,
    }
}
