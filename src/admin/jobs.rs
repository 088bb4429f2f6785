//! Jobs over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::answer::{App, Asked, Body, PageQuery, answer, parsed, query};
use super::described::{Conflict, NotFound};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::create_job::{self, Answer};
use crate::manage::job_view::JobView;
use crate::manage::page::Page;
use crate::problem::Problem;

/// Asks for long work, or counts what it would come to
///
/// `redeliver` sends settled deliveries again: `endpoint`, `from`, `to`, `state` (`failed`, `delivered`, `all`), `type`
/// and `perMinute` say which and how fast. `missed` sends what a `webhook` missed while it was disabled. With `dryRun`
/// it is counted, and nothing is made.
#[utoipa::path(post, path = "/jobs", tag = "Jobs", security(("key" = ["editor"])),
    request_body(content = create_job::Asked, example = json!({ "kind": "redeliver", "state": "failed", "dryRun": true })),
    responses((status = 201, body = JobView, description = "Made"), (status = 200, body = Answer, description = "Counted"), Conflict))]
pub async fn create_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Body,
) -> Result<Response, Problem> {
    let made = create_job::create_job(&gateway, &caller, parsed(body)?).await?;
    let status = if matches!(made, Answer::Made(_)) { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, answer(made)).into_response())
}

/// Jobs, newest first
#[utoipa::path(get, path = "/jobs", tag = "Jobs", security(("key" = ["viewer"])), params(PageQuery),
    responses((status = 200, body = Page<JobView>)))]
pub async fn list_jobs(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    manage::list_jobs::list_jobs(&gateway, &caller, query(page)?.page()).await.map(answer)
}

/// One job, and how far it has come
#[utoipa::path(get, path = "/jobs/{id}", tag = "Jobs", security(("key" = ["viewer"])),
    responses((status = 200, body = JobView), NotFound))]
pub async fn get_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    manage::get_job::get_job(&gateway, &caller, &id).await.map(answer)
}

/// Ends a job before its next step
#[utoipa::path(delete, path = "/jobs/{id}", tag = "Jobs", security(("key" = ["editor"])),
    responses((status = 200, body = JobView), NotFound, Conflict))]
pub async fn cancel_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    manage::cancel_job::cancel_job(&gateway, &caller, &id).await.map(answer)
}
