//! Who asks: whatever the key may do, it may know what it is.

use crate::gateway::Gateway;
use crate::id::KeyId;
use crate::manage::caller::Caller;
use crate::manage::key_view::KeyView;
use crate::problem::{Code, Problem};
use crate::store::keys::{Role, StoredKey};

pub async fn get_own_key(gateway: &Gateway, caller: &Caller) -> Result<KeyView, Problem> {
    caller.needs(Role::Viewer)?;
    let key = find_key(gateway, &caller.actor).await?;
    Ok(KeyView::new(key, gateway))
}

/// A key's row, by its id.
pub(super) async fn find_key(gateway: &Gateway, id: &str) -> Result<StoredKey, Problem> {
    let none = || Problem::new(Code::NotFound, "there is no key of this id");
    let id: KeyId = id.parse().map_err(|_| none())?;
    gateway.store.key(id).await?.ok_or_else(none)
}
