//! What can be done with a module: one verb a file, and what they share.

pub mod change_module;
pub mod create_module;
pub mod delete_module;
mod draft;
mod fields;
mod in_the_way;
mod sources;

use serde_json::{Map, Value, json};

use crate::id::ModuleId;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::record::alteration::Alteration;
use crate::record::change::MODULE_ALTERED;
use crate::record::definition::{Definition, Fault};
use crate::record::field::ModuleSlug;
use crate::store::alter::ModuleStep;
use crate::store::plan::Step;

/// The members of a request.
pub type Members = Map<String, Value>;

/// The steps of an alteration of shape number `from`: the module's, and what the log tells of it where records are
/// concerned.
pub fn alter((id, slug): (ModuleId, ModuleSlug), from: i64, alteration: Alteration, caller: &Caller) -> Vec<Step> {
    let mut data = alteration.told();
    let number = alteration.new.number_after(&alteration.old, from);
    let told = (!data.is_empty()).then(|| {
        data.insert("module".to_owned(), json!(slug));
        data.insert("module_id".to_owned(), json!(id));
        data.insert("shape".to_owned(), number.into());
        let (name, data, actor) = (MODULE_ALTERED, Value::Object(data).to_string(), caller.actor.clone());
        Step::SystemEvent { name, data, actor }
    });
    let step = ModuleStep::Alter { from, alteration: Box::new(alteration) };
    std::iter::once(Step::Module { id, slug, step }).chain(told).collect()
}

/// As the audit log has it.
fn shown(definition: &Definition) -> Value {
    let Definition { name, matching, fields, events, .. } = definition;
    json!({ "name": name, "match": matching, "fields": fields, "events": events })
}

/// A request that makes no sense by itself.
fn invalid(faults: &[Fault]) -> Problem {
    let detail = match faults {
        [one] => format!("{}: {}", one.at, one.detail),
        many => format!("{} errors; nothing was changed", many.len()),
    };
    let errors = faults.iter().map(|fault| json!({ "field": fault.at, "detail": fault.detail }));
    Problem::new(Code::InvalidDocument, detail).with_errors(errors.collect())
}
