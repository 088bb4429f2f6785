//! Everything that a module file can be told without a gateway, past the form of it. What one mistake entails is not
//! told beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::Way;
use super::{Document, FileError, MOST_ERRORS, ordered};
use crate::clock::Timestamp;
use crate::config::Bounds;
use crate::id::ModuleId;
use crate::map::mapping::{Mapping, RawMapping};
use crate::record::definition::{Definition, Fault, RawModule, Sketch, check_match};
use crate::record::field::{FieldName, ModuleSlug, SourceSlug};
use crate::record::shape::Shape;
use crate::source::{RawSource, Settings};

/// A file without a problem of its own.
#[derive(Debug)]
pub struct Checked {
    pub slug: ModuleSlug,
    /// With a key for each `match` of its sources.
    pub definition: Definition,
    /// Of a module that no gateway knows: with an id of its own.
    pub shape: Shape,
    pub sources: Vec<CheckedSource>,
}

#[derive(Debug)]
pub struct CheckedSource {
    pub slug: SourceSlug,
    pub settings: Settings,
    pub mapping: Mapping,
    /// As it is written: without what the sender's preset knows, which the settings add where it is used.
    pub raw: RawMapping,
}

/// A source's mapping, and the `match` that it names itself.
struct Wanted {
    mapping: RawMapping,
    key: Option<Vec<FieldName>>,
    /// What is wrong with that `match` was told.
    told: bool,
}

impl Document<'_> {
    /// Every problem at once, by line.
    pub fn check(&self, bounds: &Bounds) -> Result<Checked, Vec<FileError>> {
        let mut faults = Vec::new();
        let checked = self.raw.as_ref().and_then(|raw| {
            let missing = || {
                Fault::new(
                    "module",
                    "the file has no [module]; begin it with a line [module] and slug = \"work-orders\"",
                )
            };
            if raw.module.is_none() {
                faults.push(missing());
            }
            let sketch = raw.module.as_ref().map_or_else(|| RawModule::default().sketch(), RawModule::sketch);
            check(sketch, &raw.sources, bounds, &mut faults)
        });
        let mut errors = self.errors.clone();
        errors.extend(
            faults
                .iter()
                .filter(|fault| !self.is_forgiven(&fault.at))
                .map(|fault| self.error(&fault.at, &fault.detail)),
        );
        match checked {
            Some(checked) if errors.is_empty() => Ok(checked),
            _ => Err(ordered(errors, self.name)),
        }
    }

    /// The module that the file defines, when it is clear.
    pub fn module(&self) -> Option<(ModuleSlug, Definition)> {
        self.raw.as_ref()?.module.as_ref()?.sketch().finished()
    }

    /// A place that is missing, or lacks something, because of an error in it.
    fn is_forgiven(&self, at: &str) -> bool {
        let at = Way::parse(at);
        let has_module = self.raw.as_ref().is_some_and(|raw| raw.module.is_some());
        let is_entailed = !has_module && at != Way::default().key("module") && at.keys().first() == Some(&"module");
        is_entailed || self.forgiven.iter().any(|way| way.starts_with(&at))
    }
}

fn check(sketch: Sketch, sources: &[RawSource], bounds: &Bounds, faults: &mut Vec<Fault>) -> Option<Checked> {
    let settings = settings(sources, bounds, faults);
    let wanted =
        sources.iter().enumerate().map(|(place, source)| wanted(place, source, &sketch, faults)).collect::<Vec<_>>();
    faults.extend(sketch.faults.iter().cloned());
    let definition = definition(&sketch, &wanted);
    let slug = sketch.slug.clone().or_else(|| ModuleSlug::parse("module").ok())?;
    let (shape, keys) = definition.shape(ModuleId::floor(Timestamp::from_micros(0)?), slug.clone(), 1)?;
    let mut mappings = Vec::new();
    for (place, source) in wanted.iter().enumerate() {
        if faults.len() > MOST_ERRORS {
            return None;
        }
        let whole =
            settings.get(place).and_then(Option::as_ref).map(|(_, settings)| settings.complete(&source.mapping));
        match whole.as_ref().unwrap_or(&source.mapping).check(&shape, &keys) {
            Ok(mapping) => mappings.push((mapping, source.mapping.clone())),
            Err(found) => {
                let found = found.into_iter().filter(|fault| !is_entailed(fault, source, &sketch));
                faults.extend(found.map(|fault| within(place, &fault)));
            }
        }
    }
    let sources = settings.into_iter().zip(mappings).map(|(settings, (mapping, raw))| {
        let (slug, settings) = settings?;
        Some(CheckedSource { slug, settings, mapping, raw })
    });
    let sources = sources.collect::<Option<Vec<_>>>()?;
    Some(Checked { slug, definition, shape, sources })
}

fn within(source: usize, fault: &Fault) -> Fault {
    Fault::new(format!("source[{}].{}", source + 1, fault.at), fault.detail.clone())
}

fn settings(sources: &[RawSource], bounds: &Bounds, faults: &mut Vec<Fault>) -> Vec<Option<(SourceSlug, Settings)>> {
    let (mut checked, mut slugs) = (Vec::new(), BTreeSet::new());
    for (place, source) in sources.iter().enumerate() {
        let twice = !slugs.insert(&source.slug) && !source.slug.is_empty();
        if twice {
            let detail = format!("another source has the slug `{}` already; give each its own", source.slug);
            faults.push(within(place, &Fault::new("slug", detail)));
        }
        let settings =
            source.settings(bounds).map_err(|found| faults.extend(found.iter().map(|fault| within(place, fault))));
        checked.push(settings.ok());
    }
    checked
}

fn wanted(place: usize, source: &RawSource, sketch: &Sketch, faults: &mut Vec<Fault>) -> Wanted {
    let mut mapping = source.clone().into_mapping();
    let unclear = |names: &Vec<String>| names.iter().any(|name| sketch.unnamed.contains(name));
    let (key, told) = match mapping.matching.as_ref() {
        None => (None, false),
        Some(names) if unclear(names) => (None, true),
        Some(names) => match check_match(names, &sketch.fields) {
            Ok(key) => (Some(key), false),
            Err(detail) => {
                faults.push(within(place, &Fault::new("match", detail)));
                (None, true)
            }
        },
    };
    if told {
        mapping.matching = Some(Vec::new());
    }
    Wanted { mapping, key, told }
}

/// With what is unclear left out.
fn definition(sketch: &Sketch, wanted: &[Wanted]) -> Definition {
    let matching = sketch.matching.clone().unwrap_or_default();
    let mut keys = vec![matching.clone()];
    for key in wanted.iter().filter_map(|source| source.key.as_ref()) {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    let slug = sketch.slug.as_ref().map(ToString::to_string).unwrap_or_default();
    let name = sketch.name.clone().unwrap_or(slug);
    Definition {
        name,
        matching,
        fields: sketch.fields.clone(),
        keys,
        events: sketch.events.clone(),
        marks: BTreeMap::new(),
    }
}

/// What is wrong only because of another problem that was told.
fn is_entailed(fault: &Fault, source: &Wanted, sketch: &Sketch) -> bool {
    let has_none = sketch.fields.is_empty() && fault.at.ends_with(".to");
    let targets_unnamed = || {
        let rules = source.mapping.rules.iter().enumerate();
        let mut of = rules.filter(|(_, rule)| sketch.unnamed.contains(&rule.to));
        of.any(|(place, _)| fault.at == format!("rule[{}].to", place + 1))
    };
    (source.told && fault.at == "match") || has_none || targets_unnamed()
}
