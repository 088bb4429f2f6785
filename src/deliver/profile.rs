//! How an endpoint is spoken to, by name: `profiles.toml`, one table each, which says what every key means. Read once; a
//! test reads it, too.

use std::sync::LazyLock;
use std::time::Duration;

use http::HeaderName;
use serde::{Deserialize, Serialize};

use super::render::line;
use super::template::Template;

/// The file has a table of this name, and a test asks for it.
pub const DEFAULT: &str = "collecta";

/// The longest that an attempt may take, whoever sets it.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct Profile {
    pub name: String,
    /// One line, for whoever chooses.
    pub summary: String,
    /// Seconds to wait after each failed attempt.
    pub retries: Vec<u32>,
    /// How much longer a wait may become by chance.
    pub jitter_percent: u32,
    /// Of an attempt, in all.
    pub timeout: Duration,
    pub user_agent: String,
    /// Single-valued headers that hold a signature of the raw body.
    pub signatures: Vec<(HeaderName, Template)>,
    /// Whether the three headers of Standard Webhooks go along.
    pub standard_webhooks: bool,
    pub headers: Vec<(HeaderName, Template)>,
    /// See [`line::read`].
    pub body: Vec<String>,
    pub decimals: Decimals,
    /// Whether the body is exactly what `JSON.stringify(JSON.parse(body))` gives.
    pub javascript: bool,
    pub failing: Failing,
}

/// How decimals of the log stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decimals {
    Text,
    /// A text all the same where a double is not exactly that number.
    Number,
}

/// What becomes of an endpoint that only fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    /// Disabled when nothing has succeeded for `after`, and the first and the last failure since are at least `spread`
    /// apart.
    Disable { after: Duration, spread: Duration },
    /// With each delivery that is given up it counts as failing and mail is sent; it is never disabled. A success ends
    /// it.
    Mail,
}

/// With a comment that says what each word means.
pub const FILE: &str = include_str!("profiles.toml");

/// In the order of the file.
pub fn profiles() -> &'static [Profile] {
    #[expect(clippy::expect_used, reason = "the file is part of the program, and a test reads it")]
    static ALL: LazyLock<Vec<Profile>> = LazyLock::new(|| read(FILE).expect("profiles.toml reads"));
    &ALL
}

pub fn find(name: &str) -> Option<&'static Profile> {
    profiles().iter().find(|profile| profile.name == name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    summary: String,
    retries: Vec<u32>,
    jitter_percent: u32,
    timeout: u64,
    user_agent: String,
    signatures: toml::Table,
    standard_webhooks: bool,
    headers: toml::Table,
    body: Vec<String>,
    decimals: Decimals,
    javascript: bool,
    failing: RawFailing,
}

#[derive(Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case", deny_unknown_fields)]
enum RawFailing {
    Disable { after_hours: u64, spread_hours: u64 },
    Mail,
}

fn read(text: &str) -> Result<Vec<Profile>, String> {
    let tables: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    let read = |(name, table): (String, toml::Value)| {
        let raw: Raw = table.try_into().map_err(|error| format!("{name}: {error}"))?;
        raw.check(&name).map_err(|error| format!("{name}: {error}"))
    };
    tables.into_iter().map(read).collect()
}

impl Raw {
    fn check(self, name: &str) -> Result<Profile, String> {
        let timeout = Duration::from_secs(self.timeout);
        let (signatures, headers) = (templates(&self.signatures)?, templates(&self.headers)?);
        line::read(&self.body)?;
        let wrong = [
            (signatures.iter().any(|(_, value)| !value.is_signature()), "a signature is without {hex}"),
            (headers.iter().any(|(_, value)| value.is_signature()), "{hex} belongs into a signature"),
            (signatures.is_empty() && !self.standard_webhooks, "nothing is signed"),
            (timeout.is_zero() || timeout > LONGEST_TIMEOUT, "the timeout is 1 to 30 seconds"),
            (self.retries.contains(&0), "a wait of no time is none"),
        ];
        if let Some((_, why)) = wrong.iter().find(|(is_wrong, _)| *is_wrong) {
            return Err((*why).to_owned());
        }
        Ok(Profile {
            name: name.to_owned(),
            summary: self.summary,
            retries: self.retries,
            jitter_percent: self.jitter_percent,
            timeout,
            user_agent: self.user_agent.replace("{version}", env!("CARGO_PKG_VERSION")),
            signatures,
            standard_webhooks: self.standard_webhooks,
            headers,
            body: self.body,
            decimals: self.decimals,
            javascript: self.javascript,
            failing: self.failing.into(),
        })
    }
}

fn templates(table: &toml::Table) -> Result<Vec<(HeaderName, Template)>, String> {
    let read = |(name, value): (&String, &toml::Value)| {
        let header = HeaderName::try_from(name).map_err(|error| format!("{name}: {error}"))?;
        let text = value.as_str().ok_or_else(|| format!("{name}: the value is a text"))?;
        Ok((header, Template::parse(text)?))
    };
    table.iter().map(read).collect()
}

impl From<RawFailing> for Failing {
    fn from(raw: RawFailing) -> Self {
        let hours = |hours: u64| Duration::from_secs(hours.saturating_mul(3_600));
        match raw {
            RawFailing::Disable { after_hours, spread_hours } => {
                Self::Disable { after: hours(after_hours), spread: hours(spread_hours) }
            }
            RawFailing::Mail => Self::Mail,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(headers: &[(HeaderName, Template)]) -> Vec<&str> {
        headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Profile, waits, names of the signatures' headers, names of the others; the User-Agent.
    #[test]
    fn each_profile_is_as_its_system_prints_it() {
        let own = concat!("Tidegate/", env!("CARGO_PKG_VERSION"));
        let three: &[&str] = &["x-webhook-id", "x-webhook-timestamp", "x-webhook-event"];
        let table: [(_, &[u32], &[&str], &[&str], _); 5] = [
            (DEFAULT, &[60, 120, 240, 480, 960], &["x-webhook-signature"], three, own),
            ("collectiq", &[60, 300, 1800, 7200], &["x-collectiq-signature"], &[], own),
            (
                "auction-excellence",
                &[60, 300, 1800, 7200, 43200],
                &["x-webhook-signature"],
                three,
                "AuctionExcellence-Webhook/1.0",
            ),
            ("cliq", &[60, 300, 1800, 7200], &["x-cliq-signature"], &[], own),
            ("standard-webhooks", &[5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400], &[], &[], own),
        ];
        assert_eq!(profiles().len(), table.len());
        for (profile, (name, retries, signatures, headers, user_agent)) in profiles().iter().zip(table) {
            assert_eq!((profile.name.as_str(), profile.retries.as_slice()), (name, retries));
            assert_eq!(names(&profile.signatures), signatures, "{name}");
            assert_eq!(names(&profile.headers), headers, "{name}");
            assert_eq!(profile.user_agent, user_agent, "{name}");
            assert_eq!(profile.timeout, LONGEST_TIMEOUT, "{name}");
            assert_eq!(profile.jitter_percent > 0, name == "standard-webhooks");
            assert_eq!(profile.failing == Failing::Mail, name == "cliq");
        }
        let (after, spread) = (Duration::from_hours(5 * 24), Duration::from_hours(12));
        assert_eq!(find(DEFAULT).unwrap().failing, Failing::Disable { after, spread });
        assert!(find("none").is_none());
    }

    #[test]
    fn a_mistake_in_the_file_is_told() {
        for (right, wrong, why) in [
            ("user_agent = ", "user_agents = ", "unknown field"),
            ("\"sha256={hex}\"", "\"sha256={hax}\"", "nothing is called {hax}"),
            ("\"sha256={hex}\"", "\"sha256\"", "without {hex}"),
            ("\"{sent_unix}\"", "\"{hex}\"", "belongs into a signature"),
            ("X-Cliq-Signature", "\"X Cliq\"", "X Cliq: invalid HTTP header name"),
            ("{ X-Cliq-Signature = \"{hex}\" }", "{}", "cliq: nothing is signed"),
            ("timeout = 30", "timeout = 31", "30 seconds"),
            ("[5, 300", "[0, 300", "no time"),
            ("webhook_id = uuid", "webhook_id = uid", "`webhook_id = uid`"),
            ("decimals = \"text\"", "decimals = \"float\"", "unknown variant"),
            ("rule = \"mail\"", "rule = \"call\"", "unknown variant"),
            (", spread_hours = 12", "", "missing field"),
        ] {
            assert!(FILE.contains(right), "{right}");
            let error = read(&FILE.replace(right, wrong)).unwrap_err();
            assert!(error.contains(why), "{wrong}: {error}");
        }
    }
}
