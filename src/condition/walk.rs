//! The walk through a document, depth first, which gives nodes in the order of RFC 9535. Recursion is bounded by the
//! number of segments; descendants keep a stack of their own.

use std::ops::ControlFlow;

use jsonpath_rust::parser::model::{Segment as Parsed, Selector};
use serde_json::Value;

use super::filter;
use super::judge::{Logic, Scene};

/// One selector of a segment.
#[derive(Debug)]
pub(super) enum Step {
    Name(String),
    Index(i64),
    Wildcard,
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Logic),
}

#[derive(Debug)]
pub(super) struct Segment {
    descends: bool,
    steps: Vec<Step>,
}

/// `depth` counts the filters around the path.
pub(super) fn segments(parsed: &[Parsed], depth: usize) -> Result<Vec<Segment>, String> {
    parsed.iter().map(|parsed| segment(parsed, depth)).collect()
}

fn segment(parsed: &Parsed, depth: usize) -> Result<Segment, String> {
    let steps = |selectors: &[Selector]| {
        selectors.iter().map(|selector| step(selector, depth)).collect::<Result<Vec<_>, String>>()
    };
    match parsed {
        Parsed::Descendant(inner) => Ok(Segment { descends: true, ..segment(inner, depth)? }),
        Parsed::Selector(selector) => Ok(Segment { descends: false, steps: steps(std::slice::from_ref(selector))? }),
        Parsed::Selectors(all) => Ok(Segment { descends: false, steps: steps(all)? }),
    }
}

fn step(selector: &Selector, depth: usize) -> Result<Step, String> {
    Ok(match selector {
        Selector::Name(name) => Step::Name(name.clone()),
        Selector::Index(index) => Step::Index(*index),
        Selector::Wildcard => Step::Wildcard,
        Selector::Slice(start, end, step) => Step::Slice { start: *start, end: *end, step: step.unwrap_or(1) },
        Selector::Filter(filter) => Step::Filter(filter::compile_at(filter, depth + 1)?),
    })
}

impl Segment {
    pub(super) fn is_singular(&self) -> bool {
        !self.descends && matches!(self.steps.as_slice(), [Step::Name(_) | Step::Index(_)])
    }

    /// The name of the one member that it selects.
    pub(super) fn name(&self) -> Option<&str> {
        match self.steps.as_slice() {
            [step] if !self.descends => step.name(),
            _ => None,
        }
    }

    pub(super) fn into_step(mut self) -> Option<Step> {
        self.steps.pop()
    }
}

/// Takes a node, and says whether more are wanted.
pub(super) type Take<'t, 'a> = dyn FnMut(&'a Value) -> ControlFlow<()> + 't;

impl Step {
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The node that a name or an index selects.
    pub(super) fn one<'a>(&self, node: &'a Value) -> Option<&'a Value> {
        match (self, node) {
            (Self::Name(name), Value::Object(members)) => members.get(name),
            (Self::Index(index), Value::Array(items)) => items.get(from_end(*index, items.len())?),
            _ => None,
        }
    }

    fn each<'a>(&self, scene: Scene<'a, '_>, take: &mut Take<'_, 'a>) -> ControlFlow<()> {
        let node = scene.node;
        match self {
            Self::Name(_) | Self::Index(_) => self.one(node).map_or(ControlFlow::Continue(()), take),
            Self::Wildcard => children(node).try_for_each(take),
            Self::Slice { start, end, step } => {
                let items = node.as_array().map(Vec::as_slice).unwrap_or_default();
                slice(items, *start, *end, *step, take)
            }
            Self::Filter(logic) => {
                children(node).filter(|node| logic.holds(Scene { node, ..scene })).try_for_each(take)
            }
        }
    }
}

/// Hands over what the segments select of the scene's node, in order. It ends early when the work is spent.
pub(super) fn walk<'a>(segments: &[Segment], scene: Scene<'a, '_>, take: &mut Take<'_, 'a>) -> ControlFlow<()> {
    if !scene.work.spend(1) {
        return ControlFlow::Break(());
    }
    let Some((segment, rest)) = segments.split_first() else { return take(scene.node) };
    let mut steps = |node| {
        let mut steps = segment.steps.iter();
        let scene = Scene { node, ..scene };
        steps.try_for_each(|step| step.each(scene, &mut |node| walk(rest, Scene { node, ..scene }, take)))
    };
    if !segment.descends {
        return steps(scene.node);
    }
    let mut visited = vec![scene.node];
    while let Some(node) = visited.pop() {
        if !scene.work.spend(1 + width(node) / 2) {
            return ControlFlow::Break(());
        }
        steps(node)?;
        let below = visited.len();
        visited.extend(children(node).filter(|child| child.is_array() || child.is_object()));
        visited[below..].reverse();
    }
    ControlFlow::Continue(())
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    let items = node.as_array().into_iter().flatten();
    let members = node.as_object().into_iter().flat_map(|members| members.values());
    items.chain(members)
}

fn width(node: &Value) -> usize {
    node.as_array().map(Vec::len).or_else(|| node.as_object().map(serde_json::Map::len)).unwrap_or_default()
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
) -> ControlFlow<()> {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = |at: i64| if at < 0 { at.saturating_add(length) } else { at };
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let mut all =
        |at: i64| usize::try_from(at).ok().and_then(|at| items.get(at)).map_or(ControlFlow::Continue(()), &mut *take);
    if step > 0 {
        let from = place(start.unwrap_or(0)).clamp(0, length);
        let to = place(end.unwrap_or(length)).clamp(0, length);
        (from..to).step_by(stride).try_for_each(&mut all)
    } else if step < 0 {
        let from = start.map_or(length - 1, place).clamp(-1, length - 1);
        let to = end.map_or(-1, place).clamp(-1, length - 1);
        (to + 1..=from).rev().step_by(stride).try_for_each(&mut all)
    } else {
        ControlFlow::Continue(())
    }
}
