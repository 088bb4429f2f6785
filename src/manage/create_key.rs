//! A new API key. It is answered once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::apply::carry_out;
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::KeyId;
use crate::manage::caller::Caller;
use crate::manage::key_view::KeyView;
use crate::problem::{Code, Problem};
use crate::secret::{self, ExposeSecret, SecretString};
use crate::store::StoreError;
use crate::store::keys::{KeyStep, Role, StoredKey};
use crate::store::plan::Step;

/// Keys that open something; every replica holds them in memory.
const MOST: usize = 1_000;
/// In characters.
const LONGEST_NAME: usize = 100;
const MOST_DAYS: u32 = 3_650;
const DAY: u64 = 24 * 3_600;
/// Scripts make many at once; of each round one gets through.
pub(super) const TRIES: usize = 20;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewKey {
    /// Who or what it is for; 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    role: Role,
    /// From then on it opens nothing.
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// Instead of `expiresAt`.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
}

/// The key's row, and the key itself, which is shown once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CreatedKey {
    #[serde(flatten)]
    view: KeyView,
    /// `tgk_…`, shown this once.
    key: String,
}

pub async fn create_key(gateway: &Gateway, caller: &Caller, input: NewKey) -> Result<CreatedKey, Problem> {
    caller.needs(Role::Owner)?;
    let now = gateway.clock.now();
    let expires_at = checked(&input, now)?;
    let key = secret::generate(secret::API_KEY);
    let stored = StoredKey {
        id: KeyId::new(now),
        name: input.name.trim().to_owned(),
        role: input.role,
        created_at: now,
        created_by: caller.actor.clone(),
        expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        if gateway.store.live_keys(now).await?.len() >= MOST {
            let detail = format!("there are {MOST} keys, and no room for more; revoke those that nobody uses");
            return Err(Problem::new(Code::Conflict, detail));
        }
        match carry_out(gateway, version, steps(caller, &stored, &key)).await {
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let view = KeyView::new(stored, gateway);
                return Ok(CreatedKey { view, key: key.expose_secret().to_owned() });
            }
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

fn steps(caller: &Caller, stored: &StoredKey, key: &SecretString) -> Vec<Step> {
    let step = KeyStep::Create {
        name: stored.name.clone(),
        role: stored.role,
        digest: secret::hex(&secret::digest(key.expose_secret())),
        created_by: stored.created_by.clone(),
        expires_at: stored.expires_at,
    };
    let audit = caller.changed("key.create", stored.id.to_string(), &Value::Null, &audited(stored));
    vec![Step::Key { id: stored.id, step }, audit]
}

/// A key as the audit log tells of it.
pub(super) fn audited(key: &StoredKey) -> Value {
    json!({ "name": key.name, "role": key.role, "expiresAt": key.expires_at })
}

/// When it expires; all that is wrong with what was asked at once.
fn checked(input: &NewKey, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let mut errors = Vec::new();
    let mut wrong = |field: &str, detail: String| errors.push(json!({ "field": field, "detail": detail }));
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        wrong("name", format!("is a text of 1 to {LONGEST_NAME} characters, without control characters"));
    }
    let expires_at = match (input.expires_at, input.expires_in_days) {
        (Some(_), Some(_)) => {
            wrong("expiresInDays", "is instead of `expiresAt`, not beside it".to_owned());
            None
        }
        (Some(at), None) if at <= now => {
            wrong("expiresAt", format!("lies in the past; it is {now}"));
            None
        }
        (None, Some(days)) if !(1..=MOST_DAYS).contains(&days) => {
            wrong("expiresInDays", format!("is a number from 1 to {MOST_DAYS}"));
            None
        }
        (at, days) => at.or_else(|| days.map(|days| now.after(Duration::from_secs(u64::from(days) * DAY)))),
    };
    if errors.is_empty() {
        return Ok(expires_at);
    }
    Err(Problem::new(Code::InvalidDocument, "the key cannot be made as it is described").with_errors(errors))
}
