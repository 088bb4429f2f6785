//! The kind of job that delivers what an endpoint missed: as jobs know it.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::deliver::Deliveries;
use crate::deliver::missed::{Asked, Stopped};
use crate::store::jobs::Claimed;
use crate::work::jobs::{Broken, Counted, Kind, Refused, Stepped, Task};

pub struct Missed(pub Arc<Deliveries>);

impl Missed {
    async fn look(&self, asked: Map<String, Value>, now: Timestamp) -> Result<Counted, Refused> {
        let asked = Asked::deserialize(Value::Object(asked)).map_err(|error| Refused::Spec(error.to_string()))?;
        let count = self.0.count_missed(asked, now).await.map_err(|stopped| match stopped {
            Stopped::Store(error) => Refused::Store(error),
            Stopped::Unknown => Refused::Spec(stopped.to_string()),
            Stopped::Disabled | Stopped::NothingMissed => Refused::Conflict(stopped.to_string()),
        })?;
        let spec = serde_json::to_value(count.spec).map_err(|error| Refused::Spec(error.to_string()))?;
        Ok(Counted { spec, total: count.total, skipped: count.skipped })
    }

    async fn go_on(&self, job: &Claimed, now: Timestamp) -> Result<Stepped, Broken> {
        match self.0.deliver_missed(job, now).await {
            Ok(progress) => Ok(progress.map_or(Stepped::Lost, Stepped::On)),
            Err(Stopped::Store(error)) => Err(Broken::Store(error)),
            Err(Stopped::Unknown) => Err(Broken::Failed("the webhook was deleted".to_owned())),
            Err(stopped) => Err(Broken::Failed(stopped.to_string())),
        }
    }
}

impl Kind for Missed {
    fn name(&self) -> &'static str {
        "missed"
    }

    fn count(&self, asked: Map<String, Value>, now: Timestamp) -> Task<'_, Result<Counted, Refused>> {
        Box::pin(self.look(asked, now))
    }

    fn step<'a>(&'a self, job: &'a Claimed, now: Timestamp) -> Task<'a, Result<Stepped, Broken>> {
        Box::pin(self.go_on(job, now))
    }
}
