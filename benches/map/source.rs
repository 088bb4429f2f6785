//! Sources to judge by, each with eight rules.

use std::sync::Arc;

use tidegate::clock::Timestamp;
use tidegate::config::Bounds;
use tidegate::id::SourceId;
use tidegate::source::document::{CheckedSource, Document};
use tidegate::source::{Secrets, Source};

pub const SINGULAR: [&str; 8] = [
    "$.id",
    "$.data.object.id",
    "$.data.object.customer",
    "$.data.object.currency",
    "$.data.object.amount_due",
    "$.data.object.status",
    "$.data.object.metadata.order",
    "$.data.object.lines.total_count",
];

pub const FILTERS: [&str; 8] = [
    "$.id",
    "$.data.object.lines.data[?@.quantity == 5].id",
    "$.data.object.lines.data[?@.quantity > 7].amount",
    "$.data.object.lines.data[?@.price.type == 'recurring'].id",
    "$.data.object.lines.data[?@.amount >= 1350 && @.currency == 'eur'].id",
    "$.data.object.lines.data[?length(@.discounts) > 0].id",
    "$.data.object.lines.data[?search(@.description, 'M1[0-9]')].quantity",
    "$.data.object.lines.data[?!@.price].id",
];

pub const OF_NODE: [&str; 8] = [
    "$.id",
    "$.amount",
    "$.currency",
    "$.price.id",
    "$.price.metadata.sku",
    "$.quantity",
    "$.period.start",
    "root:$.data.object.id",
];

/// `keys` are those of the source beside its rules, `rule_keys` those of each rule but the first, which fills the field
/// that records are found by.
pub fn source(keys: &str, rules: &[&str], rule_keys: &str) -> Source {
    let rule = |(place, from): (usize, &&str)| {
        let take = if from.contains('?') || from.contains("..") { "take = \"join\"" } else { "" };
        let keys = if place == 0 { "" } else { rule_keys };
        format!("[[source.rule]]\nfrom = \"{from}\"\nto = \"f{place}\"\n{take}\n{keys}\n")
    };
    let rules: String = rules.iter().enumerate().map(rule).collect();
    let fields: String = (0..8).map(|place| format!("f{place} = \"text\"\n")).collect();
    let module = format!("[module]\nslug = \"bench\"\nmatch = [\"f0\"]\n[module.fields]\n{fields}");
    let text = format!("{module}\n[[source]]\nslug = \"bench\"\n{keys}\n{rules}");
    let mut checked = Document::read("bench.toml", &text).check(&Bounds::default()).unwrap();
    let CheckedSource { slug, settings, mapping, .. } = checked.sources.remove(0);
    let (id, shape) = (SourceId::floor(now()), Arc::new(checked.shape));
    Source { id, slug, shape, settings, secrets: Secrets::default(), mapping, mapping_version: 1 }
}

pub fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}
