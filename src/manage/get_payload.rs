//! The raw bytes of an event, as they were received.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

pub async fn get_payload(gateway: &Gateway, caller: &Caller, id: &str) -> Result<Vec<u8>, Problem> {
    caller.needs(Role::Viewer)?;
    let none = || Problem::new(Code::NotFound, "there is no such event");
    match gateway.store.payload(id.parse().map_err(|_| none())?).await?.ok_or_else(none)? {
        (payload, None) => Ok(payload),
        (_, Some(at)) => {
            let detail =
                format!("the event's payload and headers were removed at {at}, since its source keeps no more of them");
            Err(Problem::new(Code::PayloadGone, detail))
        }
    }
}
