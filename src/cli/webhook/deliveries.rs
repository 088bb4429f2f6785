//! What was sent, what is due, and what is to be sent again.

use clap::Args;
use serde_json::{Map, Value, json};

use super::page::{rows, text};
use super::span::seconds;
use super::{Api, at};
use crate::cli::output::{Failure, Output};
use crate::cli::preset::table;
use crate::clock::{Clock, Timestamp};
use crate::config::ClientArgs;

/// What is shown of an answer's body, in characters.
const MOST_BODY: usize = 300;

#[derive(Args, Clone, Debug)]
pub struct DeliveriesArgs {
    /// The webhook's id
    #[arg(value_name = "WEBHOOK")]
    pub id: String,

    /// Those in this state only, such as delivered or failed
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,

    /// Of this type of event only
    #[arg(long = "type", value_name = "TYPE")]
    pub of_type: Option<String>,

    /// At most so many, 1 to 100
    #[arg(long, value_name = "N")]
    pub limit: Option<u32>,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct OneArgs {
    /// The delivery's id
    #[arg(value_name = "DELIVERY")]
    pub id: String,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct RedeliverArgs {
    /// To this webhook only
    #[arg(long, value_name = "WEBHOOK")]
    pub webhook: Option<String>,

    /// Settled since then: 2h, 3d, or a time such as 2026-01-02T03:04:05Z
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Timestamp>,

    /// Settled until then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,

    /// delivered or failed
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,

    /// Of this type of event only
    #[arg(long = "type", value_name = "TYPE")]
    pub of_type: Option<String>,

    /// Count them, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

#[derive(Args, Clone, Debug)]
pub struct MissedArgs {
    /// The webhook's id
    #[arg(value_name = "WEBHOOK")]
    pub id: String,

    /// At most so many in a minute
    #[arg(long, value_name = "N")]
    pub per_minute: Option<u32>,

    /// Count them, and send nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub client: ClientArgs,
}

/// So long ago, or a moment as RFC 3339 writes it.
fn moment(words: &str) -> Result<Timestamp, String> {
    if let Ok(ago) = seconds(words) {
        let ago = i64::try_from(ago).ok().and_then(|ago| ago.checked_mul(1_000_000));
        let then = ago.and_then(|ago| Clock::system().now().micros().checked_sub(ago));
        return then.and_then(Timestamp::from_micros).ok_or_else(|| format!("`{words}` ago was before all time"));
    }
    words.parse().map_err(|_| format!("`{words}` is neither a span such as 2h nor a time such as 2026-01-02T03:04:05Z"))
}

/// An id as a part of a path.
fn path(id: &str, rest: &str) -> String {
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    format!("/deliveries/{id}{rest}")
}

pub async fn list(args: DeliveriesArgs, output: Output) -> Result<(), Failure> {
    let path = at(&args.id, &format!("/deliveries?{}", query(&args)));
    let page = Api::new(args.client)?.read(&path).await?;
    output.answer(&page, || listed(&page))
}

fn query(args: &DeliveriesArgs) -> String {
    let limit = args.limit.map(|limit| limit.to_string());
    let given = [("state", args.state.as_ref()), ("type", args.of_type.as_ref()), ("limit", limit.as_ref())];
    let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish()
}

fn listed(page: &Value) -> String {
    let head = ["ID", "STATE", "TYPE", "MODULE", "ATTEMPTS", "ANSWER", "NEXT"].map(str::to_owned);
    let row = |one: &Value| {
        let answer = if one["status"].is_null() { text(one, "errorClass") } else { text(one, "status") };
        let names = ["id", "state", "type", "module", "attemptCount"].map(|name| text(one, name));
        let [id, state, of_type, module, attempts] = names;
        [id, state, of_type, module, attempts, answer, text(one, "nextAttemptAt")]
    };
    let rows = rows(page).map(row).collect::<Vec<_>>();
    if rows.is_empty() {
        return "There is no such delivery.".to_owned();
    }
    table(&[vec![head], rows].concat())
}

pub async fn show(args: OneArgs, output: Output) -> Result<(), Failure> {
    let delivery = Api::new(args.client)?.read(&path(&args.id, "")).await?;
    output.answer(&delivery, || story(&delivery))
}

/// What it is, and what became of it, attempt by attempt.
pub fn story(delivery: &Value) -> String {
    let head = format!(
        "{} to {}: {} of {} {}, {}",
        text(delivery, "id"),
        text(delivery, "webhook"),
        text(delivery, "type"),
        text(delivery, "module"),
        text(delivery, "recordId"),
        text(delivery, "state"),
    );
    let attempts = delivery["attempts"].as_array().into_iter().flatten();
    let mut lines = vec![head];
    lines.extend(attempts.flat_map(attempt));
    if lines.len() == 1 {
        lines.push("  not tried yet".to_owned());
    }
    lines.extend(delivery["nextAttemptAt"].as_str().map(|next| format!("  next try: {next}")));
    lines.join("\n")
}

fn attempt(attempt: &Value) -> Vec<String> {
    let timings = &attempt["timings"];
    let parts = ["dns", "connect", "tls", "firstByte"].into_iter().filter(|name| !timings[*name].is_null());
    let parts = parts.map(|name| format!(", {name} {} ms", timings[name])).collect::<String>();
    let came = match (&attempt["response"], &attempt["error"]) {
        (Value::Null, error) => format!("no answer: {}: {}", text(error, "class"), text(error, "detail")),
        (response, _) => format!("answered {}", text(response, "status")),
    };
    let (number, at, address) = (text(attempt, "number"), text(attempt, "at"), text(attempt, "address"));
    let mut lines = vec![format!("  {number}. {at} to {address}: {came} (in {} ms{parts})", timings["total"])];
    let body = attempt["response"]["body"]["text"].as_str().unwrap_or_default();
    let shown: String = body.chars().take(MOST_BODY).collect();
    let more = if shown.len() < body.len() { " …" } else { "" };
    lines.extend(shown.lines().map(|line| format!("       {line}")));
    if let Some(last) = lines.last_mut().filter(|_| !more.is_empty()) {
        last.push_str(more);
    }
    lines
}

pub async fn retry(args: OneArgs, output: Output) -> Result<(), Failure> {
    let delivery = Api::new(args.client)?.post(&path(&args.id, "/retry"), &json!({})).await?;
    output.answer(&delivery, || format!("{} is sent again: tidegate webhook delivery {0}", args.id))
}

pub async fn redeliver(args: RedeliverArgs, output: Output) -> Result<(), Failure> {
    let mut spec = Map::from_iter([("kind".to_owned(), json!("redeliver"))]);
    let given = [
        ("endpoint", args.webhook.map(Value::from)),
        ("from", args.since.map(|at| json!(at))),
        ("to", args.until.map(|at| json!(at))),
        ("state", args.state.map(Value::from)),
        ("type", args.of_type.map(Value::from)),
        ("dryRun", args.dry_run.then_some(Value::Bool(true))),
    ];
    spec.extend(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    begin(args.client, Value::Object(spec), output).await
}

pub async fn missed(args: MissedArgs, output: Output) -> Result<(), Failure> {
    let mut spec = json!({ "kind": "missed", "endpoint": args.id, "dryRun": args.dry_run });
    if let Some(rate) = args.per_minute {
        spec["perMinute"] = rate.into();
    }
    begin(args.client, spec, output).await
}

async fn begin(client: ClientArgs, spec: Value, output: Output) -> Result<(), Failure> {
    let job = Api::new(client)?.post("/jobs", &spec).await?;
    output.answer(&job, || {
        let total = text(&job, "total");
        match job["id"].as_str() {
            Some(id) => format!("{id} sends {total} deliveries, beside the requests: tidegate job show --follow {id}"),
            None => format!("{total} deliveries would be sent"),
        }
    })
}
