//! An endpoint: who is told of which events, and how. Raw first, as the API takes and storage keeps it, then checked.

use std::collections::HashSet;
use std::time::Duration;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::profile::{self, Profile};
use super::retry::OnGone;
use super::target::{BadTarget, Targets};
use crate::clock::Timestamp;
use crate::condition::Condition;
use crate::id::EndpointId;
use crate::limit::Quota;
use crate::record::change::{CUSTOM, Change};
use crate::record::shape::Shape;
use crate::secret::SecretString;

/// Attempts that may be under way at once, unless it says otherwise.
const CONCURRENCY: u32 = 16;
const MOST_CONCURRENCY: u32 = 200;
/// The most that a receiver may take for an answer; also the least and the default of `timeout`.
pub const LONGEST_TIMEOUT: u32 = 30;
const MOST_RETRIES: usize = 30;
const LONGEST_RETRY: u32 = 7 * 24 * 3_600;
const MOST_NAMES: usize = 200;
const LONGEST_NAME: usize = 100;
const LONGEST_DESCRIPTION: usize = 500;

/// What the API takes and shows, and storage keeps. Secrets and custom headers stand elsewhere, sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookSettings)]
pub struct RawEndpoint {
    pub url: String,
    #[serde(default)]
    pub description: String,
    /// Types of events, such as `record_updated` or `trade.completed`; none means all.
    #[serde(default)]
    pub events: Vec<String>,
    /// Slugs; none means all.
    #[serde(default)]
    pub modules: Vec<String>,
    /// A condition over the envelope, see [`envelope`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    #[serde(default = "default_profile")]
    pub profile: String,
    #[serde(default)]
    pub ordering: Ordering,
    /// Deliveries a minute, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_minute: Option<u32>,
    #[serde(default = "default_concurrency")]
    pub concurrency: u32,
    /// Seconds to wait after each failed attempt; the profile's unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Vec<u32>>,
    /// Seconds; the profile's unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
    #[serde(default)]
    pub on_gone: OnGone,
}

/// Whether a record's deliveries may overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    #[default]
    None,
    /// One is not sent before those of the same record that came earlier are delivered or given up.
    PerRecord,
}

fn default_profile() -> String {
    profile::DEFAULT.to_owned()
}

fn default_concurrency() -> u32 {
    CONCURRENCY
}

/// What is wrong with one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: &'static str,
    pub detail: String,
}

/// A checked endpoint, as deliveries are made for it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub id: EndpointId,
    pub raw: RawEndpoint,
    pub url: Url,
    pub profile: &'static Profile,
    pub enabled: bool,
    /// Changes above this number are owed to it.
    pub since: i64,
    /// Custom ones.
    pub headers: HeaderMap,
    /// The one in use first, each with the end of its time.
    pub secrets: Vec<(SecretString, Option<Timestamp>)>,
    pub quota: Option<Quota>,
    filter: Option<Condition>,
    events: HashSet<String>,
    modules: HashSet<String>,
}

/// Those parts of a row that are not settings.
#[derive(Clone, Debug)]
pub struct Standing {
    pub id: EndpointId,
    pub enabled: bool,
    pub since: i64,
    pub headers: HeaderMap,
    pub secrets: Vec<(SecretString, Option<Timestamp>)>,
}

impl RawEndpoint {
    /// Every fault at once. `targets` says where deliveries may go.
    pub fn check(&self, targets: &Targets, standing: Standing) -> Result<Endpoint, Vec<Fault>> {
        self.with(targets.check(&self.url), standing)
    }

    /// As it was saved. Where it leads may be forbidden by now: what is owed to it is owed all the same, and fails when
    /// it would be sent, so that it is seen.
    pub fn saved(&self, standing: Standing) -> Result<Endpoint, Vec<Fault>> {
        self.with(Url::parse(&self.url).map_err(|_| BadTarget::NotUrl), standing)
    }

    fn with(&self, url: Result<Url, BadTarget>, standing: Standing) -> Result<Endpoint, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut fault = |field, detail: String| faults.push(Fault { field, detail });
        let url = url.map_err(|bad| fault("url", bad.to_string())).ok();
        let profile = profile::find(&self.profile);
        if profile.is_none() {
            let names = profile::profiles().iter().map(|profile| &*profile.name).collect::<Vec<_>>().join(", ");
            fault("profile", format!("there is no profile `{}`; there are {names}", self.profile));
        }
        let filter = self.filter.as_deref().map(Condition::compile).transpose();
        let filter = filter.map_err(|bad| fault("filter", bad.to_string())).ok().flatten();
        let quota = self.per_minute.map(|per_minute| Quota::new(per_minute, None)).transpose();
        let quota = quota.map_err(|bad| fault("perMinute", bad.to_string())).ok().flatten();
        self.check_numbers(&mut fault);
        self.check_names(&mut fault);
        match (url, profile) {
            (Some(url), Some(profile)) if faults.is_empty() => Ok(Endpoint {
                id: standing.id,
                url,
                profile,
                enabled: standing.enabled,
                since: standing.since,
                headers: standing.headers,
                secrets: standing.secrets,
                quota,
                filter,
                events: self.events.iter().cloned().collect(),
                modules: self.modules.iter().cloned().collect(),
                raw: self.clone(),
            }),
            _ => Err(faults),
        }
    }

    fn check_numbers(&self, fault: &mut impl FnMut(&'static str, String)) {
        if !(1..=MOST_CONCURRENCY).contains(&self.concurrency) {
            fault("concurrency", format!("a number from 1 to {MOST_CONCURRENCY}"));
        }
        if self.timeout.is_some_and(|seconds| !(1..=LONGEST_TIMEOUT).contains(&seconds)) {
            fault("timeout", format!("seconds, from 1 to {LONGEST_TIMEOUT}"));
        }
        let retries = self.retries.as_deref().unwrap_or_default();
        if retries.len() > MOST_RETRIES || retries.iter().any(|seconds| *seconds > LONGEST_RETRY) {
            fault("retries", format!("at most {MOST_RETRIES} waits, each of at most {LONGEST_RETRY} seconds"));
        }
    }

    fn check_names(&self, fault: &mut impl FnMut(&'static str, String)) {
        let is_odd = |name: &String| {
            name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(|byte| byte.is_ascii_graphic())
        };
        for (field, names) in [("events", &self.events), ("modules", &self.modules)] {
            if names.len() > MOST_NAMES || names.iter().any(is_odd) {
                fault(field, format!("at most {MOST_NAMES} names of at most {LONGEST_NAME} characters"));
            }
        }
        if self.description.len() > LONGEST_DESCRIPTION {
            fault("description", format!("at most {LONGEST_DESCRIPTION} bytes"));
        }
    }
}

impl Endpoint {
    /// Whether an event of this type of that module is asked for, as far as names tell. System events have no module:
    /// who names modules does not get them.
    pub fn wants(&self, event: &str, module: Option<&str>) -> bool {
        let of_module = self.modules.is_empty() || module.is_some_and(|slug| self.modules.contains(slug));
        of_module && (self.events.is_empty() || self.events.contains(event))
    }

    pub fn has_filter(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the filter lets it pass; an endpoint without one lets all pass.
    pub fn passes(&self, envelope: &Value) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.holds(envelope, envelope))
    }

    pub fn retries(&self) -> &[u32] {
        self.raw.retries.as_deref().unwrap_or(&self.profile.retries)
    }

    pub fn timeout(&self) -> Duration {
        self.raw.timeout.map_or(self.profile.timeout, |seconds| Duration::from_secs(seconds.into()))
    }

    pub fn is_ordered(&self) -> bool {
        self.raw.ordering == Ordering::PerRecord
    }

    /// Those that sign now: the one in use, and in rotation the next one.
    pub fn active_secrets(&self, now: Timestamp) -> Vec<SecretString> {
        let active = |end: &Option<Timestamp>| end.is_none_or(|end| end > now);
        self.secrets.iter().filter(|(_, end)| active(end)).map(|(secret, _)| secret.clone()).collect()
    }
}

/// What a filter judges: the event and its record, whatever the profile makes of them. Decimals are numbers, as they are
/// where a module's file says what its events are; those of a module that is gone stay the texts that the log has.
pub fn envelope(change: &Change, event: &str, shape: Option<&Shape>) -> Value {
    let mut document = shape.map_or_else(|| change.texts(), |shape| change.document(shape));
    let record = if change.after.is_some() { &document["after"] } else { &document["before"] };
    let mut data = record.as_object().cloned().unwrap_or_default();
    let custom_data = data.remove(CUSTOM).unwrap_or(Value::Null);
    json!({
        "type": event,
        "module": shape.map(|shape| shape.slug.as_str()),
        "record_id": change.record,
        "op": change.op,
        "version": change.version,
        "actor": change.actor,
        "data": data,
        "custom_data": custom_data,
        "changes": document["changes"].take(),
        "before": document["before"].take(),
        "after": document["after"].take(),
    })
}
