//! `tidegate mapping …`: module files looked at here, without a gateway, a database or a secret.

pub mod check;
pub mod test;
mod trial;

use std::path::Path;

use clap::Subcommand;

use super::output::{Failure, Output};
use super::send;

const CHECK: &str = "\
Prints FILE:LINE: KEY: what is wrong and what to write instead, a line for each problem, all of
them at once. Needs no gateway and no secrets.

Exit code 0 when all is well, 1 when there are problems, 2 when a file cannot be read.

Examples:
  tidegate mapping check mappings/*.toml
  tidegate mapping check --json mappings/work-orders.toml | jq '.files[].errors'
  tidegate mapping check - < draft.toml";

const TEST: &str = "\
Shows what each payload would become: the record as it would be created, or every error. Nothing
is stored, and no gateway is needed. Signatures, rate limits and events that came before are left
out: each payload meets an empty module.

Exit code 0 when no payload is refused, 1 when one is, or when FILE has problems, 2 when the
arguments or files cannot be used.

Examples:
  tidegate mapping test mappings/work-orders.toml order.json
  tidegate mapping test mappings/machines.toml --source hall hall/*.json
  tidegate mapping test mappings/github-pushes.toml push.json -H 'X-GitHub-Event: push'
  tidegate mapping test orders.toml order.xml
  tidegate mapping test orders.toml order.txt --content-type application/x-www-form-urlencoded
  pbpaste | tidegate mapping test --json mappings/stripe-charges.toml - | jq '.results[0].records'";

#[derive(Subcommand, Clone, Debug)]
pub enum MappingCommand {
    /// Say what is wrong with module files, line by line
    #[command(after_help = CHECK)]
    Check(check::CheckArgs),

    /// Show what payloads would become
    #[command(after_help = TEST)]
    Test(test::TestArgs),
}

pub fn run(command: MappingCommand, output: Output) -> Result<u8, Failure> {
    match command {
        MappingCommand::Check(args) => check::run(&args, output),
        MappingCommand::Test(args) => test::run(&args, output),
    }
}

/// A module file's name, as messages repeat it, and its text; `-` is stdin.
fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    match String::from_utf8(send::read(path)?) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(Failure::Usage(format!("{name}: the file is not UTF-8"))),
    }
}
