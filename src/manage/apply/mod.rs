//! Makes modules, sources and mappings what the files say: everything of the request or nothing, in one transaction.

mod audited;
pub mod compare;
pub mod diff;

use std::sync::Arc;

use crate::config::Bounds;
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;
use crate::source::document::{Document, FileError, check_all};
use crate::store::StoreError;
use crate::store::alter::ModuleStep;
use crate::store::keys::Role;
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use compare::{Applied, Known, Plan};

/// How often a plan is made anew because someone else changed the configuration first.
pub(super) const TRIES: usize = 3;

/// Module files, and the secrets that they name.
pub struct Input {
    /// Name, as messages repeat it, and text.
    pub files: Vec<(String, String)>,
    /// By the name behind `env:`.
    pub secrets: std::collections::BTreeMap<String, SecretString>,
    pub dry_run: bool,
}

pub async fn apply(gateway: &Gateway, caller: &Caller, input: &Input) -> Result<Applied, Problem> {
    caller.needs(Role::Editor)?;
    let documents = input.files.iter().map(|(name, text)| Document::read(name, text)).collect::<Vec<_>>();
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let modules = gateway.store.modules().await?;
        let sources = gateway.store.sources().await?;
        let known = Known::new(gateway, caller, (&modules, &sources), &input.secrets);
        let plan = plan(&known, &documents, &gateway.config.bounds)?;
        if input.dry_run {
            in_the_way(gateway, &modules, &plan.steps).await?;
        }
        if input.dry_run || plan.steps.is_empty() {
            return Ok(plan.applied.without_tokens());
        }
        match carry_out(gateway, version, plan.steps).await {
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(plan.applied),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

/// What of the records that stand would refuse the plan, as far as that can be known without holding anybody up.
async fn in_the_way(gateway: &Gateway, modules: &[StoredModule], steps: &[Step]) -> Result<(), StoreError> {
    let mut found = Vec::new();
    for step in steps {
        let Step::Module { id, step: ModuleStep::Alter { alteration, .. }, .. } = step else { continue };
        if let Some(module) = modules.iter().find(|module| module.id() == *id) {
            found.append(&mut gateway.store.obstacles(&module.table.shape, alteration).await?);
        }
    }
    if found.is_empty() { Ok(()) } else { Err(StoreError::InTheWay(found)) }
}

/// Carries the steps out and puts them into force here; the other replicas follow within a second. Once begun it goes
/// to its end, whether or not the caller is still there.
pub(super) async fn carry_out(gateway: &Gateway, version: i64, steps: Vec<Step>) -> Result<(), StoreError> {
    let (store, now) = (Arc::clone(&gateway.store), gateway.clock.now());
    let done = gateway.uninterrupted(async move { store.carry_out(version, &steps, now).await }).await;
    done.unwrap_or_else(|| Err(StoreError::Corrupt("a change of configuration panicked".to_owned())))?;
    if let Err(error) = gateway.reload().await {
        // It is committed, and the answer holds tokens that are shown once; the pulse reads it again.
        tracing::warn!(%error, "a change of configuration is committed and not yet in force here");
    }
    Ok(())
}

fn plan(known: &Known<'_>, documents: &[Document<'_>], bounds: &Bounds) -> Result<Plan, Problem> {
    let mut plan = Plan::default();
    let mut errors = Vec::new();
    for (document, checked) in documents.iter().zip(check_all(documents, bounds)) {
        let faults = match checked {
            Ok(checked) => known.plan_file(document.name(), checked, &mut plan).err(),
            Err(found) => {
                errors.extend(found);
                document.module().map(|(slug, wanted)| known.cannot_grow(&slug, &wanted))
            }
        };
        errors.extend(faults.into_iter().flatten().map(|fault| document.error(&fault.at, &fault.detail)));
    }
    if errors.is_empty() { Ok(plan) } else { Err(invalid(errors)) }
}

fn invalid(errors: Vec<FileError>) -> Problem {
    let detail = match &errors[..] {
        [one] => format!("{}: {}", one.file, one.detail),
        many => format!("{} errors; nothing was applied", many.len()),
    };
    let errors = errors.iter().filter_map(|error| serde_json::to_value(error).ok()).collect();
    Problem::new(Code::InvalidDocument, detail).with_errors(errors)
}
