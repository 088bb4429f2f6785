//! `tidegate apply`: sends module files to the gateway, with the secrets that they name. Judging the files is the
//! gateway's; here they are only read, and searched for `env:NAME`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Value as Toml;

use super::client::Client;
use super::diff;
use super::output::{Failure, Output};
use super::send;
use crate::config::{ClientArgs, ClientConfig, env_secret};
use crate::secret::{ExposeSecret, SecretString};

/// Columns are filled and indexes built before the answer.
const DEADLINE: Duration = Duration::from_secs(120);

#[derive(Args, Clone, Debug)]
pub struct ApplyArgs {
    /// Module files, such as mappings/work-orders.toml; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Say what would be done and what would change, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// The answer of `POST /api/v1/apply`, as far as people are shown it.
#[derive(Deserialize)]
struct Applied {
    modules: Vec<Module>,
    sources: Vec<Source>,
}

#[derive(Deserialize)]
struct Module {
    slug: String,
    action: String,
    #[serde(default)]
    diff: Value,
}

#[derive(Deserialize)]
struct Source {
    module: String,
    slug: String,
    action: String,
    token: Option<String>,
    url: Option<String>,
    #[serde(default)]
    diff: Value,
}

pub async fn run(args: ApplyArgs, output: Output) -> Result<(), Failure> {
    let config = ClientConfig::load(args.client).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    let files = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let path = if args.dry_run { "/api/v1/apply?dryRun=true" } else { "/api/v1/apply" };
    let client = Client::new(&config.url, DEADLINE)?;
    let answer = client.call(path, &key, &request(&files)).await?;
    let applied = Applied::deserialize(&answer).map_err(|error| {
        Failure::Refused(json!({ "detail": format!("the gateway's answer is not understood: {error}") }))
    })?;
    output.answer(&answer, || table(&applied, args.dry_run))
}

/// A file's name as it was given, which the gateway's messages repeat, and its text.
fn read(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    let text = String::from_utf8(send::read(path)?);
    text.map(|text| (name.clone(), text)).map_err(|_| Failure::Usage(format!("{name}: the file is not UTF-8")))
}

fn request(files: &[(String, String)]) -> Value {
    let secrets: Map<String, Value> =
        secrets(files).into_iter().map(|(name, secret)| (name, secret.expose_secret().into())).collect();
    let files: Vec<Value> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    json!({ "files": files, "secrets": secrets })
}

/// The secrets that the files name, from the environment of this process. A name that is not set is left out: the
/// gateway says which source misses it, unless it has it already.
pub fn secrets(files: &[(String, String)]) -> BTreeMap<String, SecretString> {
    let named: BTreeSet<String> = files.iter().flat_map(|(_, text)| secrets_named(text)).collect();
    named.into_iter().filter_map(|name| env_secret(&name).map(|secret| (name, secret))).collect()
}

/// The `NAME`s of all `env:NAME` under a key `secret`. A text that is no TOML names none; the gateway says why.
fn secrets_named(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(table) = text.parse::<toml::Table>() {
        collect(&Toml::Table(table), &mut names);
    }
    names
}

fn collect(value: &Toml, names: &mut BTreeSet<String>) {
    match value {
        Toml::Table(table) => {
            for (key, value) in table {
                match value {
                    Toml::String(_) if key == "secret" => names.extend(name_in(value)),
                    Toml::Array(items) if key == "secret" => names.extend(items.iter().filter_map(name_in)),
                    _ => collect(value, names),
                }
            }
        }
        Toml::Array(items) => items.iter().for_each(|item| collect(item, names)),
        _ => {}
    }
}

fn name_in(value: &Toml) -> Option<String> {
    value.as_str()?.strip_prefix("env:").filter(|name| !name.is_empty()).map(str::to_owned)
}

fn table(applied: &Applied, dry_run: bool) -> String {
    // What is made anew says its file.
    let details = |action: &str, lines: Vec<String>| if dry_run && action == "updated" { lines } else { Vec::new() };
    let modules = applied.modules.iter().map(|module| {
        let lines = details(&module.action, diff::of_module(&module.diff));
        ("module", module.slug.clone(), &module.action, lines)
    });
    let sources = applied.sources.iter().map(|source| {
        let lines = details(&source.action, diff::of_source(&source.diff));
        ("source", source_name(source), &source.action, lines)
    });
    let rows: Vec<_> = modules.chain(sources).collect();
    let width = rows.iter().map(|(_, name, ..)| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    // Writing into a String cannot fail.
    for (kind, name, action, lines) in &rows {
        let _ = writeln!(text, "{kind}  {name:<width$}  {action}");
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    let fresh: Vec<_> = applied.sources.iter().filter(|source| source.token.is_some()).collect();
    for source in &fresh {
        let (token, url) = (source.token.as_deref().unwrap_or_default(), source.url.as_deref().unwrap_or_default());
        let _ = write!(text, "\n{}\n  token  {token}\n  url    {url}\n", source_name(source));
    }
    match (dry_run, fresh.is_empty()) {
        (true, _) => text.push_str("\nA dry run: nothing was changed."),
        (false, false) => text.push_str("\nTokens are shown this once, and stored only as a hash: keep them now."),
        (false, true) => {}
    }
    text.trim().to_owned()
}

fn source_name(source: &Source) -> String {
    format!("{}/{}", source.module, source.slug)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_wherever_the_key_stands() {
        let text = r#"
            name = "env:NOT_THIS"
            [[source]]
            signature = { header = "X", secret = "env:ONE" }
            [[source]]
            signature.secret = ["env:TWO", "plain", "env:", 5]
            [source.deeper]
            secret = { value = "env:NOR_THIS", secret = "env:THREE" }
        "#;
        assert_eq!(Vec::from_iter(secrets_named(text)), ["ONE", "THREE", "TWO"]);
        assert!(secrets_named("not toml").is_empty());
    }

    #[test]
    fn only_secrets_that_are_set_are_sent() {
        let text = "secret = ['env:PATH', 'env:TIDEGATE_TEST_OF_NO_SUCH_VARIABLE']";
        let body = request(&[("a.toml".to_owned(), text.to_owned())]);
        assert_eq!(body["files"][0], json!({ "name": "a.toml", "text": text }));
        assert_eq!(body["secrets"].as_object().unwrap().keys().collect::<Vec<_>>(), ["PATH"]);
    }

    #[test]
    fn a_fresh_token_is_shown_with_a_word_of_warning() {
        let answer = json!({
            "modules": [{ "slug": "work-orders", "action": "created" }],
            "sources": [
                { "module": "work-orders", "slug": "erp", "action": "created", "token": "tgt_x", "url": "http://h/x" },
                { "module": "work-orders", "slug": "old", "action": "unchanged" },
            ],
        });
        let applied = Applied::deserialize(&answer).unwrap();
        let expected = "module  work-orders      created\n\
            source  work-orders/erp  created\n\
            source  work-orders/old  unchanged\n\n\
            work-orders/erp\n  token  tgt_x\n  url    http://h/x\n\n\
            Tokens are shown this once, and stored only as a hash: keep them now.";
        assert_eq!(table(&applied, false), expected);
        let dry = json!({ "modules": [{ "slug": "a", "action": "created" }], "sources": [] });
        let dry = table(&Applied::deserialize(&dry).unwrap(), true);
        assert_eq!(dry, "module  a  created\n\nA dry run: nothing was changed.");
    }
}
