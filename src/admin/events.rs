//! The event log over HTTP.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, answer, query};
use super::described::{Gone, NotFound};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::list_events::Wanted;
use crate::manage::page::Page;
use crate::manage::view::EventView;
use crate::problem::Problem;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// By slug.
    module: Option<String>,
    /// By slug; of the module that is named.
    source: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What came in, newest first
#[utoipa::path(get, path = "/events", tag = "Events", security(("key" = ["viewer"])), params(EventsQuery),
    responses((status = 200, body = Page<EventView>), NotFound))]
pub async fn list_events(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<EventsQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        module: asked.module.as_deref(),
        source: asked.source.as_deref(),
        limit: asked.limit,
        cursor: asked.cursor.as_deref(),
    };
    manage::list_events::list_events(&gateway, &caller, wanted).await.map(answer)
}

/// One event, without its body
#[utoipa::path(get, path = "/events/{id}", tag = "Events", security(("key" = ["viewer"])),
    responses((status = 200, body = EventView), NotFound))]
pub async fn get_event(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    manage::get_event::get_event(&gateway, &caller, &id).await.map(answer)
}

/// The raw bytes of an event
///
/// Served as inert bytes: whatever a sender wrote, no browser runs it here.
#[utoipa::path(get, path = "/events/{id}/payload", tag = "Events", security(("key" = ["viewer"])),
    responses((status = 200, content_type = "application/octet-stream", body = String), NotFound, Gone))]
pub async fn get_payload(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let payload = manage::get_payload::get_payload(&gateway, &caller, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"payload\"")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, payload).into_response())
}
