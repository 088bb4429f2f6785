//! Events that a module names: which changes they are, and what is told of them. Raw as a file has them, then checked
//! against the module's fields. Rendering the data is the business of whoever sends it.

mod check;
mod raw;
mod sight;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use check::check;
pub use raw::{RawData, RawEvent, RawNode};

use crate::condition::path::Path;
use crate::condition::{Condition, Work};

/// The most events that a module may name.
pub const MOST_EVENTS: usize = 100;
/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 64;
/// The most texts and tables in the `data` of one event, those inside tables counted.
pub const MOST_MEMBERS: usize = 200;
/// How deep tables may stand in each other in `data`, the outermost counted.
pub const DEEPEST_DATA: usize = 8;
/// Begins a member of `data` that is always the same text.
pub const CONST: &str = "const:";
/// What judging one change by one condition may cost; where that does not do, the condition does not hold.
const MOST_WORK: u64 = 5_000_000;

/// A checked event, as storage keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDefinition {
    pub name: String,
    /// A condition over what [`Change::document`](super::change::Change::document) says.
    pub when: String,
    /// What is told of the change instead of the record's fields, in the file's order: a list of `[key, node]`, where
    /// a node is such a list again or a text, a singular path of the document with `@` for it or [`CONST`] and a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// An event that can be looked for.
#[derive(Clone, Debug)]
pub struct NamedEvent {
    pub name: String,
    pub when: Condition,
    /// As [`EventDefinition::data`].
    pub data: Option<Value>,
}

impl EventDefinition {
    /// `None` when storage was tampered with.
    pub fn compiled(&self) -> Option<NamedEvent> {
        let when = Condition::compile(&self.when).ok()?;
        Some(NamedEvent { name: self.name.clone(), when, data: self.data.clone() })
    }
}

impl NamedEvent {
    /// Whether all the fields that it speaks of, in its condition and in its data, are known.
    pub fn speaks_only_of(&self, is_known: &impl Fn(&str) -> bool) -> bool {
        let is_fine = |names: &[&str]| match names {
            ["before" | "after" | "changes", field, ..] => is_known(field),
            _ => true,
        };
        let is_fine_at = |text: &str| {
            let path = text.strip_prefix('@').and_then(|rest| Path::compile(&format!("${rest}")).ok());
            path.is_none_or(|path| is_fine(&path.names()))
        };
        self.when.mentions().iter().all(|mention| is_fine(&mention.names))
            && self.data.as_ref().is_none_or(|data| every_leaf(data, &is_fine_at))
    }

    /// Whether a change with this document is such an event.
    pub fn is(&self, document: &Value) -> bool {
        let work = Work::new(MOST_WORK);
        self.when.holds_within(document, document, &work) && !work.is_spent()
    }
}

/// Whether it holds for every text of [`EventDefinition::data`].
fn every_leaf(data: &Value, holds: &impl Fn(&str) -> bool) -> bool {
    let mut nodes = data.as_array().into_iter().flatten().filter_map(|pair| pair.get(1));
    nodes.all(|node| node.as_str().map_or_else(|| every_leaf(node, holds), holds))
}

/// By what was written.
impl PartialEq for NamedEvent {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.when.as_str() == other.when.as_str() && self.data == other.data
    }
}

impl Eq for NamedEvent {}
