//! A key opens nothing any more: here at once, on other replicas within a second. Its row stays, for the audit log.

use serde_json::Value;

use super::apply::carry_out;
use super::create_key::{TRIES, audited};
use super::get_own_key::find_key;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::keys::{KeyStep, Role, StoredKey};
use crate::store::plan::Step;

/// One that was revoked before stays as it is.
pub async fn revoke_key(gateway: &Gateway, caller: &Caller, id: &str) -> Result<(), Problem> {
    caller.needs(Role::Owner)?;
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let key = find_key(gateway, id).await?;
        if key.revoked_at.is_some() {
            return Ok(());
        }
        if key.is_lasting_owner() && !has_another_owner(gateway, &key).await? {
            let detail = "this is the last owner key that does not expire, and without one nobody could hand out keys: make \
                          another with the role owner first, then revoke this one";
            return Err(Problem::new(Code::Conflict, detail));
        }
        let audit = caller.changed("key.revoke", key.id.to_string(), &audited(&key), &Value::Null);
        match carry_out(gateway, version, vec![Step::Key { id: key.id, step: KeyStep::Revoke }, audit]).await {
            Err(StoreError::Conflict) => {}
            done => return done.map_err(Problem::from),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

async fn has_another_owner(gateway: &Gateway, than: &StoredKey) -> Result<bool, StoreError> {
    let live = gateway.store.live_keys(gateway.clock.now()).await?;
    Ok(live.iter().any(|(_, key)| key.id != than.id && key.is_lasting_owner()))
}
