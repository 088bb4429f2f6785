//! `tidegate record …`: records of a running gateway, looked up and written by hand.

mod fields;
mod help;
mod page;

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::connect::{connect, more, pages, part};
use super::output::{Failure, Output};
use crate::config::ClientArgs;
use fields::FieldsArgs;

#[derive(Subcommand, Clone, Debug)]
pub enum RecordCommand {
    /// Records of a module
    #[command(after_help = help::LIST)]
    List(ListArgs),

    /// One record
    #[command(after_help = help::SHOW)]
    Show(OneArgs),

    /// Make a record
    #[command(after_help = help::CREATE)]
    Create(CreateArgs),

    /// Change fields of a record, and leave the rest
    #[command(after_help = help::SET)]
    Set(SetArgs),

    /// Delete a record
    #[command(after_help = help::DELETE)]
    Delete(DeleteArgs),

    /// What became of a record, and who wrote each field last
    #[command(after_help = help::HISTORY)]
    History(HistoryArgs),
}

#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// The module's slug
    pub module: String,

    /// FIELD=VALUE or FIELD[OP]=VALUE, such as quantity[gte]=5; may be repeated, and all must fit
    #[arg(long, short, value_name = "FILTER", value_parser = fields::filter)]
    pub filter: Vec<(String, String)>,

    /// A field, or -FIELD for the largest first [default: _id, the oldest first]
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub sort: Option<String>,

    #[command(flatten)]
    pub page: PageArgs,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Which page of a list.
#[derive(Args, Clone, Debug)]
pub struct PageArgs {
    /// How many [default: 100, which is the most]
    #[arg(long, value_name = "COUNT")]
    pub limit: Option<u32>,

    /// Where the page before ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,

    /// Every page, to the end
    #[arg(long)]
    pub all: bool,
}

impl PageArgs {
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> {
        let limit = self.limit.map(|limit| ("limit".to_owned(), limit.to_string()));
        limit.into_iter().chain(self.cursor.clone().map(|cursor| ("cursor".to_owned(), cursor)))
    }
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// The module's slug
    pub module: String,

    /// rec_…
    pub record: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

impl OneArgs {
    fn path(&self) -> String {
        format!("{}/{}", path(&self.module), part(&self.record))
    }
}

#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// The module's slug
    pub module: String,

    #[command(flatten)]
    pub fields: FieldsArgs,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct SetArgs {
    #[command(flatten)]
    pub one: OneArgs,

    #[command(flatten)]
    pub fields: FieldsArgs,

    /// Only while the record stands at this version
    #[arg(long, value_name = "NUMBER")]
    pub version: Option<i64>,
}

#[derive(Args, Clone, Debug)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Only while the record stands at this version
    #[arg(long, value_name = "NUMBER")]
    pub version: Option<i64>,

    /// It is meant
    #[arg(long)]
    pub yes: bool,
}

#[derive(Args, Clone, Debug)]
pub struct HistoryArgs {
    #[command(flatten)]
    pub one: OneArgs,

    #[command(flatten)]
    pub page: PageArgs,
}

fn path(module: &str) -> String {
    format!("/api/v1/modules/{}/records", part(module))
}

pub async fn run(command: RecordCommand, output: Output) -> Result<(), Failure> {
    match command {
        RecordCommand::List(args) => list(args, output).await,
        RecordCommand::Show(args) => {
            let path = args.path();
            let (client, key) = connect(args.client)?;
            let record = client.read(&path, &key).await?;
            output.answer(&record, || page::one(&record))
        }
        RecordCommand::Create(CreateArgs { module, fields, client }) => {
            let body = fields.body()?;
            let (client, key) = connect(client)?;
            let record = client.call(&path(&module), &key, &body).await?;
            output.answer(&record, || page::one(&record))
        }
        RecordCommand::Set(SetArgs { one, fields, version }) => {
            let (path, body) = (one.path(), fields.body()?);
            let (client, key) = connect(one.client)?;
            let record = client.at_version((Method::PATCH, &path), &key, (version, &body)).await?;
            output.answer(&record, || page::one(&record))
        }
        RecordCommand::Delete(args) => delete(args, output).await,
        RecordCommand::History(HistoryArgs { one, page }) => {
            let path = format!("{}/history", one.path());
            let (client, key) = connect(one.client)?;
            let history = pages((&client, &key), &path, page.pairs().collect(), page.all).await?;
            output.answer(&history, || page::history(&history) + &more(&history))
        }
    }
}

async fn list(args: ListArgs, output: Output) -> Result<(), Failure> {
    let sort = args.sort.map(|sort| ("sort".to_owned(), sort));
    let pairs = args.filter.into_iter().chain(sort).chain(args.page.pairs()).collect();
    let (client, key) = connect(args.client)?;
    let found = pages((&client, &key), &path(&args.module), pairs, args.page.all).await?;
    output.answer(&found, || page::list(&found) + &more(&found))
}

async fn delete(args: DeleteArgs, output: Output) -> Result<(), Failure> {
    let (path, id) = (args.one.path(), args.one.record);
    if !args.yes {
        return Err(Failure::Usage(format!("{id} would be gone; add --yes")));
    }
    let (client, key) = connect(args.one.client)?;
    client.at_version((Method::DELETE, &path), &key, (args.version, &Value::Null)).await?;
    output.answer(&json!({ "id": id, "deleted": true }), || format!("{id} is deleted"))
}
