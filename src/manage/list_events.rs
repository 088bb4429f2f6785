//! The event log, newest first. Filters name what stands: the events of a source that is gone are in the list of all.

use super::get_module::find_module;
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::{RecordId, SourceId};
use crate::manage::caller::Caller;
use crate::manage::page::{cursor, limit};
use crate::manage::view::EventView;
use crate::problem::{Code, Problem};
use crate::record::cursor::Cursor;
use crate::record::merge::Outcome;
use crate::record::nearest::{listed, nearest};
use crate::store::event_page;
use crate::store::keys::Role;

/// Bytes of a text that is looked for.
const LONGEST_TEXT: usize = 200;
const REFUSED: &str = "refused";
const OUTCOMES: [Outcome; 7] = [
    Outcome::Created,
    Outcome::Deleted,
    Outcome::Updated,
    Outcome::Unchanged,
    Outcome::Stale,
    Outcome::Duplicate,
    Outcome::Ignored,
];

/// Which events: those that fit all of it.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub module: Option<&'a str>,
    pub source: Option<&'a str>,
    pub verdict: Option<&'a str>,
    pub cause: Option<&'a str>,
    pub event_type: Option<&'a str>,
    pub since: Option<&'a str>,
    pub until: Option<&'a str>,
    /// Those that changed it.
    pub record: Option<&'a str>,
    /// Bytes of the payload.
    pub text: Option<&'a str>,
    pub limit: Option<i64>,
    pub cursor: Option<&'a str>,
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    data: Vec<EventView>,
    /// Where to go on. There may be one behind a page that is not full, or empty: see `scannedTo`.
    next_cursor: Option<String>,
    /// The page has looked at as many events as one page may, and these were received since then; older ones may fit, too.
    scanned_to: Option<Timestamp>,
}

pub async fn list_events(gateway: &Gateway, caller: &Caller, wanted: Wanted<'_>) -> Result<Events, Problem> {
    caller.needs(Role::Viewer)?;
    let checked = checked(gateway, &wanted).await?;
    let within = (&gateway.clock, gateway.config.bounds.query_time);
    let page = match wanted.record {
        Some(record) => {
            let bad = |_| Problem::new(Code::InvalidRequest, "`record` is the id of a record");
            let record = record.parse::<RecordId>().map_err(bad)?.to_string();
            let before = cursor::<Cursor>(wanted.cursor)?;
            gateway.store.events_of_record((&checked, &record), before, within).await?
        }
        None => gateway.store.events(&checked, cursor(wanted.cursor)?, within).await?,
    };
    let snapshot = gateway.snapshot();
    let data = page.rows.into_iter().map(|row| EventView::new(row, &snapshot)).collect();
    Ok(Events { data, next_cursor: page.next, scanned_to: page.scanned_to })
}

async fn checked(gateway: &Gateway, wanted: &Wanted<'_>) -> Result<event_page::Wanted, Problem> {
    let bad = |detail: String| Problem::new(Code::InvalidRequest, detail);
    let sources = match (wanted.module, wanted.source) {
        (None, None) => None,
        (None, Some(_)) => return Err(bad("`source` names a source of a module: give `module`, too".to_owned())),
        (Some(module), source) => Some(sources(gateway, module, source).await?),
    };
    let time = |name: &str, text: Option<&str>| {
        let bad = |_| bad(format!("`{name}` is a time with an offset, such as 2026-01-02T03:04:05Z; write `+` as %2B"));
        text.map(str::parse::<Timestamp>).transpose().map_err(bad)
    };
    if let Some(text) = wanted.text.filter(|text| text.is_empty() || text.len() > LONGEST_TEXT) {
        return Err(bad(format!("`text` has 1 to {LONGEST_TEXT} bytes, and this one {}", text.len())));
    }
    let verdict = wanted.verdict.map(verdict).transpose()?;
    // What has the code of a problem was refused: these are found at once.
    let is_refusal = wanted.cause.is_some_and(|cause| Code::find(cause).is_some());
    let verdict = verdict.or(is_refusal.then_some(REFUSED));
    let own = |text: Option<&str>| text.map(|text| text.replace('\0', "\u{fffd}"));
    Ok(event_page::Wanted {
        sources,
        verdict: own(verdict),
        cause: own(wanted.cause),
        event_type: own(wanted.event_type),
        since: time("since", wanted.since)?,
        until: time("until", wanted.until)?,
        text: wanted.text.map(|text| text.as_bytes().to_vec()),
        limit: limit(wanted.limit)?,
    })
}

fn verdict(text: &str) -> Result<&'static str, Problem> {
    let all = OUTCOMES.map(Outcome::as_str).into_iter().chain([REFUSED]);
    if let Some(known) = all.clone().find(|known| *known == text) {
        return Ok(known);
    }
    let detail = match nearest(text, all.clone()) {
        Some(near) => format!("`verdict`: there is none of this name; did you mean `{near}`?"),
        None => format!("`verdict` is one of {}", listed(all)),
    };
    Err(Problem::new(Code::InvalidRequest, detail))
}

async fn sources(gateway: &Gateway, module: &str, source: Option<&str>) -> Result<Vec<SourceId>, Problem> {
    let module = find_module(gateway, module).await?;
    let all = gateway.store.sources().await?;
    let own = all.iter().filter(|stored| stored.module == module.id());
    let named = own.filter(|stored| source.is_none_or(|slug| stored.slug.as_str() == slug)).map(|stored| stored.id);
    let named = named.collect::<Vec<_>>();
    match source {
        Some(_) if named.is_empty() => Err(Problem::new(Code::NotFound, "the module has no source of this name")),
        _ => Ok(named),
    }
}
