//! What stands and what is wanted give the steps between them. Pure but for the randomness of new ids and tokens.

mod secrets;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::audited;
use super::diff::{ModuleDiff, SourceDiff};
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::{ModuleId, SourceId};
use crate::manage::caller::Caller;
use crate::manage::module::alter;
use crate::map::mapping::RawMapping;
use crate::record::alteration::Alteration;
use crate::record::definition::{Definition, Fault, FieldDefinition, check_match};
use crate::record::field::{FieldName, ModuleSlug, SourceSlug};
use crate::record::shape::Shape;
use crate::secret::{self, ExposeSecret, SealKey, SecretString};
use crate::source::Settings;
use crate::source::document::Checked;
use crate::source::write::unwritable;
use crate::store::mappings::{NewVersion, Origin};
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;
use crate::store::sources::{StoredSource, StoredToken};

/// Of a file's name, in characters, as the history of mappings keeps it.
const LONGEST_FILE_NAME: usize = 500;

/// What was done, or would be.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Applied {
    pub modules: Vec<AppliedModule>,
    pub sources: Vec<AppliedSource>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AppliedModule {
    pub slug: String,
    pub action: Action,
    /// Of what is made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<ModuleDiff>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct AppliedSource {
    pub module: String,
    pub slug: String,
    pub action: Action,
    /// Only when it was made just now; it is not shown again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of what is made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<SourceDiff>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Created,
    Updated,
    Unchanged,
}

impl Applied {
    /// For a dry run: a token that was made and not kept opens nothing.
    pub fn without_tokens(mut self) -> Self {
        for source in &mut self.sources {
            (source.token, source.url) = (None, None);
        }
        self
    }
}

#[derive(Debug, Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub applied: Applied,
    /// Of the mappings that it adds from here on.
    pub origin: Origin,
}

/// A source as it is wanted.
pub struct WantedSource {
    pub slug: SourceSlug,
    pub settings: Settings,
    pub mapping: RawMapping,
    /// Active secrets, when they were given with the request; else by the names in the settings.
    pub secrets: Option<Vec<SecretString>>,
}

/// A module as the plan makes it.
struct Shaped {
    id: ModuleId,
    shape: Shape,
    keys: Vec<Vec<usize>>,
}

/// What the comparison goes by.
pub struct Known<'a> {
    modules: &'a [StoredModule],
    sources: &'a [StoredSource],
    secrets: &'a BTreeMap<String, SecretString>,
    seal: &'a SealKey,
    url: &'a str,
    caller: &'a Caller,
    now: Timestamp,
}

impl<'a> Known<'a> {
    pub fn new(
        gateway: &'a Gateway,
        caller: &'a Caller,
        (modules, sources): (&'a [StoredModule], &'a [StoredSource]),
        secrets: &'a BTreeMap<String, SecretString>,
    ) -> Self {
        let (seal, url) = (&gateway.seal, gateway.url());
        Self { modules, sources, secrets, seal, url, caller, now: gateway.clock.now() }
    }

    pub fn plan_file(&self, name: &str, file: Checked, plan: &mut Plan) -> Result<(), Vec<Fault>> {
        plan.origin = Origin::File(shown_name(name));
        let wanted = file.sources.into_iter().map(|source| WantedSource {
            slug: source.slug,
            settings: source.settings,
            mapping: source.raw,
            secrets: None,
        });
        self.plan_module(&file.slug, file.definition, wanted.collect(), plan)
    }

    /// Why the module that stands cannot become this one.
    pub fn cannot_grow(&self, slug: &ModuleSlug, wanted: &Definition) -> Vec<Fault> {
        let stored = self.modules.iter().find(|module| module.slug() == slug);
        stored.and_then(|module| grown(&module.definition, wanted.clone()).err()).unwrap_or_default()
    }

    /// Sources that stand and are not wanted here stay as they are.
    pub fn plan_module(
        &self,
        slug: &ModuleSlug,
        wanted: Definition,
        sources: Vec<WantedSource>,
        plan: &mut Plan,
    ) -> Result<(), Vec<Fault>> {
        let Shaped { id, shape, keys } = self.plan_shape(slug, wanted, &sources, plan)?;
        let mut faults = self.broken(id, &sources, &shape, &keys);
        for (place, source) in sources.into_iter().enumerate() {
            let found = check(&source, &shape, &keys);
            if !found.is_empty() {
                faults.extend(found.into_iter().map(|fault| within(place, fault)));
            } else if let Err(fault) = self.plan_source(id, slug, source, plan) {
                faults.push(within(place, fault));
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Another mapping of a source that stands, and the key that its `match` needs.
    pub fn plan_mapping(
        &self,
        (module, source): (&StoredModule, &StoredSource),
        mapping: RawMapping,
        plan: &mut Plan,
    ) -> Result<(), Vec<Fault>> {
        let (slug, settings) = (source.slug.clone(), source.settings.clone());
        let wanted = [WantedSource { slug, settings, mapping, secrets: None }];
        let (told, faults) = match self.plan_shape(module.slug(), module.definition.clone(), &wanted, plan) {
            Ok(Shaped { shape, keys, .. }) => (Vec::new(), check(&wanted[0], &shape, &keys)),
            // A `match` that cannot be: the rest is told by the module as it stands.
            Err(told) => {
                let keys = module.table.keys.iter().map(|key| key.fields.clone()).collect::<Vec<_>>();
                (without_place(told), check(&wanted[0], &module.table.shape, &keys))
            }
        };
        let is_new = |fault: &Fault| !told.iter().any(|told| told.at == fault.at);
        let faults = [told.clone(), faults.into_iter().filter(is_new).collect()].concat();
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// The module itself, with a key for each `match`.
    fn plan_shape(
        &self,
        slug: &ModuleSlug,
        wanted: Definition,
        sources: &[WantedSource],
        plan: &mut Plan,
    ) -> Result<Shaped, Vec<Fault>> {
        let stored = self.modules.iter().find(|module| module.slug() == slug);
        let old = stored.map(|module| &module.definition);
        let mut definition = match old {
            Some(old) => grown(old, wanted)?,
            None => wanted,
        };
        definition.keys = self.keys(stored, old, &definition, sources)?;
        let id = stored.map_or_else(|| ModuleId::new(self.now), StoredModule::id);
        let from = stored.map_or(0, |module| module.table.shape.number);
        let action = match old {
            None => Action::Created,
            Some(old) if *old == definition => Action::Unchanged,
            Some(_) => Action::Updated,
        };
        let number = old.map_or(1, |old| definition.number_after(old, from));
        let corrupt = || vec![Fault::new("module", "the module's definition does not read")];
        let diff = (action != Action::Unchanged).then(|| ModuleDiff::between(old, &definition));
        let (shape, keys) = definition.shape(id, slug.clone(), number).ok_or_else(corrupt)?;
        let told = (audited::module(old), audited::module(Some(&definition)));
        match (action, old) {
            (Action::Created, _) => plan.steps.push(Step::CreateModule { id, slug: slug.clone(), definition }),
            (Action::Updated, Some(old)) => {
                let alteration = Alteration::new(old.clone(), definition, Vec::new());
                plan.steps.extend(alter((id, slug.clone()), from, alteration, self.caller));
            }
            _ => {}
        }
        self.audit(plan, (action, "module"), slug.to_string(), told);
        plan.applied.modules.push(AppliedModule { slug: slug.to_string(), action, diff });
        Ok(Shaped { id, shape, keys })
    }

    /// Sources that stand, are not wanted here, and could not go on with the new shape.
    fn broken(&self, module: ModuleId, wanted: &[WantedSource], shape: &Shape, keys: &[Vec<usize>]) -> Vec<Fault> {
        let others = self
            .sources
            .iter()
            .filter(|other| other.module == module && !wanted.iter().any(|wanted| wanted.slug == other.slug));
        let broken = others.filter_map(|other| {
            let fault = other.settings.complete(&other.mapping).check(shape, keys).err()?.into_iter().next()?;
            let detail = format!("the source `{}` could not go on: {}: {}", other.slug, fault.at, fault.detail);
            Some(Fault::new("module", detail))
        });
        broken.collect()
    }

    /// Every set of fields that has to be unique: the module's match, and that of each of its sources.
    fn keys(
        &self,
        stored: Option<&StoredModule>,
        old: Option<&Definition>,
        definition: &Definition,
        sources: &[WantedSource],
    ) -> Result<Vec<Vec<FieldName>>, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut wanted = vec![definition.matching.clone()];
        for (place, source) in sources.iter().enumerate() {
            let Some(names) = &source.mapping.matching else { continue };
            match check_match(names, &definition.fields) {
                Ok(key) => wanted.push(key),
                Err(detail) => faults.push(within(place, Fault::new("match", detail))),
            }
        }
        let others = self.sources.iter().filter(|other| {
            stored.is_some_and(|module| module.id() == other.module)
                && !sources.iter().any(|source| source.slug == other.slug)
        });
        let others = others.filter_map(|other| check_match(other.mapping.matching.as_ref()?, &definition.fields).ok());
        wanted.extend(others);
        if !faults.is_empty() {
            return Err(faults);
        }
        // In the order that stands, so that the same files give the same definition.
        let kept = old.into_iter().flat_map(|old| &old.keys).filter(|key| wanted.contains(key)).cloned();
        let mut keys = kept.collect::<Vec<_>>();
        for key in wanted {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    fn plan_source(
        &self,
        module: ModuleId,
        of: &ModuleSlug,
        wanted: WantedSource,
        plan: &mut Plan,
    ) -> Result<(), Fault> {
        let stored = self.sources.iter().find(|source| source.module == module && source.slug == wanted.slug);
        let id = stored.map_or_else(|| SourceId::new(self.now), |source| source.id);
        let secrets = self.secrets(id, stored, &wanted)?;
        let mut applied = AppliedSource {
            module: of.to_string(),
            slug: wanted.slug.to_string(),
            action: Action::Unchanged,
            token: None,
            url: None,
            diff: None,
        };
        let had_steps = plan.steps.len();
        let settings = serde_json::to_string(&wanted.settings).map_err(|error| Fault::new("", error.to_string()))?;
        match stored {
            None => {
                let token = secret::generate(secret::SOURCE_TOKEN);
                let digest = secret::hex(&secret::digest(token.expose_secret()));
                applied.url = Some(format!("{}/api/webhooks/{of}/{}", self.url, token.expose_secret()));
                applied.token = Some(token.expose_secret().to_owned());
                applied.action = Action::Created;
                plan.steps.push(Step::CreateSource { id, module, slug: wanted.slug.clone(), settings });
                let step = SourceStep::Tokens(vec![StoredToken::new(digest, self.now)]);
                plan.steps.push(Step::Source { id, step });
            }
            Some(stored) if stored.settings != wanted.settings => plan.steps.push(Step::AlterSource { id, settings }),
            Some(_) => {}
        }
        let version = stored.map_or(0, |stored| stored.mapping_version);
        let is_mapped_anew = stored.is_none_or(|stored| stored.mapping != wanted.mapping);
        let version = version + i64::from(is_mapped_anew);
        if is_mapped_anew {
            let document =
                serde_json::to_string(&wanted.mapping).map_err(|error| Fault::new("rule", error.to_string()))?;
            let (author, origin) = (self.caller.actor.clone(), plan.origin.clone());
            let new = NewVersion { version, document, author, note: None, origin };
            plan.steps.push(Step::AddMapping { source: id, new });
        }
        let had = stored.map_or(0, |stored| stored.secrets.len());
        let before =
            stored.map_or(Value::Null, |stored| audited::source(&stored.settings, stored.mapping_version, had));
        let has = match &secrets {
            Some(SourceStep::Secrets { secrets, .. }) => secrets.len(),
            _ => had,
        };
        let after = audited::source(&wanted.settings, version, has);
        let replaces = secrets.is_some();
        plan.steps.extend(secrets.map(|step| Step::Source { id, step }));
        if plan.steps.len() > had_steps {
            let old = stored.map(|stored| (&stored.settings, &stored.mapping));
            applied.diff = Some(SourceDiff::between(old, (&wanted.settings, &wanted.mapping), replaces));
        }
        if stored.is_some() && plan.steps.len() > had_steps {
            applied.action = Action::Updated;
        }
        self.audit(plan, (applied.action, "source"), format!("{of}/{}", wanted.slug), (before, after));
        plan.applied.sources.push(applied);
        Ok(())
    }

    fn audit(&self, plan: &mut Plan, did: (Action, &str), target: String, (before, after): (Value, Value)) {
        let action = match did {
            (Action::Unchanged, _) => return,
            (Action::Created, "module") => "module.create",
            (Action::Created, _) => "source.create",
            (Action::Updated, "module") => "module.update",
            (Action::Updated, _) => "source.update",
        };
        plan.steps.push(self.caller.changed(action, target, &before, &after));
    }
}

/// Everything that is wrong with a mapping in its module; and what could not be exported is not taken.
fn check(source: &WantedSource, shape: &Shape, keys: &[Vec<usize>]) -> Vec<Fault> {
    let found = source.settings.complete(&source.mapping).check(shape, keys).err().unwrap_or_default();
    if found.is_empty() { unwritable(&source.mapping) } else { found }
}

/// Of a single source.
fn without_place(faults: Vec<Fault>) -> Vec<Fault> {
    let of = |fault: Fault| Fault::new(fault.at.trim_start_matches("source[1]."), fault.detail);
    faults.into_iter().map(of).collect()
}

/// A file's name as the history keeps it.
fn shown_name(name: &str) -> String {
    name.chars().filter(|char| !char.is_control()).take(LONGEST_FILE_NAME).collect()
}

fn within(source: usize, fault: Fault) -> Fault {
    Fault::new(format!("source[{}].{}", source + 1, fault.at), fault.detail)
}

/// The stored module with what the wanted one adds. What applying cannot do to a table with records is refused.
fn grown(old: &Definition, wanted: Definition) -> Result<Definition, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut fields = Vec::with_capacity(wanted.fields.len());
    for had in &old.fields {
        match kept(had, &wanted.fields) {
            Ok(field) => fields.push(field.clone()),
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let new = |field: &FieldDefinition| !old.fields.iter().any(|had| had.name == field.name);
    fields.extend(wanted.fields.iter().filter(|field| new(field)).cloned());
    Ok(Definition { fields, marks: old.marks.clone(), ..wanted })
}

fn kept<'w>(had: &FieldDefinition, wanted: &'w [FieldDefinition]) -> Result<&'w FieldDefinition, Fault> {
    let at = format!("module.fields.{}", had.name);
    let Some(field) = wanted.iter().find(|field| field.name == had.name) else {
        let detail =
            format!("the module has a field `{}`, and applying does not drop fields; keep it in the file", had.name);
        return Err(Fault::new("module.fields", detail));
    };
    if field.kind != had.kind {
        let detail = format!(
            "the field is {} and stays so, since applying does not change types; add a field of another name",
            had.kind
        );
        return Err(Fault::new(at, detail));
    }
    if let Some(value) = had.values.iter().find(|value| !field.values.contains(value)) {
        let detail =
            format!("records may hold the status `{value}`, and applying does not remove values; keep it in the list");
        return Err(Fault::new(at, detail));
    }
    Ok(field)
}
