//! `tidegate changes`: the log of a running gateway, once or as it goes on.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::output::{Failure, Output};
use crate::config::{ClientArgs, ClientConfig};

/// Seconds that the gateway waits for news, and what one call may take beside.
const WAIT: u64 = 20;
const DEADLINE: Duration = Duration::from_secs(40);
/// Before it is tried again to reach a gateway that is gone.
const PAUSE: Duration = Duration::from_secs(2);

#[derive(Args, Clone, Debug)]
pub struct ChangesArgs {
    /// Go on as changes come, until Ctrl-C; a gateway that is gone is waited for
    #[arg(long, short)]
    pub follow: bool,

    /// A cursor from which to go on, or `latest` [default: the oldest that is kept]
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,

    /// Of this module only
    #[arg(long, value_name = "SLUG")]
    pub module: Option<String>,

    /// Of this type only: record_created, record_updated, record_deleted, status_change, custom_data_updated, or an
    /// event that a module names
    #[arg(long = "type", value_name = "TYPE")]
    pub of_type: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

pub async fn run(args: ChangesArgs, output: Output) -> Result<(), Failure> {
    let config = ClientConfig::load(args.client.clone()).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    let client = Client::new(&config.url, DEADLINE)?;
    let mut after = args.after.clone();
    let mut reached = false;
    loop {
        let path = path(&args, after.as_deref());
        let page = tokio::select! {
            page = client.read(&path, &key) => page,
            _ = tokio::signal::ctrl_c() => return Ok(()),
        };
        let page = match page {
            Err(Failure::Unreachable(_)) if args.follow && reached => {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            page => page?,
        };
        reached = true;
        for change in page["data"].as_array().into_iter().flatten() {
            output.answer(change, || line(change))?;
        }
        after = page["nextCursor"].as_str().map(str::to_owned);
        if !args.follow && page["hasMore"] != Value::Bool(true) {
            return Ok(());
        }
    }
}

fn path(args: &ChangesArgs, after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let given = [("after", after), ("module", args.module.as_deref()), ("type", args.of_type.as_deref())];
    for (name, value) in given {
        query.extend_pairs(value.map(|value| (name, value)));
    }
    if args.follow {
        query.append_pair("wait", &WAIT.to_string());
    }
    format!("/api/v1/changes?{}", query.finish())
}

/// For people: when, what, which record, and what moved.
fn line(change: &Value) -> String {
    let text = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
    let types =
        change["types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join(",");
    let moved = change["changes"].as_object().into_iter().flatten();
    let moved = moved.map(|(name, pair)| format!("  {name}: {} -> {}", pair["from"], pair["to"])).collect::<String>();
    format!("{}  {}  {}  {types}{moved}", text("at"), text("module"), text("recordId"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_one_line() {
        let change = json!({
            "at": "2026-01-02T03:04:05.000000Z", "module": "orders", "recordId": "rec_1", "types": ["record_updated"],
            "changes": {"quantity": {"from": 1, "to": 2}},
        });
        assert_eq!(line(&change), "2026-01-02T03:04:05.000000Z  orders  rec_1  record_updated  quantity: 1 -> 2");
    }

    #[test]
    fn what_is_asked_for_is_written_as_a_query() {
        let args = ChangesArgs {
            follow: true,
            after: None,
            module: Some("a&b".to_owned()),
            of_type: None,
            client: ClientArgs::default(),
        };
        assert_eq!(path(&args, Some("latest")), "/api/v1/changes?after=latest&module=a%26b&wait=20");
    }
}
