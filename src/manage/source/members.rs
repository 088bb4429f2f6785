//! The members of a source's document, as a PATCH says them: every fault is found at once. A member that is absent
//! stays, null takes it back to its default; `rateLimit` and `keep` are merged member by member (RFC 7396).

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::limit::RawQuota;
use crate::manage::webhook::members::{Members, Wrong, merged};
use crate::problem::without_values;
use crate::record::definition::Fault;
use crate::record::nearest::{did_you_mean, nearest};
use crate::secret::SecretString;
use crate::source::{MOST_SECRETS, RawKeep, RawSource, Settings};
use crate::verify::RawSignature;

const SETTINGS: [&str; 8] = ["enabled", "signature", "rateLimit", "maxBody", "response", "handshake", "keep", "redact"];

/// Shown, and not changed by saying them.
const ELSEWHERE: [(&str, &str); 12] = [
    ("mapping", "is changed by PUT …/mapping"),
    ("mappingVersion", "moves with the mapping"),
    ("token", "is replaced by POST …/rotate-token"),
    ("tokens", "are replaced by POST …/rotate-token"),
    ("url", "holds the token, which is replaced by POST …/rotate-token"),
    ("secret", "is replaced by POST …/rotate-secret"),
    ("secrets", "are replaced by POST …/rotate-secret"),
    ("slug", "cannot be changed: make another source"),
    ("id", "cannot be chosen or changed"),
    ("module", "cannot be changed"),
    ("version", "moves by itself; to change one version only, send it as If-Match"),
    ("usage", "is counted by the gateway"),
];

/// The settings that are asked for, not checked yet, and the secrets that come with them.
pub struct Asked {
    pub raw: RawSource,
    /// `None` when nothing is said of them.
    pub secrets: Option<Vec<SecretString>>,
}

/// A source's settings with what is asked for.
pub fn asked(slug: &str, settings: &Settings, members: &Members) -> Result<Asked, Vec<Wrong>> {
    let mut asked = Asked { raw: standing(slug, settings), secrets: None };
    let wrong = members.iter().filter_map(|(name, value)| asked.set(name, value).err()).collect::<Vec<_>>();
    if wrong.is_empty() { Ok(asked) } else { Err(wrong) }
}

/// As a request would say them.
fn standing(slug: &str, settings: &Settings) -> RawSource {
    RawSource {
        slug: slug.to_owned(),
        enabled: settings.enabled,
        signature: settings.signature.clone().map(Into::into),
        rate_limit: settings.rate_limit.map(Into::into),
        max_body: settings.max_body,
        response: settings.response.clone(),
        handshake: settings.handshake.clone(),
        keep: Some(settings.keep.into()),
        redact: settings.redact.texts().to_vec(),
        matching: None,
        event_type: None,
        only: None,
        when: None,
        each: None,
        event_id: None,
        occurred_at: None,
        delete_when: None,
        rules: Vec::new(),
    }
}

impl Asked {
    fn set(&mut self, name: &str, value: &Value) -> Result<(), Wrong> {
        let raw = &mut self.raw;
        match name {
            "enabled" => raw.enabled = read::<Option<bool>>(name, value)?.unwrap_or(true),
            "signature" => {
                raw.signature = read(name, value)?;
                self.secrets = given(raw.signature.as_mut())?;
            }
            "rateLimit" => {
                let quota = raw.rate_limit.map(|quota| json!({ "perMinute": quota.per_minute, "burst": quota.burst }));
                raw.rate_limit = read::<Option<RateLimit>>(name, &within(quota, value))?.map(Into::into);
            }
            "maxBody" => raw.max_body = read(name, value)?,
            "response" => raw.response = read(name, value)?,
            "handshake" => raw.handshake = read::<Option<Vec<_>>>(name, value)?.unwrap_or_default(),
            "keep" => {
                let keep = raw.keep.as_ref().and_then(|keep| serde_json::to_value(keep).ok());
                raw.keep = read::<Option<RawKeep>>(name, &within(keep, value))?;
            }
            "redact" => raw.redact = read::<Option<Vec<String>>>(name, value)?.unwrap_or_default(),
            other => return Err(unknown(other)),
        }
        Ok(())
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RateLimit {
    per_minute: Option<u32>,
    burst: Option<u32>,
}

impl From<RateLimit> for RawQuota {
    fn from(limit: RateLimit) -> Self {
        Self { per_minute: limit.per_minute, burst: limit.burst }
    }
}

/// The members of an object that stands with those that are asked for.
fn within(standing: Option<Value>, asked: &Value) -> Value {
    match (standing, asked) {
        (Some(Value::Object(standing)), Value::Object(asked)) => Value::Object(merged(standing, asked.clone())),
        (_, asked) => asked.clone(),
    }
}

fn read<T: DeserializeOwned>(name: &str, value: &Value) -> Result<T, Wrong> {
    T::deserialize(value).map_err(|error| Wrong::new(name, without_values(&error.to_string())))
}

/// Secrets themselves, taken out of where they stand.
fn given(signature: Option<&mut RawSignature>) -> Result<Option<Vec<SecretString>>, Wrong> {
    let Some(secrets) = signature.and_then(|signature| signature.secret.take()) else { return Ok(None) };
    let secrets = secrets.as_slice();
    if secrets.is_empty() || secrets.iter().any(String::is_empty) || secrets.len() > MOST_SECRETS {
        let detail = format!("is a text, or a list of up to {MOST_SECRETS}; none is empty");
        return Err(Wrong::new("signature.secret", detail));
    }
    Ok(Some(secrets.iter().cloned().map(SecretString::from).collect()))
}

fn unknown(name: &str) -> Wrong {
    if let Some((_, where_else)) = ELSEWHERE.iter().find(|(known, _)| *known == name) {
        return Wrong::new(name, *where_else);
    }
    let hint = did_you_mean(nearest(name, SETTINGS), |name| format!("`{name}`"));
    Wrong::new(name, format!("a source has no such member{hint}"))
}

/// A fault of the settings, with the name that the API has for its place.
pub fn named(fault: Fault) -> Wrong {
    let at = fault.at.trim_start_matches("source[1].");
    let at = [("rate_limit", "rateLimit"), ("max_body", "maxBody")]
        .into_iter()
        .find_map(|(ours, theirs)| Some(format!("{theirs}{}", at.strip_prefix(ours)?)))
        .unwrap_or_else(|| at.to_owned());
    Wrong::new(at, fault.detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Bounds;

    fn settings(keys: &str) -> Settings {
        let text = format!("slug = \"s\"\n{keys}");
        let raw: RawSource = toml::from_str(&text).unwrap();
        raw.settings(&Bounds::default()).unwrap().1
    }

    fn changed(keys: &str, members: Value) -> Settings {
        let asked = asked("s", &settings(keys), members.as_object().unwrap());
        let asked = asked.map_err(|wrong| wrong.into_iter().map(|wrong| wrong.detail).collect::<Vec<_>>());
        asked.unwrap().raw.settings(&Bounds::default()).unwrap().1
    }

    const ALL: &str = "enabled = false\nsignature = { preset = \"github\", secret = \"env:S\" }\n\
        rate_limit = { per_minute = 6, burst = 2 }\nmax_body = 2048\nresponse = { status = 200 }\n\
        keep = { payload = \"refused\", for = \"7d\" }\nredact = [\"$.a\"]\n\
        [[handshake]]\nmethod = \"GET\"\nquery = \"q\"\ntext = \"{query:q}\"";

    #[test]
    fn what_is_absent_stays_and_null_is_the_default() {
        let mut all = settings(ALL);
        all.secret_names.clear();
        assert_eq!(changed(ALL, json!({})), all);
        let nulls = SETTINGS.iter().map(|name| ((*name).to_owned(), Value::Null)).collect();
        assert_eq!(changed(ALL, Value::Object(nulls)), settings(""));
        let members = json!({"keep": {"bytes": "1MiB", "for": null}, "rateLimit": {"perMinute": 12}, "enabled": true});
        let merged = changed(ALL, members);
        let wanted =
            settings("keep = { payload = \"refused\", bytes = 1048576 }\nrate_limit = { per_minute = 12, burst = 2 }");
        assert_eq!((merged.keep, merged.rate_limit, merged.enabled), (wanted.keep, wanted.rate_limit, true));
        assert_eq!(merged.signature, all.signature);
    }

    #[test]
    fn every_fault_is_told_at_once_and_no_value() {
        let members = json!({
            "enabled": "canary", "keep": {"payload": 1, "canary": 2}, "redact": "canary", "secrets": ["canary"],
            "signature": "canary", "rate_limit": {}, "handshake": {},
        });
        let wrong = asked("s", &settings(""), members.as_object().unwrap()).err().unwrap();
        let fields: Vec<_> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        assert_eq!(fields, ["enabled", "handshake", "keep", "rate_limit", "redact", "secrets", "signature"]);
        for wrong in wrong.iter().filter(|wrong| wrong.field != "keep") {
            assert!(!wrong.detail.contains("canary"), "{}: {}", wrong.field, wrong.detail);
        }
        assert_eq!(wrong[3].detail, "a source has no such member; did you mean `rateLimit`?");
        let members = json!({"signature": {"header": "X-S", "secret": ["a", ""]}});
        assert_eq!(asked("s", &settings(""), members.as_object().unwrap()).err().unwrap()[0].field, "signature.secret");
    }

    #[test]
    fn secrets_are_taken_out() {
        let members = json!({"signature": {"header": "X-S", "secret": "one"}});
        let asked = asked("s", &settings(""), members.as_object().unwrap()).ok().unwrap();
        assert!(asked.secrets.is_some_and(|secrets| secrets.len() == 1));
        assert!(asked.raw.signature.unwrap().secret.is_none());
    }
}
