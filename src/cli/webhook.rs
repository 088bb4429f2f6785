//! `tidegate webhook …`: endpoints of a running gateway, and what became of what they were sent.

mod deliveries;
mod help;
mod page;
mod settings;
pub(super) mod span;
#[cfg(test)]
mod tests;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::client::Client;
use super::output::{Failure, Output, REFUSED};
use crate::config::{ClientArgs, ClientConfig, env_secret};
use crate::secret::{ExposeSecret, SecretString};
use settings::SettingsArgs;

/// Above what the gateway gives a receiver for its answer to a test.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Subcommand, Clone, Debug)]
pub enum WebhookCommand {
    /// Have changes sent to a URL; its secret is shown once
    #[command(after_help = help::CREATE)]
    Create(CreateArgs),

    /// All webhooks
    #[command(after_help = help::LIST)]
    List(AllArgs),

    /// One webhook
    #[command(after_help = help::SHOW)]
    Show(OneArgs),

    /// Change what is given, and leave the rest
    #[command(after_help = help::CHANGE)]
    Change(ChangeArgs),

    /// Delete a webhook with all that is owed to it; what was sent stays in the history
    #[command(after_help = help::DELETE)]
    Delete(DeleteArgs),

    /// Send again from now on
    #[command(after_help = help::ENABLE)]
    Enable(OneArgs),

    /// Send nothing until it is enabled; what it misses is remembered
    #[command(after_help = help::DISABLE)]
    Disable(OneArgs),

    /// Send one event that is marked as a test, and show the answer
    #[command(after_help = help::TEST)]
    Test(TestArgs),

    /// Replace the secret; for a while both are valid
    #[command(after_help = help::ROTATE)]
    RotateSecret(RotateArgs),

    /// End the replacement: the new secret is alone from now on
    #[command(after_help = help::PROMOTE)]
    PromoteSecret(OneArgs),

    /// The ways in which a webhook can be spoken to
    #[command(after_help = help::PROFILES)]
    Profiles(AllArgs),

    /// What was sent to a webhook and what is due, newest first
    #[command(after_help = help::DELIVERIES)]
    Deliveries(deliveries::DeliveriesArgs),

    /// One delivery, attempt by attempt
    #[command(after_help = help::DELIVERY)]
    Delivery(deliveries::OneArgs),

    /// Send one delivery again, now
    #[command(after_help = help::RETRY)]
    Retry(deliveries::OneArgs),

    /// Send many deliveries again, as a job
    #[command(after_help = help::REDELIVER)]
    Redeliver(deliveries::RedeliverArgs),

    /// Send what a webhook missed while it was disabled, as a job
    #[command(after_help = help::MISSED)]
    Missed(deliveries::MissedArgs),
}

#[derive(Args, Clone, Debug)]
pub struct AllArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// The webhook's id
    #[arg(value_name = "WEBHOOK")]
    pub id: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// Where to send; tidegate://inspect is built in, and keeps what it gets in the history
    #[arg(value_name = "URL")]
    pub to: String,

    #[command(flatten)]
    pub settings: SettingsArgs,

    /// The environment variable that holds the signing secret [default: one is made]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct ChangeArgs {
    /// The webhook's id
    #[arg(value_name = "WEBHOOK")]
    pub id: String,

    /// Send there from now on
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,

    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Take a setting back to its default, such as `filter` or `retries`; may be repeated
    #[arg(long, value_name = "SETTING")]
    pub clear: Vec<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// It is meant: what is owed to the webhook is lost
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// The event's type [default: the first that the webhook asks for]
    #[arg(long = "type", value_name = "TYPE")]
    pub of_type: Option<String>,

    /// Of this module [default: the first that has such events]
    #[arg(long, value_name = "SLUG")]
    pub module: Option<String>,
}

#[derive(Args, Clone, Debug)]
pub struct RotateArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// For how long both are valid, such as 24h, 30m or 0 [default: 24h, at most 7d]
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    pub overlap: Option<u64>,

    /// The environment variable that holds the new secret [default: one is made]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,
}

pub async fn run(command: WebhookCommand, output: Output) -> Result<u8, Failure> {
    let done = match command {
        WebhookCommand::Create(args) => create(args, output).await,
        WebhookCommand::List(args) => list(args, output).await,
        WebhookCommand::Show(args) => show(args, output).await,
        WebhookCommand::Change(args) => change(args, output).await,
        WebhookCommand::Delete(args) => delete(args, output).await,
        WebhookCommand::Enable(args) => turn(args, "enable", output).await,
        WebhookCommand::Disable(args) => turn(args, "disable", output).await,
        WebhookCommand::Test(args) => return test(args, output).await,
        WebhookCommand::RotateSecret(args) => rotate(args, output).await,
        WebhookCommand::PromoteSecret(args) => turn(args, "promote-secret", output).await,
        WebhookCommand::Profiles(args) => profiles(args, output).await,
        WebhookCommand::Deliveries(args) => deliveries::list(args, output).await,
        WebhookCommand::Delivery(args) => deliveries::show(args, output).await,
        WebhookCommand::Retry(args) => deliveries::retry(args, output).await,
        WebhookCommand::Redeliver(args) => deliveries::redeliver(args, output).await,
        WebhookCommand::Missed(args) => deliveries::missed(args, output).await,
    };
    done.map(|()| 0)
}

/// A running gateway and a key for it.
pub(super) struct Api {
    client: Client,
    key: SecretString,
}

impl Api {
    pub(super) fn new(args: ClientArgs) -> Result<Self, Failure> {
        let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
        let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
        Ok(Self { client: Client::new(&config.url, DEADLINE)?, key })
    }

    pub(super) async fn read(&self, path: &str) -> Result<Value, Failure> {
        self.client.read(&format!("/api/v1{path}"), &self.key).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.client.call(&format!("/api/v1{path}"), &self.key, body).await
    }

    pub(super) async fn change(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.client.change(&format!("/api/v1{path}"), &self.key, body).await
    }

    pub(super) async fn remove(&self, path: &str) -> Result<(), Failure> {
        self.client.remove(&format!("/api/v1{path}"), &self.key).await
    }

    /// All pages of a list, as one.
    pub(super) async fn all(&self, path: &str) -> Result<Value, Failure> {
        let (mut data, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.read(&format!("{path}{cursor}")).await?;
            if let Some(Value::Array(rows)) = page.get_mut("data").map(Value::take) {
                data.extend(rows);
            }
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("?cursor={next}"),
                None => return Ok(json!({ "data": data })),
            }
        }
    }
}

/// An id as a part of a path: what is none is not one to the gateway either.
fn at(id: &str, rest: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/webhooks/{id}{rest}")
}

/// What stands in the variable of this name.
pub(super) fn secret(named: Option<&String>) -> Result<Option<Value>, Failure> {
    let Some(name) = named else { return Ok(None) };
    match env_secret(name) {
        Some(secret) => Ok(Some(secret.expose_secret().into())),
        None => Err(Failure::Usage(format!("--secret-env: {name} is not set, or empty"))),
    }
}

async fn create(args: CreateArgs, output: Output) -> Result<(), Failure> {
    let mut body = args.settings.members();
    body.insert("url".to_owned(), args.to.into());
    let given = secret(args.secret_env.as_ref())?;
    let is_given = given.is_some();
    body.extend(given.map(|secret| ("secret".to_owned(), secret)));
    let made = Api::new(args.client)?.post("/webhooks", &Value::Object(body)).await?;
    output.answer(&made, || page::with_secret(&made, is_given))
}

async fn list(args: AllArgs, output: Output) -> Result<(), Failure> {
    let all = Api::new(args.client)?.all("/webhooks").await?;
    output.answer(&all, || page::list(&all))
}

async fn show(args: OneArgs, output: Output) -> Result<(), Failure> {
    let one = Api::new(args.client)?.read(&at(&args.id, "")).await?;
    output.answer(&one, || page::one(&one))
}

async fn change(args: ChangeArgs, output: Output) -> Result<(), Failure> {
    let mut body = args.settings.members();
    body.extend(args.to.map(|url| ("url".to_owned(), url.into())));
    body.extend(args.clear.into_iter().map(|name| (settings::member(&name), Value::Null)));
    if body.is_empty() {
        return Err(Failure::Usage("nothing to change was given; `--help` shows what can be".to_owned()));
    }
    let api = Api::new(args.client)?;
    let changed = api.change(&at(&args.id, ""), &Value::Object(body)).await?;
    output.answer(&changed, || page::one(&changed))
}

async fn delete(args: DeleteArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { id, client } = args.one;
    if !args.yes {
        let detail = format!("what is owed to {id} would be lost; add --yes, or use `tidegate webhook disable`");
        return Err(Failure::Usage(detail));
    }
    Api::new(client)?.remove(&at(&id, "")).await?;
    output.answer(&json!({ "id": id, "deleted": true }), || format!("{id} is deleted"))
}

async fn turn(args: OneArgs, verb: &str, output: Output) -> Result<(), Failure> {
    let turned = Api::new(args.client)?.post(&at(&args.id, &format!("/{verb}")), &json!({})).await?;
    output.answer(&turned, || page::one(&turned))
}

/// Done when the receiver took it; any other answer is shown just so, with the exit code of a refusal.
async fn test(args: TestArgs, output: Output) -> Result<u8, Failure> {
    let mut body = Map::new();
    body.extend(args.of_type.map(|of_type| ("type".to_owned(), of_type.into())));
    body.extend(args.module.map(|module| ("module".to_owned(), module.into())));
    let OneArgs { id, client } = args.one;
    let tested = Api::new(client)?.post(&at(&id, "/test"), &Value::Object(body)).await?;
    output.answer(&tested, || page::tested(&tested))?;
    Ok(if tested["isSuccess"] == Value::Bool(true) { 0 } else { REFUSED })
}

async fn rotate(args: RotateArgs, output: Output) -> Result<(), Failure> {
    let mut body = Map::new();
    body.extend(args.overlap.map(|overlap| ("overlap".to_owned(), overlap.into())));
    let given = secret(args.secret_env.as_ref())?;
    let is_given = given.is_some();
    body.extend(given.map(|secret| ("secret".to_owned(), secret)));
    let OneArgs { id, client } = args.one;
    let rotated = Api::new(client)?.post(&at(&id, "/rotate-secret"), &Value::Object(body)).await?;
    output.answer(&rotated, || page::with_secret(&rotated, is_given))
}

async fn profiles(args: AllArgs, output: Output) -> Result<(), Failure> {
    let all = Api::new(args.client)?.read("/profiles").await?;
    output.answer(&all, || page::profiles(&all))
}
