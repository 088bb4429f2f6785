//! `tidegate mapping test`: payloads judged by the same code as a gateway's, and merged onto nothing.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::json;

use super::super::output::{Failure, Output, REFUSED};
use super::super::send;
use super::read_text;
use super::trial::{Payload, Tried, Verdict, attempt};
use crate::clock::{Clock, Timestamp};
use crate::config::Bounds;
use crate::id::SourceId;
use crate::intake::Format;
use crate::map::body::{CONTENT_TYPES, shown};
use crate::source::document::{Checked, Document};
use crate::source::{Secrets, Source};

#[derive(Args, Clone, Debug)]
pub struct TestArgs {
    /// The module file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Payloads, as a sender would post them; `-` is stdin
    #[arg(required = true, value_name = "PAYLOAD")]
    pub payloads: Vec<PathBuf>,

    /// The source of the file that they come to; needed when the file has several
    #[arg(long, value_name = "SLUG")]
    pub source: Option<String>,

    /// A header of the request, 'Name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = send::header)]
    pub headers: Vec<(String, String)>,

    /// The parameters of the URL, 'a=b&c=d'
    #[arg(long, value_name = "QUERY")]
    pub query: Option<String>,

    /// What the payloads are [default: by the ends of their names: .xml, .ndjson, .jsonl, and else application/json]
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,

    /// When the payloads are taken to come in, as 2026-01-02T03:04:05Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub received_at: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    results: Vec<Tried>,
}

pub fn run(args: &TestArgs, output: Output) -> Result<u8, Failure> {
    let source = source(args)?;
    let headers = headers(args)?;
    let now = received_at(args.received_at.as_deref())?;
    let query = args.query.as_deref().map(|query| query.trim_start_matches('?'));
    let mut results = Vec::with_capacity(args.payloads.len());
    for path in &args.payloads {
        let (name, body) = (path.display().to_string(), send::read(path)?);
        let (headers, format) = with_content_type(headers.clone(), args.content_type.as_deref(), path)?;
        let payload = Payload { name: &name, body: &body, format, headers: &headers, query };
        results.push(attempt(&source, &payload, now));
    }
    let refused = results.iter().any(|result| result.verdict == Verdict::Refused);
    let answer = Answer { results };
    output.answer(&answer, || text(&answer.results))?;
    Ok(if refused { REFUSED } else { 0 })
}

/// The source that is tried, out of a file without problems.
fn source(args: &TestArgs) -> Result<Source, Failure> {
    let (name, text) = read_text(&args.file)?;
    let checked = Document::read(&name, &text).check(&Bounds::default()).map_err(|errors| {
        let detail = "it is checked before payloads are tried";
        Failure::Refused(json!({ "title": format!("{name} has problems"), "detail": detail, "errors": errors }))
    })?;
    let place = chosen(&checked, args.source.as_deref(), &args.file)?;
    let Checked { shape, mut sources, .. } = checked;
    let chosen = sources.swap_remove(place);
    Ok(Source {
        id: SourceId::floor(now()),
        slug: chosen.slug,
        shape: Arc::new(shape),
        settings: chosen.settings,
        secrets: Secrets::default(),
        mapping: chosen.mapping,
        mapping_version: 1,
    })
}

fn chosen(checked: &Checked, wanted: Option<&str>, file: &Path) -> Result<usize, Failure> {
    let file = file.display();
    let slugs = || checked.sources.iter().map(|source| source.slug.as_str()).collect::<Vec<_>>().join(", ");
    let found = |slug| checked.sources.iter().position(|source| source.slug.as_str() == slug);
    match (wanted, checked.sources.len()) {
        (_, 0) => Err(Failure::Usage(format!("{file} has no source; write one below a line [[source]]"))),
        (None, 1) => Ok(0),
        (None, _) => Err(Failure::Usage(format!("{file} has several sources; choose one by --source: {}", slugs()))),
        (Some(slug), _) => {
            found(slug).ok_or_else(|| Failure::Usage(format!("{file} has no source `{slug}`; it has {}", slugs())))
        }
    }
}

fn now() -> Timestamp {
    Clock::system().now()
}

fn received_at(text: Option<&str>) -> Result<Timestamp, Failure> {
    let Some(text) = text else { return Ok(now()) };
    text.parse()
        .map_err(|_| Failure::Usage(format!("--received-at: `{text}` is no time, such as 2026-01-02T03:04:05Z")))
}

fn headers(args: &TestArgs) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in &args.headers {
        let bad = |_| Failure::Usage(format!("--header: `{name}: {value}` is no header"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ()).map_err(bad)?;
        headers.append(header, HeaderValue::from_str(value).map_err(|_| ()).map_err(bad)?);
    }
    Ok(headers)
}

/// The headers of the request that brings one payload, and how that is read. What `--header` says of it counts first,
/// then `--content-type`, then the file's name.
fn with_content_type(
    mut headers: HeaderMap,
    given: Option<&str>,
    payload: &Path,
) -> Result<(HeaderMap, Format), Failure> {
    if !headers.contains_key(CONTENT_TYPE) {
        let content_type = given.unwrap_or_else(|| usual_content_type(payload));
        let bad = |_| Failure::Usage(format!("--content-type: `{content_type}` is none"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).map_err(bad)?);
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = Format::of(Some(content_type)).ok_or_else(|| {
        let taken = CONTENT_TYPES.map(|(_, names)| shown(names)).join(", ");
        Failure::Usage(format!("a gateway takes {taken}, not {content_type}"))
    })?;
    Ok((headers, format))
}

pub(super) fn usual_content_type(payload: &Path) -> &'static str {
    let end = payload.extension().and_then(|end| end.to_str()).unwrap_or_default().to_ascii_lowercase();
    match end.as_str() {
        "xml" => "application/xml",
        "ndjson" | "jsonl" => "application/x-ndjson",
        "form" => "application/x-www-form-urlencoded",
        _ => "application/json",
    }
}

fn text(results: &[Tried]) -> String {
    let mut text = String::new();
    // Writing into a String cannot fail.
    for result in results {
        let _ = writeln!(text, "{result}");
    }
    let count = |verdict| results.iter().filter(|result| result.verdict == verdict).count();
    let verdicts = [Verdict::Accepted, Verdict::Ignored, Verdict::Refused];
    let counts = verdicts.map(|verdict| format!("{} {verdict}", count(verdict))).join(", ");
    let noun = if results.len() == 1 { "payload" } else { "payloads" };
    let _ = write!(text, "{} {noun}: {counts}", results.len());
    text
}
