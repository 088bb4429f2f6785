//! `tidegate module …`: modules of a running gateway, altered while their events come in.

mod asked;
mod help;
mod page;

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Failure, Output};
use crate::config::{ClientArgs, ClientConfig};
use crate::secret::SecretString;
use asked::{Changes, NewFields};

/// Converting the values of a large module takes a while.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Subcommand, Clone, Debug)]
pub enum ModuleCommand {
    /// All modules
    #[command(after_help = help::LIST)]
    List(AllArgs),

    /// One module: its fields, its events
    #[command(after_help = help::SHOW)]
    Show(OneArgs),

    /// Make a module; its sources come by module files
    #[command(after_help = help::CREATE)]
    Create(CreateArgs),

    /// Alter a module: all that is given in one go, or nothing
    #[command(after_help = help::ALTER)]
    Alter(AlterArgs),

    /// Give a field another name; mappings are carried along
    #[command(after_help = help::RENAME)]
    RenameField(RenameArgs),

    /// Drop a field with its values
    #[command(after_help = help::DROP)]
    DropField(DropArgs),

    /// Delete a module with its records and sources
    #[command(after_help = help::DELETE)]
    Delete(DeleteArgs),
}

#[derive(Args, Clone, Debug)]
pub struct AllArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// The module's slug
    #[arg(value_name = "MODULE")]
    pub slug: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// Its slug, such as work-orders
    #[arg(value_name = "MODULE")]
    pub slug: String,

    #[command(flatten)]
    pub fields: NewFields,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct AlterArgs {
    #[command(flatten)]
    pub of: OneArgs,

    #[command(flatten)]
    pub changes: Changes,

    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Args, Clone, Debug)]
pub struct TrialArgs {
    /// Show what would be done and what stands in the way, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Args, Clone, Debug)]
pub struct RenameArgs {
    #[command(flatten)]
    pub of: OneArgs,

    /// As the field is called now
    #[arg(value_name = "FIELD")]
    pub from: String,

    /// As it is to be called
    #[arg(value_name = "NAME")]
    pub to: String,

    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Args, Clone, Debug)]
pub struct DropArgs {
    #[command(flatten)]
    pub of: OneArgs,

    #[arg(value_name = "FIELD")]
    pub field: String,

    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub of: OneArgs,

    /// The slug once more: all records and sources go with the module
    #[arg(long, value_name = "MODULE")]
    pub confirm: String,
}

pub async fn run(command: ModuleCommand, output: Output) -> Result<u8, Failure> {
    match command {
        ModuleCommand::List(args) => {
            let (client, key) = connect(args.client)?;
            let all = client.read("/api/v1/modules", &key).await?;
            output.answer(&all, || page::list(&all))?;
        }
        ModuleCommand::Show(args) => {
            let (path, (client, key)) = (path(&args.slug)?, connect(args.client)?);
            let module = client.read(&path, &key).await?;
            output.answer(&module, || page::module(&module))?;
        }
        ModuleCommand::Create(args) => {
            let (client, key) = connect(args.client)?;
            let made = client.call("/api/v1/modules", &key, &args.fields.body(&args.slug)?).await?;
            output.answer(&made, || page::module(&made))?;
        }
        ModuleCommand::Alter(args) => change(args.of, args.trial, &args.changes.body()?, output).await?,
        ModuleCommand::RenameField(args) => {
            let body = json!({ "fields": { args.from: { "rename": args.to } } });
            change(args.of, args.trial, &body, output).await?;
        }
        ModuleCommand::DropField(args) => {
            change(args.of, args.trial, &json!({ "fields": { args.field: null } }), output).await?;
        }
        ModuleCommand::Delete(args) => delete(args, output).await?,
    }
    Ok(0)
}

async fn change(of: OneArgs, trial: TrialArgs, body: &Value, output: Output) -> Result<(), Failure> {
    let (path, (client, key)) = (path(&of.slug)?, connect(of.client)?);
    if trial.dry_run {
        let would = client.change(&format!("{path}?dryRun=true"), &key, body).await?;
        return output.answer(&would, || page::trial(&would));
    }
    let module = client.change(&path, &key, body).await?;
    output.answer(&module, || page::module(&module))
}

async fn delete(args: DeleteArgs, output: Output) -> Result<(), Failure> {
    let slug = args.of.slug;
    if args.confirm != slug {
        let detail =
            format!("--confirm names another module: to delete `{slug}` with all its records, repeat that slug");
        return Err(Failure::Usage(detail));
    }
    let (path, (client, key)) = (path(&slug)?, connect(args.of.client)?);
    client.remove(&format!("{path}?confirm={slug}"), &key).await?;
    output.answer(&json!({ "module": slug, "deleted": true }), || format!("{slug} is deleted"))
}

fn connect(args: ClientArgs) -> Result<(Client, SecretString), Failure> {
    let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    Ok((Client::new(&config.url, DEADLINE)?, key))
}

fn path(slug: &str) -> Result<String, Failure> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if slug.bytes().all(is_plain) && !slug.is_empty() {
        return Ok(format!("/api/v1/modules/{slug}"));
    }
    Err(Failure::Usage(format!("`{slug}` is not the slug of a module")))
}
