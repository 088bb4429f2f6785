//! What applying changes, or would change: of a module its fields, events and the rest, of a source its settings, secrets
//! and mapping.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::map::mapping::RawMapping;
use crate::map::mapping::diff::{Diff, Members, members, object};
use crate::record::definition::{Definition, FieldDefinition};
use crate::record::event::EventDefinition;
use crate::source::Settings;

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ModuleDiff {
    #[schema(value_type = Object)]
    fields: NamedDiff<FieldDefinition>,
    /// The events that the module names.
    #[schema(value_type = Object)]
    events: NamedDiff<EventDefinition>,
    /// The rest, by name: `{"from", "to"}`.
    #[schema(value_type = Object)]
    settings: Members,
}

/// Of things that have a name.
#[derive(Debug, Serialize)]
struct NamedDiff<T> {
    added: Vec<T>,
    removed: Vec<T>,
    changed: Vec<NamedChange>,
}

#[derive(Debug, Serialize)]
struct NamedChange {
    name: String,
    members: Members,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SourceDiff {
    /// By the names that storage has for them: `{"from", "to"}`.
    #[schema(value_type = Object)]
    settings: Members,
    /// Other secrets take the place of those that stand. Never the secrets.
    secrets_replaced: bool,
    /// `rules`: `added`, `removed`, `changed`, `moved`; `keys`: the rest of the mapping.
    #[schema(value_type = Object)]
    mapping: Diff,
}

impl ModuleDiff {
    pub fn between(old: Option<&Definition>, new: &Definition) -> Self {
        Self {
            fields: NamedDiff::between(old.map_or(&[], |old| &old.fields), &new.fields, |field| field.name.as_str()),
            events: NamedDiff::between(old.map_or(&[], |old| &old.events), &new.events, |event| &event.name),
            settings: members(&old.map(settings).unwrap_or_default(), &settings(new)),
        }
    }
}

/// `keys` follow from the matches.
fn settings(definition: &Definition) -> Map<String, Value> {
    let mut settings = object(definition);
    settings.retain(|name, _| !["fields", "events", "keys", "marks"].contains(&name.as_str()));
    settings
}

impl<T: Clone + PartialEq + Serialize> NamedDiff<T> {
    fn between(old: &[T], new: &[T], name: impl Fn(&T) -> &str) -> Self {
        let of = |all: &[T], wanted: &T| all.iter().find(|one| name(one) == name(wanted)).cloned();
        let but = |these: &[T], those: &[T]| these.iter().filter(|one| of(those, one).is_none()).cloned().collect();
        let changed = new.iter().filter_map(|one| {
            let was = of(old, one).filter(|was| was != one)?;
            Some(NamedChange { name: name(one).to_owned(), members: members(&object(&was), &object(one)) })
        });
        Self { added: but(new, old), removed: but(old, new), changed: changed.collect() }
    }
}

impl SourceDiff {
    pub fn between(
        old: Option<(&Settings, &RawMapping)>,
        new: (&Settings, &RawMapping),
        secrets_replaced: bool,
    ) -> Self {
        let nothing = RawMapping::default();
        let (settings, mapping) = old.map_or_else(|| (Map::new(), &nothing), |(s, mapping)| (object(s), mapping));
        Self { settings: members(&settings, &object(new.0)), secrets_replaced, mapping: Diff::between(mapping, new.1) }
    }
}
