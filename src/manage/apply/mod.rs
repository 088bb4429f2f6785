//! Makes modules, sources and mappings what the files say: everything of the request or nothing, in one transaction.

pub mod compare;
mod document;

use std::sync::Arc;

use serde::Serialize;

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;
use crate::store::StoreError;
use crate::store::keys::Role;
use crate::store::plan::Step;
use compare::{Applied, Known, Plan};
use document::Document;

/// How often a plan is made anew because someone else changed the configuration first.
const TRIES: usize = 3;

/// Module files, and the secrets that they name.
pub struct Input {
    /// Name, as messages repeat it, and text.
    pub files: Vec<(String, String)>,
    /// By the name behind `env:`.
    pub secrets: std::collections::BTreeMap<String, SecretString>,
    pub dry_run: bool,
}

/// One reason why a file cannot be applied. `line` counts from 1.
#[derive(Debug, Serialize)]
pub struct FileError {
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub detail: String,
}

pub async fn apply(gateway: &Gateway, caller: &Caller, input: &Input) -> Result<Applied, Problem> {
    caller.needs(Role::Editor)?;
    let documents = documents(input)?;
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let modules = gateway.store.modules().await?;
        let sources = gateway.store.sources().await?;
        let known = Known::new(gateway, caller, (&modules, &sources), &input.secrets);
        let plan = plan(&known, &documents)?;
        if input.dry_run || plan.steps.is_empty() {
            return Ok(plan.applied.without_tokens());
        }
        let altered = altered(&plan.steps);
        match carry_out(gateway, version, plan.steps).await {
            Err(StoreError::Conflict) => {}
            Err(StoreError::Duplicates) => return Err(duplicates(&altered)),
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(plan.applied),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
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

/// The modules that the steps alter, by slug.
pub(super) fn altered(steps: &[Step]) -> String {
    let slugs = steps.iter().filter_map(|step| match step {
        Step::AlterModule { slug, .. } => Some(slug.as_str()),
        _ => None,
    });
    slugs.collect::<Vec<_>>().join(", ")
}

pub(super) fn duplicates(modules: &str) -> Problem {
    let detail =
        format!("records of {modules} have equal values in the fields that a new `match` names; a match is unique");
    Problem::new(Code::Conflict, detail)
}

fn documents(input: &Input) -> Result<Vec<Document<'_>>, Problem> {
    let mut errors = Vec::new();
    let mut documents = Vec::new();
    for (name, text) in &input.files {
        match Document::parse(name, text) {
            Ok(document) => documents.push(document),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(documents) } else { Err(invalid(errors)) }
}

fn plan(known: &Known<'_>, documents: &[Document<'_>]) -> Result<Plan, Problem> {
    let mut plan = Plan::default();
    let mut errors = Vec::new();
    for (place, document) in documents.iter().enumerate() {
        if documents[..place].iter().any(|other| other.raw.module.slug == document.raw.module.slug) {
            errors.push(document.error("module.slug", "another file of this request defines the same module"));
            continue;
        }
        if let Err(faults) = known.plan_file(&document.raw, &mut plan) {
            errors.extend(faults.into_iter().map(|fault| document.error(&fault.at, &fault.detail)));
        }
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
