//! Judging: what an inbound request means for the source's module, without touching anything. The door, and later
//! preview, replay and backtests, all call [`judge`].

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value as Node;

use crate::clock::Timestamp;
use crate::id::EventId;
use crate::map::form;
use crate::map::input::{Seen, Sight};
use crate::map::json::{self, BadBody};
use crate::map::mapping::{EventIdFrom, Mapping, fits};
use crate::map::rule::Puts;
use crate::record::field::Kind;
use crate::record::merge::{Incoming, MissingRequired, Put};
use crate::record::shape::Shape;
use crate::record::value::{BadValue, Value, coerce};
use crate::secret;
use crate::source::Source;

/// The longest event type, in bytes.
const LONGEST_EVENT_TYPE: usize = 200;

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Form,
}

impl Format {
    /// By content type; a body without one is taken for JSON. `None` for what no rule can read.
    pub fn of(content_type: Option<&str>) -> Option<Self> {
        let Some(content_type) = content_type else { return Some(Self::Json) };
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Some(Self::Json),
            "application/x-www-form-urlencoded" => Some(Self::Form),
            other if other.starts_with("application/") && other.ends_with("+json") => Some(Self::Json),
            _ => None,
        }
    }
}

/// An inbound request, as far as judging needs it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub format: Format,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
    pub event: EventId,
}

/// What a request comes to, before anything stored is looked at.
#[derive(Debug)]
pub struct Judged {
    pub event_type: Option<String>,
    pub verdict: Verdict,
}

#[derive(Debug)]
pub enum Verdict {
    /// Nothing is to be done; the cause names what decided.
    Ignored(&'static str),
    Accepted(Accepted),
    /// The body is not what its content type says.
    Unreadable(BadBody),
    /// The rules cannot be applied. An event that was applied before is a duplicate all the same.
    Unfit {
        errors: Vec<RuleError>,
        event_key: Option<[u8; 32]>,
    },
}

#[derive(Debug)]
pub struct Accepted {
    /// SHA-256 of the event id, when the event has one.
    pub event_key: Option<[u8; 32]>,
    /// The match value, in the order of the mapping's `match`.
    pub key: Vec<Value>,
    pub incoming: Incoming,
}

/// One reason why an event cannot be applied; the answer lists them all. Never holds the payload's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleError {
    /// Place of the rule in its mapping, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
    pub code: &'static str,
    pub detail: String,
}

/// Order of judgement (DESIGN 4): event type, then the event id, then the rules and the match. Duplicates and stale
/// events are found where the records are.
pub fn judge(source: &Source, request: Request<'_>) -> Judged {
    let document = match request.format {
        Format::Json => json::parse(request.body),
        Format::Form => form::parse(request.body),
    };
    let document = match document {
        Ok(document) => document,
        Err(bad) => return Judged { event_type: None, verdict: Verdict::Unreadable(bad) },
    };
    let sight = Sight { document: &document, headers: request.headers };
    let event_type = source.mapping.event_type.as_ref().and_then(|input| input.text(sight));
    if let Some(error) = event_type.as_deref().and_then(bad_event_type) {
        return Judged { event_type: None, verdict: Verdict::Unfit { errors: vec![error], event_key: None } };
    }
    let listed =
        |only: &Vec<String>| event_type.as_deref().is_some_and(|found| only.iter().any(|pattern| fits(pattern, found)));
    if !source.mapping.only.as_ref().is_none_or(listed) {
        return Judged { event_type, verdict: Verdict::Ignored("only") };
    }
    let event_key = event_key(&source.mapping, sight, request.body);
    let verdict = match apply(source, sight, request) {
        Ok((key, incoming)) => Verdict::Accepted(Accepted { event_key, key, incoming }),
        Err(errors) => Verdict::Unfit { errors, event_key },
    };
    Judged { event_type, verdict }
}

fn bad_event_type(text: &str) -> Option<RuleError> {
    let detail = if text.contains('\0') {
        "the event type holds the character U+0000".to_owned()
    } else if text.len() > LONGEST_EVENT_TYPE {
        format!("the event type is longer than {LONGEST_EVENT_TYPE} bytes")
    } else {
        return None;
    };
    Some(RuleError { rule: None, from: None, to: "event_type".to_owned(), code: "event_type", detail })
}

/// Every rule, and every error.
fn apply(source: &Source, sight: Sight<'_>, request: Request<'_>) -> Result<(Vec<Value>, Incoming), Vec<RuleError>> {
    let mapping = &source.mapping;
    let mut errors = Vec::new();
    let mut fields = Vec::with_capacity(mapping.rules.len());
    let mut custom = Vec::new();
    for (place, rule) in mapping.rules.iter().enumerate() {
        match rule.apply(place, sight) {
            Ok(Puts::Field(put)) => fields.push(put),
            Ok(Puts::Custom(put)) => custom.push(put),
            Err(bad) => errors.push(rule_error(mapping, place, bad)),
        }
    }
    let occurred_at = occurred_at(mapping, sight).map_err(|error| errors.push(error)).unwrap_or_default();
    let mut key = Vec::with_capacity(mapping.matching.len());
    for wanted in &mapping.matching {
        let put = fields.iter().find(|put| put.field == *wanted);
        match put.map(|put| &put.put) {
            Some(Put::Value(value)) => key.push(value.clone()),
            // The rule that should have filled it has said why.
            None => {}
            Some(Put::Null | Put::Keep) => {
                errors.push(no_match_value(&source.shape, mapping, *wanted, put.map(|put| put.rule)))
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let incoming = Incoming { source: source.id, event: request.event, occurred_at, fields, custom };
    Ok((key, incoming))
}

fn rule_error(mapping: &Mapping, place: usize, bad: BadValue) -> RuleError {
    let raw = &mapping.raw.rules[place];
    RuleError {
        rule: Some(place + 1),
        from: Some(raw.from.clone()),
        to: raw.to.clone(),
        code: bad.code,
        detail: bad.detail,
    }
}

fn no_match_value(shape: &Shape, mapping: &Mapping, field: usize, rule: Option<usize>) -> RuleError {
    RuleError {
        rule: rule.map(|rule| rule + 1),
        from: rule.map(|rule| mapping.raw.rules[rule].from.clone()),
        to: shape.fields[field].name.to_string(),
        code: "match_value",
        detail: "records are found by this field, and the event gives it no value".to_owned(),
    }
}

/// What the merge found missing, told like the errors of rules.
pub fn missing_required(source: &Source, missing: &MissingRequired) -> RuleError {
    let detail = "the field is required, and would be left without a value".to_owned();
    let to = source.shape.fields[missing.field].name.to_string();
    let from = missing.rule.map(|rule| source.mapping.raw.rules[rule].from.clone());
    RuleError { rule: missing.rule.map(|rule| rule + 1), from, to, code: "required", detail }
}

fn occurred_at(mapping: &Mapping, sight: Sight<'_>) -> Result<Option<Timestamp>, RuleError> {
    let Some(input) = &mapping.occurred_at else { return Ok(None) };
    let timestamp = |node: &Node| match coerce(&Kind::Timestamp, node)? {
        Value::Timestamp(at) => Ok(Some(at)),
        _ => Ok(None),
    };
    let read = input.look(sight).and_then(|seen| match seen {
        Seen::One(node) if !node.is_null() => timestamp(&node),
        _ => Ok(None),
    });
    read.map_err(|bad| RuleError {
        rule: None,
        from: mapping.raw.occurred_at.clone(),
        to: "occurred_at".to_owned(),
        code: bad.code,
        detail: bad.detail,
    })
}

fn event_key(mapping: &Mapping, sight: Sight<'_>, body: &[u8]) -> Option<[u8; 32]> {
    match mapping.event_id.as_ref()? {
        EventIdFrom::Body => Some(secret::digest_bytes(body)),
        // An empty text is no id: it would make one event of all that carry it.
        EventIdFrom::Input(input) => {
            input.text(sight).filter(|text| !text.trim().is_empty()).map(|text| secret::digest(&text))
        }
    }
}
