//! Settings, and the only home of the environment. Read raw once ([`RawConfig`]), checked once ([`Config`]): flags,
//! then `TIDEGATE_*`, then `tidegate.toml`, then defaults. All problems are reported at once, each with its place.
//! What an admin changes while the gateway runs (modules, sources, endpoints) is data, and not here.

mod address;
mod bounds;
mod client;
mod keep;
mod limits;
mod mail;
mod proxy;
mod raw;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use address::{BadCidr, Cidr, client_address};
pub use bounds::{Bounds, LIMITS, Limit, Unit};
pub use client::{ClientArgs, ClientConfig, NoKey, sqlite_file};
pub use keep::{Keep, age, show as show_age};
pub use mail::{Mail, Relay, Security};
pub use proxy::Proxy;
pub use raw::{Environment, RawConfig};

use crate::secret::{ExposeSecret, SealKey, SecretString};
use raw::{Found, Layers};

const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
const DATA_DIR: &str = "./tidegate-data";

/// The settings of a gateway, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub admin_listen: Option<SocketAddr>,
    pub data_dir: PathBuf,
    pub database: Database,
    /// `https://host`, perhaps with a port and a path; no slash at its end, no query.
    pub public_url: Option<String>,
    pub trusted_proxies: Vec<Cidr>,
    /// Private ranges that deliveries may reach.
    pub allow_targets: Vec<Cidr>,
    /// That deliveries leave by.
    pub egress_proxy: Option<Proxy>,
    pub apply: Vec<PathBuf>,
    /// Absent: the data directory's `seal.key`.
    pub seal_key: Option<SealKey>,
    pub keep: Keep,
    /// Absent: the operator is told by the log only.
    pub mail: Option<Mail>,
    pub bounds: Bounds,
}

#[derive(Clone, Debug)]
pub enum Database {
    /// `tidegate.db` in the data directory.
    Sqlite,
    Postgres {
        url: SecretString,
        /// Past a transaction pooler, where migrations can hold their session's lock.
        direct_url: Option<SecretString>,
    },
}

/// Everything that is wrong with the settings, a line each: `TIDEGATE_LISTEN: …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadConfig(pub Vec<String>);

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for BadConfig {}

/// The database of a gateway that has no other, in its data directory.
pub fn database_file(data_dir: &Path) -> PathBuf {
    data_dir.join("tidegate.db")
}

/// Where the key of the first owner is written, and where clients on the same machine find it.
pub fn admin_key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.key")
}

/// The secret behind `env:NAME` in a mapping file. An empty variable is none: it would be a key that everybody knows.
#[expect(clippy::disallowed_methods, reason = "this is the one home of the environment")]
pub fn env_secret(name: &str) -> Option<SecretString> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(SecretString::from)
}

/// Where the system wants folders that go away again.
pub fn scratch_dir() -> PathBuf {
    std::env::temp_dir()
}

impl Config {
    /// # Errors
    /// All that is wrong with the settings.
    pub fn load(flags: RawConfig) -> Result<Self, BadConfig> {
        Self::read(flags, &Environment::of_this_process())
    }

    pub fn read(flags: RawConfig, environment: &Environment) -> Result<Self, BadConfig> {
        let mut problems = Vec::new();
        let layers = Layers::read(flags, environment, &mut problems);
        let listen = checked(layers.one("listen", |raw| &raw.listen), &mut problems, socket).unwrap_or(LISTEN);
        let config = Self {
            listen,
            admin_listen: checked(layers.one("admin_listen", |raw| &raw.admin_listen), &mut problems, |text| {
                socket(text).and_then(|admin| other_than(listen, admin))
            }),
            data_dir: data_dir(&layers),
            database: database(&layers, &mut problems),
            public_url: checked(layers.one("public_url", |raw| &raw.public_url), &mut problems, |url| base_url(&url)),
            trusted_proxies: ranges(layers.many("trusted_proxies", |raw| &raw.trusted_proxies), &mut problems),
            allow_targets: allow_targets(&layers, &mut problems),
            egress_proxy: checked(layers.one("egress_proxy", |raw| &raw.egress_proxy), &mut problems, |url| {
                Proxy::read(&url)
            }),
            apply: layers.many("apply", |raw| &raw.apply).map(|found| found.value).unwrap_or_default(),
            seal_key: seal_key(environment, &mut problems),
            keep: keep::keep(&layers, &mut problems),
            mail: mail::mail(&layers, &mut problems),
            bounds: limits::bounds(&layers, environment, &mut problems),
        };
        if problems.is_empty() { Ok(config) } else { Err(BadConfig(problems)) }
    }
}

fn checked<T, U>(
    found: Option<Found<T>>,
    problems: &mut Vec<String>,
    check: impl FnOnce(T) -> Result<U, String>,
) -> Option<U> {
    let Found { value, place } = found?;
    check(value).map_err(|why| problems.push(format!("{place}: {why}"))).ok()
}

fn socket(text: String) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address and a port, such as 127.0.0.1:8080 or [::1]:8080"))
}

/// Port 0 twice is two ports.
fn other_than(listen: SocketAddr, admin: SocketAddr) -> Result<SocketAddr, String> {
    if admin == listen && admin.port() != 0 {
        return Err(format!("{admin} is where webhooks are received; leave it out to serve both there"));
    }
    Ok(admin)
}

fn data_dir(layers: &Layers) -> PathBuf {
    layers.one("data_dir", |raw| &raw.data_dir).map_or_else(|| DATA_DIR.into(), |found| found.value)
}

/// Says nothing of the text: it holds a password.
fn postgres(url: SecretString) -> Result<SecretString, String> {
    let schemes = ["postgres://", "postgresql://"];
    if schemes.iter().any(|scheme| url.expose_secret().starts_with(scheme)) {
        Ok(url)
    } else {
        Err("must begin with postgres://; leave it out for SQLite in the data directory".to_owned())
    }
}

fn database(layers: &Layers, problems: &mut Vec<String>) -> Database {
    let url = layers.one("database_url", |raw| &raw.database_url);
    let direct = layers.one("database_direct_url", |raw| &raw.database_direct_url);
    if let (None, Some(direct)) = (&url, &direct) {
        problems.push(format!("{}: means nothing without TIDEGATE_DATABASE_URL", direct.place));
    }
    let direct_url = checked(direct, problems, postgres);
    checked(url, problems, postgres).map_or(Database::Sqlite, |url| Database::Postgres { url, direct_url })
}

fn allow_targets(layers: &Layers, problems: &mut Vec<String>) -> Vec<Cidr> {
    let mut found = layers.many("allow_targets", |raw| &raw.allow_targets);
    // Each flag gives one.
    if let Some(found) = found.as_mut().filter(|found| found.place == "--allow-targets") {
        found.place = "--allow-target".to_owned();
    }
    ranges(found, problems)
}

fn ranges(found: Option<Found<Vec<String>>>, problems: &mut Vec<String>) -> Vec<Cidr> {
    let Some(found) = found else { return Vec::new() };
    let mut range = |text: &String| {
        let why = |error: BadCidr| problems.push(format!("{}: `{text}` is {error}", found.place));
        text.trim().parse().map_err(why).ok()
    };
    found.value.iter().filter_map(&mut range).collect()
}

/// From the environment only: flags can be seen by other users, and settings files are copied about.
fn seal_key(environment: &Environment, problems: &mut Vec<String>) -> Option<SealKey> {
    let text = environment.text("TIDEGATE_SEAL_KEY", problems);
    let file = environment.text("TIDEGATE_SEAL_KEY_FILE", problems);
    let found = match (text, file) {
        (Some(_), Some(_)) => {
            problems
                .push("TIDEGATE_SEAL_KEY: set together with TIDEGATE_SEAL_KEY_FILE; one of them must go".to_owned());
            return None;
        }
        (Some(value), None) => Found { value, place: "TIDEGATE_SEAL_KEY".to_owned() },
        (None, Some(file)) => {
            let place = format!("TIDEGATE_SEAL_KEY_FILE: {file}");
            let text = checked(Some(Found { value: file, place: place.clone() }), problems, |file| {
                std::fs::read_to_string(file).map_err(|error| error.to_string())
            });
            Found { value: text?, place }
        }
        (None, None) => return None,
    };
    checked(Some(found), problems, |text| text.parse().map_err(|error: crate::secret::BadSealKey| error.to_string()))
}

/// `http://host[:port][/path]`, to which paths are appended: slashes at its end are dropped.
fn base_url(text: &str) -> Result<String, String> {
    let url = text.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let plain = url.bytes().all(|char| char.is_ascii_graphic() && !b"?#\\\"<>".contains(&char));
    if plain && is_host(host) {
        Ok(url.to_owned())
    } else {
        Err("must be http:// or https://, a host, perhaps a port and a path; no user, query or fragment".to_owned())
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // The last colon of `[::1]` is the address's.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let name = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|char| char.is_ascii_alphanumeric() || b"-._".contains(&char)),
    };
    name && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
}
