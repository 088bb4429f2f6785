//! Whether what an endpoint names is there: a type that nothing is ever of would be silence.

use super::members::Wrong;
use crate::deliver::endpoint::RawEndpoint;
use crate::record::change::{EventType, SYSTEM};
use crate::record::nearest::{did_you_mean, nearest};
use crate::store::modules::StoredModule;

pub fn check(raw: &RawEndpoint, modules: &[StoredModule]) -> Vec<Wrong> {
    let unknown = raw.modules.iter().filter_map(|slug| no_module(slug, modules));
    let wanted = raw.events.iter().filter_map(|event| no_event(event, raw, modules));
    unknown.chain(wanted).collect()
}

/// Whether a module names events so.
pub fn names(module: &StoredModule, event: &str) -> bool {
    module.table.shape.events.iter().any(|named| named.name == event)
}

pub fn no_module(slug: &str, modules: &[StoredModule]) -> Option<Wrong> {
    let slugs = || modules.iter().map(|module| module.slug().as_str());
    let hint = || did_you_mean(nearest(slug, slugs()), |slug| format!("`{slug}`"));
    let is_known = slugs().any(|known| known == slug);
    (!is_known).then(|| Wrong::new("modules", format!("there is no module `{}`{}", short(slug), hint())))
}

fn no_event(event: &str, raw: &RawEndpoint, modules: &[StoredModule]) -> Option<Wrong> {
    if EventType::find(event).is_some() {
        return None;
    }
    let is_asked = |module: &&StoredModule| raw.modules.iter().any(|slug| slug == module.slug().as_str());
    let named = modules.iter().filter(|module| names(module, event)).collect::<Vec<_>>();
    let detail = match &named[..] {
        _ if SYSTEM.contains(&event) && raw.modules.is_empty() => return None,
        _ if SYSTEM.contains(&event) => {
            format!("`{event}` has no module, so it is never sent to a webhook that names modules")
        }
        [] => unknown(event, modules),
        named if raw.modules.is_empty() || named.iter().any(is_asked) => return None,
        [other, ..] => format!("`{event}` is an event of `{}`, which `modules` leaves out", other.slug()),
    };
    Some(Wrong::new("events", detail))
}

pub fn unknown(event: &str, modules: &[StoredModule]) -> String {
    let named = modules.iter().flat_map(|module| &module.table.shape.events).map(|named| named.name.as_str());
    let all = EventType::ALL.map(EventType::as_str).into_iter().chain(SYSTEM.iter().copied()).chain(named);
    let hint = did_you_mean(nearest(event, all), |near| format!("`{near}`"));
    format!("no module names an event `{}`{hint}", short(event))
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
