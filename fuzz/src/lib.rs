//! What is fuzzed: functions that take any bytes, call the pure rooms with them, and panic when something that
//! must hold does not. `scripts/fuzz TARGET` searches for such bytes, `tests/corpus.rs` runs those that are kept.

pub mod expression;
pub mod form;
pub mod json;
pub mod judge;
pub mod mapping;
mod module;
mod request;
pub mod signature;
pub mod timestamp;
pub mod xml;

pub type Target = fn(&[u8]);

pub const TARGETS: &[(&str, Target)] = &[
    ("json", json::run),
    ("xml", xml::run),
    ("form", form::run),
    ("signature", signature::run),
    ("timestamp", timestamp::run),
    ("expression", expression::run),
    ("mapping", mapping::run),
    ("judge", judge::run),
];

pub fn target(name: &str) -> Target {
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let names = || TARGETS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    found.map(|(_, target)| *target).unwrap_or_else(|| panic!("`{name}` is no target; there are {}", names()))
}
