//! An API key as the API shows it: all but the key itself.

use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::KeyId;
use crate::store::keys::{Role, StoredKey};

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Key)]
pub struct KeyView {
    id: KeyId,
    name: String,
    role: Role,
    /// `live`, `expired` or `revoked`.
    state: &'static str,
    created_at: Timestamp,
    /// A key's id, or `gateway` for the first one.
    created_by: String,
    /// Null: it does not expire.
    expires_at: Option<Timestamp>,
    /// To the minute.
    last_used_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

impl KeyView {
    pub fn new(key: StoredKey, gateway: &Gateway) -> Self {
        let state = match key.revoked_at {
            Some(_) => "revoked",
            None if key.is_live(gateway.clock.now()) => "live",
            None => "expired",
        };
        Self {
            state,
            // What this replica has seen need not be written yet.
            last_used_at: key.last_used_at.max(gateway.last_used.of(key.id)),
            id: key.id,
            name: key.name,
            role: key.role,
            created_at: key.created_at,
            created_by: key.created_by,
            expires_at: key.expires_at,
            revoked_at: key.revoked_at,
        }
    }
}
