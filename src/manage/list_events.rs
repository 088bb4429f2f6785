//! The event log, newest first.

use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::id::SourceId;
use crate::manage::caller::Caller;
use crate::manage::page::{Page, cursor, limit};
use crate::manage::view::EventView;
use crate::problem::{Code, Problem};
use crate::store::keys::Role;

/// Which events: of a module's source, or of all.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    pub module: Option<&'a str>,
    pub source: Option<&'a str>,
    pub limit: Option<i64>,
    pub cursor: Option<&'a str>,
}

pub async fn list_events(gateway: &Gateway, caller: &Caller, wanted: Wanted<'_>) -> Result<Page<EventView>, Problem> {
    caller.needs(Role::Viewer)?;
    let (limit, before) = (limit(wanted.limit)?, cursor(wanted.cursor)?);
    let sources = match (wanted.module, wanted.source) {
        (None, None) => None,
        (None, Some(_)) => {
            return Err(Problem::new(Code::InvalidRequest, "`source` names a source of a module: give `module`, too"));
        }
        (Some(module), source) => Some(sources(gateway, module, source).await?),
    };
    let rows = gateway.store.events(sources.as_deref(), before, limit + 1).await?;
    let snapshot = gateway.snapshot();
    Ok(Page::of(rows, limit, |row| row.id.clone(), |row| EventView::new(row, &snapshot)))
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
