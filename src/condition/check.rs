//! Bounds on a parsed path, so that no mapping that can be saved makes a payload expensive.

use jsonpath_rust::parser::model::{Segment, Selector};

pub const MOST_SEGMENTS: usize = 32;
const MOST_DESCENDANTS: usize = 1;
/// The most selectors in one pair of brackets; of several such pairs the product, since each multiplies the nodes.
const MOST_UNITED: usize = 16;

/// For any path, wherever it stands.
pub(super) fn bounded(segments: &[Segment]) -> Result<(), String> {
    short(segments.len())?;
    if descendants(segments) > MOST_DESCENDANTS {
        return Err("`..` may stand once in a path".into());
    }
    let united = segments.iter().map(|segment| selectors(segment).len()).fold(1, usize::saturating_mul);
    if united > MOST_UNITED {
        return Err(format!("the path unites more than {MOST_UNITED} selectors in brackets (their product counts)"));
    }
    Ok(())
}

/// For a path inside a filter, which is walked for each node that the filter judges.
pub(super) fn bounded_in_filter(segments: &[Segment]) -> Result<(), String> {
    bounded(segments)?;
    if descendants(segments) > 0 {
        return Err("`..` may not stand inside a filter or condition".into());
    }
    if widening(segments) > 1 {
        return Err("inside a filter or condition, only one part of a path may select several nodes".into());
    }
    Ok(())
}

/// For a path of `$` inside a filter: it would be walked in whole for each node.
pub(super) fn bounded_at_root(segments: &[Segment]) -> Result<(), String> {
    if widening(segments) > 0 {
        return Err("inside a filter or condition, a path of `$` may use names and indexes only; `@` may more".into());
    }
    short(segments.len())
}

pub(super) fn short(segments: usize) -> Result<(), String> {
    if segments > MOST_SEGMENTS {
        return Err(format!("the path has more than {MOST_SEGMENTS} segments"));
    }
    Ok(())
}

fn descendants(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| matches!(segment, Segment::Descendant(_))).count()
}

/// Segments that may select several nodes of one.
pub(super) fn widening(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| !is_singular(segment)).count()
}

fn is_singular(segment: &Segment) -> bool {
    matches!(segment, Segment::Selector(Selector::Name(_) | Selector::Index(_)))
}

fn selectors(segment: &Segment) -> &[Selector] {
    match segment {
        Segment::Descendant(inner) => selectors(inner),
        Segment::Selector(selector) => std::slice::from_ref(selector),
        Segment::Selectors(all) => all,
    }
}
