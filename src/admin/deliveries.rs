//! What flowed out, over HTTP.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::extract::{Authenticated, Named};
use super::handlers::query;
use crate::gateway::Gateway;
use crate::manage;
use crate::manage::list_deliveries::Wanted;
use crate::problem::Problem;

type App = State<Arc<Gateway>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveriesQuery {
    state: Option<String>,
    #[serde(rename = "type")]
    event: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

pub async fn list_deliveries(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(webhook): Named<String>,
    asked: Result<Query<DeliveriesQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        state: asked.state.as_deref(),
        event: asked.event.as_deref(),
        limit: asked.limit,
        cursor: asked.cursor.as_deref(),
    };
    let page = manage::list_deliveries::list_deliveries(&gateway, &caller, &webhook, wanted).await?;
    Ok(Json(page).into_response())
}

pub async fn get_delivery(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_delivery::get_delivery(&gateway, &caller, &id).await?).into_response())
}

/// 202: it is sent at once, but not within this request.
pub async fn retry_delivery(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let delivery = manage::retry_delivery::retry_delivery(&gateway, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)).into_response())
}
