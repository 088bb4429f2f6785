//! An event is judged once more, by the mapping in force now: its kept body, headers and parameters. It is a new event,
//! which names the first one. No signature is checked and no limit counts; the event id does not make it a duplicate, and
//! an older event than what its source has told of a record is stale all the same.
//!
//! The event id is claimed where it is free: what the sender sends again afterwards is a duplicate, of the replay where
//! the first event was refused, and otherwise of the first event. A source that tells events apart by what was signed
//! alone has no id that could be claimed.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::gateway::{Door, Gateway, Snapshot};
use crate::id::{EventId, RecordId, RequestId, SourceId};
use crate::intake::{self, Judged, Verdict};
use crate::manage::caller::Caller;
use crate::manage::get_payload::get_payload;
use crate::manage::inbound::{JUDGEMENTS, format, hops, judgement_failed, refused, work};
use crate::map::form;
use crate::problem::{Code, Problem};
use crate::record::merge::Outcome;
use crate::source::redact::{REDACTED, Redacted};
use crate::store::RETRY_AFTER;
use crate::store::events::{Payload, StoredEvent};
use crate::store::keys::Role;
use crate::store::refusals::Refusal;
use crate::store::writer::{Entry, Receipt, Work, WriteError};

/// As a webhook is answered, and which event it was.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    record_id: Option<RecordId>,
    /// Of the new event.
    event_id: EventId,
    outcome: Outcome,
    /// Of a source that makes several records of one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    records: Option<Vec<ReplayedRecord>>,
    /// The first event, also where a replay was replayed.
    replay_of: EventId,
}

#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayedRecord {
    record_id: Option<RecordId>,
    outcome: Outcome,
}

/// What is stored of it.
struct Kept {
    headers: Box<RawValue>,
    query: Option<String>,
    body: Bytes,
    payload: Payload,
}

/// What is judged.
struct Replay {
    event: EventId,
    now: Timestamp,
    stored: StoredEvent,
    source: SourceId,
    first: EventId,
    body: Bytes,
    headers: HeaderMap,
}

pub async fn replay_event(gateway: &Gateway, caller: &Caller, id: &str) -> Result<Replayed, Problem> {
    caller.needs(Role::Editor)?;
    let replay = Replay::of(gateway, caller, id).await?;
    replay.door(&gateway.snapshot())?;
    let target = replay.first.to_string();
    let told = serde_json::json!({ "eventId": replay.event });
    let audit = caller.changed("event.replay", target, &serde_json::Value::Null, &told);
    gateway.store.note_replay(&audit, gateway.clock.now()).await?;
    let mut event_type = None;
    match replay.commit(gateway, &mut event_type).await {
        Ok((receipt, several)) => Ok(replay.answer(receipt, several)),
        Err(problem) if problem.status().is_client_error() => {
            replay.keep(gateway, &problem, event_type).await?;
            Err(replay.told(&problem))
        }
        Err(problem) => Err(problem),
    }
}

impl Replay {
    async fn of(gateway: &Gateway, caller: &Caller, id: &str) -> Result<Self, Problem> {
        let none = || Problem::new(Code::NotFound, "there is no such event");
        let id: EventId = id.parse().map_err(|_| none())?;
        let stored = gateway.store.event(id).await?.ok_or_else(none)?;
        // One that was never kept answers as if there were none; one that went says so.
        let body = match get_payload(gateway, caller, &id.to_string()).await {
            Err(problem) if problem.code() == Code::NotFound => Vec::new(),
            body => body?,
        };
        is_whole(&stored, &body)?;
        let corrupt = |_| Problem::from(Code::InternalError);
        let first = stored.replay_of.as_deref().map(str::parse).transpose().map_err(corrupt)?.unwrap_or(id);
        let source = stored.source_id.parse().map_err(corrupt)?;
        let now = gateway.clock.now();
        let headers = headers(&stored.headers);
        Ok(Self { event: EventId::new(now), now, stored, source, first, body: body.into(), headers })
    }

    /// Judges and writes; when the module was altered in between, judges anew by its new shape. Says whether the source
    /// makes several records of one event.
    async fn commit(&self, gateway: &Gateway, event_type: &mut Option<String>) -> Result<(Receipt, bool), Problem> {
        for _ in 0..JUDGEMENTS {
            let snapshot = gateway.snapshot();
            let door = self.door(&snapshot)?;
            let judged = self.judge(door)?;
            event_type.clone_from(&judged.event_type);
            let work = self.work(gateway, door, judged).await?;
            match gateway
                .writer
                .write(self.entry(door, event_type.clone(), door.source.settings.keep.payload.of_accepted())?, work)
                .await
            {
                Ok(receipt) => return Ok((receipt, door.source.mapping.each.is_some())),
                Err(WriteError::ShapeMoved) => gateway.reload_past(snapshot.version).await?,
                Err(error) => return Err(refused(door, error)),
            }
        }
        Err(Problem::from(Code::DatabaseUnavailable).with_retry_after(RETRY_AFTER))
    }

    fn door<'a>(&self, snapshot: &'a Snapshot) -> Result<&'a Door, Problem> {
        let gone = || Problem::new(Code::Conflict, "the event's source is gone, and with it the mapping");
        snapshot.door_of(self.source).map(|door| &**door).ok_or_else(gone)
    }

    /// As it was when it came: rules that look at the time of receipt find the first one.
    fn judge(&self, door: &Door) -> Result<Judged, Problem> {
        let (format, headers, body) = (format(&self.headers)?, &self.headers, &*self.body);
        let query = self.stored.query.as_deref();
        let received_at = Timestamp::from_micros(self.stored.received_at).unwrap_or(self.now);
        let request = intake::Request { format, headers, query, body, received_at, event: self.event, once: None };
        Ok(tokio::task::block_in_place(|| intake::judge(&door.source, request)))
    }

    async fn work(&self, gateway: &Gateway, door: &Door, judged: Judged) -> Result<Work, Problem> {
        if let Verdict::Unfit { errors, .. } = &judged.verdict {
            return Err(judgement_failed(errors));
        }
        let (mut work, _) = work(gateway, door, judged, self.now, hops(&self.headers)?).await?;
        if let Work::Records { dedupe: Some(dedupe), .. } = &mut work {
            dedupe.lifted = true;
        }
        Ok(work)
    }

    /// Of the first event's payload what its source leaves of payloads now.
    fn kept(&self, door: &Door, is_kept: bool) -> Result<Kept, Problem> {
        let redact = &door.source.settings.redact;
        let mut headers: Map<String, Value> = serde_json::from_str(&self.stored.headers).unwrap_or_default();
        let hidden = headers.iter_mut().filter(|(name, _)| redact.is_header(name));
        let is_redacted = hidden.map(|(_, value)| *value = REDACTED.into()).count() > 0;
        let headers = serde_json::value::to_raw_value(&headers).map_err(|_| Problem::from(Code::InternalError))?;
        let query = self.stored.query.as_deref();
        let hidden = query.and_then(|query| form::without(query, redact.parameters(), REDACTED));
        let whole = if is_redacted || hidden.is_some() { Payload::Redacted } else { Payload::Whole };
        let query = hidden.or_else(|| query.map(str::to_owned));
        let (body, payload) = match redact.body(format(&self.headers).ok(), &self.body) {
            _ if !is_kept => (Bytes::new(), Payload::None),
            Redacted::Whole => (self.body.clone(), whole),
            Redacted::Body(body) => (body.into(), Payload::Redacted),
            Redacted::Nothing => (Bytes::new(), Payload::None),
        };
        Ok(Kept { headers, query, body, payload })
    }

    fn entry(&self, door: &Door, event_type: Option<String>, is_kept: bool) -> Result<Entry, Problem> {
        let Kept { headers, query, body, payload } = self.kept(door, is_kept)?;
        Ok(Entry {
            id: self.event,
            received_at: self.now,
            request: RequestId::new(self.now),
            module: door.source.shape.module,
            source: door.source.id,
            event_type,
            mapping_version: door.source.mapping_version,
            address: self.stored.address.clone(),
            replay_of: Some(self.first),
            query,
            headers,
            body,
            payload,
            body_size: self.body.len(),
        })
    }

    /// A refused replay is an event, too.
    async fn keep(&self, gateway: &Gateway, problem: &Problem, event_type: Option<String>) -> Result<(), Problem> {
        let snapshot = gateway.snapshot();
        let Ok(door) = self.door(&snapshot) else { return Ok(()) };
        let entry = self.entry(door, event_type, door.source.settings.keep.payload.of_refused())?;
        let refusal = Refusal { entry, cause: problem.code().as_str(), errors: problem.errors().to_vec() };
        Ok(gateway.store.keep_refusal(&refusal, &gateway.clock).await?)
    }

    /// What is wrong is wrong with the event, and not with the request that asked for the replay.
    fn told(&self, problem: &Problem) -> Problem {
        if problem.code() == Code::Conflict {
            return problem.clone();
        }
        let detail = format!("{}; it is kept as {}", problem.detail(), self.event);
        let errors = match problem.errors() {
            [] => {
                vec![serde_json::json!({ "to": "body", "code": problem.code().as_str(), "detail": problem.detail() })]
            }
            errors => errors.to_vec(),
        };
        let code = if problem.code() == Code::MatchTaken { Code::MatchTaken } else { Code::JudgementFailed };
        Problem::new(code, detail).with_errors(errors)
    }

    fn answer(&self, receipt: Receipt, several: bool) -> Replayed {
        let (record_id, outcome) = (receipt.record_ids().first().copied(), receipt.outcome);
        let records = receipt.records.into_iter();
        let records = records.map(|(record_id, outcome)| ReplayedRecord { record_id, outcome });
        let records = several.then(|| records.collect());
        Replayed { record_id, event_id: self.event, outcome, records, replay_of: self.first }
    }
}

/// What the door did not let in for who sent it does not come in by another.
const DOOR: [Code; 6] = [
    Code::SignatureMissing,
    Code::SignatureMalformed,
    Code::SignatureMismatch,
    Code::SignatureUnconfigured,
    Code::TimestampOutsideTolerance,
    Code::HandshakeRefused,
];

/// What was kept in part would mean something else.
fn is_whole(event: &StoredEvent, body: &[u8]) -> Result<(), Problem> {
    if DOOR.iter().any(|code| event.cause.as_deref() == Some(code.as_str())) {
        let detail = "this event was refused since its signature did not vouch for it; have its sender send it again";
        return Err(Problem::new(Code::Conflict, detail));
    }
    if body.is_empty() {
        let detail = "no payload is kept of this event: it was refused before it was read, or its source keeps none";
        return Err(Problem::new(Code::Conflict, detail));
    }
    if event.payload != Payload::Whole.as_str() || i64::try_from(body.len()).ok() != Some(event.body_size) {
        let detail = "not all of this event's payload is kept; have its sender send it again";
        return Err(Problem::new(Code::Conflict, detail));
    }
    Ok(())
}

/// Those that the event log keeps.
fn headers(kept: &str) -> HeaderMap {
    let kept: std::collections::BTreeMap<String, String> = serde_json::from_str(kept).unwrap_or_default();
    let header = |(name, value): (String, String)| {
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    kept.into_iter().filter_map(header).collect()
}
