//! `tidegate bench`: loads a running gateway through a source of its own, so that operators can measure their machine.
//! What the source is and what stays of it is the room of `door.rs`; the load itself, which the benchmarks use too, of
//! `load.rs`.

mod door;
mod figures;
pub mod load;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use clap::value_parser;

use super::client::Client;
use super::output::{Failure, Output, REFUSED};
use crate::config::{ClientArgs, ClientConfig};
use door::Door;
use figures::{BatchTotals, Figures};
use load::{BadTarget, Events, Load, LoadError, Pace, Report, Running, Target};

/// Of one call of the API; making a source is quick, but the gateway may be busy.
const DEADLINE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(100);

#[derive(Args, Clone, Debug)]
pub struct BenchArgs {
    /// How long to send
    #[arg(long, value_name = "NUMBER", default_value_t = 10, value_parser = value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,

    /// How many connections to send over
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub connections: usize,

    /// Requests a second [default: each connection sends when its last request is answered]
    #[arg(long, value_name = "NUMBER", value_parser = value_parser!(u32).range(1..=1_000_000))]
    pub rate: Option<u32>,

    /// Where webhooks are received, if not at --url; http only
    #[arg(long, value_name = "URL")]
    pub webhooks: Option<String>,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// Done when the gateway accepted some and refused others only for want of room.
pub async fn run(args: BenchArgs, output: Output) -> Result<u8, Failure> {
    let config = ClientConfig::load(args.client.clone()).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    let client = Client::new(&config.url, DEADLINE)?;
    let target = Target::find(args.webhooks.as_ref().unwrap_or(&config.url), Events::new()).await.map_err(unusable)?;
    let door = Door::open(&client, &key, target.events.secret()).await?;
    output.say(&format!("Sending to {} of {}, for {} s\n", door.name(), config.url, args.seconds))?;
    let target = Arc::new(target.doors(&[door.path()]));
    let before = BatchTotals::read(&client).await;
    let report = send(&args, target, output).await;
    let batches = before.zip(BatchTotals::read(&client).await).and_then(|(before, after)| after.since(&before));
    let closed = door.close(&client, &key).await;
    let figures = Figures::new(&args, &door, &report?, batches);
    output.answer(&figures, || figures.table())?;
    closed?;
    Ok(if figures.is_good() { 0 } else { REFUSED })
}

async fn send(args: &BenchArgs, target: Arc<Target>, output: Output) -> Result<Report, Failure> {
    let span = Duration::from_secs(args.seconds);
    let pace = args.rate.map_or(Pace::Closed, |rate| Pace::Open { per_second: f64::from(rate), give_up: None });
    let running = Load { target, connections: args.connections, pace, span }.start();
    watch(&running, span, output).await;
    running.finish().await.map_err(|error| match error {
        LoadError::Connect(..) => Failure::Unreachable(error.to_string()),
        LoadError::Thread(_) | LoadError::Panicked => Failure::Usage(error.to_string()),
    })
}

/// Shows how far it is. Ctrl-C ends the sending; what came until then is told, and the door is closed as always.
async fn watch(running: &Running, span: Duration, output: Output) {
    let steps = u64::try_from(span.as_millis() / STEP.as_millis()).unwrap_or(1);
    let bar = output.progress(steps);
    let mut answered = 0;
    while !running.is_finished() {
        tokio::select! {
            () = tokio::time::sleep(STEP) => {}
            _ = tokio::signal::ctrl_c() => running.stop(),
        }
        answered += running.take().requests();
        bar.set_message(format!("{answered} answered"));
        bar.inc(1);
    }
    bar.finish_and_clear();
}

fn unusable(bad: BadTarget) -> Failure {
    match bad {
        BadTarget::Unknown(..) => Failure::Unreachable(bad.to_string()),
        BadTarget::Scheme | BadTarget::Url(_) => Failure::Usage(bad.to_string()),
    }
}
