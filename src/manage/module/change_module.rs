//! A module altered while traffic flows: all of a request in one transaction, or nothing of it. Each event meets the old
//! module or the new one.

use serde::Serialize;
use serde_json::Value;

use super::draft::Draft;
use super::sources::{Carried, carried, in_the_way, keys};
use super::{Members, alter, invalid, shown};
use crate::gateway::Gateway;
use crate::manage::apply::carry_out;
use crate::manage::caller::Caller;
use crate::manage::get_module::find_module;
use crate::manage::precondition::meets;
use crate::manage::view::ModuleView;
use crate::manage::webhook::change::{TRIES, keeps_changing};
use crate::problem::{Code, Problem};
use crate::record::alteration::Alteration;
use crate::store::alter::Obstacle;
use crate::store::keys::Role;
use crate::store::mappings::{self, Origin};
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use crate::store::{StoreError, in_the_way as refused};

/// Which module, the `If-Match` that was given, and whether it is only to be looked at.
pub struct Of<'a> {
    pub slug: &'a str,
    pub condition: Option<&'a str>,
    pub dry_run: bool,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(untagged)]
#[schema(as = ModuleOrTrial)]
pub enum Changed {
    Module(Box<ModuleView>),
    Trial(Trial),
}

impl Changed {
    /// Of the module as it stands now.
    pub fn version(&self) -> i64 {
        match self {
            Self::Module(view) => view.version(),
            Self::Trial(trial) => trial.version,
        }
    }
}

/// What a change of a module would do, and what stands in its way.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ModuleTrial)]
pub struct Trial {
    dry_run: bool,
    /// Of the module as it stands.
    version: i64,
    /// `added`, `dropped`, `renamed`, `converted`, `required`, `values` and `match`, as far as there are such.
    #[schema(value_type = Object)]
    does: Value,
    /// Mappings that would be carried along.
    mappings: Vec<NewVersion>,
    /// `{"field", "detail", "count", "records", "groups"}`; empty where nothing does.
    #[schema(value_type = Vec<Object>)]
    in_the_way: Vec<Obstacle>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NewMappingVersion)]
struct NewVersion {
    source: String,
    /// The number of the new version.
    version: i64,
}

/// What a request comes to, by what stands.
struct Plan<'a> {
    module: &'a StoredModule,
    alteration: Alteration,
    carried: Vec<Carried<'a>>,
    in_the_way: Vec<Obstacle>,
}

pub async fn change_module(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    asked: &Members,
) -> Result<Changed, Problem> {
    caller.needs(Role::Editor)?;
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let module = find_module(gateway, of.slug).await?;
        meets(of.condition, "the module", module.version)?;
        let sources = gateway.store.sources().await?;
        let endpoints = gateway.store.endpoints().await?;
        let mut plan = Plan::make((&module, &sources, &endpoints.all), asked)?;
        match plan.look(gateway).await {
            Err(StoreError::Conflict) => continue,
            looked => looked?,
        }
        if of.dry_run {
            return Ok(Changed::Trial(plan.trial()));
        }
        if !plan.in_the_way.is_empty() {
            return Err(refused(&plan.in_the_way));
        }
        if plan.is_nothing() {
            return Ok(Changed::Module(Box::new((&module).into())));
        }
        // Edits by SQL that wait are numbered while nobody waits for it.
        while gateway.store.number_edits(gateway.clock.now()).await? > 0 {}
        match carry_out(gateway, version, plan.steps(caller)?).await {
            Err(StoreError::Conflict) => {}
            done => {
                done?;
                let module = find_module(gateway, of.slug).await?;
                return Ok(Changed::Module(Box::new((&module).into())));
            }
        }
    }
    Err(keeps_changing())
}

type Standing<'a> =
    (&'a StoredModule, &'a [crate::store::sources::StoredSource], &'a [crate::store::endpoints::StoredEndpoint]);

impl<'a> Plan<'a> {
    fn make((module, sources, endpoints): Standing<'a>, asked: &Members) -> Result<Self, Problem> {
        let (old, slug) = (&module.definition, module.slug());
        let mut draft = Draft::of(slug, Some(old), asked).map_err(|faults| invalid(&faults))?;
        let carried = carried(sources, module.id(), &draft.renamed);
        draft.definition.keys = keys(old, &draft, &carried);
        let mut found = std::mem::take(&mut draft.in_the_way);
        found.extend(in_the_way((module.id(), slug), &draft.definition, &draft.dropped, &carried));
        found.extend(super::in_the_way::filters(endpoints, slug, (&draft.renamed, &draft.dropped)));
        let alteration = Alteration::new(old.clone(), draft.definition, draft.renamed);
        Ok(Self { module, alteration, carried, in_the_way: found })
    }

    /// What the records say to it, without holding anybody up.
    async fn look(&mut self, gateway: &Gateway) -> Result<(), StoreError> {
        let found = gateway.store.obstacles(&self.module.table.shape, &self.alteration).await?;
        self.in_the_way.extend(found);
        Ok(())
    }

    fn is_nothing(&self) -> bool {
        self.alteration.old == self.alteration.new && !self.carried.iter().any(Carried::is_changed)
    }

    fn changed(&self) -> impl Iterator<Item = &Carried<'a>> {
        self.carried.iter().filter(|carried| carried.is_changed())
    }

    fn trial(self) -> Trial {
        let version = |of: &Carried<'_>| NewVersion {
            source: of.source.slug.to_string(),
            version: of.source.mapping_version + 1,
        };
        Trial {
            dry_run: true,
            version: self.module.version,
            does: Value::Object(self.alteration.told()),
            mappings: self.changed().map(version).collect(),
            in_the_way: self.in_the_way,
        }
    }

    fn steps(self, caller: &Caller) -> Result<Vec<Step>, Problem> {
        let of = (self.module.id(), self.module.slug().clone());
        let mut steps = Vec::new();
        let renamed =
            self.alteration.renamed.iter().map(|(from, to)| format!("the field `{from}` is called `{to}` now"));
        let note = Some(renamed.collect::<Vec<_>>().join("; "));
        for Carried { source, mapping } in self.changed() {
            let document = serde_json::to_string(mapping).map_err(|_| Problem::from(Code::InternalError))?;
            let (version, author) = (source.mapping_version + 1, caller.actor.clone());
            let new = mappings::NewVersion { version, document, author, note: note.clone(), origin: Origin::Api };
            steps.push(Step::AddMapping { source: source.id, new });
        }
        let (before, after) = (shown(&self.alteration.old), shown(&self.alteration.new));
        steps.push(caller.changed("module.change", of.1.to_string(), &before, &after));
        let mut all = alter(of, self.module.table.shape.number, self.alteration, caller);
        all.append(&mut steps);
        Ok(all)
    }
}
