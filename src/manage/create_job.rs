//! Long work is asked for: counted first, then done beside the requests. A dry run only counts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::gateway::Gateway;
use crate::id::JobId;
use crate::manage::caller::Caller;
use crate::manage::job_view::JobView;
use crate::problem::{Code, Problem};
use crate::store::jobs::NewJob;
use crate::store::keys::Role;
use crate::work::jobs::Refused;

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewJob)]
pub struct Asked {
    /// `redeliver` or `missed`.
    kind: String,
    /// Counts, and makes nothing.
    #[serde(default)]
    dry_run: bool,
    /// What the kind asks for.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    spec: Map<String, Value>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = JobOrCount)]
pub enum Answer {
    Made(Box<JobView>),
    DryRun(DryRun),
}

/// What a job would come to.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CountOfJob)]
pub struct DryRun {
    kind: &'static str,
    dry_run: bool,
    #[schema(value_type = Object)]
    spec: Value,
    total: i64,
    skipped: i64,
}

pub async fn create_job(gateway: &Gateway, caller: &Caller, asked: Asked) -> Result<Answer, Problem> {
    caller.needs(Role::Editor)?;
    let kind = gateway.jobs.kind(&asked.kind).ok_or_else(|| {
        let all = gateway.jobs.kinds().collect::<Vec<_>>().join(", ");
        Problem::new(Code::InvalidRequest, format!("`kind` is one of {all}"))
    })?;
    let now = gateway.clock.now();
    let counted = kind.count(asked.spec, now).await.map_err(|refused| match refused {
        Refused::Spec(detail) => Problem::new(Code::InvalidRequest, detail),
        Refused::Conflict(detail) => Problem::new(Code::Conflict, detail),
        Refused::Store(error) => error.into(),
    })?;
    let (kind, total) = (kind.name(), counted.total);
    if asked.dry_run {
        return Ok(Answer::DryRun(DryRun { kind, dry_run: true, spec: counted.spec, total, skipped: counted.skipped }));
    }
    let (id, spec) = (JobId::new(now), counted.spec.to_string());
    let after = json!({ "kind": kind, "spec": counted.spec, "total": total });
    let audit = caller.changed("job.create", id.to_string(), &Value::Null, &after);
    let job = NewJob { id, kind, spec: &spec, total, actor: &caller.actor };
    let made = gateway.store.add_job(&job, &audit, now).await?;
    gateway.jobs.nudge();
    Ok(Answer::Made(Box::new(made.into())))
}
