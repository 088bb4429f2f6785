//! Endpoints that fail for long: a rule on their row, which every replica reads alike, disables them and tells the
//! operator.

use std::time::Duration;

use serde_json::json;

use super::engine::Deliveries;
use super::profile::Failing as Rule;
use crate::clock::Timestamp;
use crate::id::EndpointId;
use crate::record::change::ENDPOINT_DISABLED;
use crate::store::StoreError;
use crate::store::endpoints::{EndpointStep, StoredEndpoint};
use crate::store::plan::Step;
use crate::store::settle::Failing;

/// How often it is tried when someone changes the configuration at the same time.
const TRIES: usize = 5;
/// Who did it, in the log of changes and the audit log.
const ACTOR: &str = "gateway";

/// What the operator is told.
#[derive(Clone, Debug)]
pub struct Notice {
    pub subject: String,
    pub text: String,
}

impl Deliveries {
    /// Of endpoints that met a failure just now.
    pub(super) async fn look_after(&self, failing: Vec<Failing>) {
        let now = self.clock.now();
        for one in failing {
            let book = self.book();
            let Some(endpoint) = book.endpoint(one.endpoint) else { continue };
            match endpoint.profile.failing {
                Rule::Disable { after, spread } if is_over((after, spread), &one, now) => {
                    self.disable(one.endpoint, "failing").await;
                }
                Rule::Mail if one.gave_up => self.tell(one.endpoint, now).await,
                Rule::Disable { .. } | Rule::Mail => {}
            }
        }
    }

    /// Once, until it fares well again.
    async fn tell(&self, endpoint: EndpointId, now: Timestamp) {
        match self.store.tell_of_failing(endpoint, now).await {
            Ok(true) => {
                let notice = self.notice(endpoint, "fails: a delivery was given up", "It goes on with the next ones.");
                self.notify(notice);
            }
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "it could not be found out whether the operator knows of a failing endpoint")
            }
        }
    }

    /// No more is sent to it until an admin enables it; what it misses is remembered.
    pub(super) async fn disable(&self, endpoint: EndpointId, cause: &'static str) {
        for _ in 0..TRIES {
            match self.try_disable(endpoint, cause).await {
                Ok(true) => {
                    tracing::warn!(%endpoint, cause, "an endpoint is disabled");
                    let why = if cause == "gone" {
                        "was disabled: it answered 410 Gone"
                    } else {
                        "was disabled: it failed for too long"
                    };
                    let advice = "Nothing is lost: what it misses is remembered. Mend it, enable it, and have what was missed delivered.";
                    self.notify(self.notice(endpoint, why, advice));
                    self.outdated.notify_one();
                    return;
                }
                Ok(false) => return,
                Err(StoreError::Conflict) => {}
                Err(error) => return tracing::warn!(%error, %endpoint, "a failing endpoint could not be disabled"),
            }
        }
        tracing::warn!(%endpoint, "a failing endpoint could not be disabled: the configuration keeps changing");
    }

    /// `false` when it is disabled or gone already.
    async fn try_disable(&self, endpoint: EndpointId, cause: &'static str) -> Result<bool, StoreError> {
        let version = self.store.config_version().await?;
        let endpoints = self.store.endpoints().await?;
        let Some(stored) = endpoints.all.into_iter().find(|stored| stored.id == endpoint && stored.enabled) else {
            return Ok(false);
        };
        let steps = steps(&stored, cause, self.host(endpoint));
        self.store.carry_out(version, &steps, self.clock.now()).await?;
        Ok(true)
    }

    fn notice(&self, endpoint: EndpointId, what: &str, advice: &str) -> Notice {
        let host = self.host(endpoint);
        let subject = format!("Tidegate: the webhook to {host} {what}");
        let text = format!(
            "The webhook {endpoint} to {host} {what}.\n\n{advice}\nIts attempts: tidegate webhook deliveries {endpoint}\n"
        );
        Notice { subject, text }
    }

    /// The path of a URL may be a secret.
    fn host(&self, endpoint: EndpointId) -> String {
        let book = self.book();
        let host = book.endpoint(endpoint).and_then(|endpoint| endpoint.url.host_str().map(str::to_owned));
        host.unwrap_or_default()
    }

    fn notify(&self, notice: Notice) {
        if self.notices.try_send(notice).is_err() {
            tracing::warn!("there are more notices than can be sent; one is left out");
        }
    }
}

fn steps(stored: &StoredEndpoint, cause: &'static str, host: String) -> [Step; 3] {
    let data = json!({ "endpoint": stored.id, "host": host, "cause": cause, "failing_since": stored.failing_since });
    let step = EndpointStep::Disable { version: stored.version, cause };
    [
        Step::Endpoint { id: stored.id, step },
        Step::SystemEvent { name: ENDPOINT_DISABLED, data: data.to_string(), actor: ACTOR.to_owned() },
        Step::Audit {
            actor: ACTOR.to_owned(),
            action: "webhook.disable",
            target: stored.id.to_string(),
            detail: json!({ "before": { "state": "enabled" }, "after": { "state": "disabled", "cause": cause } })
                .to_string(),
            address: None,
        },
    ]
}

/// Failing for so long, and not just at two moments of it: between its first failure and the one before this there was
/// time enough to mend it.
fn is_over((after, spread): (Duration, Duration), failing: &Failing, now: Timestamp) -> bool {
    let (Some(since), Some(last)) = (failing.since, failing.last) else { return false };
    now.since(since) >= after && last.since(since) >= spread
}
