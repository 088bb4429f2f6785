//! `tidegate key …`: who may do what through the API.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Failure, Output};
use super::preset::table;
use crate::config::{ClientArgs, ClientConfig};
use crate::secret::SecretString;

const DEADLINE: Duration = Duration::from_secs(30);

const CREATE: &str = "\
A viewer reads; an editor also changes modules, sources, webhooks and records; an owner also hands out
keys and reads the audit log. The key is shown this once.

Exit code 1 when the gateway refuses, 2 when the arguments cannot be used.

Examples:
  tidegate key create dashboard --role viewer
  tidegate key create deploy --role editor --expires-in-days 90 --json | jq -r .key";

const REVOKE: &str = "\
It opens nothing from then on: at once on the gateway that was asked, within a second on its replicas.
Exit code 1 when there is no such key, or it is the last owner key that does not expire.

Example:
  tidegate key revoke key_…";

const LIST: &str = "\
Newest first; expired and revoked ones, too, since the audit log names them. LAST USED is to the
minute. At most the last 100.

Examples:
  tidegate key list
  tidegate key list --json | jq -r '.data[] | select(.state == \"live\") | .name'";

const SELF: &str = "\
Example:
  TIDEGATE_KEY=tgk_… tidegate key self";

#[derive(Subcommand, Clone, Debug)]
pub enum KeyCommand {
    /// All keys, without what opens the door
    #[command(after_help = LIST)]
    List(AllArgs),

    /// Make a key; it is shown once
    #[command(after_help = CREATE)]
    Create(CreateArgs),

    /// Take a key's rights away, for good
    #[command(after_help = REVOKE)]
    Revoke(RevokeArgs),

    /// Which key this command speaks with
    #[command(name = "self", after_help = SELF)]
    Own(AllArgs),
}

#[derive(Args, Clone, Debug)]
pub struct AllArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum RoleArg {
    Viewer,
    Editor,
    Owner,
}

#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// Who or what it is for
    pub name: String,

    /// What it may do
    #[arg(long, value_enum)]
    pub role: RoleArg,

    /// It opens nothing after so many days
    #[arg(long, value_name = "DAYS", conflicts_with = "expires_at")]
    pub expires_in_days: Option<u32>,

    /// It opens nothing from then on, such as 2026-12-31T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub expires_at: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct RevokeArgs {
    /// key_…
    pub id: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

pub async fn run(command: KeyCommand, output: Output) -> Result<(), Failure> {
    match command {
        KeyCommand::List(args) => {
            let (client, key) = connect(args.client)?;
            let page = client.read("/api/v1/keys", &key).await?;
            output.answer(&page, || list(&page))
        }
        KeyCommand::Create(args) => create(args, output).await,
        KeyCommand::Revoke(args) => {
            let (client, key) = connect(args.client)?;
            let id: String = form_urlencoded::byte_serialize(args.id.as_bytes()).collect();
            client.remove(&format!("/api/v1/keys/{id}"), &key).await?;
            output.answer(&json!({ "revoked": args.id }), || format!("{} is revoked", args.id))
        }
        KeyCommand::Own(args) => {
            let (client, key) = connect(args.client)?;
            let own = client.read("/api/v1/keys/self", &key).await?;
            output.answer(&own, || list(&json!({ "data": [own] })))
        }
    }
}

async fn create(args: CreateArgs, output: Output) -> Result<(), Failure> {
    let role = match args.role {
        RoleArg::Viewer => "viewer",
        RoleArg::Editor => "editor",
        RoleArg::Owner => "owner",
    };
    let (client, key) = connect(args.client)?;
    let body = json!({
        "name": args.name, "role": role, "expiresAt": args.expires_at, "expiresInDays": args.expires_in_days,
    });
    let made = client.call("/api/v1/keys", &key, &body).await?;
    output.answer(&made, || {
        let [id, name, key] = ["id", "name", "key"].map(|member| text(&made, member));
        format!(
            "{key}\n\nThis is shown once. It is {id}, `{name}`: {role}, expires: {}",
            or(&made, "expiresAt", "never")
        )
    })
}

pub(super) fn connect(args: ClientArgs) -> Result<(Client, SecretString), Failure> {
    let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    Ok((Client::new(&config.url, DEADLINE)?, key))
}

fn text<'a>(of: &'a Value, member: &str) -> &'a str {
    of[member].as_str().unwrap_or_default()
}

fn or(of: &Value, member: &str, none: &str) -> String {
    of[member].as_str().unwrap_or(none).to_owned()
}

fn list(page: &Value) -> String {
    let head = ["ID", "NAME", "ROLE", "STATE", "EXPIRES", "LAST USED"].map(str::to_owned);
    let row = |key: &Value| {
        let [id, name, role, state] = ["id", "name", "role", "state"].map(|member| text(key, member).to_owned());
        [id, name, role, state, or(key, "expiresAt", "never"), or(key, "lastUsedAt", "never")]
    };
    let rows = page["data"].as_array().into_iter().flatten().map(row);
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_list_as_a_table() {
        let page = json!({ "data": [
            { "id": "key_2", "name": "deploy", "role": "editor", "state": "expired",
              "expiresAt": "2026-01-02T03:04:05.000000Z", "lastUsedAt": null },
            { "id": "key_1", "name": "first owner", "role": "owner", "state": "live", "expiresAt": null,
              "lastUsedAt": "2026-01-02T03:04:05.000000Z" },
        ] });
        let expected = "ID     NAME         ROLE    STATE    EXPIRES                      LAST USED\n\
            key_2  deploy       editor  expired  2026-01-02T03:04:05.000000Z  never\n\
            key_1  first owner  owner   live     never                        2026-01-02T03:04:05.000000Z";
        assert_eq!(list(&page), expected);
    }
}
