//! A source goes, with its tokens, secrets and mappings: from then on its address is one that there is not. What it
//! brought stays, events, records and changes.

use serde_json::{Value, json};

use super::change::{Of, Standing, change};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::module::alter;
use crate::problem::Problem;
use crate::record::alteration::Alteration;
use crate::record::definition::{Definition, check_match};
use crate::store::keys::Role;
use crate::store::plan::Step;
use crate::store::source_steps::SourceStep;

pub async fn delete_source(gateway: &Gateway, caller: &Caller, of: Of<'_>) -> Result<(), Problem> {
    caller.needs(Role::Editor)?;
    let plan = change(gateway, of, |standing| {
        let source = standing.source();
        let before = json!({ "settings": source.settings, "mappingVersion": source.mapping_version });
        let mut steps = vec![Step::Source { id: source.id, step: SourceStep::Delete }];
        steps.extend(without_its_key(standing, caller));
        steps.push(caller.changed("source.delete", standing.target(), &before, &Value::Null));
        Ok((steps, ()))
    });
    plan.await.map(|_| ())
}

/// What only its `match` made unique need not be so any more.
fn without_its_key(standing: &Standing, caller: &Caller) -> Vec<Step> {
    let (module, source) = (standing.module(), standing.source());
    let old = module.definition.clone();
    let others = standing.sources.iter().filter(|other| other.module == module.id() && other.id != source.id);
    let named = others.filter_map(|other| check_match(other.mapping.matching.as_ref()?, &old.fields).ok());
    let needed = named.chain([old.matching.clone()]).collect::<Vec<_>>();
    let keys = old.keys.iter().filter(|key| needed.contains(key)).cloned().collect::<Vec<_>>();
    if keys == old.keys {
        return Vec::new();
    }
    let definition = Definition { keys, ..old.clone() };
    let (of, from) = ((module.id(), module.slug().clone()), module.table.shape.number);
    alter(of, from, Alteration::new(old, definition, Vec::new()), caller)
}
