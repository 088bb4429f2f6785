//! `tidegate mapping preview`: what payloads would become on a running gateway, rule by rule.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::super::client::Api;
use super::super::output::{Failure, Output, REFUSED};
use super::super::send;
use super::page;
use super::test::usual_content_type;
use super::versions::{OneArgs, document};

#[derive(Args, Clone, Debug)]
pub struct PreviewArgs {
    #[command(flatten)]
    pub one: OneArgs,

    /// Payloads, as a sender would post them; `-` is stdin
    #[arg(value_name = "PAYLOAD", required_unless_present = "event", conflicts_with = "event")]
    pub payloads: Vec<PathBuf>,

    /// An event of the log instead
    #[arg(long, value_name = "EVENT")]
    pub event: Option<String>,

    /// By this mapping, TOML or JSON as `put` takes it, and not by the one in force
    #[arg(long, value_name = "FILE")]
    pub draft: Option<PathBuf>,

    /// A header of the request, 'Name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = send::header, conflicts_with = "event")]
    pub headers: Vec<(String, String)>,

    /// The parameters of the URL, 'a=b&c=d'
    #[arg(long, value_name = "QUERY", conflicts_with = "event")]
    pub query: Option<String>,

    /// What the payloads are [default: by the ends of their names: .xml, .ndjson, .jsonl, and else application/json]
    #[arg(long, value_name = "TYPE", conflicts_with = "event")]
    pub content_type: Option<String>,
}

pub async fn run(args: PreviewArgs, output: Output) -> Result<u8, Failure> {
    let OneArgs { of, client } = args.one.clone();
    let draft = args.draft.as_deref().map(document).transpose()?;
    let mut asked = match &args.event {
        Some(event) => vec![(event.clone(), json!({ "eventId": event }))],
        None => args.payloads.iter().map(|path| request(&args, path)).collect::<Result<_, _>>()?,
    };
    let api = Api::new(client)?;
    let mut results = Vec::with_capacity(asked.len());
    for (name, body) in &mut asked {
        if let Some(draft) = &draft {
            body["mapping"] = draft.clone();
        }
        let mut result = api.post(&of.path("/preview"), body).await?;
        result["payload"] = json!(name);
        results.push(result);
    }
    let refused = results.iter().any(|result| result["verdict"] == "refused");
    let answer = json!({ "results": results });
    output.answer(&answer, || page::previews(&answer))?;
    Ok(if refused { REFUSED } else { 0 })
}

/// What of the options does not fit into the request is the gateway's to say.
fn request(args: &PreviewArgs, path: &Path) -> Result<(String, Value), Failure> {
    let name = path.display().to_string();
    let body = String::from_utf8(send::read(path)?);
    let body = body.map_err(|_| Failure::Usage(format!("{name}: the payload is not UTF-8, which no body is")))?;
    let mut headers: Map<String, Value> = Map::new();
    for (name, value) in &args.headers {
        headers.insert(name.to_ascii_lowercase(), json!(value));
    }
    let mut query: Map<String, Value> = Map::new();
    let text = args.query.as_deref().unwrap_or_default().trim_start_matches('?');
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let values = query.entry(name.into_owned()).or_insert_with(|| json!([]));
        values.as_array_mut().into_iter().for_each(|values| values.push(json!(value)));
    }
    let mut request = json!({ "body": body, "headers": headers, "query": query });
    if !headers.contains_key("content-type") {
        request["contentType"] = json!(args.content_type.as_deref().unwrap_or_else(|| usual_content_type(path)));
    }
    Ok((name, request))
}
