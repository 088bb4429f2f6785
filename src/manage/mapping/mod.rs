//! The mapping of a source: its versions, what became of it from one to the next, and what it would make of an event.

mod change;
pub mod diff_mappings;
pub mod get_mapping;
pub mod get_version;
pub mod list_versions;
pub mod preview;
pub mod put_mapping;
pub mod restore_version;
pub mod view;

use super::change_source::find_source;
use super::get_module::find_module;
use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::record::definition::Fault;
use crate::store::mappings::StoredVersion;
use crate::store::modules::StoredModule;
use crate::store::sources::StoredSource;

/// The source of a path, as it stands in the database.
async fn find(gateway: &Gateway, (module, source): (&str, &str)) -> Result<(StoredModule, StoredSource), Problem> {
    let module = find_module(gateway, module).await?;
    let source = find_source(gateway, &module, source).await?;
    Ok((module, source))
}

async fn find_version(gateway: &Gateway, source: &StoredSource, number: &str) -> Result<StoredVersion, Problem> {
    let none = || Problem::new(Code::NotFound, "the mapping has no such version");
    let number = number.parse().map_err(|_| none())?;
    gateway.store.mapping_version(source.id, number).await?.ok_or_else(none)
}

/// What was wrong with the form, and what is wrong with the rest: of a rule or a key that did not read nothing further.
fn all_of(told: &[Fault], found: Vec<Fault>) -> Vec<Fault> {
    let part = |fault: &Fault| fault.at.split('.').next().unwrap_or_default().to_owned();
    let is_told = |fault: &Fault| told.iter().any(|told| part(told) == part(fault));
    told.iter().cloned().chain(found.into_iter().filter(|fault| !is_told(fault))).collect()
}

fn invalid(detail: &str, faults: &[Fault]) -> Problem {
    let errors = faults.iter().map(|fault| serde_json::json!({ "field": fault.at, "detail": fault.detail }));
    Problem::new(Code::InvalidDocument, detail).with_errors(errors.collect())
}
