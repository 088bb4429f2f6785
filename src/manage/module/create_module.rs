//! A new module, with a table of its own. Its sources come by themselves.

use serde_json::Value;

use super::draft::Draft;
use super::{Members, invalid, shown};
use crate::gateway::Gateway;
use crate::id::ModuleId;
use crate::manage::apply::carry_out;
use crate::manage::caller::Caller;
use crate::manage::get_module::find_module;
use crate::manage::view::ModuleView;
use crate::manage::webhook::change::{TRIES, keeps_changing};
use crate::problem::{Code, Problem};
use crate::record::definition::Fault;
use crate::record::field::ModuleSlug;
use crate::store::StoreError;
use crate::store::keys::Role;
use crate::store::plan::Step;

pub async fn create_module(gateway: &Gateway, caller: &Caller, mut asked: Members) -> Result<ModuleView, Problem> {
    caller.needs(Role::Editor)?;
    let slug = slug(asked.remove("slug"));
    // Looked at with the rest, as if it were a good one.
    let stands = slug.as_ref().ok().cloned().or_else(|| ModuleSlug::parse("x").ok());
    let draft = stands.map_or_else(|| Err(Vec::new()), |slug| Draft::of(&slug, None, &asked));
    let (slug, definition) = match (slug, draft) {
        (Ok(slug), Ok(draft)) => (slug, draft.definition),
        (slug, draft) => {
            let faults: Vec<_> = slug.err().into_iter().chain(draft.err().into_iter().flatten()).collect();
            return Err(invalid(&faults));
        }
    };
    for _ in 0..TRIES {
        let version = gateway.store.config_version().await?;
        if gateway.store.modules().await?.iter().any(|module| *module.slug() == slug) {
            return Err(Problem::new(Code::Conflict, format!("there is a module `{slug}` already")));
        }
        let after = shown(&definition);
        let id = ModuleId::new(gateway.clock.now());
        let steps = vec![
            Step::CreateModule { id, slug: slug.clone(), definition: definition.clone() },
            caller.changed("module.create", slug.to_string(), &Value::Null, &after),
        ];
        match carry_out(gateway, version, steps).await {
            Err(StoreError::Conflict) => {}
            done => {
                done?;
                return Ok((&find_module(gateway, slug.as_str()).await?).into());
            }
        }
    }
    Err(keeps_changing())
}

fn slug(asked: Option<Value>) -> Result<ModuleSlug, Fault> {
    let text = match asked {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(_) => return Err(Fault::new("slug", "is a text")),
    };
    ModuleSlug::parse(&text).map_err(|bad| Fault::new("slug", bad.to_string()))
}
