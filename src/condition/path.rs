//! JSONPath, compiled once when a mapping is saved. The walk is our own: it takes nothing for a wholly singular path,
//! stops at the bound, and never builds the text of a location for each node, which a sender could make gigabytes of
//! with one long key.

use std::ops::ControlFlow;
use std::sync::Arc;

use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use super::judge::Scene;
use super::walk::{self, Step};
use super::{BadExpression, Work, check, hint};

/// The most nodes that one path may select.
pub const MOST_NODES: usize = 1_000;

/// A path that was checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Path(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    text: Box<str>,
    /// The beginning that names one node: all before the first wildcard, slice, filter, union or descendant.
    prefix: Vec<Step>,
    rest: Vec<walk::Segment>,
}

/// The path selects more than [`MOST_NODES`] nodes of this document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the path selects more than {MOST_NODES} nodes")]
pub struct TooManyNodes;

/// What a path selects in a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    /// The singular beginning of the path selects nothing.
    Missing,
    /// The node of a wholly singular path.
    One(&'a Value),
    /// The singular beginning is there; the rest selects these, perhaps none.
    Many(Vec<&'a Value>),
}

impl Path {
    pub fn compile(text: &str) -> Result<Self, BadExpression> {
        hint::refuse_path_by_look(text).map_err(BadExpression)?;
        let query = parse_json_path(text).map_err(|_| BadExpression(hint::explain(text)))?;
        check::bounded(&query.segments).map_err(BadExpression)?;
        let mut rest = walk::segments(&query.segments, 0).map_err(BadExpression)?;
        let singular = rest.iter().take_while(|segment| segment.is_singular()).count();
        let prefix = rest.drain(..singular).filter_map(walk::Segment::into_step).collect();
        Ok(Self(Arc::new(Compiled { text: text.into(), prefix, rest })))
    }

    /// The path as the admin wrote it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the path can never select more than one node: names and indexes only.
    pub fn is_singular(&self) -> bool {
        self.0.rest.is_empty()
    }

    /// The names that the path begins with, up to its first index, wildcard, slice or filter.
    pub fn names(&self) -> Vec<&str> {
        self.0.prefix.iter().map_while(Step::name).collect()
    }

    pub fn find<'a>(&self, document: &'a Value) -> Result<Found<'a>, TooManyNodes> {
        self.find_within(document, &Work::unbounded())
    }

    /// What is found means nothing once the work is spent.
    pub fn find_within<'a>(&self, document: &'a Value, work: &Work) -> Result<Found<'a>, TooManyNodes> {
        let Some(node) = self.beginning(document) else { return Ok(Found::Missing) };
        if self.0.rest.is_empty() {
            return Ok(Found::One(node));
        }
        let (mut found, mut too_many) = (Vec::new(), false);
        self.walk(node, document, work, &mut |node| {
            too_many = found.len() == MOST_NODES;
            if too_many {
                return ControlFlow::Break(());
            }
            found.push(node);
            ControlFlow::Continue(())
        });
        if too_many { Err(TooManyNodes) } else { Ok(Found::Many(found)) }
    }

    /// How many nodes it selects, without a bound; `None` when its singular beginning selects nothing.
    pub fn count_within(&self, document: &Value, work: &Work) -> Option<usize> {
        let node = self.beginning(document)?;
        let mut count = 0;
        self.walk(node, document, work, &mut |_| {
            count += 1;
            ControlFlow::Continue(())
        });
        Some(count)
    }

    fn beginning<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        self.0.prefix.iter().try_fold(document, |node, step| step.one(node))
    }

    fn walk<'a>(&self, node: &'a Value, root: &'a Value, work: &Work, take: &mut walk::Take<'_, 'a>) {
        let _ = walk::walk(&self.0.rest, Scene { node, root, work }, take);
    }
}

#[cfg(test)]
mod tests;
