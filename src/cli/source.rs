//! `tidegate source …`: sources of a running gateway, one by one. Module files and `tidegate apply` make them in sets.

mod help;
pub mod page;
mod settings;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::output::{Failure, Output};
use super::send;
use super::webhook::{Api, secret, span};
use crate::config::ClientArgs;
use settings::SettingsArgs;

#[derive(Subcommand, Clone, Debug)]
pub enum SourceCommand {
    /// The sources of a module, or of all, and what they are used for
    #[command(after_help = help::LIST)]
    List(ListArgs),

    /// One source
    #[command(after_help = help::SHOW)]
    Show(OneArgs),

    /// Make a source; its token and URL are shown once
    #[command(after_help = help::CREATE)]
    Create(Box<CreateArgs>),

    /// Change what is given, and leave the rest
    #[command(after_help = help::SET)]
    Set(Box<SetArgs>),

    /// Take webhooks again
    #[command(after_help = help::ENABLE)]
    Enable(OneArgs),

    /// Refuse all webhooks, with 403
    #[command(after_help = help::DISABLE)]
    Disable(OneArgs),

    /// Delete a source; its events and what it made stay
    #[command(after_help = help::DELETE)]
    Delete(DeleteArgs),

    /// Replace the secret; for a while both count
    #[command(after_help = help::ROTATE)]
    RotateSecret(RotateArgs),
}

/// A module's slug and a source's.
#[derive(Clone, Debug)]
pub struct Of {
    module: String,
    source: String,
}

#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Of this module [default: of all]
    #[arg(value_name = "MODULE")]
    pub module: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// Its module and itself, such as work-orders/erp
    #[arg(value_name = "MODULE/SOURCE", value_parser = of)]
    pub of: Of,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// A file with the keys of its mapping, as a module file has them below [[source]], or as JSON
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    #[command(flatten)]
    pub settings: SettingsArgs,
}

#[derive(Args, Clone, Debug)]
pub struct SetArgs {
    #[command(flatten)]
    pub one: OneArgs,

    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Take a setting back to its default, such as `rateLimit` or `redact`; may be repeated
    #[arg(long, value_name = "SETTING")]
    pub clear: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// It is meant: its URLs are unknown from then on
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args, Clone, Debug)]
pub struct RotateArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// For how long the old one counts, too, such as 24h, 30m or 0 [default: 24h, at most 30d]
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    pub overlap: Option<u64>,

    /// The environment variable that holds the new secret [default: one is made]
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,
}

pub async fn run(command: SourceCommand, output: Output) -> Result<u8, Failure> {
    let done = match command {
        SourceCommand::List(args) => list(args, output).await,
        SourceCommand::Show(args) => show(args, output).await,
        SourceCommand::Create(args) => create(*args, output).await,
        SourceCommand::Set(args) => set(*args, output).await,
        SourceCommand::Enable(args) => change(args, &json!({ "enabled": true }), output).await,
        SourceCommand::Disable(args) => change(args, &json!({ "enabled": false }), output).await,
        SourceCommand::Delete(args) => delete(args, output).await,
        SourceCommand::RotateSecret(args) => rotate(args, output).await,
    };
    done.map(|()| 0)
}

pub fn of(text: &str) -> Result<Of, String> {
    match text.split_once('/') {
        Some((module, source)) if !module.is_empty() && !source.is_empty() && !source.contains('/') => {
            Ok(Of { module: module.to_owned(), source: source.to_owned() })
        }
        _ => Err(format!("`{text}` is not MODULE/SOURCE, such as work-orders/erp")),
    }
}

impl Of {
    /// As a part of a path: what is no slug is none to the gateway either.
    pub fn path(&self, rest: &str) -> String {
        format!("{}/{}{rest}", sources(&self.module), encoded(&self.source))
    }
}

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.module, self.source)
    }
}

fn sources(module: &str) -> String {
    format!("/modules/{}/sources", encoded(module))
}

fn encoded(part: &str) -> String {
    form_urlencoded::byte_serialize(part.as_bytes()).collect()
}

async fn list(args: ListArgs, output: Output) -> Result<(), Failure> {
    let api = Api::new(args.client)?;
    let modules = match args.module {
        Some(module) => vec![module],
        None => {
            let modules = api.all("/modules").await?;
            let slugs = modules["data"].as_array().into_iter().flatten().filter_map(|module| module["slug"].as_str());
            slugs.map(str::to_owned).collect()
        }
    };
    let mut data = Vec::new();
    for module in modules {
        if let Some(Value::Array(own)) = api.all(&sources(&module)).await?.get_mut("data").map(Value::take) {
            data.extend(own);
        }
    }
    let all = json!({ "data": data });
    output.answer(&all, || page::list(&all))
}

async fn show(args: OneArgs, output: Output) -> Result<(), Failure> {
    let one = Api::new(args.client)?.read(&args.of.path("")).await?;
    output.answer(&one, || page::one(&one))
}

async fn create(args: CreateArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    let mut body = args.settings.members()?;
    body.insert("slug".to_owned(), of.source.into());
    body.insert("mapping".to_owned(), mapping(&args.mapping)?);
    let made = Api::new(client)?.post(&sources(&of.module), &Value::Object(body)).await?;
    output.answer(&made, || page::with_token(&made))
}

async fn set(args: SetArgs, output: Output) -> Result<(), Failure> {
    let mut body = args.settings.members()?;
    body.extend(args.clear.into_iter().map(|name| (settings::member(&name), Value::Null)));
    if body.is_empty() {
        return Err(Failure::Usage("nothing to change was given; `--help` shows what can be".to_owned()));
    }
    change(args.one, &Value::Object(body), output).await
}

async fn change(args: OneArgs, body: &Value, output: Output) -> Result<(), Failure> {
    let changed = Api::new(args.client)?.change(&args.of.path(""), body).await?;
    output.answer(&changed, || page::one(&changed))
}

async fn delete(args: DeleteArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    if !args.yes {
        let detail = format!("what is sent to {of} would be refused; add --yes, or use `tidegate source disable`");
        return Err(Failure::Usage(detail));
    }
    Api::new(client)?.remove(&of.path("")).await?;
    let gone = json!({ "module": of.module, "slug": of.source, "deleted": true });
    output.answer(&gone, || format!("{of} is deleted"))
}

async fn rotate(args: RotateArgs, output: Output) -> Result<(), Failure> {
    let mut body = Map::new();
    body.extend(args.overlap.map(|overlap| ("overlap".to_owned(), overlap.into())));
    let given = secret(args.secret_env.as_ref())?;
    let is_given = given.is_some();
    body.extend(given.map(|secret| ("secret".to_owned(), secret)));
    let OneArgs { of, client } = args.one;
    let rotated = Api::new(client)?.post(&of.path("/rotate-secret"), &Value::Object(body)).await?;
    output.answer(&rotated, || page::with_secret(&rotated, is_given))
}

/// JSON begins with a brace, and TOML never does.
fn mapping(path: &Path) -> Result<Value, Failure> {
    let name = path.display();
    let unread = |error: &dyn std::fmt::Display| Failure::Usage(format!("{name}: {error}"));
    let text = String::from_utf8(send::read(path)?).map_err(|_| unread(&"the file is not UTF-8"))?;
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| unread(&error));
    }
    let table: toml::Table = toml::from_str(&text).map_err(|error| unread(&error.message()))?;
    serde_json::to_value(table).map_err(|error| unread(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_with_its_module() {
        assert_eq!(of("work-orders/erp").unwrap().path("/x"), "/modules/work-orders/sources/erp/x");
        assert_eq!(of("a b/c?d").unwrap().path(""), "/modules/a+b/sources/c%3Fd");
        for wrong in ["erp", "/erp", "work-orders/", "a/b/c", ""] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
