//! The settings of a source as flags.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::output::Failure;
use crate::cli::webhook::secret;

#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// Who signs, and how; `tidegate preset list` shows all
    #[arg(long, value_name = "NAME", conflicts_with = "scheme")]
    pub preset: Option<String>,

    /// How the sender signs, with the keys of `signature`: 'header = "X-Sig", prefix = "sha256="'
    #[arg(long, value_name = "KEYS")]
    pub scheme: Option<String>,

    /// The environment variable that holds the secret; beside --preset or --scheme
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,

    /// Webhooks a minute, at most [default: 60]
    #[arg(long, value_name = "N")]
    pub per_minute: Option<u32>,

    /// Of these at once [default: as many as a minute]
    #[arg(long, value_name = "N")]
    pub burst: Option<u32>,

    /// Bytes of a body, at most
    #[arg(long, value_name = "BYTES")]
    pub max_body: Option<u64>,

    /// Of which events the payload is stored: always, refused or never [default: always]
    #[arg(long, value_name = "WHICH")]
    pub keep: Option<String>,

    /// For how long, such as 30d or 36h [default: as long as the events]
    #[arg(long, value_name = "TIME")]
    pub keep_for: Option<String>,

    /// In how many bytes together, such as 1GiB
    #[arg(long, value_name = "SIZE")]
    pub keep_bytes: Option<String>,

    /// A place that is not stored, such as '$.card.number' or header:X-Card; may be repeated
    #[arg(long, value_name = "PLACE")]
    pub redact: Vec<String>,
}

impl SettingsArgs {
    /// Those that were given.
    pub fn members(self) -> Result<Map<String, Value>, Failure> {
        let rate = object([("perMinute", self.per_minute.map(Value::from)), ("burst", self.burst.map(Value::from))]);
        let keep = object([
            ("payload", self.keep.map(Value::from)),
            ("for", self.keep_for.map(Value::from)),
            ("bytes", self.keep_bytes.map(Value::from)),
        ]);
        let signature = signature(self.preset, self.scheme.as_deref(), self.secret_env.as_ref())?;
        let given = [
            ("signature", signature),
            ("rateLimit", rate),
            ("maxBody", self.max_body.map(Value::from)),
            ("keep", keep),
            ("redact", (!self.redact.is_empty()).then(|| json!(self.redact))),
        ];
        Ok(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

/// Of the members that were given; none when none was.
fn object<const MEMBERS: usize>(members: [(&str, Option<Value>); MEMBERS]) -> Option<Value> {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let given = given.collect::<Map<_, _>>();
    (!given.is_empty()).then_some(Value::Object(given))
}

fn signature(
    preset: Option<String>,
    scheme: Option<&str>,
    secret_env: Option<&String>,
) -> Result<Option<Value>, Failure> {
    let mut signature = match (preset, scheme) {
        (None, None) if secret_env.is_some() => {
            let detail = "--secret-env stands beside --preset or --scheme; `rotate-secret` replaces a secret alone";
            return Err(Failure::Usage(detail.to_owned()));
        }
        (None, None) => return Ok(None),
        (Some(preset), _) => Map::from_iter([("preset".to_owned(), preset.into())]),
        (None, Some(keys)) => {
            let table: Result<Map<String, Value>, _> = toml::from_str(&format!("signature = {{ {keys} }}"));
            let table = table.map_err(|error| Failure::Usage(format!("--scheme: {}", error.message())))?;
            table.get("signature").and_then(Value::as_object).cloned().unwrap_or_default()
        }
    };
    signature.extend(secret(secret_env)?.map(|secret| ("secret".to_owned(), secret)));
    Ok(Some(Value::Object(signature)))
}

/// A setting by its name, as people may write it: `rate_limit`, `rate-limit`.
pub fn member(name: &str) -> String {
    let mut parts = name.split(['_', '-']);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut chars = part.chars();
        name + &chars.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default() + chars.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_members() {
        let flags = SettingsArgs {
            scheme: Some("header = \"X-S\", tolerance = 60".to_owned()),
            burst: Some(5),
            keep: Some("refused".to_owned()),
            keep_for: Some("7d".to_owned()),
            redact: vec!["$.a".to_owned()],
            ..SettingsArgs::default()
        };
        let wanted = json!({
            "signature": {"header": "X-S", "tolerance": 60}, "rateLimit": {"burst": 5},
            "keep": {"payload": "refused", "for": "7d"}, "redact": ["$.a"],
        });
        assert_eq!(Value::Object(flags.members().unwrap()), wanted);
        assert!(SettingsArgs::default().members().unwrap().is_empty());
        let alone = SettingsArgs { secret_env: Some("PATH".to_owned()), ..SettingsArgs::default() };
        assert!(alone.members().is_err());
        let wrong = SettingsArgs { scheme: Some("header = ".to_owned()), ..SettingsArgs::default() };
        assert!(wrong.members().is_err());
    }

    #[test]
    fn a_setting_may_be_written_in_any_way() {
        for name in ["rateLimit", "rate_limit", "rate-limit"] {
            assert_eq!(member(name), "rateLimit");
        }
        assert_eq!(member("redact"), "redact");
    }
}
