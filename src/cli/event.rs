//! `tidegate event …`: what came in, and judging it once more.

mod help;
mod page;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::connect::{connect, more, pages, part};
use super::output::{Failure, Output, REFUSED};
use super::record::PageArgs;
use crate::config::ClientArgs;

pub use help::REPLAY;

#[derive(Subcommand, Clone, Debug)]
pub enum EventCommand {
    /// Events, newest first
    #[command(after_help = help::LIST)]
    List(Box<ListArgs>),

    /// One event
    #[command(after_help = help::SHOW)]
    Show(OneArgs),

    /// The payload of an event, as it was received
    #[command(after_help = help::PAYLOAD)]
    Payload(PayloadArgs),

    /// Judge events once more, by the mapping in force now
    #[command(after_help = help::REPLAY)]
    Replay(ReplayArgs),
}

#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// Of this module
    #[arg(long, value_name = "SLUG")]
    pub module: Option<String>,

    /// Of this source of the module
    #[arg(long, value_name = "SLUG", requires = "module")]
    pub source: Option<String>,

    /// created, updated, unchanged, stale, duplicate, deleted, ignored or refused
    #[arg(long)]
    pub verdict: Option<String>,

    /// Why it was refused or ignored, such as judgement_failed
    #[arg(long)]
    pub cause: Option<String>,

    /// The event's type
    #[arg(long = "type", value_name = "TYPE")]
    pub of_type: Option<String>,

    /// Received at this time or later, such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,

    /// Received before this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,

    /// Those that changed this record
    #[arg(long, value_name = "RECORD")]
    pub record: Option<String>,

    /// Those with this in the payload
    #[arg(long)]
    pub text: Option<String>,

    #[command(flatten)]
    pub page: PageArgs,

    #[command(flatten)]
    pub client: ClientArgs,
}

impl ListArgs {
    fn pairs(&self) -> Vec<(String, String)> {
        let given = [
            ("module", &self.module),
            ("source", &self.source),
            ("verdict", &self.verdict),
            ("cause", &self.cause),
            ("type", &self.of_type),
            ("since", &self.since),
            ("until", &self.until),
            ("record", &self.record),
            ("text", &self.text),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        given.chain(self.page.pairs()).collect()
    }
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// evt_…
    pub event: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct PayloadArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Write the bytes there, as they are
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

#[derive(Args, Clone, Debug)]
pub struct ReplayArgs {
    /// evt_…
    #[arg(required = true)]
    pub events: Vec<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

fn path(event: &str, rest: &str) -> String {
    format!("/api/v1/events/{}{rest}", part(event))
}

pub async fn run(command: EventCommand, output: Output) -> Result<u8, Failure> {
    match command {
        EventCommand::List(args) => {
            let pairs = args.pairs();
            let (client, key) = connect(args.client)?;
            let found = pages((&client, &key), "/api/v1/events", pairs, args.page.all).await?;
            output.answer(&found, || page::list(&found) + &more(&found)).map(|()| 0)
        }
        EventCommand::Show(OneArgs { event, client }) => {
            let (client, key) = connect(client)?;
            let event = client.read(&path(&event, ""), &key).await?;
            output.answer(&event, || page::one(&event)).map(|()| 0)
        }
        EventCommand::Payload(args) => payload(args, output).await.map(|()| 0),
        EventCommand::Replay(args) => replay(args, output).await,
    }
}

async fn payload(args: PayloadArgs, output: Output) -> Result<(), Failure> {
    let OneArgs { event, client } = args.one;
    let (client, key) = connect(client)?;
    let payload = client.bytes(&path(&event, "/payload"), &key).await?;
    let Some(file) = args.out else {
        let text = String::from_utf8_lossy(&payload).into_owned();
        return output.answer(&json!({ "eventId": event, "payload": text }), || text.clone());
    };
    let failed = |error| Failure::Usage(format!("{}: {error}", file.display()));
    std::fs::write(&file, &payload).map_err(failed)?;
    let told = json!({ "eventId": event, "file": file.display().to_string(), "bytes": payload.len() });
    output.answer(&told, || format!("{} bytes in {}", payload.len(), file.display()))
}

/// One after another; one that is refused does not stop the rest.
pub async fn replay(args: ReplayArgs, output: Output) -> Result<u8, Failure> {
    let (client, key) = connect(args.client)?;
    let (mut replays, mut exit) = (Vec::new(), 0);
    for event in &args.events {
        match client.call(&path(event, "/replay"), &key, &json!({})).await {
            Ok(replayed) => replays.push(replayed),
            Err(Failure::Refused(problem)) => {
                exit = REFUSED;
                replays.push(json!({ "replayOf": event, "error": problem }));
            }
            Err(failure) => return Err(failure),
        }
    }
    let told = json!({ "replays": replays });
    output.answer(&told, || page::replays(&told)).map(|()| exit)
}
