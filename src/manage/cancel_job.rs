//! Ends a job before its next step. What it has done stays done.

use serde_json::json;

use super::get_job::no_such_job;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::job_view::JobView;
use crate::problem::{Code, Problem};
use crate::store::jobs::Cancelled;
use crate::store::keys::Role;

pub async fn cancel_job(gateway: &Gateway, caller: &Caller, id: &str) -> Result<JobView, Problem> {
    caller.needs(Role::Editor)?;
    let id = id.parse().map_err(|_| no_such_job())?;
    let job = gateway.store.job(id).await?.ok_or_else(no_such_job)?;
    let (before, after) = (json!({ "state": job.state, "done": job.done }), json!({ "state": "cancelled" }));
    let audit = caller.changed("job.cancel", id.to_string(), &before, &after);
    match gateway.store.cancel_job(id, &audit, gateway.clock.now()).await? {
        Cancelled::Now(job) => Ok(job.into()),
        Cancelled::TooLate(job) => {
            Err(Problem::new(Code::Conflict, format!("the job has ended before: it is {}", job.state)))
        }
        Cancelled::Unknown => Err(no_such_job()),
    }
}
