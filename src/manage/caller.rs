//! Who asks, and what they may.

use serde_json::{Value, json};

use crate::id::KeyId;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;
use crate::store::plan::Step;

#[derive(Clone, Debug)]
pub struct Caller {
    /// As the audit log and the history name it: a key's id, or `startup`.
    pub actor: String,
    pub role: Role,
    pub address: Option<String>,
}

impl Caller {
    pub fn key(key: KeyId, role: Role, address: Option<String>) -> Self {
        Self { actor: key.to_string(), role, address }
    }

    /// The operator, by way of the command line that started the gateway.
    pub fn startup() -> Self {
        Self { actor: "startup".to_owned(), role: Role::Owner, address: None }
    }

    /// The row of the audit log that says what this caller did, with what stood before and what stands now: JSON objects
    /// without secrets, null where there was or is nothing.
    pub fn changed(&self, action: &'static str, target: String, before: &Value, after: &Value) -> Step {
        let (actor, address) = (self.actor.clone(), self.address.clone());
        let detail = json!({ "before": before, "after": after }).to_string();
        Step::Audit { actor, action, target, detail, address }
    }

    pub fn needs(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let (own, wanted) = (self.role.as_str(), role.as_str());
        Err(Problem::new(Code::Forbidden, format!("this key has the role {own}, and this needs {wanted}")))
    }
}
