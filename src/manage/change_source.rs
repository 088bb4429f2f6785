//! A change of one source that stands, for the verbs that make one: looked at again when someone else changed the
//! configuration in between.

use super::apply::{TRIES, carry_out};
use crate::gateway::Gateway;
use crate::id::SourceId;
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use crate::store::sources::StoredSource;

/// Plans by the source as it stands and carries that out; no steps change nothing. Answers what the plan says.
pub async fn change_source<T>(
    gateway: &Gateway,
    id: SourceId,
    plan: impl Fn(&StoredSource) -> Result<(Vec<Step>, T), Problem>,
) -> Result<T, Problem> {
    for _ in 0..TRIES {
        let version = gateway.store.config_version().await?;
        let sources = gateway.store.sources().await?;
        let source = sources.iter().find(|source| source.id == id).ok_or_else(no_such_source)?;
        let (steps, answer) = plan(source)?;
        if steps.is_empty() {
            return Ok(answer);
        }
        match carry_out(gateway, version, steps).await {
            Err(StoreError::Conflict) => {}
            done => return done.map(|()| answer).map_err(Problem::from),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

/// A source as it stands in the database.
pub async fn find_source(gateway: &Gateway, module: &StoredModule, slug: &str) -> Result<StoredSource, Problem> {
    let sources = gateway.store.sources().await?;
    let found = sources.into_iter().find(|source| source.module == module.id() && source.slug.as_str() == slug);
    found.ok_or_else(no_such_source)
}

pub fn no_such_source() -> Problem {
    Problem::new(Code::NotFound, "the module has no source of this name")
}
