//! A source: one inbound door of a module. Raw as a module file writes it, then its settings and mapping apart (the
//! mapping is versioned, the settings are not), then ready for requests.

pub mod document;
mod keep;
pub mod redact;
mod secrets;
pub mod write;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::config::Bounds;
use crate::id::SourceId;
use crate::limit::{Quota, RawQuota};
use crate::map::mapping::{Mapping, RawMapping};
use crate::map::moment::RawMoment;
use crate::map::rule::RawRule;
use crate::record::definition::Fault;
use crate::record::field::SourceSlug;
use crate::record::shape::Shape;
use crate::verify::handshake::{Handshake, MOST_HANDSHAKES, RawHandshake};
use crate::verify::preset::Preset;
use crate::verify::response::RawResponse;
use crate::verify::{RawSignature, Scheme};
pub use keep::{Keep, KeepPayload, RawKeep};
use redact::Redaction;
pub use secrets::{ActiveSecret, Secrets};

/// The most secrets of one source that are active at once.
pub const MOST_SECRETS: usize = 5;
/// What a mapping says to do without something that its preset knows.
const NONE: &str = "none";
/// The smallest and the most that `max_body` may say, in bytes.
const LEAST_BODY: usize = 1_024;

/// `[[source]]` of a module file: settings, then the keys of its mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawSource {
    #[serde(default)]
    pub slug: String,
    #[serde(default = "yes")]
    pub enabled: bool,
    pub signature: Option<RawSignature>,
    pub rate_limit: Option<RawQuota>,
    pub max_body: Option<usize>,
    /// What is answered to an accepted webhook instead of 202 with the record's id; `{ }` is that again, where a preset
    /// says otherwise.
    pub response: Option<RawResponse>,
    /// Beside those of the preset.
    #[serde(default)]
    pub handshake: Vec<RawHandshake>,
    pub keep: Option<RawKeep>,
    /// Places of a request that are not stored.
    #[serde(default)]
    pub redact: Vec<String>,
    #[serde(rename = "match")]
    pub matching: Option<Vec<String>>,
    pub event_type: Option<String>,
    pub only: Option<Vec<String>>,
    pub when: Option<String>,
    pub each: Option<String>,
    pub event_id: Option<String>,
    pub occurred_at: Option<RawMoment>,
    pub delete_when: Option<String>,
    #[serde(rename = "rule", default)]
    pub rules: Vec<RawRule>,
}

fn yes() -> bool {
    true
}

/// A source's checked settings, as storage keeps them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub enabled: bool,
    pub signature: Option<Scheme>,
    /// Where the secrets came from, such as `env:ERP_SECRET`; never the secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret_names: Vec<String>,
    pub rate_limit: Option<Quota>,
    /// In bytes.
    pub max_body: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<RawResponse>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handshake: Vec<RawHandshake>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep: Keep,
    #[serde(default, skip_serializing_if = "Redaction::is_empty")]
    pub redact: Redaction,
}

fn is_default(keep: &Keep) -> bool {
    *keep == Keep::default()
}

impl Settings {
    pub fn preset(&self) -> Option<&'static Preset> {
        self.signature.as_ref()?.preset()
    }

    /// What is answered to every accepted webhook, where that is not the gateway's own answer.
    pub fn response(&self) -> Option<&RawResponse> {
        let preset = || self.preset()?.response.as_ref();
        self.response.as_ref().or_else(preset).filter(|response| !response.says_nothing())
    }

    /// The source's own before those of its preset.
    pub fn handshakes(&self) -> impl Iterator<Item = &RawHandshake> {
        let preset = self.preset().map(|preset| &preset.handshakes[..]).unwrap_or_default();
        self.handshake.iter().chain(preset.iter().map(|handshake| &handshake.raw))
    }

    /// The mapping with what its sender's preset knows and it does not say itself.
    pub fn complete(&self, mapping: &RawMapping) -> RawMapping {
        let mut whole = mapping.clone();
        if let Some(preset) = self.preset() {
            let known =
                |own: Option<String>, preset: &Option<String>| own.or_else(|| preset.clone()).filter(|is| is != NONE);
            whole.event_type = known(whole.event_type, &preset.event_type);
            whole.event_id = known(whole.event_id, &preset.event_id);
            let moment = || serde_json::from_value(preset.occurred_at.clone()?).ok();
            whole.occurred_at = whole.occurred_at.or_else(moment).filter(|at| at.from() != NONE);
        }
        whole
    }
}

impl RawSource {
    /// The two halves of a source; every fault of the settings at once, with its key.
    pub fn split(self, bounds: &Bounds) -> Result<(SourceSlug, Settings, RawMapping), Vec<Fault>> {
        let (slug, settings) = self.settings(bounds)?;
        Ok((slug, settings, self.into_mapping()))
    }

    /// All but the mapping, checked.
    pub fn settings(&self, bounds: &Bounds) -> Result<(SourceSlug, Settings), Vec<Fault>> {
        let mut faults = Vec::new();
        let slug = SourceSlug::parse(&self.slug).map_err(|error| faults.push(Fault::new("slug", error.to_string())));
        let secret_names = secret_names(self.signature.as_ref(), &mut faults);
        let signature = self.signature.clone().map(Scheme::try_from).transpose();
        let signature = signature.map_err(|error| faults.push(Fault::new(error.key.clone(), error.to_string())));
        let rate_limit = self.rate_limit.map(Quota::try_from).transpose();
        let rate_limit = rate_limit.map_err(|error| faults.push(Fault::new("rate_limit", error.to_string())));
        let sizes = LEAST_BODY..=bounds.max_body_ceiling;
        if self.max_body.is_some_and(|size| !sizes.contains(&size)) {
            let detail = format!("`max_body` is a number of bytes from {} to {}", sizes.start(), sizes.end());
            faults.push(Fault::new("max_body", detail));
        }
        if let Some(Err(error)) = self.response.as_ref().map(RawResponse::check) {
            faults.push(Fault::new(format!("response.{}", error.key), error.detail));
        }
        faults.extend(self.bad_handshakes());
        let keep = self.keep.as_ref().map_or(Ok(Keep::default()), RawKeep::check);
        let keep = keep.map_err(|wrong| faults.extend(wrong));
        let redact = Redaction::check(&self.redact).map_err(|wrong| faults.extend(wrong.into_iter().map(unredacted)));
        let (Ok(slug), Ok(signature), Ok(rate_limit), Ok(keep), Ok(redact), true) =
            (slug, signature, rate_limit, keep, redact, faults.is_empty())
        else {
            return Err(faults);
        };
        let (enabled, max_body) = (self.enabled, self.max_body);
        let (response, handshake) = (self.response.clone(), self.handshake.clone());
        let settings =
            Settings { enabled, signature, secret_names, rate_limit, max_body, response, handshake, keep, redact };
        Ok((slug, settings))
    }

    fn bad_handshakes(&self) -> Vec<Fault> {
        if self.handshake.len() > MOST_HANDSHAKES {
            let detail =
                format!("a source has at most {MOST_HANDSHAKES} handshakes, this one {}", self.handshake.len());
            return vec![Fault::new("handshake", detail)];
        }
        let mut faults = Vec::new();
        for (place, raw) in self.handshake.iter().enumerate() {
            let at = |key: &str| match key {
                "" => format!("handshake[{}]", place + 1),
                key => format!("handshake[{}].{key}", place + 1),
            };
            match Handshake::try_from(raw.clone()) {
                Err(error) => faults.push(Fault::new(at(error.key), error.detail)),
                Ok(handshake) if handshake.keeps() && self.signature.is_none() => {
                    let detail = "a secret is kept for a `signature`, and this source has none";
                    faults.push(Fault::new(at("keep"), detail));
                }
                Ok(_) => {}
            }
        }
        faults
    }

    pub fn into_mapping(self) -> RawMapping {
        RawMapping {
            matching: self.matching,
            event_type: self.event_type,
            only: self.only,
            when: self.when,
            each: self.each,
            event_id: self.event_id,
            occurred_at: self.occurred_at,
            delete_when: self.delete_when,
            rules: self.rules,
        }
    }
}

fn unredacted((place, detail): (usize, String)) -> Fault {
    Fault::new(format!("redact[{}]", place + 1), detail)
}

/// A module file names its secrets; it never holds them.
fn secret_names(signature: Option<&RawSignature>, faults: &mut Vec<Fault>) -> Vec<String> {
    let names =
        signature.and_then(|raw| raw.secret.as_ref()).map(|secret| secret.as_slice().to_vec()).unwrap_or_default();
    if names.iter().any(|name| name.strip_prefix("env:").is_none_or(str::is_empty)) {
        let detail = "a file names the environment variables that hold its secrets, and never a secret itself: secret = \
                      \"env:ERP_SECRET\"";
        faults.push(Fault::new("signature.secret", detail));
    }
    if names.len() > MOST_SECRETS {
        faults.push(Fault::new("signature.secret", format!("at most {MOST_SECRETS} secrets are active at once")));
    }
    names
}

/// A source as requests meet it.
#[derive(Debug)]
pub struct Source {
    pub id: SourceId,
    pub slug: SourceSlug,
    pub shape: Arc<Shape>,
    pub settings: Settings,
    pub secrets: Secrets,
    pub mapping: Mapping,
    pub mapping_version: i64,
}

impl Source {
    /// The most bytes of a body.
    pub fn max_body(&self, bounds: &Bounds) -> usize {
        self.settings.max_body.unwrap_or(bounds.max_body).min(bounds.max_body_ceiling)
    }

    pub fn quota(&self) -> Quota {
        self.settings.rate_limit.unwrap_or_default()
    }

    /// Whether its sender insists on refusals without a body.
    pub fn refuses_bare(&self) -> bool {
        self.settings.preset().is_some_and(|preset| preset.bare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::input::Input;
    use crate::verify::preset;

    /// A preset speaks of the mapping's keys in the mapping's own words.
    #[test]
    fn what_presets_know_is_what_mappings_take() {
        for preset in preset::all() {
            for text in [&preset.event_type, &preset.event_id].into_iter().flatten() {
                assert!(text == "body" || Input::check(text).is_ok(), "{}: {text}", preset.name);
            }
            if let Some(moment) = &preset.occurred_at {
                let raw: RawMoment = serde_json::from_value(moment.clone()).unwrap();
                assert!(raw.check().is_ok(), "{}", preset.name);
            }
        }
    }
}
