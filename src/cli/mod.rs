//! The command line: what can be asked for, and the commands that are clients of a running gateway. `serve` and `demo`
//! start one, and stand in `serve.rs`.

pub mod apply;
pub mod audit;
pub mod bench;
pub mod changes;
pub mod client;
pub mod connect;
mod diff;
pub mod event;
pub mod export;
pub mod healthcheck;
pub mod job;
pub mod key;
pub mod mapping;
pub mod module;
pub mod output;
pub mod preset;
pub mod record;
pub mod send;
pub mod sign;
pub mod source;
pub mod sql;
#[cfg(test)]
mod tests;
pub mod token;
pub mod verify;
pub mod webhook;

use std::net::SocketAddr;
use std::pin::Pin;

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::config::RawConfig;
use output::{Failure, Output};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  refused by the gateway; mapping: there are problems; verify: the signature does not fit;
     serve, demo: it could not start
  2  the arguments, settings or files cannot be used
  3  no gateway answers there";

const SERVE: &str = "\
Flags go before TIDEGATE_* in the environment, these before tidegate.toml, that before defaults.
Keys of tidegate.toml are the flags with _ for -. In the environment only: TIDEGATE_SEAL_KEY or
TIDEGATE_SEAL_KEY_FILE, the key that secrets are stored under [default: <data-dir>/seal.key].

Examples:
  tidegate serve
  tidegate serve --public-url https://hooks.example.com --trusted-proxies 10.0.0.0/8
  TIDEGATE_DATABASE_URL=postgres://gate@db/gate tidegate serve --apply mappings/*.toml";

const APPLY: &str = "\
A secret stands in a file as \"env:NAME\". NAME is read where this command runs, and sent to the
gateway, which seals it. All files are applied, or nothing is.

Examples:
  ERP_SECRET=… tidegate apply mappings/work-orders.toml
  tidegate apply --dry-run mappings/*.toml
  tidegate apply --json mappings/work-orders.toml | jq -r '.sources[0].url'";

const EXPORT: &str = "\
Fields, sources, rules and settings as they stand. Never a secret: where one has a name, that is
written (env:NAME); where it was given over the API, a comment says so, and it stays where the file
is applied to the same gateway.

Examples:
  tidegate export work-orders > mappings/work-orders.toml
  tidegate export --to mappings
  tidegate export work-orders | tidegate apply --dry-run -      nothing would change";

const SEND: &str = "\
Prints the status and the body of the answer. Exit code 0 for a 2xx, 1 for any other.
With --preset the request is signed as that sender would sign it, over the URL of --to where the
sender signs its URL; headers that it signs and that are not given are made.

Examples:
  tidegate send order.json --to http://127.0.0.1:8080/api/webhooks/work-orders/tgt_…
  ERP_SECRET=… tidegate send order.json --to http://… --secret-env ERP_SECRET
  TIDEGATE_SECRET=whsec_… tidegate send charge.json --to http://… --preset stripe
  echo '{\"sku\":\"A-1\"}' | tidegate send - --to http://… -H 'X-Request: 7'";

const SIGN: &str = "\
Prints the headers that the sender would add, a line each: the signature, its time, and what else it
signs and was not given. A signature that stands in the body or in the URL is printed alone, and
where it belongs. Of a sender that proves itself by a token, the value is the secret itself.
For a pair of keys the variable holds the private one.

Exit code 0 when it is signed, 2 when it cannot be.

Examples:
  TIDEGATE_SECRET=… tidegate sign push.json --preset github
  tidegate sign order.json --preset square --secret-env SQUARE_SECRET --url https://hooks.example/…
  tidegate sign a.json --scheme 'header = \"X-Sig\", message = \"{header:X-Id}.{body}\"' -H 'X-Id: 7'
  tidegate sign push.json --preset github | curl -H @- --data-binary @push.json URL";

const VERIFY: &str = "\
Judges a request as a gateway would: the same words, and why it does not fit where that can be found
out (a newline at the end of the file, a secret that is read otherwise, another sender). What the
signature should have been is never shown. FILE must hold the bytes as they were received.

Exit code 0 when it fits, 1 when it does not, 2 when the arguments cannot be used.

Examples:
  TIDEGATE_SECRET=… tidegate verify push.json --preset github -H 'X-Hub-Signature-256: sha256=…'
  tidegate verify event.json --preset slack --at 1531420618 -H 'X-Slack-Signature: v0=…' \\
    -H 'X-Slack-Request-Timestamp: 1531420618'
  tidegate verify a.json --scheme mappings/erp.toml --secret-env OLD --secret-env NEW -H 'X-Sig: …'
  tidegate verify --self-test";

const BENCH: &str = "\
It makes a module `tidegate-bench` where there is none, and in it a source of its own for each run,
which is disabled at the end. What stays there: that module with 100,000 records at most, the source,
and the events and changes of the run, for as long as the gateway keeps such.
Exit code 1 when anything but 202, 429 and 503 was answered, or nothing was accepted.

Examples:
  tidegate bench
  tidegate bench --connections 256 --seconds 30
  tidegate bench --rate 2000    latencies at a steady 2,000 a second, whatever the answers do
  tidegate bench --url http://127.0.0.1:9090 --webhooks http://127.0.0.1:8080    with --admin-listen";

const CHANGES: &str = "\
One line a change; with --json one JSON object a line, whose `cursor` is where to go on after it.

Examples:
  tidegate changes
  tidegate changes --follow --after latest
  tidegate changes --module work-orders --type status_change --json | jq .after.fields";

const AUDIT: &str = "\
Every write: who, what, which, from where, and what it changed. With --json the rows have the values
before and after. Without secrets, tokens and payloads. It is kept for a year unless keep_audit says
otherwise, and needs a key with the role owner.

Examples:
  tidegate audit
  tidegate audit --target orders/ --since 2026-01-01T00:00:00Z
  tidegate audit --action source.update --json | jq '.data[0] | {before, after}'";

const SQL: &str = "\
Modules are tables: m_work_orders has a column for each field, custom_data, and _id, _version and more,
which take care of themselves. What you insert, update or delete becomes a change in the log and goes
out like any other; what no field could hold is refused. It works while the gateway runs, too. With
PostgreSQL use psql.

Exit code 1 when SQLite refuses a statement; those before it are done, unless they stand after BEGIN.

Examples:
  tidegate sql \"SELECT product_code, status FROM m_work_orders WHERE quantity > 10\"
  tidegate sql \"UPDATE m_work_orders SET status = 'closed' WHERE product_code = 'A-1'\"
  tidegate sql --json \"SELECT count(*) AS n FROM changes\" | jq '.results[0].rows'
  tidegate sql - < fix.sql";

const HEALTHCHECK: &str = "\
Exit code 0 when /readyz answers 200, 1 when it answers otherwise, 3 when nothing answers.

Example, in a Dockerfile:
  HEALTHCHECK CMD [\"tidegate\", \"healthcheck\"]";

/// A self-hosted webhook gateway: third-party payloads become typed records, and every change flows out again.
#[derive(Parser, Debug)]
#[command(name = "tidegate", version, after_help = EXIT_CODES, arg_required_else_help = true)]
pub struct Cli {
    /// One JSON object on stdout and nothing else
    #[arg(long, global = true)]
    pub json: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the gateway
    #[command(after_help = SERVE)]
    Serve(Box<RawConfig>),

    /// Run a gateway in a throw-away folder, send it a webhook, and show what became of it
    #[command(after_help = "Example:\n  tidegate demo")]
    Demo(DemoArgs),

    #[command(flatten)]
    Client(ClientCommand),
}

#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080, or a free port when it is taken]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// What needs no gateway of its own.
#[derive(Subcommand, Debug)]
pub enum ClientCommand {
    /// Make modules, sources and mappings what the files say
    #[command(after_help = APPLY)]
    Apply(apply::ApplyArgs),

    /// Write modules as files that apply to no change
    #[command(after_help = EXPORT)]
    Export(export::ExportArgs),

    /// Post a file as a webhook, signed when there is a secret
    #[command(after_help = SEND)]
    Send(send::SendArgs),

    /// Show what a sender would add to a request to sign it
    #[command(after_help = SIGN)]
    Sign(sign::SignArgs),

    /// Say whether a signature fits a request, and why not
    #[command(after_help = VERIFY)]
    Verify(verify::VerifyArgs),

    /// The senders that are known by name
    #[command(subcommand)]
    Preset(preset::PresetCommand),

    /// Check and try mappings: of module files without a gateway, and those of a running one with their versions
    #[command(subcommand)]
    Mapping(Box<mapping::MappingCommand>),

    /// Make, alter and delete modules while their events come in
    #[command(subcommand)]
    Module(Box<module::ModuleCommand>),

    /// Read the log of changes: every change of every record, in commit order
    #[command(after_help = CHANGES)]
    Changes(changes::ChangesArgs),

    /// Sources of a running gateway: settings, secrets, and what they are used for
    #[command(subcommand)]
    Source(Box<source::SourceCommand>),

    /// What opens the door of a source, and its replacement
    #[command(subcommand)]
    Token(Box<token::TokenCommand>),
    /// Records of a module: look them up, and write them by hand
    #[command(subcommand)]
    Record(Box<record::RecordCommand>),

    /// What came in, accepted or refused
    #[command(subcommand)]
    Event(Box<event::EventCommand>),

    /// Judge events once more, by the mapping in force now
    #[command(after_help = event::REPLAY)]
    Replay(event::ReplayArgs),

    /// Have changes sent to URLs, and see what became of it
    #[command(subcommand)]
    Webhook(Box<webhook::WebhookCommand>),

    /// Long work of a running gateway: how far it has come, and its end
    #[command(subcommand)]
    Job(job::JobCommand),

    /// API keys: who may do what
    #[command(subcommand)]
    Key(key::KeyCommand),

    /// Who changed what, newest first
    #[command(after_help = AUDIT)]
    Audit(Box<audit::AuditArgs>),

    /// Run SQL on the SQLite file of a gateway, also while it runs
    #[command(after_help = SQL)]
    Sql(sql::SqlArgs),

    /// Load a running gateway through a source of its own, and tell rates and latencies
    #[command(after_help = BENCH)]
    Bench(bench::BenchArgs),

    /// Ask a gateway whether it is ready
    #[command(after_help = HEALTHCHECK)]
    Healthcheck(healthcheck::HealthcheckArgs),

    /// Print the version
    Version,
}

/// Runs a client's command to its exit code. Boxed, so that it is compiled once, here, and not again in the binary.
pub fn run(command: ClientCommand, output: Output) -> Pin<Box<dyn Future<Output = u8> + Send>> {
    Box::pin(dispatch(command, output))
}

async fn dispatch(command: ClientCommand, output: Output) -> u8 {
    let done = match command {
        ClientCommand::Apply(args) => apply::run(args, output).await.map(|()| 0),
        ClientCommand::Export(args) => export::run(args, output).await.map(|()| 0),
        ClientCommand::Send(args) => send::run(args, output).await,
        ClientCommand::Sign(args) => sign::run(&args, output),
        ClientCommand::Verify(args) => verify::run(&args, output),
        ClientCommand::Preset(command) => preset::run(&command, output),
        ClientCommand::Mapping(command) => mapping::run(*command, output).await,
        ClientCommand::Changes(args) => changes::run(args, output).await.map(|()| 0),
        ClientCommand::Source(command) => source::run(*command, output).await,
        ClientCommand::Token(command) => token::run(*command, output).await,
        ClientCommand::Record(command) => record::run(*command, output).await.map(|()| 0),
        ClientCommand::Event(command) => event::run(*command, output).await,
        ClientCommand::Replay(args) => event::replay(args, output).await,
        ClientCommand::Webhook(command) => webhook::run(*command, output).await,
        ClientCommand::Job(command) => job::run(command, output).await,
        ClientCommand::Key(command) => key::run(command, output).await.map(|()| 0),
        ClientCommand::Audit(args) => audit::run(*args, output).await.map(|()| 0),
        ClientCommand::Module(command) => module::run(*command, output).await,
        ClientCommand::Sql(args) => sql::run(args, output).await.map(|()| 0),
        ClientCommand::Bench(args) => bench::run(args, output).await,
        ClientCommand::Healthcheck(args) => healthcheck::run(args, output).await.map(|()| 0),
        ClientCommand::Version => version(output).map(|()| 0),
    };
    done.unwrap_or_else(|failure: Failure| {
        output.failure(&failure);
        failure.exit()
    })
}

fn version(output: Output) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    output.answer(&json!({ "version": version }), || format!("tidegate {version}"))
}
