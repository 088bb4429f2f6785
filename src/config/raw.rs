//! Settings as they were written: flags, environment and `tidegate.toml`, each read into one [`RawConfig`], and the
//! pick among them. Nothing is judged here but the file's form; every value knows where it was written.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::secret::SecretString;

/// The settings of a gateway as text: the flags of `serve`, and the keys of `tidegate.toml`.
#[derive(Args, Deserialize, Clone, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct RawConfig {
    /// Address and port to listen on [TIDEGATE_LISTEN] [default: 127.0.0.1:8080]; port 0 takes a free one and prints it
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,

    /// A second address for API and console, so that the public one carries webhooks only [TIDEGATE_ADMIN_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    pub admin_listen: Option<String>,

    /// Folder of the database, the seal key and the first API key [TIDEGATE_DATA_DIR] [default: ./tidegate-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// postgres://… instead of SQLite in the data directory [TIDEGATE_DATABASE_URL]
    #[arg(long, value_name = "URL")]
    #[serde(deserialize_with = "secret")]
    pub database_url: Option<SecretString>,

    /// The same database past its connection pooler, for migrations [TIDEGATE_DATABASE_DIRECT_URL]
    #[arg(long, value_name = "URL")]
    #[serde(deserialize_with = "secret")]
    pub database_direct_url: Option<SecretString>,

    /// What senders see in front of /api/webhooks, say https://hooks.example.com [TIDEGATE_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,

    /// Ranges of proxies whose X-Forwarded-For is believed, with commas [TIDEGATE_TRUSTED_PROXIES]
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub trusted_proxies: Vec<String>,

    /// Private ranges that deliveries may reach, with commas or again [TIDEGATE_ALLOW_TARGETS]
    #[arg(long = "allow-target", value_name = "CIDR", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub allow_targets: Vec<String>,

    /// http://[user:password@]host:port that deliveries leave by; names are resolved there [TIDEGATE_EGRESS_PROXY]
    #[arg(long, value_name = "URL")]
    #[serde(deserialize_with = "secret")]
    pub egress_proxy: Option<SecretString>,

    /// Module files to make so at start; in the environment with commas [TIDEGATE_APPLY]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    #[serde(deserialize_with = "list")]
    pub apply: Vec<PathBuf>,

    /// How long events are kept with their payloads, unless their source says otherwise [TIDEGATE_KEEP_EVENTS] [default: 30d]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "number_or_text")]
    pub keep_events: Option<String>,

    /// How long changes can be read, in days (30d) or hours (720h) [TIDEGATE_KEEP_CHANGES] [default: 30d]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "number_or_text")]
    pub keep_changes: Option<String>,

    /// How long deliveries and their attempts can be seen and sent again, at most as long as changes [TIDEGATE_KEEP_DELIVERIES] [default: 30d]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "number_or_text")]
    pub keep_deliveries: Option<String>,

    /// How long the audit log goes back [TIDEGATE_KEEP_AUDIT] [default: 365d]
    #[arg(long, value_name = "TIME")]
    #[serde(deserialize_with = "number_or_text")]
    pub keep_audit: Option<String>,

    /// The mail server that notices go out by, smtp://USER:PASSWORD@HOST:587 or smtps://… [TIDEGATE_SMTP_URL]; other users can see flags
    #[arg(long, value_name = "URL")]
    #[serde(deserialize_with = "secret")]
    pub smtp_url: Option<SecretString>,

    /// Whom notices come from, say "Tidegate <tidegate@example.com>" [TIDEGATE_MAIL_FROM]
    #[arg(long, value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// Whom to tell when an endpoint fails, with commas [TIDEGATE_MAIL_TO]
    #[arg(long, value_name = "ADDRESS", value_delimiter = ',')]
    #[serde(deserialize_with = "list")]
    pub mail_to: Vec<String>,

    /// A bound, such as connections=10000 or header_time=5s; again for another [TIDEGATE_LIMIT_<NAME>]; the page /reference/limits lists them
    #[arg(long = "limit", value_name = "NAME=VALUE")]
    #[serde(skip)]
    pub limit: Vec<String>,

    /// In the file a table of its own.
    #[arg(skip)]
    pub limits: toml::Table,

    /// The file of settings [TIDEGATE_CONFIG] [default: ./tidegate.toml if it is there]
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
}

/// A connection URL carries a password, so it is a secret from the first moment.
fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Some(String::deserialize(value)?.into()))
}

/// `30` or `"30d"`.
fn number_or_text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number or a text")]
    enum Written {
        Number(u64),
        Text(String),
    }
    Ok(Some(match Written::deserialize(value)? {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    }))
}

/// `["a", "b"]` or `"a,b"`, the form that the environment has.
fn list<'de, D: Deserializer<'de>, T: From<String>>(value: D) -> Result<Vec<T>, D::Error> {
    struct Texts;
    impl<'de> de::Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of texts, or one text with commas")
        }

        fn visit_str<E>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(split(text))
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
            std::iter::from_fn(|| items.next_element().transpose()).collect()
        }
    }
    Ok(value.deserialize_any(Texts)?.into_iter().map(T::from).collect())
}

fn split(text: &str) -> Vec<String> {
    text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

/// What a process is given besides its arguments; a value, so that tests need not change their own process.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    pub variables: BTreeMap<OsString, OsString>,
    /// Where `tidegate.toml` is looked for.
    pub folder: PathBuf,
}

impl Environment {
    pub fn of_this_process() -> Self {
        Self { variables: std::env::vars_os().collect(), folder: PathBuf::new() }
    }

    /// A variable's text. An empty one counts as absent: a compose file sets `NAME=` for what the operator left out.
    pub(super) fn text(&self, name: &str, problems: &mut Vec<String>) -> Option<String> {
        let value = self.variables.get(&OsString::from(name)).filter(|value| !value.is_empty())?;
        let text = value.to_str().map(str::to_owned);
        if text.is_none() {
            problems.push(format!("{name}: not UTF-8"));
        }
        text
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.variables.get(&OsString::from(name)).filter(|value| !value.is_empty()).map(PathBuf::from)
    }

    /// Other variables that begin with `TIDEGATE_` are left alone: Kubernetes sets `TIDEGATE_PORT` and more for a
    /// service of that name.
    fn settings(&self, problems: &mut Vec<String>) -> RawConfig {
        let mut text = |name: &str| self.text(name, problems);
        RawConfig {
            listen: text("TIDEGATE_LISTEN"),
            admin_listen: text("TIDEGATE_ADMIN_LISTEN"),
            data_dir: self.path("TIDEGATE_DATA_DIR"),
            database_url: text("TIDEGATE_DATABASE_URL").map(SecretString::from),
            database_direct_url: text("TIDEGATE_DATABASE_DIRECT_URL").map(SecretString::from),
            public_url: text("TIDEGATE_PUBLIC_URL"),
            trusted_proxies: split(&text("TIDEGATE_TRUSTED_PROXIES").unwrap_or_default()),
            allow_targets: split(&text("TIDEGATE_ALLOW_TARGETS").unwrap_or_default()),
            egress_proxy: text("TIDEGATE_EGRESS_PROXY").map(SecretString::from),
            apply: split(&text("TIDEGATE_APPLY").unwrap_or_default()).into_iter().map(PathBuf::from).collect(),
            keep_events: text("TIDEGATE_KEEP_EVENTS"),
            keep_changes: text("TIDEGATE_KEEP_CHANGES"),
            keep_deliveries: text("TIDEGATE_KEEP_DELIVERIES"),
            keep_audit: text("TIDEGATE_KEEP_AUDIT"),
            smtp_url: text("TIDEGATE_SMTP_URL").map(SecretString::from),
            mail_from: text("TIDEGATE_MAIL_FROM"),
            mail_to: split(&text("TIDEGATE_MAIL_TO").unwrap_or_default()),
            config: self.path("TIDEGATE_CONFIG"),
            limit: Vec::new(),
            limits: toml::Table::new(),
        }
    }
}

/// A value, and where it was written: `--listen`, `TIDEGATE_LISTEN` or `tidegate.toml:3: listen`.
pub(super) struct Found<T> {
    pub value: T,
    pub place: String,
}

/// The three places of settings, the strongest first.
pub(super) struct Layers {
    pub(super) flags: RawConfig,
    environment: RawConfig,
    pub(super) file: RawConfig,
    /// Key of the file → `tidegate.toml:3: key`; those below `[limits]` are `limits.key`.
    pub(super) places: HashMap<String, String>,
}

impl Layers {
    pub fn read(flags: RawConfig, environment: &Environment, problems: &mut Vec<String>) -> Self {
        let settings = environment.settings(problems);
        let named = flags.config.as_ref().map(|path| (path, "--config"));
        let named = named.or(settings.config.as_ref().map(|path| (path, "TIDEGATE_CONFIG")));
        let (file, places) = match named {
            Some((path, place)) => match std::fs::read_to_string(path) {
                Ok(text) => read_file(path, &text, problems),
                Err(error) => {
                    problems.push(format!("{place}: {}: {error}", path.display()));
                    Default::default()
                }
            },
            None => match std::fs::read_to_string(environment.folder.join("tidegate.toml")) {
                Ok(text) => read_file(Path::new("tidegate.toml"), &text, problems),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Default::default(),
                Err(error) => {
                    problems.push(format!("tidegate.toml: {error}"));
                    Default::default()
                }
            },
        };
        Self { flags, environment: settings, file, places }
    }

    pub fn one<T: Clone>(&self, name: &str, read: fn(&RawConfig) -> &Option<T>) -> Option<Found<T>> {
        self.first(name, |layer| read(layer).clone())
    }

    /// A list from one place replaces the weaker ones; they are not joined.
    pub fn many<T: Clone>(&self, name: &str, read: fn(&RawConfig) -> &Vec<T>) -> Option<Found<Vec<T>>> {
        self.first(name, |layer| Some(read(layer).clone()).filter(|items| !items.is_empty()))
    }

    fn first<T>(&self, name: &str, read: impl Fn(&RawConfig) -> Option<T>) -> Option<Found<T>> {
        let flag = || format!("--{}", name.replace('_', "-"));
        let variable = || format!("TIDEGATE_{}", name.to_uppercase());
        let key = || self.places.get(name).cloned().unwrap_or_default();
        let found = |layer, place: &dyn Fn() -> String| read(layer).map(|value| Found { value, place: place() });
        found(&self.flags, &flag).or_else(|| found(&self.environment, &variable)).or_else(|| found(&self.file, &key))
    }
}

/// Reads each key on its own, so that all the keys that are wrong are reported, each with its line.
fn read_file(path: &Path, text: &str, problems: &mut Vec<String>) -> (RawConfig, HashMap<String, String>) {
    let path = path.display();
    let keys: HashMap<Spanned<String>, toml::Value> = match toml::from_str(text) {
        Ok(keys) => keys,
        Err(error) => {
            problems.push(format!("{path}: {}", error.to_string().trim_end()));
            return Default::default();
        }
    };
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_by_key(|(key, _)| key.span().start);
    let mut good = toml::Table::new();
    let mut places = HashMap::new();
    for (key, value) in keys {
        let line = 1 + text[..key.span().start].matches('\n').count();
        let key = key.into_inner();
        let alone = toml::Table::from_iter([(key.clone(), value.clone())]);
        match RawConfig::deserialize(alone) {
            Ok(_) => {
                places.insert(key.clone(), format!("{path}:{line}: {key}"));
                good.insert(key, value);
            }
            Err(error) => problems.push(format!("{path}:{line}: {key}: {}", error.message())),
        }
    }
    places.extend(super::limits::places(&path.to_string(), text));
    (RawConfig::deserialize(good).unwrap_or_default(), places)
}
