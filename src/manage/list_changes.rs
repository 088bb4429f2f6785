//! The log of changes: complete, in commit order, from any point.

use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::feed::{self, Page};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::change_view::ChangeView;
use crate::problem::{Code, Problem};
use crate::record::change::{Change, EventType, SYSTEM};
use crate::record::cursor::Cursor;
use crate::record::nearest::{listed, nearest};
use crate::store::RETRY_AFTER;
use crate::store::keys::Role;
use crate::store::modules::StoredModule;

/// Changes of one page, and unless the caller asks for fewer.
const MOST: usize = 100;
/// Seconds that a caller may wait for news.
const LONGEST_WAIT: u64 = 30;

/// What a caller asks for.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// A cursor; `latest` for the end; none for the oldest that is kept.
    pub after: Option<&'a str>,
    pub module: Option<&'a str>,
    pub of_type: Option<&'a str>,
    pub limit: Option<usize>,
    pub wait: Option<u64>,
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    pub data: Vec<ChangeView>,
    /// Where to go on; there is always one.
    pub next_cursor: String,
    /// Whether more is there already.
    pub has_more: bool,
}

/// One reader of the log, at its point.
pub struct Reading {
    after: Cursor,
    /// Nobody named a point, and nothing was read yet: the oldest is meant, wherever that is by then.
    from_oldest: bool,
    wanted: feed::Wanted,
    limit: usize,
}

pub async fn list_changes(gateway: &Gateway, caller: &Caller, wanted: Wanted<'_>) -> Result<Changes, Problem> {
    let wait = match wanted.wait.unwrap_or(0) {
        wait if wait <= LONGEST_WAIT => Duration::from_secs(wait),
        _ => return Err(Problem::new(Code::InvalidRequest, format!("`wait` is at most {LONGEST_WAIT} seconds"))),
    };
    let mut reading = Reading::begin(gateway, caller, &wanted).await?;
    // Ended before the request as a whole is.
    let wait = wait.min(gateway.config.bounds.api_time * 4 / 5);
    let end = gateway.clock.monotonic() + wait;
    let mut following: Option<Following> = None;
    loop {
        let page = reading.next(gateway).await?;
        let left = end.saturating_sub(gateway.clock.monotonic());
        let is_over = left.is_zero() || gateway.stopping.is_cancelled();
        if !page.changes.is_empty() || page.more || is_over {
            let next_cursor = page.next.to_string();
            let snapshot = gateway.snapshot();
            let data = page.changes.into_iter().map(|change| ChangeView::new(change, &snapshot)).collect();
            return Ok(Changes { data, next_cursor, has_more: page.more });
        }
        let following = match &mut following {
            Some(following) => following,
            none => none.insert(Following::begin(gateway)?),
        };
        following.news(gateway, reading.after, left).await;
    }
}

impl Reading {
    pub async fn begin(gateway: &Gateway, caller: &Caller, wanted: &Wanted<'_>) -> Result<Self, Problem> {
        caller.needs(Role::Viewer)?;
        let limit = match wanted.limit.unwrap_or(MOST) {
            limit @ 1..=MOST => limit,
            _ => return Err(Problem::new(Code::InvalidRequest, format!("`limit` is a number from 1 to {MOST}"))),
        };
        let module = match wanted.module {
            Some(slug) => Some(super::get_module::find_module(gateway, slug).await?),
            None => None,
        };
        let snapshot = gateway.snapshot();
        let modules = module.as_ref().map_or(&snapshot.modules[..], std::slice::from_ref);
        let of_type = wanted.of_type.map(|text| event_type(text, modules)).transpose()?;
        let module = module.map(|module| module.id());
        let after = match wanted.after {
            None => Cursor(gateway.store.log_start().await?),
            Some("latest") => Cursor(gateway.store.last_change().await?),
            Some(text) => given(gateway, text).await?,
        };
        Ok(Self { after, from_oldest: wanted.after.is_none(), wanted: feed::Wanted { module, of_type }, limit })
    }

    /// What stands next in the log, perhaps nothing; the reader moves on past it.
    pub async fn next(&mut self, gateway: &Gateway) -> Result<Page, Problem> {
        let snapshot = gateway.snapshot();
        let shape = |change: &Change| snapshot.shape_of(change).cloned();
        loop {
            let page = feed::page(&gateway.store, self.after, &self.wanted, self.limit, shape).await?;
            // Asked when all was read: what has gone since was still seen.
            let start = Cursor(gateway.store.log_start().await?);
            if start <= self.after {
                (self.after, self.from_oldest) = (page.next, false);
                return Ok(page);
            }
            if !self.from_oldest {
                return Err(expired(start));
            }
            self.after = start;
        }
    }
}

/// One beyond the end was given by another log, such as this one before an older copy of it was put back.
async fn given(gateway: &Gateway, text: &str) -> Result<Cursor, Problem> {
    let bad = || Problem::new(Code::InvalidRequest, "`after` is a cursor that this log has given, or `latest`");
    let cursor: Cursor = text.parse().map_err(|_| bad())?;
    let start = Cursor(gateway.store.log_start().await?);
    if cursor < start {
        return Err(expired(start));
    }
    if cursor.0 > gateway.store.last_change().await? { Err(bad()) } else { Ok(cursor) }
}

/// One that every module has, or that one of these names, or one of the gateway itself.
fn event_type(text: &str, modules: &[StoredModule]) -> Result<String, Problem> {
    let named = modules.iter().flat_map(|module| &module.table.shape.events).map(|event| event.name.as_str());
    let mut all = EventType::ALL.map(EventType::as_str).to_vec();
    all.extend(SYSTEM);
    named.for_each(|name| {
        if !all.contains(&name) {
            all.push(name)
        }
    });
    if all.contains(&text) {
        return Ok(text.to_owned());
    }
    let detail = match nearest(text, all.iter().copied()) {
        Some(near) => format!("there is no type of this name; did you mean `{near}`?"),
        None => format!("`type` is one of {}", listed(all)),
    };
    Err(Problem::new(Code::InvalidRequest, detail))
}

fn expired(start: Cursor) -> Problem {
    let detail = format!("changes after this cursor are no longer kept; the log begins at {start}");
    Problem::new(Code::CursorExpired, detail)
}

/// A place among those who wait for news.
pub struct Following {
    last: watch::Receiver<i64>,
    _place: OwnedSemaphorePermit,
}

impl Following {
    pub fn begin(gateway: &Gateway) -> Result<Self, Problem> {
        let place = std::sync::Arc::clone(&gateway.followers).try_acquire_owned().map_err(|_| {
            gateway.metrics.reached("followers");
            Problem::from(Code::TooManyFollowers).with_retry_after(RETRY_AFTER)
        })?;
        Ok(Self { last: gateway.tail.listen(), _place: place })
    }

    /// Returns when the log has gone on from there, when the gateway stops, or, with `false`, when the time is over.
    pub async fn news(&mut self, gateway: &Gateway, from: Cursor, most: Duration) -> bool {
        let moved = self.last.wait_for(|last| *last > from.0);
        tokio::select! {
            moved = tokio::time::timeout(most, moved) => moved.is_ok(),
            () = gateway.stopping.cancelled() => true,
        }
    }
}
