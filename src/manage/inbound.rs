//! What is common to an event that arrives and one that is replayed: how its headers are read, what the writer is asked
//! for once it is judged, and what a refusal says.

use std::sync::Arc;

use http::{HeaderMap, header};

use crate::clock::Timestamp;
use crate::deliver::sign::HOPS;
use crate::gateway::{Door, Gateway};
use crate::intake::{self, Format, Judged, MOST_ERRORS, RuleError, Verdict};
use crate::map::body::is_multipart;
use crate::problem::{Code, Problem};
use crate::secret::hex;
use crate::store::RETRY_AFTER;
use crate::store::writer::{Dedupe, REMEMBERED, Work, WriteError};

/// How often an event is judged anew because its module was altered in between.
pub const JUDGEMENTS: usize = 3;
/// An event that has come round more often than this goes round in a circle.
const MOST_HOPS: u32 = 8;
/// What to send instead.
const MULTIPART: &str = "a multipart body is not read; send its fields as `application/x-www-form-urlencoded`, or as one \
                         JSON document, and what is a file by its URL";

/// How the body is to be read; no content encoding but identity is taken.
pub fn format(headers: &HeaderMap) -> Result<Format, Problem> {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encodings.into_iter().all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Code::UnsupportedEncoding.into());
    }
    let content_type = match headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) => Some(text),
        Some(Err(_)) => return Err(Code::UnsupportedMediaType.into()),
    };
    Format::of(content_type).ok_or_else(|| match content_type {
        Some(text) if is_multipart(text) => Problem::new(Code::UnsupportedMediaType, MULTIPART),
        _ => Code::UnsupportedMediaType.into(),
    })
}

pub fn hops(headers: &HeaderMap) -> Result<u32, Problem> {
    let Some(value) = headers.get(HOPS) else { return Ok(0) };
    let bad = || Problem::new(Code::InvalidRequest, format!("the header {HOPS} is a number"));
    let text = value.to_str().map_err(|_| bad())?.trim();
    if text.is_empty() || !text.bytes().all(|char| char.is_ascii_digit()) {
        return Err(bad());
    }
    // What does not fit the number is too many, too.
    match text.parse() {
        Ok(hops) if hops <= MOST_HOPS => Ok(hops),
        _ => Err(Code::TooManyHops.into()),
    }
}

/// What the writer is asked for, and what is wrong with the event should it turn out not to be a repetition.
pub async fn work(
    gateway: &Gateway,
    door: &Door,
    judged: Judged,
    received_at: Timestamp,
    hops: u32,
) -> Result<(Work, Vec<RuleError>), Problem> {
    let dedupe = |key: [u8; 32]| Dedupe { key: hex(&key), expires_at: received_at.after(REMEMBERED), lifted: false };
    match judged.verdict {
        Verdict::Ignored(cause) => Ok((Work::Ignored { cause }, Vec::new())),
        Verdict::Accepted(accepted) => {
            let dedupe = accepted.event_key.map(dedupe);
            let (table, records, weight) = (Arc::clone(&door.table), accepted.records, accepted.weight);
            Ok((Work::Records { table, key: door.key, dedupe, records, weight, hops }, Vec::new()))
        }
        Verdict::Unreadable(bad) => {
            let code = Code::find(bad.code).unwrap_or(Code::InvalidJson);
            Err(Problem::new(code, bad.to_string()))
        }
        Verdict::Unfit { errors, event_key } => match event_key.map(dedupe) {
            // Dedupe decides before the rules do: what was applied under older rules stays applied.
            Some(dedupe) if gateway.store.is_applied(door.source.id, &dedupe.key, received_at).await? => {
                Ok((Work::Repeat { dedupe }, errors))
            }
            _ => Err(judgement_failed(&errors)),
        },
    }
}

pub fn judgement_failed(errors: &[RuleError]) -> Problem {
    let detail = match errors {
        [one] => format!("{}: {}", one.to, one.detail),
        many if many.len() >= MOST_ERRORS => format!("the first {MOST_ERRORS} errors; nothing was written"),
        many => format!("{} errors; nothing was written", many.len()),
    };
    let errors = errors.iter().filter_map(|error| serde_json::to_value(error).ok()).collect();
    Problem::new(Code::JudgementFailed, detail).with_errors(errors)
}

/// The database says that some value is taken, and not which.
fn match_taken(door: &Door) -> Problem {
    let shape = &door.source.shape;
    let keys = door.table.keys.iter().map(|key| {
        let names = shape.names(&key.fields).map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
        let detail = "another record may hold this value; it identifies one record only";
        serde_json::json!({ "to": names, "code": "match_taken", "detail": detail })
    });
    Problem::from(Code::MatchTaken).with_errors(keys.collect())
}

fn too_large() -> RuleError {
    let detail = "the event changes a large record so often that its changes are together larger than 64 MiB";
    let (to, code, detail) = ("record".to_owned(), "too_large", detail.to_owned());
    RuleError { index: None, rule: None, from: None, to, code, detail }
}

pub fn refused(door: &Door, error: WriteError) -> Problem {
    match error {
        WriteError::QueueFull => queue_full(),
        WriteError::Unavailable | WriteError::ShapeMoved => {
            Problem::from(Code::DatabaseUnavailable).with_retry_after(RETRY_AFTER)
        }
        WriteError::MatchTaken => match_taken(door),
        WriteError::TooLarge => judgement_failed(&[too_large()]),
        WriteError::Required(missing) => {
            let told = missing.iter().map(|(place, missing)| intake::missing_required(&door.source, *place, missing));
            judgement_failed(&told.collect::<Vec<_>>())
        }
        WriteError::Rejected | WriteError::NotRepeated => Code::InternalError.into(),
    }
}

pub fn queue_full() -> Problem {
    Problem::from(Code::QueueFull).with_retry_after(RETRY_AFTER)
}
