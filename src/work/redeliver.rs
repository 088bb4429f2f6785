//! Deliveries sent again: those of the settled ones that are asked for, as they were, with their ids and bytes.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::jobs::{Broken, Counted, Kind, Refused, Stepped, Task};
use crate::clock::Timestamp;
use crate::id::EndpointId;
use crate::limit::pace::Pace;
use crate::store::jobs::{Claimed, Progress, Then};
use crate::store::redeliver::Settled;
use crate::store::{Store, StoreError};

/// Deliveries of one step.
const PAGE: i64 = 250;
/// Before it is looked again whether an endpoint has room.
const PAUSE: Duration = Duration::from_secs(1);

/// What is asked for, and what a job's row keeps of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Of this one only; `webhook` names the same in the API's other places.
    #[serde(alias = "webhook", skip_serializing_if = "Option::is_none")]
    endpoint: Option<EndpointId>,
    /// When they were settled; none is from the first, and up to when the job was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[serde(default)]
    state: State,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    /// How many are due anew in a minute, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    per_minute: Option<Pace>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Delivered,
    #[default]
    Failed,
    All,
}

impl Spec {
    fn settled(&self, now: Timestamp) -> Settled {
        Settled {
            endpoint: self.endpoint,
            from: self.from,
            to: self.to.unwrap_or(now),
            state: match self.state {
                State::Delivered => Some("delivered"),
                State::Failed => Some("failed"),
                State::All => None,
            },
            event: self.event.clone(),
        }
    }

    /// At most once a second, and a second's worth of them.
    fn most_at_once(&self) -> i64 {
        self.per_minute.map_or(PAGE, |pace| pace.a_second().min(PAGE))
    }

    /// When the next step is due after one that sent so many.
    fn next(&self, sent: i64, now: Timestamp) -> Timestamp {
        self.per_minute.map_or(now, |pace| pace.after(sent, now))
    }
}

pub struct Redeliver {
    store: Arc<Store>,
}

impl Redeliver {
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    async fn look(&self, asked: Map<String, Value>, now: Timestamp) -> Result<Counted, Refused> {
        let mut spec: Spec = Deserialize::deserialize(Value::Object(asked))
            .map_err(|error: serde_json::Error| Refused::Spec(error.to_string()))?;
        // What is settled while the job runs is not its concern, least of all what it has sent itself.
        let to = spec.to.map_or(now, |to| to.min(now));
        if spec.from.is_some_and(|from| from > to) {
            return Err(Refused::Spec("`from` is after `to`, or has yet to come".to_owned()));
        }
        spec.to = Some(to);
        let (total, skipped) = self.store.count_settled(&spec.settled(now)).await?;
        let spec = serde_json::to_value(spec).map_err(|error| Refused::Spec(error.to_string()))?;
        Ok(Counted { spec, total, skipped })
    }

    async fn go_on(&self, job: &Claimed, now: Timestamp) -> Result<Stepped, Broken> {
        let spec: Spec = serde_json::from_str(&job.job.spec)
            .map_err(|error| StoreError::Corrupt(format!("the job's spec: {error}")))?;
        let page = self.store.settled_page(&spec.settled(now), &job.job.cursor, spec.most_at_once()).await?;
        if self.store.are_crowded(&page.ids).await? {
            let progress = Progress::none(job, now.after(PAUSE));
            let held = self.store.advance_job(job, &progress, now).await?;
            return Ok(if held { Stepped::On(progress) } else { Stepped::Lost });
        }
        let then = |sent| if page.next.is_some() { Then::Next(spec.next(sent, now)) } else { Then::Finished };
        let progress = self.store.resend(job, &page, then, now).await?;
        Ok(progress.map_or(Stepped::Lost, Stepped::On))
    }
}

impl Kind for Redeliver {
    fn name(&self) -> &'static str {
        "redeliver"
    }

    fn count(&self, asked: Map<String, Value>, now: Timestamp) -> Task<'_, Result<Counted, Refused>> {
        Box::pin(self.look(asked, now))
    }

    fn step<'a>(&'a self, job: &'a Claimed, now: Timestamp) -> Task<'a, Result<Stepped, Broken>> {
        Box::pin(self.go_on(job, now))
    }
}
