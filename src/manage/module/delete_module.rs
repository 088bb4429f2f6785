//! A module goes, with its records and its sources. What happened stays for as long as it is kept: events, changes, and
//! deliveries, those that are due included.

use serde_json::{Value, json};

use super::shown;
use crate::gateway::Gateway;
use crate::manage::apply::carry_out;
use crate::manage::caller::Caller;
use crate::manage::get_module::find_module;
use crate::manage::precondition::meets;
use crate::manage::webhook::change::{TRIES, keeps_changing};
use crate::problem::{Code, Problem};
use crate::record::change::MODULE_DELETED;
use crate::store::StoreError;
use crate::store::alter::ModuleStep;
use crate::store::keys::Role;
use crate::store::modules::StoredModule;
use crate::store::plan::Step;

/// `confirm` repeats the slug: nobody deletes a table by a slip.
pub async fn delete_module(
    gateway: &Gateway,
    caller: &Caller,
    (slug, condition): (&str, Option<&str>),
    confirm: Option<&str>,
) -> Result<(), Problem> {
    caller.needs(Role::Owner)?;
    for _ in 0..TRIES {
        let version = gateway.store.config_version().await?;
        let module = find_module(gateway, slug).await?;
        if confirm != Some(slug) {
            let detail =
                format!("this deletes the module with all its records and sources; to have that, add ?confirm={slug}");
            return Err(Problem::new(Code::InvalidRequest, detail));
        }
        meets(condition, "the module", module.version)?;
        while gateway.store.number_edits(gateway.clock.now()).await? > 0 {}
        match carry_out(gateway, version, steps(caller, module)).await {
            Err(StoreError::Conflict) => {}
            done => return Ok(done?),
        }
    }
    Err(keeps_changing())
}

fn steps(caller: &Caller, module: StoredModule) -> Vec<Step> {
    let (id, slug, from) = (module.id(), module.slug().clone(), module.table.shape.number);
    let before = shown(&module.definition);
    let data = json!({ "module": slug, "module_id": id, "shape": from }).to_string();
    let audit = caller.changed("module.delete", slug.to_string(), &before, &Value::Null);
    let step = ModuleStep::Delete { from, definition: Box::new(module.definition) };
    let told = Step::SystemEvent { name: MODULE_DELETED, data, actor: caller.actor.clone() };
    vec![Step::Module { id, slug, step }, told, audit]
}
