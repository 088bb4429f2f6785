//! The whole of judging: a request (`request.rs`) for a source of the modules below or of a module file of its own.
//! Judged twice it comes to the same, everything is within its bounds, and what comes out can be stored and merged.

use std::sync::LazyLock;

use serde_json::Value as Node;
use tidegate::condition::path::MOST_NODES;
use tidegate::id::{EventId, RecordId};
use tidegate::intake::{self, Accepted, Format, JudgedRecord, MOST_ERRORS, RuleError, Verdict, judge};
use tidegate::map::rule::LONGEST_MATCH_VALUE;
use tidegate::record::merge::{Act, Incoming, Merged, Outcome, Put, Puts, Standing, merge};
use tidegate::record::value::Value;
use tidegate::source::Source;

use crate::module;
use crate::request::Request;

const MODULES: &[&str] = &[
    include_str!("../modules/transforms.toml"),
    include_str!("../../tests/data/modules/everything.toml"),
    include_str!("../../tests/data/modules/lines.toml"),
    include_str!("../../tests/data/modules/orders.toml"),
    include_str!("../../tests/data/modules/rules.toml"),
    include_str!("../../tests/data/modules/stock.toml"),
];

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(|| {
    let sources = |text| module::sources(text).expect("these module files are without fault");
    MODULES.iter().flat_map(|text| sources(text)).collect()
});

pub fn run(input: &[u8]) {
    let Some(request) = Request::read(input) else { return };
    let own = request.module.map(|text| module::sources(text).unwrap_or_default());
    if let Some(source) = named(own.as_deref().unwrap_or(&SOURCES), request.source) {
        judged(source, &request);
    }
}

/// By its name; by any other text one of them all the same.
fn named<'a>(sources: &'a [Source], name: &str) -> Option<&'a Source> {
    let is_named = |source: &&Source| name.split_once('/') == Some((source.shape.slug.as_str(), source.slug.as_str()));
    let any = || sources.get(name.len() % sources.len().max(1));
    sources.iter().find(is_named).or_else(any)
}

fn judged(source: &Source, request: &Request<'_>) {
    let content_type = request.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let Some(format) = Format::of(content_type) else { return };
    let (headers, query, body, received_at) = (&request.headers, request.query, request.body, module::now());
    let request =
        intake::Request { format, headers, query, body, received_at, event: EventId::floor(received_at), once: None };
    let judged = judge(source, request);
    assert_eq!(format!("{judged:?}"), format!("{:?}", judge(source, request)));
    assert!(judged.event_type.is_none_or(|text| text.len() <= 200 && !text.contains('\0')));
    match judged.verdict {
        Verdict::Accepted(accepted) => can_be_written(source, &accepted),
        Verdict::Unfit { errors, .. } => explain(source, &errors),
        Verdict::Unreadable(bad) => assert!(!bad.detail.is_empty()),
        Verdict::Ignored(cause) => assert!(matches!(cause, "only" | "when")),
    }
}

fn explain(source: &Source, errors: &[RuleError]) {
    assert!((1..=MOST_ERRORS).contains(&errors.len()));
    let (rules, has_nodes) = (source.mapping.raw.rules.len(), source.mapping.each.is_some());
    for error in errors {
        assert!(error.rule.is_none_or(|rule| (1..=rules).contains(&rule)), "{error:?}");
        assert!(error.index.is_none_or(|index| has_nodes && index < MOST_NODES), "{error:?}");
        assert!(!error.code.is_empty() && !error.detail.is_empty() && !error.to.is_empty(), "{error:?}");
    }
}

fn can_be_written(source: &Source, accepted: &Accepted) {
    let most = if source.mapping.each.is_some() { 0..=MOST_NODES } else { 1..=1 };
    assert!(most.contains(&accepted.records.len()));
    for JudgedRecord { key, incoming } in &accepted.records {
        assert_eq!(key.len(), source.mapping.matching.len());
        for (field, value) in source.mapping.matching.iter().zip(key) {
            assert!((1..=LONGEST_MATCH_VALUE).contains(&value.text().len()), "{value:?}");
            can_be_stored(source, *field, value);
        }
        match &incoming.act {
            Act::Put(puts) => can_be_put(source, incoming, puts),
            Act::Delete => assert_eq!(merged(source, Standing::Nothing, incoming), Some(Merged::Ignored)),
        }
    }
}

/// The same event a second time changes nothing.
fn can_be_put(source: &Source, incoming: &Incoming, puts: &Puts) {
    for put in &puts.fields {
        if let Put::Value(value) = &put.put {
            can_be_stored(source, put.field, value);
        }
    }
    for put in &puts.custom {
        assert!(!put.node.as_ref().is_some_and(has_nul), "{:?}", put.node);
    }
    let Some(Merged::Row { outcome: Outcome::Created, row }) = merged(source, Standing::Nothing, incoming) else {
        return;
    };
    let again = merged(source, Standing::Row(&row), incoming);
    assert_eq!(again, Some(Merged::Row { outcome: Outcome::Unchanged, row: row.clone() }));
}

/// `None` where a required field would be left without a value.
fn merged(source: &Source, standing: Standing<'_>, incoming: &Incoming) -> Option<Merged> {
    merge(&source.shape, standing, incoming, RecordId::floor(module::now()), module::now()).ok()
}

fn can_be_stored(source: &Source, field: usize, value: &Value) {
    let kind = &source.shape.fields[field].kind;
    let text = value.text();
    let node =
        if let Value::Json(_) = value { serde_json::from_str(&text).expect("JSON") } else { text.clone().into() };
    assert!(!has_nul(&node), "{value:?}");
    assert_eq!(Value::read(kind, &text).as_ref(), Ok(value), "{} reads back as another", kind.name());
}

fn has_nul(node: &Node) -> bool {
    match node {
        Node::String(text) => text.contains('\0'),
        Node::Array(items) => items.iter().any(has_nul),
        Node::Object(members) => members.iter().any(|(key, node)| key.contains('\0') || has_nul(node)),
        Node::Null | Node::Bool(_) | Node::Number(_) => false,
    }
}
