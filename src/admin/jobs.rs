//! Jobs over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::extract::{Authenticated, Named};
use super::handlers::{PageQuery, parsed, query};
use crate::gateway::Gateway;
use crate::manage;
use crate::manage::create_job::Answer;
use crate::problem::Problem;

type App = State<Arc<Gateway>>;

/// A dry run answers 200, since it makes nothing.
pub async fn create_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let answer = manage::create_job::create_job(&gateway, &caller, parsed(body)?).await?;
    let status = if matches!(answer, Answer::Made(_)) { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}

pub async fn list_jobs(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let page = query(page)?;
    let page = (page.limit, page.cursor.as_deref());
    Ok(Json(manage::list_jobs::list_jobs(&gateway, &caller, page).await?).into_response())
}

pub async fn get_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_job::get_job(&gateway, &caller, &id).await?).into_response())
}

pub async fn cancel_job(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::cancel_job::cancel_job(&gateway, &caller, &id).await?).into_response())
}
