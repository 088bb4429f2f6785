//! The answer of a preview.

use serde::Serialize;
use serde_json::{Value, json};

use super::records::RecordPreview;
use super::shown::Shown;
use super::trace::{NodeTrace, Tracer};
use crate::intake::{MOST_ERRORS, RuleError};
use crate::problem::Code;
use crate::record::merge::Outcome;
use crate::source::Source;

/// Records that are shown.
pub const MOST_RECORDS: usize = 100;
const REFUSED: &str = "refused";

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preview)]
pub struct Preview {
    module: String,
    source: String,
    /// Of the mapping in force; null for a draft.
    mapping_version: Option<i64>,
    /// What would be answered, as if the event came for the first time: `created`, `updated`, `unchanged`, `stale`,
    /// `deleted`, `ignored`, or `refused`.
    verdict: &'static str,
    /// Why: the code of a refusal, what decided that an event is ignored.
    cause: Option<&'static str>,
    pub event: EventFound,
    /// As they would be answered.
    #[schema(value_type = Vec<Object>)]
    errors: Vec<Value>,
    /// What each record is made of, rule by rule: the first 100.
    nodes: Vec<NodeTrace>,
    nodes_in_all: usize,
    /// The first 100.
    pub records: Vec<RecordPreview>,
    pub records_in_all: usize,
    /// Something more was left out, since a preview shows about 4 MiB.
    cut: bool,
}

/// What the payload says of the event itself.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewEvent)]
pub struct EventFound {
    #[serde(rename = "type")]
    pub of_type: Option<String>,
    /// By which it would be known again.
    #[schema(value_type = Option<Object>)]
    id: Option<Shown>,
    /// An event of this id was applied and is remembered: the answer would be `duplicate`.
    pub duplicate_of: Option<String>,
}

impl Preview {
    pub fn new(source: &Source, is_draft: bool) -> Self {
        Self {
            module: source.shape.slug.to_string(),
            source: source.slug.to_string(),
            mapping_version: (!is_draft).then_some(source.mapping_version),
            verdict: REFUSED,
            cause: None,
            event: EventFound::default(),
            errors: Vec::new(),
            nodes: Vec::new(),
            nodes_in_all: 0,
            records: Vec::new(),
            records_in_all: 0,
            cut: false,
        }
    }

    pub fn comes_to(&mut self, outcome: Outcome, cause: Option<&'static str>) {
        (self.verdict, self.cause) = (outcome.as_str(), cause);
    }

    pub fn cannot_be(&mut self, code: Code) {
        (self.verdict, self.cause) = (REFUSED, Some(code.as_str()));
        let entry = code.entry();
        self.errors.push(json!({ "code": entry.text, "detail": entry.meaning }));
    }

    pub fn refused(mut self, code: Code) -> Self {
        self.cannot_be(code);
        self
    }

    pub fn unreadable(&mut self, code: &'static str, detail: &str) {
        (self.verdict, self.cause) = (REFUSED, Some(code));
        self.errors.push(json!({ "code": code, "detail": detail }));
    }

    pub fn unfit(&mut self, errors: &[RuleError]) {
        (self.verdict, self.cause) = (REFUSED, Some(Code::JudgementFailed.as_str()));
        let errors = errors.iter().take(MOST_ERRORS);
        self.errors.extend(errors.filter_map(|error| serde_json::to_value(error).ok()));
    }

    pub fn traced(&mut self, mut tracer: Tracer<'_>) {
        self.cut = tracer.room().is_short;
        self.event.id = tracer.event_id;
        (self.nodes, self.nodes_in_all) = (tracer.nodes, tracer.nodes_in_all);
    }
}
