//! What flowed out, over HTTP.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, answer, query};
use super::described::{Conflict, NotFound};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::delivery_view::DeliveryView;
use crate::manage::get_delivery::WholeDelivery;
use crate::manage::list_deliveries::Wanted;
use crate::manage::page::Page;
use crate::problem::Problem;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// As the deliveries show it.
    state: Option<String>,
    /// Of the event, such as `record_updated`.
    #[serde(rename = "type")]
    event: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Deliveries to one webhook, newest first
#[utoipa::path(get, path = "/webhooks/{id}/deliveries", tag = "Deliveries", security(("key" = ["viewer"])),
    params(DeliveriesQuery), responses((status = 200, body = Page<DeliveryView>), NotFound))]
pub async fn list_deliveries(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(webhook): Named<String>,
    asked: Asked<DeliveriesQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        state: asked.state.as_deref(),
        event: asked.event.as_deref(),
        limit: asked.limit,
        cursor: asked.cursor.as_deref(),
    };
    manage::list_deliveries::list_deliveries(&gateway, &caller, &webhook, wanted).await.map(answer)
}

/// One delivery with its last attempts
#[utoipa::path(get, path = "/deliveries/{id}", tag = "Deliveries", security(("key" = ["viewer"])),
    responses((status = 200, body = WholeDelivery), NotFound))]
pub async fn get_delivery(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    manage::get_delivery::get_delivery(&gateway, &caller, &id).await.map(answer)
}

/// Sends one delivery again
///
/// At once, but not within this request.
#[utoipa::path(post, path = "/deliveries/{id}/retry", tag = "Deliveries", security(("key" = ["editor"])),
    responses((status = 202, body = DeliveryView), NotFound, Conflict))]
pub async fn retry_delivery(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let delivery = manage::retry_delivery::retry_delivery(&gateway, &caller, &id).await?;
    Ok((StatusCode::ACCEPTED, answer(delivery)).into_response())
}
