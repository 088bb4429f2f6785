//! Bounds on a parsed path, so that no mapping that can be saved makes a payload expensive, and the places where
//! `jsonpath-rust` takes what RFC 9535 does not, or judges it wrongly.

use jsonpath_rust::parser::model::{
    Comparable, Filter, FilterAtom, FnArg, JpQuery, Segment, Selector, SingularQuery, Test, TestFunction,
};

const MOST_SEGMENTS: usize = 32;
const MOST_DESCENDANTS: usize = 1;
/// The most selectors in one pair of brackets; of several such pairs the product, since each multiplies the nodes.
const MOST_UNITED: usize = 16;
/// A filter, and one inside it.
const MOST_FILTER_DEPTH: usize = 2;

/// Whether some filter looks at `$`.
pub(super) fn check(query: &JpQuery) -> Result<bool, String> {
    let segments = &query.segments;
    bounded(segments)?;
    let mut filters = Filters { look_at_root: false };
    filters.of(segments, 1)?;
    if filters.look_at_root && (descendants(segments) > 0 || widening(segments) > 1) {
        return Err("a filter that looks at `$` must be the only part of the path that selects several nodes".into());
    }
    Ok(filters.look_at_root)
}

fn bounded(segments: &[Segment]) -> Result<(), String> {
    if segments.len() > MOST_SEGMENTS {
        return Err(format!("the path has more than {MOST_SEGMENTS} segments"));
    }
    if descendants(segments) > MOST_DESCENDANTS {
        return Err("`..` may stand once in a path".into());
    }
    let united = segments.iter().map(|segment| selectors(segment).len()).fold(1, usize::saturating_mul);
    if united > MOST_UNITED {
        return Err(format!("the path unites more than {MOST_UNITED} selectors in brackets (their product counts)"));
    }
    Ok(())
}

fn descendants(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| matches!(segment, Segment::Descendant(_))).count()
}

/// Segments that may select several nodes of one.
fn widening(segments: &[Segment]) -> usize {
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

struct Filters {
    look_at_root: bool,
}

impl Filters {
    fn of(&mut self, segments: &[Segment], depth: usize) -> Result<(), String> {
        for selector in segments.iter().flat_map(selectors) {
            if let Selector::Filter(filter) = selector {
                if depth > MOST_FILTER_DEPTH {
                    return Err(format!("filters are nested more than {MOST_FILTER_DEPTH} deep"));
                }
                self.filter(filter, depth)?;
            }
        }
        Ok(())
    }

    fn filter(&mut self, filter: &Filter, depth: usize) -> Result<(), String> {
        match filter {
            Filter::Or(all) | Filter::And(all) => all.iter().try_for_each(|filter| self.filter(filter, depth)),
            Filter::Atom(FilterAtom::Filter { expr, .. }) => self.filter(expr, depth),
            Filter::Atom(FilterAtom::Test { expr, .. }) => match &**expr {
                Test::Function(function) => Err(not_a_condition(function)),
                query => self.query(query, depth),
            },
            Filter::Atom(FilterAtom::Comparison(comparison)) => {
                let (left, right) = comparison.vals();
                self.comparable(left, depth)?;
                self.comparable(right, depth)
            }
        }
    }

    fn comparable(&mut self, comparable: &Comparable, depth: usize) -> Result<(), String> {
        match comparable {
            Comparable::Literal(_) => Ok(()),
            Comparable::Function(function) => self.function(function, depth),
            Comparable::SingularQuery(SingularQuery::Current(segments)) => short(segments.len()),
            Comparable::SingularQuery(SingularQuery::Root(segments)) => {
                self.look_at_root = true;
                short(segments.len())
            }
        }
    }

    fn function(&mut self, function: &TestFunction, depth: usize) -> Result<(), String> {
        match function {
            TestFunction::Length(argument) => match &**argument {
                FnArg::Literal(_) => Ok(()),
                FnArg::Test(query) if is_singular_query(query) => self.query(query, depth),
                _ => Err("`length(…)` takes one value, such as `length(@.items)`; nodes are counted by \
                          `count(@.items[*])`"
                    .into()),
            },
            TestFunction::Count(FnArg::Test(query)) | TestFunction::Value(FnArg::Test(query))
                if !matches!(**query, Test::Function(_)) =>
            {
                self.query(query, depth)
            }
            TestFunction::Count(_) => Err("`count(…)` takes a query, such as `count(@.items[*])`".into()),
            TestFunction::Value(_) => Err("`value(…)` takes a query, such as `value(@.items[*])`".into()),
            other => Err(not_a_condition(other)),
        }
    }

    /// A query inside a filter: few nodes, and nothing whose locations the crate would write out at length.
    fn query(&mut self, query: &Test, depth: usize) -> Result<(), String> {
        match query {
            Test::Function(function) => Err(not_a_condition(function)),
            Test::AbsQuery(JpQuery { segments }) => {
                self.look_at_root = true;
                if widening(segments) > 0 {
                    return Err("inside a filter, a query of `$` may use names and indexes only".into());
                }
                short(segments.len())
            }
            Test::RelQuery(segments) => {
                bounded(segments)?;
                if descendants(segments) > 0 {
                    return Err("`..` may not stand inside a filter".into());
                }
                if widening(segments) > 1 {
                    return Err("inside a filter, only one part of a query may select several nodes".into());
                }
                let first = segments.first().map(selectors).unwrap_or_default();
                if first.iter().any(|selector| matches!(selector, Selector::Filter(_))) {
                    return Err("a filter inside a filter follows a name: `@.items[?…]`, not `@[?…]`".into());
                }
                self.of(segments, depth + 1)
            }
        }
    }
}

fn short(segments: usize) -> Result<(), String> {
    if segments > MOST_SEGMENTS {
        return Err(format!("a query in a filter has more than {MOST_SEGMENTS} segments"));
    }
    Ok(())
}

fn is_singular_query(query: &Test) -> bool {
    match query {
        Test::RelQuery(segments) | Test::AbsQuery(JpQuery { segments }) => widening(segments) == 0,
        Test::Function(_) => false,
    }
}

fn not_a_condition(function: &TestFunction) -> String {
    match function {
        TestFunction::Match(..) | TestFunction::Search(..) => {
            "`match` and `search` are not available; compare with `==`, joined by `||`".into()
        }
        TestFunction::Custom(name, _) => {
            format!("`{name}` is no function of RFC 9535; write `@.a == 'x' || @.a == 'y'`")
        }
        _ => "the result of a function must be compared, as in `length(@.items) > 0`".into(),
    }
}
