//! From an API key to a caller.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::{digest, hex};

/// `token` is what stood behind `Bearer`. Unknown and absent keys get the same answer.
pub async fn authenticate(gateway: &Gateway, token: Option<&str>, address: Option<String>) -> Result<Caller, Problem> {
    let token = token.ok_or_else(|| Problem::from(Code::KeyInvalid))?;
    let found = gateway.store.key(&hex(&digest(token))).await?;
    let (key, role) = found.ok_or_else(|| Problem::from(Code::KeyInvalid))?;
    Ok(Caller::key(key, role, address))
}
