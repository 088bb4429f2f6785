//! `tidegate audit`: who changed what, newest first.

use clap::Args;
use serde_json::Value;

use super::key::connect;
use super::output::{Failure, Output};
use super::preset::table;
use crate::config::ClientArgs;

#[derive(Args, Clone, Debug)]
pub struct AuditArgs {
    /// Of one key (its id), or of startup, gateway or handshake
    #[arg(long)]
    pub actor: Option<String>,

    /// One action, such as source.create
    #[arg(long)]
    pub action: Option<String>,

    /// What the target begins with, such as orders/ for the sources of that module
    #[arg(long)]
    pub target: Option<String>,

    /// From this instant on, such as 2026-01-02T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Before this instant
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Rows, at most
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub limit: u8,

    /// The nextCursor that the answer before had, to go on from there
    #[arg(long)]
    pub cursor: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

pub async fn run(args: AuditArgs, output: Output) -> Result<(), Failure> {
    let query = query(&args);
    let (client, key) = connect(args.client)?;
    let page = client.read(&format!("/api/v1/audit?{query}"), &key).await?;
    output.answer(&page, || list(&page))
}

fn query(args: &AuditArgs) -> String {
    let asked = [
        ("actor", &args.actor),
        ("action", &args.action),
        ("target", &args.target),
        ("since", &args.since),
        ("until", &args.until),
        ("cursor", &args.cursor),
    ];
    let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(asked).append_pair("limit", &args.limit.to_string()).finish()
}

fn list(page: &Value) -> String {
    let head = ["AT", "WHO", "ACTION", "TARGET", "FROM", "CHANGED"].map(str::to_owned);
    let text = |row: &Value, member: &str| row[member].as_str().unwrap_or("-").to_owned();
    let row = |row: &Value| {
        let who = row["actorName"].as_str().or(row["actor"].as_str()).unwrap_or("-").to_owned();
        let [at, action, target, address] = ["at", "action", "target", "address"].map(|member| text(row, member));
        [at, who, action, target, address, changed(&row["before"], &row["after"])]
    };
    let rows = page["data"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
    if rows.is_empty() {
        return "There is nothing of the kind.".to_owned();
    }
    table(&[vec![head], rows].concat())
}

/// The members that differ, by name: what they were and are, `--json` has whole.
fn changed(before: &Value, after: &Value) -> String {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return match (before.is_null(), after.is_null()) {
            (true, false) => "made",
            (false, true) => "gone",
            _ => "-",
        }
        .to_owned();
    };
    let moved = new.iter().filter(|(name, value)| old.get(*name) != Some(value)).map(|(name, _)| name);
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    let names = moved.chain(gone).map(String::as_str).collect::<Vec<_>>();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_named() {
        let (none, one, two) = (Value::Null, json!({ "a": 1, "b": 2, "c": 3 }), json!({ "a": 1, "b": 3, "d": 4 }));
        assert_eq!(changed(&none, &one), "made");
        assert_eq!(changed(&one, &none), "gone");
        assert_eq!(changed(&one, &two), "b, d, c");
        assert_eq!((changed(&one, &one), changed(&none, &none)), ("-".to_owned(), "-".to_owned()));
    }
}
