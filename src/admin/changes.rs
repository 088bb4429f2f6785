//! The log of changes over HTTP: pages with an optional wait, and a stream of server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use serde::Deserialize;

use super::answer::{App, Asked, answer, query};
use super::described::{Expired, NotFound};
use super::extract::Authenticated;
use crate::gateway::Gateway;
use crate::manage::authenticate::is_still_welcome;
use crate::manage::caller::Caller;
use crate::manage::change_view::ChangeView;
use crate::manage::list_changes::{self, Following, Reading, Wanted};
use crate::problem::{Code, Problem};

/// How often a stream without news says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Where a reader left off, as a browser's EventSource sends it.
const LAST_EVENT_ID: &str = "last-event-id";

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// A cursor of the log, or `latest`; from the oldest that is kept unless given.
    after: Option<String>,
    /// By slug.
    module: Option<String>,
    /// Of the events of a change, such as `record_updated`.
    #[serde(rename = "type")]
    of_type: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// Seconds to wait for a change where there is none yet.
    #[param(minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

impl ChangesQuery {
    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            after: self.after.as_deref(),
            module: self.module.as_deref(),
            of_type: self.of_type.as_deref(),
            limit: self.limit,
            wait: self.wait,
        }
    }
}

/// The log of changes, in the order of commits
#[utoipa::path(get, path = "/changes", tag = "Changes", security(("key" = ["viewer"])), params(ChangesQuery),
    responses((status = 200, body = list_changes::Changes), NotFound, Expired))]
pub async fn list_changes(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<ChangesQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let changes = list_changes::list_changes(&gateway, &caller, asked.wanted()).await?;
    if asked.wait.is_some() && !is_still_welcome(&gateway, &caller) {
        return Err(Code::KeyInvalid.into());
    }
    Ok(answer(changes))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// A cursor of the log, or `latest`; a `Last-Event-ID` goes before it.
    after: Option<String>,
    /// By slug.
    module: Option<String>,
    /// Of the events of a change.
    #[serde(rename = "type")]
    of_type: Option<String>,
}

/// A page is read when the one before it has been taken, so a slow reader costs a page and, once it takes nothing for
/// `write_time`, its connection.
struct Stream {
    gateway: Arc<Gateway>,
    caller: Caller,
    reading: Reading,
    following: Following,
    page: std::vec::IntoIter<ChangeView>,
}

/// The same as server-sent events, without end
///
/// Each event is a change, its id a cursor.
#[utoipa::path(get, path = "/changes/stream", tag = "Changes", security(("key" = ["viewer"])),
    params(StreamQuery, ("Last-Event-ID" = Option<String>, Header, description = "Where a reader left off.")),
    responses((status = 200, content_type = "text/event-stream", body = String), NotFound, Expired))]
pub async fn stream_changes(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    headers: HeaderMap,
    asked: Asked<StreamQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let left_off = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
    let wanted = Wanted {
        after: left_off.filter(|id| !id.is_empty()).or(asked.after.as_deref()),
        module: asked.module.as_deref(),
        of_type: asked.of_type.as_deref(),
        ..Wanted::default()
    };
    let reading = Reading::begin(&gateway, &caller, &wanted).await?;
    let following = Following::begin(&gateway)?;
    let stream = Stream { gateway, caller, reading, following, page: Vec::new().into_iter() };
    let events = unfold(stream, |mut stream| async {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    Ok(Sse::new(events).into_response())
}

impl Stream {
    /// Ends when the gateway stops, when the caller's key does not count any more, and when the log cannot be read: the reader comes again from where it was.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if !is_still_welcome(&self.gateway, &self.caller) {
                return None;
            }
            if let Some(change) = self.page.next() {
                return Event::default().event("change").id(change.cursor()).json_data(&change).ok();
            }
            if self.gateway.stopping.is_cancelled() {
                return None;
            }
            let page = match self.reading.next(&self.gateway).await {
                Ok(page) => page,
                Err(problem) => {
                    tracing::warn!(code = %problem.code(), "a stream of changes ends");
                    return None;
                }
            };
            let snapshot = self.gateway.snapshot();
            let found = page.changes.into_iter().map(|change| ChangeView::new(change, &snapshot));
            self.page = found.collect::<Vec<_>>().into_iter();
            let is_over = self.page.len() == 0 && !page.more;
            if is_over && !self.following.news(&self.gateway, page.next, HEARTBEAT).await {
                return Some(Event::default().comment("still here"));
            }
        }
    }
}
