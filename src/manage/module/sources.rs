//! The sources of a module that is altered: their mappings are carried along where they name a field that has another
//! name from now on, as new versions, and looked at by the new fields.

use super::draft::{Draft, now};
use crate::id::ModuleId;
use crate::map::mapping::RawMapping;
use crate::record::definition::{Definition, Fault, check_match};
use crate::record::field::{FieldName, ModuleSlug};
use crate::store::alter::Obstacle;
use crate::store::sources::StoredSource;

/// A source with its mapping as it is from now on.
pub struct Carried<'a> {
    pub source: &'a StoredSource,
    pub mapping: RawMapping,
}

impl Carried<'_> {
    pub fn is_changed(&self) -> bool {
        self.mapping != self.source.mapping
    }
}

pub fn carried<'a>(
    sources: &'a [StoredSource],
    module: ModuleId,
    renamed: &[(FieldName, FieldName)],
) -> Vec<Carried<'a>> {
    let of_module = sources.iter().filter(|source| source.module == module);
    of_module.map(|source| Carried { source, mapping: carry(&source.mapping, renamed) }).collect()
}

/// Only `to` and `match` name fields: all else of a mapping speaks of the payload.
fn carry(mapping: &RawMapping, renamed: &[(FieldName, FieldName)]) -> RawMapping {
    let carry = |name: &mut String| {
        if let Some((_, to)) = renamed.iter().find(|(from, _)| from.as_str() == name) {
            *name = to.to_string();
        }
    };
    let mut mapping = mapping.clone();
    mapping.matching.iter_mut().flatten().for_each(carry);
    mapping.rules.iter_mut().for_each(|rule| carry(&mut rule.to));
    mapping
}

/// Every set of fields that has to be unique, in the order that stands: so that nothing is altered where nothing is.
pub fn keys(old: &Definition, draft: &Draft, carried: &[Carried<'_>]) -> Vec<Vec<FieldName>> {
    let fields = &draft.definition.fields;
    let of_sources = carried.iter().filter_map(|of| check_match(of.mapping.matching.as_ref()?, fields).ok());
    let own = Some(draft.definition.matching.clone()).filter(|key| !key.is_empty());
    let wanted: Vec<_> = own.into_iter().chain(of_sources).collect();
    let stood = old.keys.iter().map(|key| key.iter().map(|name| now(name, &draft.renamed)).collect());
    let stood: Vec<Vec<FieldName>> = stood.filter(|key| wanted.contains(key)).collect();
    let mut keys: Vec<Vec<FieldName>> = Vec::new();
    for key in stood.into_iter().chain(wanted) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// What of the mappings forbids the alteration: each place is named.
pub fn in_the_way(
    (id, slug): (ModuleId, &ModuleSlug),
    definition: &Definition,
    dropped: &[FieldName],
    carried: &[Carried<'_>],
) -> Vec<Obstacle> {
    let Some((shape, keys)) = definition.shape(id, slug.clone(), 0) else { return Vec::new() };
    let mut found = Vec::new();
    for Carried { source, mapping } in carried {
        // As it stood: a name may belong to another field by now.
        let uses = uses(&source.mapping, dropped);
        let faults = source.settings.complete(mapping).check(&shape, &keys).err().unwrap_or_default();
        let is_told = |fault: &Fault| uses.iter().any(|(_, at)| *at == fault.at);
        let others = faults.iter().filter(|fault| !is_told(fault)).map(|fault| {
            let detail = format!("the mapping of the source `{}` could not go on: {}", source.slug, fault.detail);
            Obstacle::new(format!("sources.{}.{}", source.slug, fault.at), detail)
        });
        let others = others.collect::<Vec<_>>();
        found.extend(uses.iter().map(|(name, at)| {
            let detail =
                format!("the mapping of the source `{}` uses the field, at {at}; change that first", source.slug);
            Obstacle::new(format!("fields.{name}"), detail)
        }));
        found.extend(others);
    }
    found
}

/// Where a mapping names a field that is dropped.
fn uses(mapping: &RawMapping, dropped: &[FieldName]) -> Vec<(FieldName, String)> {
    let find = |text: &String| dropped.iter().find(|name| name.as_str() == text).cloned();
    let matching = mapping.matching.iter().flatten().filter_map(|text| Some((find(text)?, "match".to_owned())));
    let rules = mapping.rules.iter().enumerate();
    let rules = rules.filter_map(|(place, rule)| Some((find(&rule.to)?, format!("rule[{}].to", place + 1))));
    matching.chain(rules).collect()
}
