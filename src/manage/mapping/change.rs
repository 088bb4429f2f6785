//! Another mapping for a source, whoever brings it: checked against the module as it stands, with an index for a `match`
//! that is new, as a version of its own. One that says the same makes none.

use std::collections::BTreeMap;

use serde_json::json;

use super::view::MappingView;
use super::{all_of, find, invalid};
use crate::gateway::Gateway;
use crate::manage::apply::carry_out;
use crate::manage::apply::compare::{Known, Plan};
use crate::manage::caller::Caller;
use crate::manage::precondition::meets;
use crate::map::mapping::RawMapping;
use crate::problem::{Code, Problem};
use crate::record::definition::Fault;
use crate::store::StoreError;
use crate::store::mappings::{NewVersion, Origin, StoredVersion};
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use crate::store::sources::StoredSource;

/// Scripts make and change many at once; of each round one gets through.
const TRIES: usize = 20;
/// Of a note, in characters.
const LONGEST_NOTE: usize = 1_000;

/// Which source, and the `If-Match` that was given.
pub struct Of<'a> {
    pub module: &'a str,
    pub source: &'a str,
    pub condition: Option<&'a str>,
}

/// A mapping that is wanted.
pub struct Wanted {
    pub mapping: RawMapping,
    /// What is wrong with how it was written.
    pub faults: Vec<Fault>,
    pub note: Option<String>,
    pub action: &'static str,
    /// Why it cannot be, for people; the faults say where.
    pub refusal: String,
}

pub async fn change(gateway: &Gateway, caller: &Caller, of: Of<'_>, wanted: &Wanted) -> Result<MappingView, Problem> {
    check_note(wanted.note.as_deref())?;
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let (module, source) = find(gateway, (of.module, of.source)).await?;
        meets(of.condition, "the mapping", source.mapping_version)?;
        let steps = plan(gateway, caller, (&module, &source), wanted).await?;
        if source.mapping == wanted.mapping {
            let stands = gateway.store.mapping_version(source.id, source.mapping_version).await?;
            let stands = stands.ok_or_else(|| Problem::from(Code::InternalError))?;
            return Ok(MappingView::new(stands, &module, &source));
        }
        match carry_out(gateway, version, steps).await {
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(made(gateway, caller, (&module, source), wanted).await),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

fn check_note(note: Option<&str>) -> Result<(), Problem> {
    let fits = |note: &str| note.chars().count() <= LONGEST_NOTE && !note.contains('\0');
    if note.is_none_or(fits) {
        return Ok(());
    }
    Err(Problem::new(Code::InvalidRequest, format!("`note` is a text of at most {LONGEST_NOTE} characters")))
}

async fn plan(
    gateway: &Gateway,
    caller: &Caller,
    (module, source): (&StoredModule, &StoredSource),
    wanted: &Wanted,
) -> Result<Vec<Step>, Problem> {
    let (modules, sources) = (gateway.store.modules().await?, gateway.store.sources().await?);
    let secrets = BTreeMap::new();
    let known = Known::new(gateway, caller, (&modules, &sources), &secrets);
    let mut plan = Plan::default();
    let planned = known.plan_mapping((module, source), wanted.mapping.clone(), &mut plan);
    let faults = all_of(&wanted.faults, planned.err().unwrap_or_default());
    if !faults.is_empty() {
        return Err(invalid(&wanted.refusal, &faults));
    }
    plan.steps.push(Step::AddMapping { source: source.id, new: new_version(caller, source, wanted)? });
    let (before, after) =
        (json!({ "version": source.mapping_version }), json!({ "version": source.mapping_version + 1 }));
    plan.steps.push(caller.changed(wanted.action, format!("{}/{}", module.slug(), source.slug), &before, &after));
    Ok(plan.steps)
}

fn new_version(caller: &Caller, source: &StoredSource, wanted: &Wanted) -> Result<NewVersion, Problem> {
    let document = serde_json::to_string(&wanted.mapping).map_err(|_| Problem::from(Code::InternalError))?;
    let (author, note) = (caller.actor.clone(), wanted.note.clone());
    Ok(NewVersion { version: source.mapping_version + 1, document, author, note, origin: Origin::Api })
}

/// As it was written down; from the plan if that fails, since it is committed.
async fn made(
    gateway: &Gateway,
    caller: &Caller,
    (module, mut source): (&StoredModule, StoredSource),
    wanted: &Wanted,
) -> MappingView {
    source.mapping_version += 1;
    if let Ok(Some(version)) = gateway.store.mapping_version(source.id, source.mapping_version).await {
        return MappingView::new(version, module, &source);
    }
    let version = StoredVersion {
        version: source.mapping_version,
        mapping: wanted.mapping.clone(),
        author: caller.actor.clone(),
        note: wanted.note.clone(),
        origin: Some(Origin::Api),
        created_at: gateway.clock.now(),
    };
    MappingView::new(version, module, &source)
}
