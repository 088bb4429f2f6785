//! `jsonpath-rust` 1.0.12 has no count for a query that selects nothing (measured: `count(@.x[*]) == 0` does not hold
//! for an empty list), so `count(Q) op X` is written out as `Q && count(Q) op X || !Q && 0 op X`.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, Test, TestFunction,
};

/// Rewrites every comparison with `count`, in filters of filters too.
pub(super) fn mend(segments: &mut [Segment]) {
    for segment in segments {
        match segment {
            Segment::Descendant(inner) => mend(std::slice::from_mut(inner)),
            Segment::Selector(selector) => mend_selector(selector),
            Segment::Selectors(all) => all.iter_mut().for_each(mend_selector),
        }
    }
}

fn mend_selector(selector: &mut Selector) {
    if let Selector::Filter(filter) = selector {
        mend_filter(filter);
    }
}

fn mend_filter(filter: &mut Filter) {
    match filter {
        Filter::Or(all) | Filter::And(all) => all.iter_mut().for_each(mend_filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => mend_filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => mend_test(expr),
        Filter::Atom(FilterAtom::Comparison(comparison)) => {
            let (mut left, mut right) = parts(comparison);
            mend_comparable(&mut left);
            mend_comparable(&mut right);
            *filter = written_out(rebuilt(comparison, left, right));
        }
    }
}

fn mend_test(test: &mut Test) {
    match test {
        Test::RelQuery(segments) | Test::AbsQuery(JpQuery { segments }) => mend(segments),
        Test::Function(_) => {}
    }
}

fn mend_comparable(comparable: &mut Comparable) {
    if let Comparable::Function(TestFunction::Count(FnArg::Test(query)) | TestFunction::Value(FnArg::Test(query))) =
        comparable
    {
        mend_test(query);
    }
}

/// Left side first; its second half has no `count` on the left, so this ends after both sides.
fn written_out(comparison: Comparison) -> Filter {
    let (left, right) = parts(&comparison);
    match (&left, &right) {
        (Comparable::Function(TestFunction::Count(FnArg::Test(query))), _) => {
            let of_none = rebuilt(&comparison, Comparable::Literal(Literal::Int(0)), right.clone());
            either(query, right_written_out(comparison.clone()), written_out(of_none))
        }
        _ => right_written_out(comparison),
    }
}

fn right_written_out(comparison: Comparison) -> Filter {
    let (left, right) = parts(&comparison);
    match &right {
        Comparable::Function(TestFunction::Count(FnArg::Test(query))) => {
            let of_none = rebuilt(&comparison, left, Comparable::Literal(Literal::Int(0)));
            either(query, compared(comparison.clone()), compared(of_none))
        }
        _ => compared(comparison),
    }
}

fn either(query: &Test, of_some: Filter, of_none: Filter) -> Filter {
    let exists = |not| Filter::Atom(FilterAtom::test(query.clone(), not));
    let both = |test, filter| Filter::And(vec![test, filter]);
    let any = Filter::Or(vec![both(exists(false), of_some), both(exists(true), of_none)]);
    Filter::Atom(FilterAtom::filter(any, false))
}

fn compared(comparison: Comparison) -> Filter {
    Filter::Atom(FilterAtom::cmp(Box::new(comparison)))
}

fn parts(comparison: &Comparison) -> (Comparable, Comparable) {
    let (left, right) = comparison.vals();
    (left.clone(), right.clone())
}

fn rebuilt(like: &Comparison, left: Comparable, right: Comparable) -> Comparison {
    match like {
        Comparison::Eq(..) => Comparison::Eq(left, right),
        Comparison::Ne(..) => Comparison::Ne(left, right),
        Comparison::Gt(..) => Comparison::Gt(left, right),
        Comparison::Gte(..) => Comparison::Gte(left, right),
        Comparison::Lt(..) => Comparison::Lt(left, right),
        Comparison::Lte(..) => Comparison::Lte(left, right),
    }
}
