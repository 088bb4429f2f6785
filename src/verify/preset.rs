//! The senders that are known by name: `presets.toml`, one table each. Read once; a test holds every entry to what an
//! admin's own scheme is held to, and to the vendor's published vectors.

use std::sync::LazyLock;

use serde::Deserialize;

use super::handshake::{Handshake, RawHandshake};
use super::raw::RawSignature;
use super::response::RawResponse;
use super::scheme::Scheme;

/// One sender.
#[derive(Clone, Debug)]
pub struct Preset {
    pub name: String,
    pub title: String,
    /// What an admin pastes as the secret; empty for one that is refused.
    pub secret: String,
    /// Or why the sender cannot be taken, and what to do instead.
    pub scheme: Result<Scheme, String>,
    /// What a mapping takes that does not say otherwise, in its own words.
    pub event_type: Option<String>,
    pub event_id: Option<String>,
    pub occurred_at: Option<serde_json::Value>,
    pub response: Option<RawResponse>,
    /// Refusals have no body: some senders try whether a wrong signature is refused, and insist on that.
    pub bare: bool,
    pub handshakes: Vec<Handshake>,
    pub vectors: Vec<Vector>,
}

/// A request that the vendor published, with the secret that signed it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vector {
    pub origin: String,
    pub secret: String,
    #[serde(default = "post")]
    pub method: String,
    #[serde(default)]
    pub url: String,
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    pub body: String,
    /// The time as of which it is judged.
    pub at: Option<String>,
}

fn post() -> String {
    "POST".to_owned()
}

/// By name.
pub fn all() -> &'static [Preset] {
    static ALL: LazyLock<Vec<Preset>> = LazyLock::new(read);
    &ALL
}

pub fn find(name: &str) -> Option<&'static Preset> {
    all().iter().find(|preset| preset.name == name)
}

/// The keys of an entry that are not its scheme's.
#[derive(Deserialize)]
struct Rest {
    title: String,
    #[serde(default)]
    secret: String,
    refused: Option<String>,
    event_type: Option<String>,
    event_id: Option<String>,
    occurred_at: Option<serde_json::Value>,
    response: Option<RawResponse>,
    #[serde(default)]
    bare: bool,
    #[serde(default)]
    handshake: Vec<RawHandshake>,
    #[serde(default)]
    vector: Vec<Vector>,
}

const REST: [&str; 10] =
    ["title", "secret", "refused", "event_type", "event_id", "occurred_at", "response", "bare", "handshake", "vector"];

#[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
fn read() -> Vec<Preset> {
    let entries: toml::Table = include_str!("presets.toml").parse().expect("presets.toml is TOML");
    let mut presets: Vec<Preset> = entries
        .into_iter()
        .map(|(name, entry)| entry_of(&name, entry).map_err(|error| format!("{name}: {error}")))
        .collect::<Result<_, _>>()
        .expect("presets.toml reads");
    presets.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    presets
}

fn entry_of(name: &str, entry: toml::Value) -> Result<Preset, String> {
    let toml::Value::Table(mut scheme) = entry else { return Err("is no table".to_owned()) };
    let rest: toml::Table = REST.iter().filter_map(|key| Some(((*key).to_owned(), scheme.remove(*key)?))).collect();
    let rest: Rest = rest.try_into().map_err(|error| error.to_string())?;
    let scheme = match rest.refused {
        Some(refused) if scheme.is_empty() => Err(refused),
        Some(_) => return Err("is refused and has a scheme".to_owned()),
        None => {
            let raw: RawSignature = scheme.try_into().map_err(|error| error.to_string())?;
            Ok(Scheme::of_preset(raw).map_err(|error| format!("{}: {error}", error.key))?)
        }
    };
    let handshakes = rest.handshake.into_iter().map(Handshake::try_from).collect::<Result<_, _>>();
    if let Some(Err(error)) = rest.response.as_ref().map(RawResponse::check) {
        return Err(error.to_string());
    }
    Ok(Preset {
        name: name.to_owned(),
        title: rest.title,
        secret: rest.secret,
        scheme,
        event_type: rest.event_type,
        event_id: rest.event_id,
        occurred_at: rest.occurred_at,
        response: rest.response,
        bare: rest.bare,
        handshakes: handshakes.map_err(|error| format!("handshake.{}: {error}", error.key))?,
        vectors: rest.vector,
    })
}

#[cfg(test)]
mod tests;
