//! Judging: what an inbound request means for the source's module, without touching anything. The door and whoever
//! tries a mapping call [`judge`]; a preview looks on while it happens.

mod records;

use http::HeaderMap;
use serde::Serialize;
use serde_json::Value as Node;

use crate::clock::Timestamp;
use crate::condition::Work;
use crate::condition::path::Found;
use crate::id::EventId;
use crate::map::form;
use crate::map::input::{Sight, too_many};
use crate::map::json::BadBody;
use crate::map::mapping::{EventIdFrom, Mapping, fits};
use crate::map::onlooker::{Nobody, Onlooker};
use crate::record::merge::Incoming;
use crate::record::value::{BadValue, Value};
use crate::secret;
use crate::source::Source;
use records::Records;

pub use crate::map::body::Format;
pub use records::{MOST_ERRORS, missing_required};

/// The longest event type, in bytes.
const LONGEST_EVENT_TYPE: usize = 200;

/// An inbound request, as far as judging needs it.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub format: Format,
    pub headers: &'a HeaderMap,
    /// What stands behind the `?` of its URL.
    pub query: Option<&'a str>,
    pub body: &'a [u8],
    pub received_at: Timestamp,
    pub event: EventId,
    /// What identifies the event where its mapping names no id: the hash of what was signed, a time included.
    pub once: Option<[u8; 32]>,
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
    /// One without `each`; with it one a node, perhaps none.
    pub records: Vec<JudgedRecord>,
    /// The bytes that the records take in memory, roughly.
    pub weight: usize,
}

#[derive(Debug)]
pub struct JudgedRecord {
    /// The match value, in the order of the mapping's `match`.
    pub key: Vec<Value>,
    pub incoming: Incoming,
}

/// One reason why an event cannot be applied; the answer lists them all. Never holds the payload's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleError {
    /// Place of the node that `each` selected, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Place of the rule in its mapping, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    pub to: String,
    pub code: &'static str,
    pub detail: String,
}

/// Order of judgement (DESIGN 4): event type, `when`, then the event id, then the nodes of `each`, the match and
/// `delete_when`. Duplicates and stale events are found where the records are.
pub fn judge(source: &Source, request: Request<'_>) -> Judged {
    judge_before(source, request, &mut Nobody)
}

/// The same before someone who looks on.
pub fn judge_before(source: &Source, request: Request<'_>, onlooker: &mut impl Onlooker) -> Judged {
    let document = request.format.read(request.body);
    let query = query(source, request);
    let (document, query) = match (document, query) {
        (Ok(document), Ok(query)) => (document, query),
        (Err(bad), _) | (_, Err(bad)) => return Judged { event_type: None, verdict: Verdict::Unreadable(bad) },
    };
    onlooker.document(&document);
    let (headers, received_at) = (request.headers, request.received_at);
    let work = Work::of_event(request.body.len());
    let sight = Sight { document: &document, node: &document, headers, query: &query, received_at, work: &work };
    let event_type = source.mapping.event_type.as_ref().and_then(|input| input.text(sight));
    if let Some(error) = event_type.as_deref().and_then(bad_event_type) {
        return Judged { event_type: None, verdict: Verdict::Unfit { errors: vec![error], event_key: None } };
    }
    let verdict = match not_meant(&source.mapping, event_type.as_deref(), sight) {
        Some(cause) => Verdict::Ignored(cause),
        None => verdict(source, sight, request, onlooker),
    };
    let verdict = if work.is_spent() { too_costly(verdict) } else { verdict };
    Judged { event_type, verdict }
}

/// Whatever was found before the work was spent means nothing.
fn too_costly(verdict: Verdict) -> Verdict {
    let event_key = match verdict {
        Verdict::Accepted(Accepted { event_key, .. }) | Verdict::Unfit { event_key, .. } => event_key,
        Verdict::Ignored(_) | Verdict::Unreadable(_) => None,
    };
    let detail = "the mapping would look at too many places of this event; paths and conditions that look at less, such \
                  as `$.items[0]` for `$..item`, cost less";
    let (to, code, detail) = ("mapping".to_owned(), "too_costly", detail.to_owned());
    Verdict::Unfit { errors: vec![RuleError { index: None, rule: None, from: None, to, code, detail }], event_key }
}

/// Parsed only for a mapping that looks at it.
fn query(source: &Source, request: Request<'_>) -> Result<serde_json::Map<String, Node>, BadBody> {
    match request.query.filter(|query| !source.mapping.parameters.is_empty() && !query.is_empty()) {
        Some(query) => form::parameters(query.as_bytes()),
        None => Ok(serde_json::Map::new()),
    }
}

/// What says that the event is not meant for this source.
fn not_meant(mapping: &Mapping, event_type: Option<&str>, sight: Sight<'_>) -> Option<&'static str> {
    let listed = |only: &Vec<String>| event_type.is_some_and(|found| only.iter().any(|pattern| fits(pattern, found)));
    if !mapping.only.as_ref().is_none_or(listed) {
        return Some("only");
    }
    let holds = mapping.when.as_ref().is_none_or(|when| when.holds_within(sight.document, sight.document, sight.work));
    if holds { None } else { Some("when") }
}

fn verdict(source: &Source, sight: Sight<'_>, request: Request<'_>, onlooker: &mut impl Onlooker) -> Verdict {
    let event_key = event_key(&source.mapping, sight, request, onlooker);
    let judged = nodes(&source.mapping, sight.document, sight.work)
        .map_err(|error| vec![error])
        .and_then(|nodes| Records::judge(source, sight, request, &nodes, onlooker));
    match judged {
        Ok(Records { done: records, weight, .. }) => Verdict::Accepted(Accepted { event_key, records, weight }),
        Err(errors) => Verdict::Unfit { errors, event_key },
    }
}

/// What records are made of.
fn nodes<'a>(mapping: &Mapping, document: &'a Node, work: &Work) -> Result<Vec<&'a Node>, RuleError> {
    let Some(each) = &mapping.each else { return Ok(vec![document]) };
    match each.find_within(document, work) {
        Ok(Found::Missing) => Ok(Vec::new()),
        Ok(Found::One(node)) => Ok(vec![node]),
        Ok(Found::Many(nodes)) => Ok(nodes),
        Err(error) => {
            let BadValue { code, detail } = too_many(error);
            Err(RuleError {
                index: None,
                rule: None,
                from: mapping.raw.each.clone(),
                to: "each".to_owned(),
                code,
                detail,
            })
        }
    }
}

fn bad_event_type(text: &str) -> Option<RuleError> {
    let detail = if text.contains('\0') {
        "the event type holds the character U+0000".to_owned()
    } else if text.len() > LONGEST_EVENT_TYPE {
        format!("the event type is longer than {LONGEST_EVENT_TYPE} bytes")
    } else {
        return None;
    };
    Some(RuleError { index: None, rule: None, from: None, to: "event_type".to_owned(), code: "event_type", detail })
}

fn event_key(
    mapping: &Mapping,
    sight: Sight<'_>,
    request: Request<'_>,
    onlooker: &mut impl Onlooker,
) -> Option<[u8; 32]> {
    let Some(from) = &mapping.event_id else { return request.once };
    match from {
        EventIdFrom::Body => Some(secret::digest_bytes(request.body)),
        // An empty text is no id: it would make one event of all that carry it.
        EventIdFrom::Input(input) => {
            let text = input.text(sight).filter(|text| !text.trim().is_empty())?;
            onlooker.event_id(&text);
            Some(secret::digest(&text))
        }
    }
}
