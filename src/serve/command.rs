//! `tidegate serve` and `tidegate demo`: settings, logs, the banner, and the signals that end it.

use std::io::IsTerminal;
use std::pin::Pin;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::demo::{Folder, show};
use super::{Running, StartError};
use crate::cli::DemoArgs;
use crate::cli::output::{Failure, Output};
use crate::clock::Clock;
use crate::config::{Config, Database, RawConfig, admin_key_file, database_file};

/// A command, to its exit code. Boxed, so that it is compiled once, here, and not again in the binary.
type Task = Pin<Box<dyn Future<Output = u8> + Send>>;

pub fn serve(raw: RawConfig, output: Output) -> Task {
    Box::pin(async move { told(output, run(raw, output).await) })
}

async fn run(raw: RawConfig, output: Output) -> Result<(), Failure> {
    let config = Config::load(raw).map_err(|bad| Failure::Usage(bad.to_string()))?;
    start_logging();
    let running = Running::start(config, Clock::system()).await.map_err(failure)?;
    let banner = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "listen": running.listen().to_string(),
        "url": running.gateway().url(),
        "adminUrl": running.admin_url(),
        "dataDir": running.gateway().config.data_dir,
        "sources": running.made(),
    });
    let done = output.answer(&banner, || text(&running));
    until_told(running, done).await
}

fn text(running: &Running) -> String {
    let gateway = running.gateway();
    let admin = running.admin_url();
    let place = match gateway.config.database {
        Database::Sqlite => database_file(&gateway.config.data_dir).display().to_string(),
        Database::Postgres { .. } => "as configured".to_owned(),
    };
    let mut lines = vec![
        format!("Tidegate {}", env!("CARGO_PKG_VERSION")),
        format!("  webhooks   POST {}/api/webhooks/{{module}}/{{token}}", gateway.url()),
        format!("  API        {admin}/api/v1"),
        format!("  metrics    {admin}/metrics"),
        format!("  database   {place} ({})", gateway.store.describe()),
    ];
    if running.admin_key().is_some() {
        lines.push(format!("  owner key  {}", admin_key_file(&gateway.config.data_dir).display()));
    }
    for source in running.made() {
        let url = source.url.as_deref().unwrap_or_default();
        lines.push(format!("New source {}/{}, its URL shown this once: {url}", source.module, source.slug));
    }
    if gateway.snapshot().modules.is_empty() {
        lines.push("Next: tidegate apply mappings/work-orders.toml".to_owned());
    }
    lines.join("\n")
}

pub fn demo(args: DemoArgs, output: Output) -> Task {
    Box::pin(async move { told(output, run_demo(args, output).await) })
}

async fn run_demo(args: DemoArgs, output: Output) -> Result<(), Failure> {
    start_logging();
    let folder = Folder::make().map_err(|error| Failure::Refused(json!({ "detail": error.to_string() })))?;
    let running = folder.start(args.listen).await.map_err(failure)?;
    let done = show(&running, output).await;
    until_told(running, done).await
}

fn told(output: Output, done: Result<(), Failure>) -> u8 {
    match done {
        Ok(()) => 0,
        Err(failure) => {
            output.failure(&failure);
            failure.exit()
        }
    }
}

fn failure(error: StartError) -> Failure {
    Failure::Refused(json!({ "title": "the gateway could not start", "detail": error.to_string() }))
}

/// Serves until SIGTERM or SIGINT, then stops in order; a second signal ends it at once. What could not even be told
/// of the start stops it right away.
async fn until_told(running: Running, started: Result<(), Failure>) -> Result<(), Failure> {
    let signals = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = signals else {
        running.stop().await;
        return Err(Failure::Refused(json!({ "detail": "this system gives no signals to stop by" })));
    };
    let mut told = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let stopping = running.gateway().stopping.clone();
    let mut done = started;
    if done.is_ok() {
        tokio::select! {
            () = told() => {}
            () = stopping.cancelled() => {
                done = Err(Failure::Refused(json!({ "detail": "the gateway met a bug and stops; its log says more" })));
            }
        }
        tracing::info!("stopping: what is in flight is finished first; a second signal ends it at once");
    }
    tokio::select! {
        () = running.stop() => {}
        () = told() => {}
    }
    done
}

/// To stderr: lines for people on a terminal, JSON lines elsewhere.
fn start_logging() {
    let level = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(std::io::stderr);
    // A second call in one process keeps the first.
    let _ = if std::io::stderr().is_terminal() {
        level.try_init()
    } else {
        level.json().flatten_event(true).with_span_list(false).with_ansi(false).try_init()
    };
}
