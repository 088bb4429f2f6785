//! JSONPath (RFC 9535), compiled once when a mapping is saved. `jsonpath-rust` parses and judges filters; the walk
//! is our own: it takes nothing for a wholly singular path, stops at the bound, and never builds the text of a
//! location for each node, which a sender could make gigabytes of with one long key.
//!
//! Comparisons in filters are the crate's: numbers as doubles, equal when nearer than 2⁻⁵². `match` and `search` are
//! refused for now, since the crate compiles their pattern anew for each node.

mod check;
mod count;
mod hint;
mod walk;

use std::sync::Arc;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use walk::Step;

/// The longest path, in bytes.
pub const LONGEST: usize = 512;
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
    /// Set when a filter looks at `$`: the crate then has to see the whole document.
    whole: Option<JpQuery>,
}

/// Why a text is no path that can be used, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPath(pub(in crate::map) String);

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
    pub fn compile(text: &str) -> Result<Self, BadPath> {
        hint::refuse_by_look(text).map_err(BadPath)?;
        let mut query = parse_json_path(text).map_err(|_| BadPath(hint::explain(text)))?;
        let looks_at_root = check::check(&query).map_err(BadPath)?;
        count::mend(&mut query.segments);
        let whole = looks_at_root.then(|| query.clone());
        let mut rest = walk::segments(query.segments);
        let singular = rest.iter().take_while(|segment| segment.is_singular()).count();
        let prefix = rest.drain(..singular).filter_map(walk::Segment::into_step).collect();
        Ok(Self(Arc::new(Compiled { text: text.into(), prefix, rest, whole })))
    }

    /// The path as the admin wrote it.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether the path can never select more than one node: names and indexes only.
    pub fn is_singular(&self) -> bool {
        self.0.rest.is_empty()
    }

    pub fn find<'a>(&self, document: &'a Value) -> Result<Found<'a>, TooManyNodes> {
        let Compiled { prefix, rest, whole, .. } = &*self.0;
        let Some(node) = prefix.iter().try_fold(document, |node, step| step.one(node)) else {
            return Ok(Found::Missing);
        };
        if rest.is_empty() {
            return Ok(Found::One(node));
        }
        match whole {
            None => walk::select(rest, node).map(Found::Many),
            Some(query) => by_crate(query, document).map(Found::Many),
        }
    }
}

/// Checked to have one segment that widens, so that the texts of locations stay within the size of the document.
fn by_crate<'a>(query: &JpQuery, document: &'a Value) -> Result<Vec<&'a Value>, TooManyNodes> {
    let nodes = js_path_process(query, document).unwrap_or_default();
    if nodes.len() > MOST_NODES {
        return Err(TooManyNodes);
    }
    Ok(nodes.into_iter().map(|node| node.val).collect())
}

#[cfg(test)]
mod tests;
