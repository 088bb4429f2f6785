//! A source's settings, changed member by member. Its mapping has a verb of its own, and its tokens and secrets are
//! rotated; a secret that stands in a new `signature` replaces all others at once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::change::{Of, Standing, change};
use super::members::{Asked, asked, named};
use super::view::{SourceView, seen};
use crate::gateway::Gateway;
use crate::manage::apply::compare::{Known, Plan, WantedSource};
use crate::manage::caller::Caller;
use crate::manage::webhook::members::{Members, invalid};
use crate::problem::Problem;
use crate::record::definition::Fault;
use crate::source::Settings;
use crate::store::keys::Role;
use crate::store::plan::Step;

pub async fn patch_source(
    gateway: &Gateway,
    caller: &Caller,
    of: Of<'_>,
    members: Members,
) -> Result<SourceView, Problem> {
    caller.needs(Role::Editor)?;
    change(gateway, of, |standing| Ok((plan(gateway, caller, standing, &members)?, ()))).await?;
    seen(gateway, of).await
}

fn plan(gateway: &Gateway, caller: &Caller, standing: &Standing, members: &Members) -> Result<Vec<Step>, Problem> {
    let (module, source) = (standing.module(), standing.source());
    let Asked { raw, secrets } = asked(source.slug.as_str(), &source.settings, members).map_err(invalid)?;
    let (slug, mut settings) = raw.settings(&gateway.config.bounds).map_err(unfit)?;
    if settings.signature.is_some() && secrets.is_none() {
        // Those that stand stay, and come from where they came from.
        settings.secret_names.clone_from(&source.settings.secret_names);
    }
    let has_none = source.active_secrets(gateway.clock.now()).next().is_none();
    let secrets = secrets.or_else(|| has_none.then(Vec::new));
    let replaced = members.contains_key("signature") && secrets.is_some();
    let after = told(&settings, replaced);
    let wanted = WantedSource { slug, settings, mapping: source.mapping.clone(), secrets };
    // The way that applying a file goes, with a file that says this of the one source.
    let names = BTreeMap::new();
    let known = Known::new(gateway, caller, (&standing.modules, &standing.sources), &names);
    let mut plan = Plan::default();
    known.plan_module(module.slug(), module.definition.clone(), vec![wanted], &mut plan).map_err(unfit)?;
    let mut steps = plan.steps;
    steps.retain(|step| !matches!(step, Step::Audit { .. }));
    if !steps.is_empty() {
        let before = told(&source.settings, false);
        steps.push(caller.changed("source.change", standing.target(), &before, &after));
    }
    Ok(steps)
}

/// As the audit log tells of them.
fn told(settings: &Settings, replaced: bool) -> Value {
    let mut told = json!(settings);
    if let Some(told) = told.as_object_mut().filter(|_| replaced) {
        told.insert("secrets".to_owned(), json!("replaced"));
    }
    told
}

fn unfit(faults: Vec<Fault>) -> Problem {
    invalid(faults.into_iter().map(named).collect())
}
