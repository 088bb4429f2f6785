//! The one expression language (DESIGN 4): conditions, and the paths that stand in them and in rules, by RFC 9535.
//!
//! `jsonpath-rust` parses. What is judged is judged here: numbers are compared by their digits, never as doubles,
//! patterns are compiled once, and nothing that a sender writes makes a path dear. What is left out on purpose: what
//! other dialects add to the RFC; each such text is refused with a word on what to write instead.

mod check;
mod filter;
mod hint;
mod judge;
mod mention;
mod number;
pub mod path;
mod pattern;
mod walk;
mod work;

use std::sync::Arc;

use jsonpath_rust::parser::model::{Filter, Segment, Selector};
use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

pub use check::MOST_SEGMENTS;
use judge::{Logic, Scene};
pub use mention::Mention;
pub use pattern::LONGEST_PATTERN;
pub use work::Work;

/// The longest path or condition, in bytes.
pub const LONGEST: usize = 512;

/// Why a text is no path or condition that can be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadExpression(String);

/// A condition that was checked: the logical expression of a filter, without its brackets. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Condition(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: Box<str>,
    logic: Logic,
}

impl Condition {
    pub fn compile(text: &str) -> Result<Self, BadExpression> {
        hint::refuse_condition_by_look(text).map_err(BadExpression)?;
        let filter = parse(text).ok_or_else(|| BadExpression(hint::explain_condition(text)))?;
        let logic = filter::compile(&filter).map_err(BadExpression)?;
        Ok(Self(Arc::new(Compiled { text: text.into(), logic })))
    }

    /// The condition as the admin wrote it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// `node` is what `@` stands for, `root` what `$` does.
    pub fn holds(&self, node: &Value, root: &Value) -> bool {
        self.holds_within(node, root, &Work::unbounded())
    }

    /// The answer means nothing once the work is spent.
    pub fn holds_within(&self, node: &Value, root: &Value, work: &Work) -> bool {
        self.0.logic.holds(Scene { node, root, work })
    }
}

/// A text that closes the brackets itself, and opens others, is no condition.
fn parse(text: &str) -> Option<Filter> {
    let segments = parse_json_path(&format!("$[?{text}]")).ok()?.segments;
    match <[Segment; 1]>::try_from(segments) {
        Ok([Segment::Selector(Selector::Filter(filter))]) => Some(filter),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
