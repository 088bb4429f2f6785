//! From the parsed filter to what is judged. What `jsonpath-rust` takes and RFC 9535 does not is refused here, and so
//! is what could never hold.

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, SingularQuery, SingularQuerySegment, Test,
    TestFunction,
};
use serde_json::{Number, Value};

use super::check;
use super::judge::{Compare, Logic, Operand, Origin, Query};
use super::pattern;
use super::walk::{self, Step};

/// A filter, and one inside it.
pub(super) const MOST_DEPTH: usize = 2;

/// A filter that no other stands around.
pub(super) fn compile(filter: &Filter) -> Result<Logic, String> {
    compile_at(filter, 1)
}

/// `depth` counts the filters around, this one included.
pub(super) fn compile_at(filter: &Filter, depth: usize) -> Result<Logic, String> {
    if depth > MOST_DEPTH {
        return Err(format!("filters are nested more than {MOST_DEPTH} deep"));
    }
    let all = |all: &[Filter]| all.iter().map(|filter| compile_at(filter, depth)).collect::<Result<_, _>>();
    match filter {
        Filter::Or(any) => all(any).map(Logic::Any),
        Filter::And(both) => all(both).map(Logic::All),
        Filter::Atom(FilterAtom::Filter { expr, not }) => Ok(negated(compile_at(expr, depth)?, *not)),
        Filter::Atom(FilterAtom::Test { expr, not }) => Ok(negated(test(expr, depth)?, *not)),
        Filter::Atom(FilterAtom::Comparison(comparison)) => compared(comparison, depth),
    }
}

fn negated(logic: Logic, not: bool) -> Logic {
    if not { Logic::Not(Box::new(logic)) } else { logic }
}

fn test(test: &Test, depth: usize) -> Result<Logic, String> {
    match test {
        Test::Function(function) => match &**function {
            TestFunction::Match(text, pattern) => matches("match", text, pattern, depth),
            TestFunction::Search(text, pattern) => matches("search", text, pattern, depth),
            TestFunction::Custom(name, _) => Err(unknown(name)),
            TestFunction::Length(_) | TestFunction::Count(_) | TestFunction::Value(_) => {
                Err("the result of a function must be compared, as in `length(@.items) > 0`".into())
            }
        },
        query => self::query(query, depth).map(Logic::Exists),
    }
}

fn matches(function: &str, text: &FnArg, pattern: &FnArg, depth: usize) -> Result<Logic, String> {
    let FnArg::Literal(Literal::String(pattern)) = pattern else {
        return Err(format!("the pattern of `{function}` is a text in quotes, as in `{function}(@.name, 'A.*')`"));
    };
    let FnArg::Test(text) = text else {
        return Err(format!("`{function}` looks at a value of the payload, as in `{function}(@.name, 'A.*')`"));
    };
    let pattern = if function == "match" { pattern::whole(pattern)? } else { pattern::part(pattern)? };
    Ok(Logic::Matches { text: singular(text, function, depth)?, pattern })
}

fn unknown(name: &str) -> String {
    let instead = match name {
        "in" | "nin" | "any_of" | "none_of" | "subset_of" => "write `@.a == 'x' || @.a == 'y'`",
        _ => "there are length, count, value, match and search",
    };
    format!("`{name}` is no function of RFC 9535; {instead}")
}

fn compared(comparison: &Comparison, depth: usize) -> Result<Logic, String> {
    let (left, right) = comparison.vals();
    if let (Comparable::Literal(_), Comparable::Literal(_)) = (left, right) {
        return Err("both sides of the comparison are fixed; a path stands without quotes: `@.status == 'open'`".into());
    }
    let compare = match comparison {
        Comparison::Eq(..) => Compare::Equal,
        Comparison::Ne(..) => Compare::NotEqual,
        Comparison::Lt(..) => Compare::Less,
        Comparison::Lte(..) => Compare::LessOrEqual,
        Comparison::Gt(..) => Compare::Greater,
        Comparison::Gte(..) => Compare::GreaterOrEqual,
    };
    Ok(Logic::Compared { left: comparable(left, depth)?, compare, right: comparable(right, depth)? })
}

fn comparable(comparable: &Comparable, depth: usize) -> Result<Operand, String> {
    match comparable {
        Comparable::Literal(found) => literal(found).map(Operand::Literal),
        Comparable::SingularQuery(SingularQuery::Current(segments)) => steps(segments, Origin::Current),
        Comparable::SingularQuery(SingularQuery::Root(segments)) => steps(segments, Origin::Root),
        Comparable::Function(function) => self::function(function, depth),
    }
}

fn literal(literal: &Literal) -> Result<Value, String> {
    match literal {
        Literal::Int(number) => Ok((*number).into()),
        Literal::Float(number) => {
            Number::from_f64(*number).map(Value::Number).ok_or_else(|| "the number is too large to compare with".into())
        }
        Literal::String(text) => Ok(text.as_str().into()),
        Literal::Bool(truth) => Ok((*truth).into()),
        Literal::Null => Ok(Value::Null),
    }
}

fn steps(segments: &[SingularQuerySegment], from: Origin) -> Result<Operand, String> {
    check::short(segments.len())?;
    let step = |segment: &SingularQuerySegment| match segment {
        SingularQuerySegment::Name(name) => Step::Name(name.clone()),
        SingularQuerySegment::Index(index) => Step::Index(*index),
    };
    Ok(Operand::One { from, steps: segments.iter().map(step).collect() })
}

fn function(function: &TestFunction, depth: usize) -> Result<Operand, String> {
    match function {
        TestFunction::Length(argument) => match &**argument {
            FnArg::Test(query) => Ok(Operand::Length(Box::new(singular(query, "length", depth)?))),
            _ => Err(not_one_value("length")),
        },
        TestFunction::Count(FnArg::Test(query)) if !matches!(**query, Test::Function(_)) => {
            self::query(query, depth).map(Operand::Count)
        }
        TestFunction::Value(FnArg::Test(query)) if !matches!(**query, Test::Function(_)) => {
            self::query(query, depth).map(Operand::ValueOf)
        }
        TestFunction::Count(_) => Err("`count(…)` takes a path, such as `count(@.items[*])`".into()),
        TestFunction::Value(_) => Err("`value(…)` takes a path, such as `value(@.items[*])`".into()),
        TestFunction::Match(..) | TestFunction::Search(..) => {
            Err("`match` and `search` hold or do not; leave out what they are compared with".into())
        }
        TestFunction::Custom(name, _) => Err(unknown(name)),
    }
}

/// The argument of a function that takes one value.
fn singular(argument: &Test, function: &str, depth: usize) -> Result<Operand, String> {
    let segments = match argument {
        Test::RelQuery(segments) | Test::AbsQuery(JpQuery { segments }) => segments,
        Test::Function(inner) if matches!(**inner, TestFunction::Value(_)) => return self::function(inner, depth),
        Test::Function(_) => return Err(not_one_value(function)),
    };
    if check::widening(segments) > 0 {
        return Err(not_one_value(function));
    }
    query(argument, depth).map(Operand::ValueOf)
}

fn not_one_value(function: &str) -> String {
    match function {
        "length" => {
            "`length(…)` takes one value, such as `length(@.items)`; nodes are counted by `count(@.items[*])`".into()
        }
        other => format!("`{other}` looks at one value, as in `{other}(@.name, 'A.*')`"),
    }
}

fn query(query: &Test, depth: usize) -> Result<Query, String> {
    let (from, segments) = match query {
        Test::RelQuery(segments) => {
            check::bounded_in_filter(segments)?;
            (Origin::Current, segments)
        }
        Test::AbsQuery(JpQuery { segments }) => {
            check::bounded_at_root(segments)?;
            (Origin::Root, segments)
        }
        Test::Function(_) => return Err("a function stands where a path is expected".into()),
    };
    Ok(Query { from, segments: walk::segments(segments, depth)? })
}
