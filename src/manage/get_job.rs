//! One job, and how far it has come.

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::job_view::JobView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

pub async fn get_job(gateway: &Gateway, caller: &Caller, id: &str) -> Result<JobView, Problem> {
    caller.needs(Role::Viewer)?;
    let id = id.parse().map_err(|_| no_such_job())?;
    Ok(gateway.store.job(id).await?.ok_or_else(no_such_job)?.into())
}

pub fn no_such_job() -> Problem {
    Problem::new(Code::NotFound, "there is no such job")
}
