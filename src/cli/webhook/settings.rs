//! The settings of a webhook as flags.

use clap::Args;
use serde_json::{Map, Value, json};

use super::span::seconds;
use crate::cli::send::header;

#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// A type of event, such as record_updated or one that a module names; may be repeated [default: all]
    #[arg(long = "event", value_name = "TYPE")]
    pub events: Vec<String>,

    /// Of this module; may be repeated [default: of all]
    #[arg(long = "module", value_name = "SLUG")]
    pub modules: Vec<String>,

    /// How it is spoken to; `tidegate webhook profiles` shows all [default: collecta]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Send only what this condition holds of, such as "@.data.quantity > 10"
    #[arg(long, value_name = "CONDITION")]
    pub filter: Option<String>,

    /// per_record: not before the earlier ones of the same record are delivered or given up [default: none]
    #[arg(long, value_name = "ORDER")]
    pub ordering: Option<String>,

    /// One more header, 'Name: value', sealed at rest; nothing behind the colon takes it away; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = header)]
    pub headers: Vec<(String, String)>,

    /// For people
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// Deliveries a minute, at most
    #[arg(long, value_name = "N")]
    pub per_minute: Option<u32>,

    /// Attempts at once, at most [default: 16]
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,

    /// Seconds that an attempt may take [default: the profile's]
    #[arg(long, value_name = "N", value_parser = seconds)]
    pub timeout: Option<u64>,

    /// Waits after failed attempts, such as 60,120 or 5s,2m,1h [default: the profile's]
    #[arg(long, value_name = "TIMES", value_delimiter = ',', value_parser = seconds)]
    pub retry: Vec<u64>,

    /// What 410 means: `disable` the webhook, or `retry` [default: disable]
    #[arg(long, value_name = "WHAT")]
    pub on_gone: Option<String>,
}

impl SettingsArgs {
    /// Those that were given.
    pub fn members(self) -> Map<String, Value> {
        let list = |list: Vec<String>| (!list.is_empty()).then(|| json!(list));
        let value = |(_, value): &(String, String)| if value.is_empty() { Value::Null } else { json!(value) };
        let headers = self.headers.iter().map(|header| (header.0.clone(), value(header))).collect::<Map<_, _>>();
        let given = [
            ("events", list(self.events)),
            ("modules", list(self.modules)),
            ("profile", self.profile.map(Value::from)),
            ("filter", self.filter.map(Value::from)),
            ("ordering", self.ordering.map(Value::from)),
            ("headers", (!headers.is_empty()).then_some(Value::Object(headers))),
            ("description", self.description.map(Value::from)),
            ("perMinute", self.per_minute.map(Value::from)),
            ("concurrency", self.concurrency.map(Value::from)),
            ("timeout", self.timeout.map(Value::from)),
            ("retries", (!self.retry.is_empty()).then(|| json!(self.retry))),
            ("onGone", self.on_gone.map(Value::from)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// The member that a flag of this name sets; also taken as the API has it.
pub fn member(flag: &str) -> String {
    let member = match flag.trim_start_matches("--") {
        "event" => "events",
        "module" => "modules",
        "header" => "headers",
        "per-minute" => "perMinute",
        "retry" => "retries",
        "on-gone" => "onGone",
        other => other,
    };
    member.to_owned()
}
