//! The way to a running gateway, for commands that read and write through its API.

use std::time::Duration;

use serde_json::{Value, json};

use super::client::Client;
use super::output::Failure;
use crate::config::{ClientArgs, ClientConfig};
use crate::secret::SecretString;

const DEADLINE: Duration = Duration::from_secs(60);

pub fn connect(args: ClientArgs) -> Result<(Client, SecretString), Failure> {
    let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    Ok((Client::new(&config.url, DEADLINE)?, key))
}

/// A name as a part of a path: what is none is not one to the gateway either.
pub fn part(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

/// `?name=value&…` of the pairs.
pub fn query(pairs: &[(String, String)]) -> String {
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    if written.is_empty() { written } else { format!("?{written}") }
}

/// A page of a list; with `all` every page from there on, as one.
pub async fn pages(
    (client, key): (&Client, &SecretString),
    path: &str,
    mut pairs: Vec<(String, String)>,
    all: bool,
) -> Result<Value, Failure> {
    let mut page = client.read(&format!("{path}{}", query(&pairs)), key).await?;
    if !all {
        return Ok(page);
    }
    let mut data = Vec::new();
    loop {
        if let Some(Value::Array(rows)) = page.get_mut("data").map(Value::take) {
            data.extend(rows);
        }
        let Some(next) = page["nextCursor"].as_str() else { return Ok(json!({ "data": data, "nextCursor": null })) };
        pairs.retain(|(name, _)| name != "cursor");
        pairs.push(("cursor".to_owned(), next.to_owned()));
        page = client.read(&format!("{path}{}", query(&pairs)), key).await?;
    }
}

/// A line for people where a list goes on.
pub fn more(page: &Value) -> String {
    match (page["nextCursor"].as_str(), page["scannedTo"].as_str()) {
        (None, _) => String::new(),
        (Some(next), None) => format!("\n\nThere is more: --cursor {next}, or --all"),
        (Some(next), Some(to)) => format!("\n\nLooked back as far as {to}; further back: --cursor {next}, or --all"),
    }
}
