//! `tidegate job`: long work of a running gateway, listed, followed, ended.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::Client;
use super::output::{Failure, Output, REFUSED};
use crate::config::{ClientArgs, ClientConfig};
use crate::secret::SecretString;

const DEADLINE: Duration = Duration::from_secs(30);
/// How often a job that is followed is looked at.
const PAUSE: Duration = Duration::from_millis(500);
/// Marks on the bar, whatever there is to do.
const STEPS: u64 = 1_000;

const SHOW: &str = "\
Exit code 0; with --follow 1 when the job failed or was cancelled.

Examples:
  tidegate job show job_…
  tidegate job show --follow job_…";

#[derive(Subcommand, Clone, Debug)]
pub enum JobCommand {
    /// The last 100, newest first
    List(ListArgs),

    /// One job, and how far it has come
    #[command(after_help = SHOW)]
    Show(ShowArgs),

    /// End a job before its next step; what it has done stays done
    Cancel(CancelArgs),
}

#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// job_…
    pub id: String,

    /// Show its progress until it has ended
    #[arg(long, short)]
    pub follow: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct CancelArgs {
    /// job_…
    pub id: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

pub async fn run(command: JobCommand, output: Output) -> Result<u8, Failure> {
    match command {
        JobCommand::List(args) => {
            let (client, key) = connect(args.client)?;
            let page = client.read("/api/v1/jobs", &key).await?;
            output.answer(&page, || table(page["data"].as_array().map(Vec::as_slice).unwrap_or_default()))?;
            Ok(0)
        }
        JobCommand::Show(args) => {
            let (client, key) = connect(args.client)?;
            if args.follow {
                let job = follow((&client, &key), &args.id, output).await?;
                output.answer(&job, || describe(&job))?;
                return Ok(exit(&job));
            }
            let job = client.read(&path(&args.id), &key).await?;
            output.answer(&job, || describe(&job))?;
            Ok(0)
        }
        JobCommand::Cancel(args) => {
            let (client, key) = connect(args.client)?;
            let job = client.delete(&path(&args.id), &key).await?;
            output.answer(&job, || describe(&job))?;
            Ok(0)
        }
    }
}

fn connect(args: ClientArgs) -> Result<(Client, SecretString), Failure> {
    let config = ClientConfig::load(args).map_err(|bad| Failure::Usage(bad.to_string()))?;
    let key = config.key.map_err(|none| Failure::Usage(none.to_string()))?;
    Ok((Client::new(&config.url, DEADLINE)?, key))
}

/// An id has no character that a path would need to hide; what has one is no id.
fn path(id: &str) -> String {
    let id: String = id.chars().filter(|char| char.is_ascii_alphanumeric() || *char == '_').collect();
    format!("/api/v1/jobs/{id}")
}

/// Waits for a job's end, with a bar on a terminal; answers the job as it then stands. Ctrl-C leaves the job to go on.
///
/// # Errors
/// As of the calls; a gateway that is gone is not waited for.
pub async fn follow((client, key): (&Client, &SecretString), id: &str, output: Output) -> Result<Value, Failure> {
    let bar = output.progress(STEPS);
    loop {
        let job = client.read(&path(id), key).await;
        let is_over = job.as_ref().map_or(true, is_over);
        if is_over {
            bar.finish_and_clear();
            return job;
        }
        if let Ok(job) = &job {
            bar.set_position(share(job));
            bar.set_message(progress(job));
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = tokio::signal::ctrl_c() => {
                bar.finish_and_clear();
                return Err(Failure::Refused(json!({ "title": "not followed any more", "detail": format!("the job goes on: tidegate job show --follow {id}") })));
            }
        }
    }
}

fn is_over(job: &Value) -> bool {
    !matches!(job["state"].as_str(), Some("queued" | "running"))
}

/// 0 when it has done what was asked.
pub fn exit(job: &Value) -> u8 {
    if job["state"] == "done" { 0 } else { REFUSED }
}

fn number(job: &Value, name: &str) -> u64 {
    job[name].as_u64().unwrap_or(0)
}

/// Of the marks on the bar. What is left alone was counted apart.
fn share(job: &Value) -> u64 {
    (number(job, "done") * STEPS).checked_div(number(job, "total")).unwrap_or(STEPS).min(STEPS)
}

fn progress(job: &Value) -> String {
    let skipped = match number(job, "skipped") {
        0 => String::new(),
        skipped => format!(", {skipped} left alone"),
    };
    format!("{} of {}{skipped}", number(job, "done"), number(job, "total"))
}

fn text<'a>(job: &'a Value, name: &str) -> &'a str {
    job[name].as_str().unwrap_or_default()
}

/// For people: a line for each thing that is worth knowing.
pub fn describe(job: &Value) -> String {
    let mut lines = vec![
        format!("{}  {}  {}", text(job, "id"), text(job, "kind"), text(job, "state")),
        format!("  {}", progress(job)),
        format!("  asked by {} at {}: {}", text(job, "actor"), text(job, "createdAt"), job["spec"]),
    ];
    if let Some(at) = job["finishedAt"].as_str() {
        lines.push(format!("  ended at {at}"));
    }
    if let Some(error) = job["error"].as_str() {
        lines.push(format!("  because {error}"));
    }
    lines.join("\n")
}

fn table(jobs: &[Value]) -> String {
    let head = ["ID", "KIND", "STATE", "PROGRESS", "CREATED"].map(str::to_owned);
    let row = |job: &Value| {
        let [id, kind, state, created] = ["id", "kind", "state", "createdAt"].map(|name| text(job, name).to_owned());
        [id, kind, state, progress(job), created]
    };
    let rows = std::iter::once(head).chain(jobs.iter().map(row)).collect::<Vec<_>>();
    let widths: [usize; 5] =
        std::array::from_fn(|place| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 5]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect::<Vec<_>>();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_as_lines_and_lists_as_a_table() {
        let job = json!({
            "id": "job_1", "kind": "redeliver", "state": "failed", "total": 20, "done": 5, "skipped": 2,
            "spec": {"state": "failed"}, "actor": "key_1", "error": "why", "createdAt": "2026-01-02T03:04:05.000000Z",
            "finishedAt": "2026-01-02T03:04:06.000000Z",
        });
        let described = "job_1  redeliver  failed\n  5 of 20, 2 left alone\n  \
            asked by key_1 at 2026-01-02T03:04:05.000000Z: {\"state\":\"failed\"}\n  \
            ended at 2026-01-02T03:04:06.000000Z\n  because why";
        assert_eq!(describe(&job), described);
        let listed = "ID     KIND       STATE   PROGRESS               CREATED\n\
            job_1  redeliver  failed  5 of 20, 2 left alone  2026-01-02T03:04:05.000000Z";
        assert_eq!(table(std::slice::from_ref(&job)), listed);
        assert_eq!((share(&job), exit(&job), is_over(&job)), (250, 1, true));
    }

    #[test]
    fn nothing_to_do_is_all_done() {
        let job = json!({ "state": "running", "total": 0, "done": 0 });
        assert_eq!((share(&job), is_over(&job)), (STEPS, false));
    }

    #[test]
    fn what_is_no_id_does_not_lead_elsewhere() {
        assert_eq!(path("job_1/../x?y"), "/api/v1/jobs/job_1xy");
    }
}
