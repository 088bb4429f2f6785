//! A change of one source by its name: looked at again when someone else changed the configuration in between.

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::manage::apply::carry_out;
use crate::manage::change_source::no_such_source;
use crate::manage::precondition::meets;
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::modules::StoredModule;
use crate::store::plan::Step;
use crate::store::sources::{StoredSource, StoredToken};

/// Scripts change many at once; of each round one gets through.
const TRIES: usize = 20;

/// Which source, and the `If-Match` that was given: of another version nothing is changed.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    pub module: &'a str,
    pub source: &'a str,
    pub condition: Option<&'a str>,
}

/// What a plan is made by.
pub struct Standing {
    pub modules: Vec<StoredModule>,
    pub sources: Vec<StoredSource>,
    module: usize,
    source: usize,
}

impl Standing {
    async fn read(gateway: &Gateway, of: Of<'_>) -> Result<Self, Problem> {
        let (modules, sources) = (gateway.store.modules().await?, gateway.store.sources().await?);
        let module = modules.iter().position(|module| module.slug().as_str() == of.module);
        let module = module.ok_or_else(|| Problem::new(Code::NotFound, "there is no module of this name"))?;
        let is_it = |source: &StoredSource| source.module == modules[module].id() && source.slug.as_str() == of.source;
        let source = sources.iter().position(is_it).ok_or_else(no_such_source)?;
        Ok(Self { modules, sources, module, source })
    }

    pub fn module(&self) -> &StoredModule {
        &self.modules[self.module]
    }

    pub fn source(&self) -> &StoredSource {
        &self.sources[self.source]
    }

    /// As the audit log names it.
    pub fn target(&self) -> String {
        format!("{}/{}", self.module().slug(), self.source().slug)
    }
}

/// Plans by the source as it stands and carries that out; no steps change nothing. Answers what the plan says, and what
/// it was made by.
pub async fn change<T>(
    gateway: &Gateway,
    of: Of<'_>,
    plan: impl Fn(&Standing) -> Result<(Vec<Step>, T), Problem>,
) -> Result<(T, Standing), Problem> {
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let standing = Standing::read(gateway, of).await?;
        meets(of.condition, "the source", standing.source().version)?;
        let (steps, answer) = plan(&standing)?;
        if steps.is_empty() {
            return Ok((answer, standing));
        }
        match carry_out(gateway, version, steps).await {
            Err(StoreError::Conflict) => {}
            done => return done.map(|()| (answer, standing)).map_err(Problem::from),
        }
    }
    Err(Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again"))
}

/// As the audit log tells of tokens.
pub fn told(tokens: &[StoredToken]) -> Value {
    let told = |token: &StoredToken| json!({ "createdAt": token.created_at, "expiresAt": token.expires_at });
    json!({ "tokens": tokens.iter().map(told).collect::<Vec<_>>() })
}
