//! The walk through a document, depth first, which gives nodes in the order of RFC 9535. Recursion is bounded by the
//! number of segments; descendants keep a stack of their own.

use jsonpath_rust::parser::model::{JpQuery, Segment as Parsed, Selector};
use jsonpath_rust::query::js_path_process;
use serde_json::Value;

use super::{MOST_NODES, TooManyNodes};

/// One selector of a segment.
#[derive(Debug)]
pub(super) enum Step {
    Name(String),
    Index(i64),
    Wildcard,
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
    /// A query of this filter alone, for the crate to judge the children of a node by.
    Filter(JpQuery),
}

#[derive(Debug)]
pub(super) struct Segment {
    descends: bool,
    steps: Vec<Step>,
}

pub(super) fn segments(parsed: Vec<Parsed>) -> Vec<Segment> {
    parsed.into_iter().map(Segment::from).collect()
}

impl From<Parsed> for Segment {
    fn from(parsed: Parsed) -> Self {
        match parsed {
            Parsed::Descendant(inner) => Self { descends: true, ..Self::from(*inner) },
            Parsed::Selector(selector) => Self { descends: false, steps: vec![selector.into()] },
            Parsed::Selectors(all) => Self { descends: false, steps: all.into_iter().map(Step::from).collect() },
        }
    }
}

impl From<Selector> for Step {
    fn from(selector: Selector) -> Self {
        match selector {
            Selector::Name(name) => Self::Name(name),
            Selector::Index(index) => Self::Index(index),
            Selector::Wildcard => Self::Wildcard,
            Selector::Slice(start, end, step) => Self::Slice { start, end, step: step.unwrap_or(1) },
            filter @ Selector::Filter(_) => Self::Filter(JpQuery::new(vec![Parsed::Selector(filter)])),
        }
    }
}

impl Segment {
    pub(super) fn is_singular(&self) -> bool {
        !self.descends && matches!(self.steps.as_slice(), [Step::Name(_) | Step::Index(_)])
    }

    pub(super) fn into_step(mut self) -> Option<Step> {
        self.steps.pop()
    }
}

impl Step {
    /// The node that a name or an index selects.
    pub(super) fn one<'a>(&self, node: &'a Value) -> Option<&'a Value> {
        match (self, node) {
            (Self::Name(name), Value::Object(members)) => members.get(name),
            (Self::Index(index), Value::Array(items)) => items.get(from_end(*index, items.len())?),
            _ => None,
        }
    }

    fn each<'a>(&self, node: &'a Value, take: &mut Take<'_, 'a>) -> Result<(), TooManyNodes> {
        match self {
            Self::Name(_) | Self::Index(_) => self.one(node).map_or(Ok(()), take),
            Self::Wildcard => children(node).try_for_each(take),
            Self::Slice { start, end, step } => {
                let items = node.as_array().map(Vec::as_slice).unwrap_or_default();
                slice(items, *start, *end, *step, take)
            }
            Self::Filter(query) => {
                let passed = js_path_process(query, node).unwrap_or_default();
                passed.into_iter().try_for_each(|child| take(child.val))
            }
        }
    }
}

type Take<'t, 'a> = dyn FnMut(&'a Value) -> Result<(), TooManyNodes> + 't;

pub(super) fn select<'a>(segments: &[Segment], node: &'a Value) -> Result<Vec<&'a Value>, TooManyNodes> {
    let mut found = Vec::new();
    walk(segments, node, &mut found)?;
    Ok(found)
}

fn walk<'a>(segments: &[Segment], node: &'a Value, found: &mut Vec<&'a Value>) -> Result<(), TooManyNodes> {
    let Some((segment, rest)) = segments.split_first() else {
        if found.len() == MOST_NODES {
            return Err(TooManyNodes);
        }
        found.push(node);
        return Ok(());
    };
    let mut visited = vec![node];
    while let Some(node) = visited.pop() {
        for step in &segment.steps {
            step.each(node, &mut |child| walk(rest, child, found))?;
        }
        if segment.descends {
            let below = visited.len();
            visited.extend(children(node).filter(|child| child.is_array() || child.is_object()));
            visited[below..].reverse();
        }
    }
    Ok(())
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    let items = node.as_array().into_iter().flatten();
    let members = node.as_object().into_iter().flat_map(|members| members.values());
    items.chain(members)
}

fn from_end(index: i64, length: usize) -> Option<usize> {
    let back = || length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
    usize::try_from(index).ok().or_else(back)
}

/// RFC 9535, 2.3.4.2.2.
fn slice<'a>(
    items: &'a [Value],
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
    take: &mut Take<'_, 'a>,
) -> Result<(), TooManyNodes> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let mut all = |at: i64| usize::try_from(at).ok().and_then(|at| items.get(at)).map_or(Ok(()), &mut *take);
    if step > 0 {
        let from = place(start.unwrap_or(0)).clamp(0, length);
        let to = place(end.unwrap_or(length)).clamp(0, length);
        (from..to).step_by(stride).try_for_each(&mut all)
    } else if step < 0 {
        let from = start.map_or(length - 1, place).clamp(-1, length - 1);
        let to = end.map_or(-1, place).clamp(-1, length - 1);
        (to + 1..=from).rev().step_by(stride).try_for_each(&mut all)
    } else {
        Ok(())
    }
}
