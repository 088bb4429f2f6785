//! The raw bytes of an event, as they were received, or what its source leaves of them.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::events::Payload;
use crate::store::keys::Role;

pub async fn get_payload(gateway: &Gateway, caller: &Caller, id: &str) -> Result<Vec<u8>, Problem> {
    caller.needs(Role::Viewer)?;
    let none = || Problem::new(Code::NotFound, "there is no such event");
    let id = id.parse().map_err(|_| none())?;
    let event = gateway.store.event(id).await?.ok_or_else(none)?;
    match gateway.store.payload(id).await?.ok_or_else(none)? {
        (_, Some(at)) => {
            let detail =
                format!("the event's payload and headers were removed at {at}, since its source keeps no more of them");
            Err(Problem::new(Code::PayloadGone, detail))
        }
        _ if event.payload == Payload::None.as_str() => {
            Err(Problem::new(Code::NotFound, "the payload of this event was not stored: its source says what is"))
        }
        (payload, None) => Ok(payload),
    }
}
