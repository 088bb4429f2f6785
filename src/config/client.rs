//! Settings of the commands that talk to a running gateway.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::raw::{Environment, Layers, RawConfig};
use super::{BadConfig, Database, admin_key_file, base_url, data_dir, database, database_file};
use crate::secret::SecretString;

/// How to reach a running gateway.
#[derive(Args, Clone, Debug, Default)]
pub struct ClientArgs {
    /// Where the gateway is [TIDEGATE_URL] [default: where `serve` would listen here, http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// An API key, tgk_… [TIDEGATE_KEY] [default: the one in <data-dir>/admin.key]; other users can see flags
    #[arg(long, value_name = "KEY")]
    pub key: Option<SecretString>,

    /// The gateway's data directory, if it is on this machine [TIDEGATE_DATA_DIR] [default: ./tidegate-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// Checked settings of a client.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// `http://host:port`, perhaps with a path; no slash at its end.
    pub url: String,
    /// Not every command needs one, so its absence is told only where it is used.
    pub key: Result<SecretString, NoKey>,
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("no API key: give --key or TIDEGATE_KEY, or run where {} can be read ({why})", file.display())]
pub struct NoKey {
    pub file: PathBuf,
    pub why: String,
}

impl ClientConfig {
    /// # Errors
    /// All that is wrong with the settings.
    pub fn load(args: ClientArgs) -> Result<Self, BadConfig> {
        Self::read(args, &Environment::of_this_process())
    }

    pub fn read(args: ClientArgs, environment: &Environment) -> Result<Self, BadConfig> {
        let mut problems = Vec::new();
        let flags = RawConfig { data_dir: args.data_dir, ..RawConfig::default() };
        let layers = Layers::read(flags, environment, &mut problems);
        let url = match args.url.map(|url| (url, "--url")) {
            Some(given) => Some(given),
            None => environment.text("TIDEGATE_URL", &mut problems).map(|url| (url, "TIDEGATE_URL")),
        };
        let url = match url {
            None => where_served(&layers),
            Some((url, place)) => base_url(&url).unwrap_or_else(|why| {
                problems.push(format!("{place}: {why}"));
                String::new()
            }),
        };
        let given = args.key.or_else(|| environment.text("TIDEGATE_KEY", &mut problems).map(SecretString::from));
        let key = given.map_or_else(|| key_of(data_dir(&layers)), Ok);
        if problems.is_empty() { Ok(Self { url, key }) } else { Err(BadConfig(problems)) }
    }
}

/// The SQLite file of the gateway that these settings are of.
///
/// # Errors
/// All that is wrong with the settings, or that the gateway has another database.
pub fn sqlite_file(data_dir_given: Option<PathBuf>) -> Result<PathBuf, BadConfig> {
    let mut problems = Vec::new();
    let flags = RawConfig { data_dir: data_dir_given, ..RawConfig::default() };
    let layers = Layers::read(flags, &Environment::of_this_process(), &mut problems);
    if let Database::Postgres { .. } = database(&layers, &mut problems) {
        problems.push(
            "the gateway's data is in PostgreSQL, by TIDEGATE_DATABASE_URL or tidegate.toml: use psql".to_owned(),
        );
    }
    if problems.is_empty() { Ok(database_file(&data_dir(&layers))) } else { Err(BadConfig(problems)) }
}

fn key_of(data_dir: PathBuf) -> Result<SecretString, NoKey> {
    let file = admin_key_file(&data_dir);
    match std::fs::read_to_string(&file) {
        Ok(text) if text.trim().is_empty() => Err(NoKey { file, why: "it is empty".to_owned() }),
        Ok(text) => Ok(text.trim().into()),
        Err(error) => Err(NoKey { file, why: error.to_string() }),
    }
}

/// The address that `serve` takes with the same settings, so that `healthcheck` in a container needs no flag.
fn where_served(layers: &Layers) -> String {
    let listen =
        layers.one("admin_listen", |raw| &raw.admin_listen).or_else(|| layers.one("listen", |raw| &raw.listen));
    let listen = listen.and_then(|found| found.value.parse().ok()).filter(|listen: &SocketAddr| listen.port() != 0);
    let mut address = listen.unwrap_or(super::LISTEN);
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}
