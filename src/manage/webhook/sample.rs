//! The change that a test event tells of: the newest of its kind, or one that is made up.

mod made_up;

use super::members::{Wrong, invalid};
use super::names;
use crate::deliver::endpoint::Endpoint;
use crate::gateway::Gateway;
use crate::problem::Problem;
use crate::record::change::{Change, EventType, SYSTEM};
use crate::record::field::Kind;
use crate::store::modules::StoredModule;

/// Changes that are looked through for one of the type, and their bytes.
const MOST: (i64, i64) = (300, 4 * 1024 * 1024);

pub struct Sample {
    pub event: String,
    /// By slug.
    pub module: Option<String>,
    pub change: Change,
    pub is_made_up: bool,
}

/// `event` is by default the first that the endpoint asks for, `module` the first that has such events.
pub async fn sample(
    gateway: &Gateway,
    endpoint: &Endpoint,
    (event, module): (Option<&str>, Option<&str>),
) -> Result<Sample, Problem> {
    let snapshot = gateway.snapshot();
    let event = match event.or_else(|| endpoint.raw.events.first().map(String::as_str)) {
        Some(event) => event,
        None if snapshot.modules.is_empty() => SYSTEM[0],
        None => EventType::RecordCreated.as_str(),
    };
    let module = choose(&snapshot.modules, endpoint, (event, module)).map_err(|wrong| invalid(vec![wrong]))?;
    let shape = module.map(|module| &*module.table.shape);
    let newest = gateway.store.newest_changes(module.map(StoredModule::id), op(event), MOST).await?;
    let found = newest.into_iter().find(|change| {
        let shape = snapshot.shape_of(change).map(|shape| &**shape);
        change.types(shape).iter().any(|of_type| of_type == event)
    });
    let is_made_up = found.is_none();
    let mut change = match (found, shape) {
        (Some(change), _) => change,
        (None, Some(shape)) => made_up::of_a_record(shape, event, gateway.clock.now()),
        (None, None) => made_up::of_the_gateway(event, endpoint, gateway.clock.now()),
    };
    if is_made_up {
        change.seq = gateway.store.last_change().await?;
    }
    // It goes out from here for the first time.
    change.hops = 0;
    let module = module.map(|module| module.slug().to_string());
    Ok(Sample { event: event.to_owned(), module, change, is_made_up })
}

/// The `op` of such changes; empty where it may be any.
fn op(event: &str) -> &str {
    match EventType::find(event) {
        Some(EventType::RecordCreated) => "insert",
        Some(EventType::RecordDeleted) => "delete",
        Some(_) => "update",
        None if SYSTEM.contains(&event) => event,
        None => "",
    }
}

/// The module that the event is of; none of an event of the gateway itself.
fn choose<'a>(
    modules: &'a [StoredModule],
    endpoint: &Endpoint,
    (event, named): (&str, Option<&str>),
) -> Result<Option<&'a StoredModule>, Wrong> {
    let wrong = |field: &str, detail: String| Err(Wrong::new(field, detail));
    if SYSTEM.contains(&event) {
        return match named {
            Some(_) => wrong("module", format!("`{event}` is an event of the gateway itself, and has no module")),
            None => Ok(None),
        };
    }
    if let Some(unknown) = named.and_then(|slug| names::no_module(slug, modules)) {
        return wrong("module", unknown.detail);
    }
    let is_named = |module: &&StoredModule| named.is_none_or(|slug| module.slug().as_str() == slug);
    let is_asked = |module: &StoredModule| endpoint.raw.modules.iter().any(|slug| slug == module.slug().as_str());
    let mut able = modules.iter().filter(is_named).filter(|module| has(module, event)).collect::<Vec<_>>();
    able.sort_by_key(|module| !is_asked(module));
    match (able.first(), EventType::find(event)) {
        (Some(module), _) => Ok(Some(module)),
        (None, _) if modules.is_empty() => wrong("type", "there is no module yet that it could be of".to_owned()),
        (None, Some(_)) => wrong("type", format!("`{event}` needs a field of the type status, and there is none")),
        (None, None) => wrong("type", names::unknown(event, modules)),
    }
}

fn has(module: &StoredModule, event: &str) -> bool {
    match EventType::find(event) {
        Some(EventType::StatusChange) => {
            module.table.shape.fields.iter().any(|field| matches!(field.kind, Kind::Status(_)))
        }
        Some(_) => true,
        None => names::names(module, event),
    }
}
