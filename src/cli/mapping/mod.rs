//! `tidegate mapping …`: module files looked at here, without a gateway, a database or a secret; and the mappings of a
//! running gateway, with their versions and what they would make of an event.

pub mod check;
mod help;
mod page;
pub mod preview;
pub mod test;
mod trial;
pub mod versions;

use std::path::Path;

use clap::Subcommand;

use super::output::{Failure, Output};
use super::send;

#[derive(Subcommand, Clone, Debug)]
pub enum MappingCommand {
    /// Say what is wrong with module files, line by line
    #[command(after_help = help::CHECK)]
    Check(check::CheckArgs),

    /// Show what payloads would become
    #[command(after_help = help::TEST)]
    Test(test::TestArgs),

    /// Show a source's mapping
    #[command(after_help = help::SHOW)]
    Show(versions::ShowArgs),

    /// Put another mapping into force, as a new version
    #[command(after_help = help::PUT)]
    Put(versions::PutArgs),

    /// The versions of a mapping: who, when, how and why
    #[command(after_help = help::VERSIONS)]
    Versions(versions::OneArgs),

    /// What became of a mapping from one version to another
    #[command(after_help = help::DIFF)]
    Diff(versions::DiffArgs),

    /// Put an earlier version into force again
    #[command(after_help = help::RESTORE)]
    Restore(versions::RestoreArgs),

    /// Show what payloads would become of the records that stand, rule by rule
    #[command(after_help = help::PREVIEW)]
    Preview(preview::PreviewArgs),
}

pub async fn run(command: MappingCommand, output: Output) -> Result<u8, Failure> {
    let done = match command {
        MappingCommand::Check(args) => return check::run(&args, output),
        MappingCommand::Test(args) => return test::run(&args, output),
        MappingCommand::Preview(args) => return preview::run(args, output).await,
        MappingCommand::Show(args) => versions::show(args, output).await,
        MappingCommand::Put(args) => versions::put(args, output).await,
        MappingCommand::Versions(args) => versions::list(args, output).await,
        MappingCommand::Diff(args) => versions::diff(args, output).await,
        MappingCommand::Restore(args) => versions::restore(args, output).await,
    };
    done.map(|()| 0)
}

/// A module file's name, as messages repeat it, and its text; `-` is stdin.
fn read_text(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    match String::from_utf8(send::read(path)?) {
        Ok(text) => Ok((name, text)),
        Err(_) => Err(Failure::Usage(format!("{name}: the file is not UTF-8"))),
    }
}
