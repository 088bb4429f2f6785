//! A change of one endpoint that stands, for the verbs that make one: looked at again when someone else changed the
//! configuration in between.

use serde_json::Value;

use crate::gateway::Gateway;
use crate::manage::apply::carry_out;
use crate::manage::caller::Caller;
use crate::manage::precondition::meets;
use crate::manage::webhook::view::WebhookView;
use crate::problem::{Code, Problem};
use crate::store::StoreError;
use crate::store::endpoints::StoredEndpoint;
use crate::store::modules::StoredModule;
use crate::store::plan::Step;

/// Scripts make and change many at once; of each round one gets through.
pub const TRIES: usize = 20;

/// What a plan is made by.
pub struct Standing {
    pub stored: StoredEndpoint,
    pub modules: Vec<StoredModule>,
}

/// Plans by the endpoint as it stands and carries that out; no steps change nothing. Answers what the plan says.
/// `condition` is the `If-Match` that was given: of another version nothing is changed.
pub async fn change<T>(
    gateway: &Gateway,
    id: &str,
    condition: Option<&str>,
    plan: impl Fn(&Standing) -> Result<(Vec<Step>, T), Problem>,
) -> Result<T, Problem> {
    for _ in 0..TRIES {
        // The version first: a plan made of anything newer is refused by it.
        let version = gateway.store.config_version().await?;
        let standing = Standing { stored: find(gateway, id).await?, modules: gateway.store.modules().await? };
        meets(condition, "the webhook", standing.stored.version)?;
        let (steps, answer) = plan(&standing)?;
        if steps.is_empty() {
            return Ok(answer);
        }
        match carry_out(gateway, version, steps).await {
            Err(StoreError::Conflict) => {}
            done => return done.map(|()| answer).map_err(Problem::from),
        }
    }
    Err(keeps_changing())
}

pub fn keeps_changing() -> Problem {
    Problem::new(Code::Conflict, "the configuration keeps changing at the same time; try again")
}

/// An endpoint as it stands in the database.
pub async fn find(gateway: &Gateway, id: &str) -> Result<StoredEndpoint, Problem> {
    let unknown = || Problem::new(Code::NotFound, "there is no webhook of this id");
    let id = id.parse().map_err(|_| unknown())?;
    let found = gateway.store.endpoints().await?.all.into_iter().find(|stored| stored.id == id);
    found.ok_or_else(unknown)
}

/// How it stands after a change.
pub async fn seen(gateway: &Gateway, id: &str) -> Result<WebhookView, Problem> {
    WebhookView::new(&find(gateway, id).await?, gateway)
}

pub fn audit(
    caller: &Caller,
    action: &'static str,
    stored: &StoredEndpoint,
    (before, after): (&Value, &Value),
) -> Step {
    caller.changed(action, stored.id.to_string(), before, after)
}
