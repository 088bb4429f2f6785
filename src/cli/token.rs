//! `tidegate token …`: what opens the door of a source. A token is shown when it is made, and never again.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::output::{Failure, Output};
use super::source::{OneArgs, page};
use super::webhook::{Api, span};

const LIST: &str = "\
Never the tokens: the gateway does not know them.

Examples:
  tidegate token list work-orders/erp
  tidegate token list work-orders/erp --json | jq '.data[] | select(.lastUsedAt == null)'";

const ROTATE: &str = "\
The new token and its URL are shown once. Until the overlap ends the old one works, too: look at
`tidegate token list` for when it was last used. With --overlap 0 it ends at once.

Exit code 1 when the gateway refuses it; then nothing has changed.

Examples:
  tidegate token rotate work-orders/erp
  tidegate token rotate work-orders/erp --overlap 7d
  tidegate token rotate work-orders/erp --overlap 0 --json | jq -r .url";

#[derive(Subcommand, Clone, Debug)]
pub enum TokenCommand {
    /// The tokens of a source: since when, until when, and when last used
    #[command(after_help = LIST)]
    List(OneArgs),

    /// Give a source another token, and so another URL
    #[command(after_help = ROTATE)]
    Rotate(RotateArgs),
}

#[derive(Args, Clone, Debug)]
pub struct RotateArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// For how long the old one works, too, such as 24h, 7d or 0 [default: 24h, at most 30d]
    #[arg(long, value_name = "TIME", value_parser = span::seconds)]
    pub overlap: Option<u64>,
}

pub async fn run(command: TokenCommand, output: Output) -> Result<u8, Failure> {
    match command {
        TokenCommand::List(args) => {
            let source = Api::new(args.client)?.read(&args.of.path("")).await?;
            output.answer(&json!({ "data": source["tokens"] }), || page::tokens(&source))?;
        }
        TokenCommand::Rotate(args) => {
            let mut body = Map::new();
            body.extend(args.overlap.map(|overlap| ("overlap".to_owned(), overlap.into())));
            let path = args.one.of.path("/rotate-token");
            let rotated = Api::new(args.one.client)?.post(&path, &Value::Object(body)).await?;
            output.answer(&rotated, || page::with_rotated_token(&rotated))?;
        }
    }
    Ok(0)
}
