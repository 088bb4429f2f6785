//! What one payload would become, and how that is shown.

use std::fmt;

use http::HeaderMap;
use serde::{Serialize, Serializer};
use serde_json::Value as Node;

use crate::clock::Timestamp;
use crate::config::Bounds;
use crate::id::{EventId, RecordId};
use crate::intake::{self, Format, JudgedRecord, RuleError, judge, missing_required};
use crate::record::merge::{self, Merged, Outcome};
use crate::record::row::{CustomData, Row};
use crate::record::value::Value;
use crate::source::Source;

/// A request that never was.
pub struct Payload<'a> {
    pub name: &'a str,
    pub body: &'a [u8],
    pub format: Format,
    pub headers: &'a HeaderMap,
    pub query: Option<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accepted,
    Ignored,
    Refused,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tried {
    pub payload: String,
    pub source: String,
    pub event_type: Option<String>,
    pub verdict: Verdict,
    /// What made it be ignored: a key of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    pub records: Vec<Record>,
    pub errors: Vec<Error>,
}

/// A record as it would stand afterwards, in an empty module.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// `created`, or `deleted`, also where a gateway would have nothing to delete.
    pub outcome: Outcome,
    /// By what the record is found again.
    pub r#match: Named,
    /// Not of a record that would be deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_data: Option<CustomData>,
}

/// Values by the names of their fields, in the order of the module.
#[derive(Debug)]
pub struct Named(Vec<(String, Option<Value>)>);

/// One reason why a payload is refused.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Error {
    Rule(RuleError),
    Body { code: &'static str, detail: String },
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

pub fn attempt(source: &Source, payload: &Payload<'_>, now: Timestamp) -> Tried {
    let mut result = Tried {
        payload: payload.name.to_owned(),
        source: source.slug.to_string(),
        event_type: None,
        verdict: Verdict::Refused,
        cause: None,
        records: Vec::new(),
        errors: Vec::new(),
    };
    let most = source.max_body(&Bounds::default());
    if payload.body.len() > most {
        let detail = format!("the body is larger than the {most} bytes that the source takes; max_body says how many");
        result.errors.push(Error::Body { code: "body_too_large", detail });
        return result;
    }
    let Payload { body, format, headers, query, .. } = *payload;
    let request =
        intake::Request { format, headers, query, body, received_at: now, event: EventId::new(now), once: None };
    let judged = judge(source, request);
    result.event_type = judged.event_type;
    match judged.verdict {
        intake::Verdict::Ignored(cause) => (result.verdict, result.cause) = (Verdict::Ignored, Some(cause)),
        intake::Verdict::Unreadable(bad) => {
            result.errors.push(Error::Body { code: bad.code, detail: bad.detail });
        }
        intake::Verdict::Unfit { errors, .. } => result.errors.extend(errors.into_iter().map(Error::Rule)),
        intake::Verdict::Accepted(accepted) if accepted.records.is_empty() => {
            (result.verdict, result.cause) = (Verdict::Ignored, Some("each"));
        }
        intake::Verdict::Accepted(accepted) => match merged(source, &accepted.records, now) {
            Ok(records) => (result.verdict, result.records) = (Verdict::Accepted, records),
            Err(errors) => result.errors.extend(errors.into_iter().map(Error::Rule)),
        },
    }
    result
}

/// One record as it comes to stand, out of nothing.
struct Standing<'a> {
    key: &'a [Value],
    row: Option<Row>,
    /// Of several nodes' outcomes the one that weighs most.
    outcome: Outcome,
}

/// Nodes with one match value are one record.
fn merged(source: &Source, judged: &[JudgedRecord], now: Timestamp) -> Result<Vec<Record>, Vec<RuleError>> {
    let (mut records, mut errors) = (Vec::<Standing<'_>>::new(), Vec::new());
    for (index, JudgedRecord { key, incoming }) in judged.iter().enumerate() {
        let place = records.iter().position(|record| record.key == key).unwrap_or_else(|| {
            records.push(Standing { key, row: None, outcome: Outcome::Ignored });
            records.len() - 1
        });
        let record = &mut records[place];
        let stands = record.row.as_ref().map_or(merge::Standing::Nothing, merge::Standing::Row);
        match merge::merge(&source.shape, stands, incoming, RecordId::new(now), now) {
            Err(missing) => errors.extend(missing.iter().map(|missing| missing_required(source, index, missing))),
            Ok(Merged::Row { outcome, row }) => {
                let before = if record.row.is_some() { record.outcome } else { Outcome::Ignored };
                (record.row, record.outcome) = (Some(row), outcome.min(before));
            }
            Ok(Merged::Deleted(_) | Merged::Ignored) => (record.row, record.outcome) = (None, Outcome::Deleted),
            Ok(Merged::Stale(_)) => {}
        }
    }
    if errors.is_empty() {
        Ok(records.into_iter().map(|record| Record::of(source, record)).collect())
    } else {
        Err(errors)
    }
}

impl Record {
    fn of(source: &Source, record: Standing<'_>) -> Self {
        let shape = &source.shape;
        let values = record.key.iter().cloned().map(Some);
        let matched = shape.names(&source.mapping.matching).map(ToString::to_string).zip(values).collect();
        let names = || shape.fields.iter().map(|field| field.name.to_string());
        let (fields, custom_data) =
            record.row.map(|row| (Named(names().zip(row.fields).collect()), row.custom_data)).unzip();
        Self { outcome: record.outcome, r#match: Named(matched), fields, custom_data }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
        })
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.payload, self.verdict)?;
        if let Some(event_type) = &self.event_type {
            write!(f, ", event type {event_type}")?;
        }
        writeln!(f, "{}", self.cause.map_or("", because))?;
        self.errors.iter().try_for_each(|error| writeln!(f, "  {error}"))?;
        self.records.iter().try_for_each(|record| write!(f, "{record}"))
    }
}

pub(super) fn because(cause: &str) -> &'static str {
    match cause {
        "only" => "; `only` does not list it",
        "when" => "; `when` does not hold",
        "each" => "; `each` finds nothing in it",
        "delete_when" => "; there is nothing to delete",
        _ => "",
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matched =
            self.r#match.0.iter().map(|(name, value)| format!("{name} = {}", shown(value))).collect::<Vec<_>>();
        writeln!(f, "  {}: would be {}", matched.join(", "), self.outcome.as_str())?;
        let Some(Named(fields)) = &self.fields else { return Ok(()) };
        let custom = self.custom_data.as_ref().filter(|custom| !custom.is_empty());
        let names = fields.iter().map(|(name, _)| name.as_str()).chain(custom.map(|_| "custom_data"));
        let width = names.map(str::len).max().unwrap_or_default();
        for (name, value) in fields {
            writeln!(f, "    {name:<width$}  {}", shown(value))?;
        }
        custom.map_or(Ok(()), |custom| writeln!(f, "    {:<width$}  {}", "custom_data", Node::Object(custom.clone())))
    }
}

fn shown(value: &Option<Value>) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = match self {
            Self::Body { code, detail } => return write!(f, "{code}: {detail}"),
            Self::Rule(error) => error,
        };
        if let Some(index) = error.index {
            write!(f, "[{index}] ")?;
        }
        if let Some(rule) = error.rule {
            write!(f, "rule {rule}, ")?;
        }
        if let Some(from) = &error.from {
            write!(f, "{from} → ")?;
        }
        write!(f, "{}: {} ({})", error.to, error.detail, error.code)
    }
}
