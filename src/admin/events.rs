//! The event log over HTTP.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, answer, query};
use super::described::{Conflict, Gone, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::list_events::{Events, Wanted};
use crate::manage::replay_event::Replayed;
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
    /// `created`, `updated`, `unchanged`, `stale`, `duplicate`, `deleted`, `ignored` or `refused`.
    verdict: Option<String>,
    /// Why it was refused or ignored, such as `judgement_failed` or `only`.
    cause: Option<String>,
    /// The event's type.
    r#type: Option<String>,
    /// Received at this time or later.
    #[param(value_type = Option<crate::clock::Timestamp>)]
    since: Option<String>,
    /// Received before this time.
    #[param(value_type = Option<crate::clock::Timestamp>)]
    until: Option<String>,
    /// A record's id: events that changed it.
    record: Option<String>,
    /// Stands in the payload, byte by byte.
    #[param(min_length = 1, max_length = 200)]
    text: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What came in, newest first
///
/// All that is given must fit. What no index serves is looked for among 20,000 events a page, of `text` 2,000: the page
/// then says `scannedTo`, and `nextCursor` goes on there, also where nothing was found.
#[utoipa::path(get, path = "/events", tag = "Events", security(("key" = ["viewer"])), params(EventsQuery),
    responses((status = 200, body = Events), NotFound))]
pub async fn list_events(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<EventsQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        module: asked.module.as_deref(),
        source: asked.source.as_deref(),
        verdict: asked.verdict.as_deref(),
        cause: asked.cause.as_deref(),
        event_type: asked.r#type.as_deref(),
        since: asked.since.as_deref(),
        until: asked.until.as_deref(),
        record: asked.record.as_deref(),
        text: asked.text.as_deref(),
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
/// Served as inert text: whatever a sender wrote, no browser runs it here.
#[utoipa::path(get, path = "/events/{id}/payload", tag = "Events", security(("key" = ["viewer"])),
    responses((status = 200, content_type = "text/plain", body = String), NotFound, Gone))]
pub async fn get_payload(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let payload = manage::get_payload::get_payload(&gateway, &caller, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"payload\"")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, payload).into_response())
}

/// Judges an event once more
///
/// By the mapping in force now, from its kept payload; it is a new event, which names the first one as `replayOf`. Neither
/// signature nor limit is asked, and the event id makes it no duplicate; a stale event is stale all the same.
#[utoipa::path(post, path = "/events/{id}/replay", tag = "Events", security(("key" = ["editor"])),
    responses((status = 200, body = Replayed), NotFound, Conflict, Unfit))]
pub async fn replay_event(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    manage::replay_event::replay_event(&gateway, &caller, &id).await.map(answer)
}
