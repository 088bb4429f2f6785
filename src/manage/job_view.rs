//! A job as the API shows it.

use serde_json::Value;

use crate::clock::Timestamp;
use crate::id::JobId;
use crate::store::jobs::StoredJob;

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobView {
    id: JobId,
    kind: String,
    /// What was asked for, by kind.
    #[schema(value_type = Object)]
    spec: Value,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// How many there were to do when it was made.
    total: i64,
    done: i64,
    /// Looked at and left alone.
    skipped: i64,
    /// Why it has failed.
    error: Option<String>,
    actor: String,
    created_at: Timestamp,
    updated_at: Timestamp,
    finished_at: Option<Timestamp>,
}

impl From<StoredJob> for JobView {
    fn from(job: StoredJob) -> Self {
        Self {
            id: job.id,
            kind: job.kind,
            spec: serde_json::from_str(&job.spec).unwrap_or(Value::Null),
            state: job.state,
            total: job.total,
            done: job.done,
            skipped: job.skipped,
            error: job.error,
            actor: job.actor,
            created_at: job.created_at,
            updated_at: job.updated_at,
            finished_at: job.finished_at,
        }
    }
}
