//! `tidegate mapping show|put|versions|diff|restore`: the versions of a mapping on a running gateway.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::client::Api;
use super::super::output::{Failure, Output};
use super::page;
use super::read_text;
use crate::config::ClientArgs;

/// A source by its module's slug and its own.
#[derive(Clone, Debug)]
pub struct SourceName {
    pub module: String,
    pub source: String,
}

impl SourceName {
    /// # Errors
    /// It is not of the form MODULE/SOURCE.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((module, source)) if !module.is_empty() && !source.is_empty() => {
                Ok(Self { module: module.to_owned(), source: source.to_owned() })
            }
            _ => Err("write MODULE/SOURCE, such as work-orders/erp".to_owned()),
        }
    }

    /// A path of its mapping: what is no slug is not one to the gateway either.
    pub fn path(&self, rest: &str) -> String {
        let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!("/modules/{}/sources/{}/mapping{rest}", part(&self.module), part(&self.source))
    }
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// The source, such as work-orders/erp
    #[arg(value_name = "MODULE/SOURCE", value_parser = SourceName::parse)]
    pub of: SourceName,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Which version [default: the one in force]
    #[arg(long, value_name = "N")]
    pub version: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub struct PutArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// The mapping, as TOML or JSON; `-` is stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Why, for those who come later
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,

    /// Only if this version is in force
    #[arg(long, value_name = "N")]
    pub if_version: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub struct DiffArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Which version [default: the one before --to]
    #[arg(long, value_name = "N")]
    pub from: Option<u32>,

    /// Which version [default: the one in force]
    #[arg(long, value_name = "N")]
    pub to: Option<u32>,
}

#[derive(Args, Clone, Debug)]
pub struct RestoreArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Which version
    #[arg(value_name = "N")]
    pub version: u32,

    /// Why, for those who come later
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

pub async fn show(args: ShowArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    let path = args.version.map_or_else(|| of.path(""), |version| of.path(&format!("/versions/{version}")));
    let one = Api::new(client)?.read(&path).await?;
    output.answer(&one, || page::mapping(&one))
}

pub async fn put(args: PutArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    let mut body = Map::from_iter([("mapping".to_owned(), document(&args.file)?)]);
    body.extend(args.note.map(|note| ("note".to_owned(), note.into())));
    let condition = args.if_version.map(|version| format!("\"{version}\""));
    let put = Api::new(client)?.put(&of.path(""), &Value::Object(body), condition.as_deref()).await?;
    output.answer(&put, || page::in_force(&put))
}

pub async fn list(args: OneArgs, output: Output) -> Result<(), Failure> {
    let all = Api::new(args.client)?.all(&args.of.path("/versions")).await?;
    output.answer(&all, || page::versions(&all))
}

pub async fn diff(args: DiffArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    let asked = [("from", args.from), ("to", args.to)];
    let asked: Vec<_> = asked.into_iter().filter_map(|(name, n)| Some(format!("{name}={}", n?))).collect();
    let found = Api::new(client)?.read(&of.path(&format!("/diff?{}", asked.join("&")))).await?;
    output.answer(&found, || page::difference(&found))
}

pub async fn restore(args: RestoreArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { of, client } = args.one;
    let path = of.path(&format!("/versions/{}/restore", args.version));
    let restored = Api::new(client)?.post(&path, &json!({ "note": args.note })).await?;
    output.answer(&restored, || page::in_force(&restored))
}

/// A mapping by itself. What it says is the gateway's to judge.
pub fn document(file: &Path) -> Result<Value, Failure> {
    let (name, text) = read_text(file)?;
    let bad = |why: String| Failure::Usage(format!("{name}: {why}"));
    if text.trim_start().starts_with('{') {
        return crate::map::json::parse(text.as_bytes()).map_err(|error| bad(error.to_string()));
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| bad(error.to_string()))?;
    if table.contains_key("module") || table.contains_key("source") {
        return Err(bad("this is a whole module file, which `tidegate apply` applies; a mapping has its keys and \
                        [[rule]] tables alone"
            .to_owned()));
    }
    serde_json::to_value(table).map_err(|error| bad(error.to_string()))
}
