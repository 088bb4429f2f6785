//! Judging: RFC 9535, 2.3.5.2.2 and 2.4. Numbers are compared by their digits, texts by their characters.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::ControlFlow;

use regex::Regex;
use serde_json::Value;

use super::number;
use super::walk::{self, Segment, Step, Take};
use super::work::Work;

/// Units of work for a byte that a pattern looks at; the dearest pattern that can be saved takes about that.
const UNITS_A_MATCHED_BYTE: usize = 20;
/// Bytes that are compared for one unit.
const BYTES_A_UNIT: usize = 16;

/// What an expression sees.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a, 'w> {
    /// `@`
    pub node: &'a Value,
    /// `$`
    pub root: &'a Value,
    pub work: &'w Work,
}

/// A logical expression.
#[derive(Debug)]
pub(super) enum Logic {
    Any(Vec<Logic>),
    All(Vec<Logic>),
    Not(Box<Logic>),
    Exists(Query),
    Compared { left: Operand, compare: Compare, right: Operand },
    Matches { text: Operand, pattern: Regex },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug)]
pub(super) enum Operand {
    Literal(Value),
    One { from: Origin, steps: Vec<Step> },
    Length(Box<Operand>),
    Count(Query),
    ValueOf(Query),
}

/// What a path in an expression starts from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Origin {
    /// `@`
    Current,
    /// `$`
    Root,
}

#[derive(Debug)]
pub(super) struct Query {
    pub from: Origin,
    pub segments: Vec<Segment>,
}

/// What an operand comes to.
enum Worth<'a> {
    Nothing,
    Node(&'a Value),
    Number(usize),
}

impl Logic {
    pub fn holds(&self, scene: Scene<'_, '_>) -> bool {
        if !scene.work.spend(1) {
            return false;
        }
        match self {
            Self::Any(any) => any.iter().any(|logic| logic.holds(scene)),
            Self::All(all) => all.iter().all(|logic| logic.holds(scene)),
            Self::Not(logic) => !logic.holds(scene),
            Self::Exists(query) => query.walk(scene, &mut |_| ControlFlow::Break(())).is_break(),
            Self::Compared { left, compare, right } => {
                compare.holds(&left.worth(scene), &right.worth(scene), scene.work)
            }
            Self::Matches { text, pattern } => match text.worth(scene) {
                Worth::Node(Value::String(text)) => {
                    scene.work.spend(text.len().saturating_mul(UNITS_A_MATCHED_BYTE)) && pattern.is_match(text)
                }
                _ => false,
            },
        }
    }
}

impl Compare {
    fn holds(self, left: &Worth<'_>, right: &Worth<'_>, work: &Work) -> bool {
        let equal = || equal(left, right, work);
        match self {
            Self::Equal => equal(),
            Self::NotEqual => !equal(),
            Self::Less => order(left, right, work) == Some(Ordering::Less),
            Self::Greater => order(left, right, work) == Some(Ordering::Greater),
            Self::LessOrEqual => order(left, right, work) == Some(Ordering::Less) || equal(),
            Self::GreaterOrEqual => order(left, right, work) == Some(Ordering::Greater) || equal(),
        }
    }
}

fn equal(left: &Worth<'_>, right: &Worth<'_>, work: &Work) -> bool {
    match (left, right) {
        (Worth::Nothing, Worth::Nothing) => true,
        (Worth::Node(left), Worth::Node(right)) => equal_nodes(left, right, work),
        _ => left.number().zip(right.number()).is_some_and(|(left, right)| number::order(&left, &right).is_eq()),
    }
}

/// Numbers by value, all else by structure. As deep as a document may be.
fn equal_nodes(left: &Value, right: &Value, work: &Work) -> bool {
    if !work.spend(1) {
        return false;
    }
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            work.spend(left.as_str().len() / BYTES_A_UNIT) && number::order(left.as_str(), right.as_str()).is_eq()
        }
        (Value::String(left), Value::String(right)) => {
            left.len() == right.len() && work.spend(left.len() / BYTES_A_UNIT) && left == right
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal_nodes(left, right, work))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same =
                |(key, left): (&String, &Value)| right.get(key).is_some_and(|right| equal_nodes(left, right, work));
            left.len() == right.len() && left.iter().all(same)
        }
        (left, right) => left == right,
    }
}

/// Two numbers or two texts; nothing else has an order.
fn order(left: &Worth<'_>, right: &Worth<'_>, work: &Work) -> Option<Ordering> {
    if let (Worth::Node(Value::String(left)), Worth::Node(Value::String(right))) = (left, right) {
        // The order of UTF-8's bytes is that of the characters.
        return work.spend(left.len().min(right.len()) / BYTES_A_UNIT).then(|| left.cmp(right));
    }
    left.number().zip(right.number()).map(|(left, right)| number::order(&left, &right))
}

impl<'a> Worth<'a> {
    fn number(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::Node(Value::Number(number)) => Some(Cow::Borrowed(number.as_str())),
            Self::Number(count) => Some(Cow::Owned(count.to_string())),
            Self::Node(_) | Self::Nothing => None,
        }
    }
}

impl Operand {
    fn worth<'a>(&'a self, scene: Scene<'a, '_>) -> Worth<'a> {
        match self {
            Self::Literal(value) => Worth::Node(value),
            Self::One { from, steps } => {
                let found = steps.iter().try_fold(from.of(scene), |node, step| step.one(node));
                found.map_or(Worth::Nothing, Worth::Node)
            }
            Self::Length(operand) => match operand.worth(scene) {
                Worth::Node(Value::String(text)) if scene.work.spend(text.len() / BYTES_A_UNIT) => {
                    Worth::Number(text.chars().count())
                }
                Worth::Node(Value::Array(items)) => Worth::Number(items.len()),
                Worth::Node(Value::Object(members)) => Worth::Number(members.len()),
                Worth::Node(_) | Worth::Nothing | Worth::Number(_) => Worth::Nothing,
            },
            Self::Count(query) => {
                let mut count = 0;
                let _ = query.walk(scene, &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                });
                Worth::Number(count)
            }
            Self::ValueOf(query) => query.single(scene).map_or(Worth::Nothing, Worth::Node),
        }
    }
}

impl Origin {
    fn of<'a>(self, scene: Scene<'a, '_>) -> &'a Value {
        match self {
            Self::Current => scene.node,
            Self::Root => scene.root,
        }
    }
}

impl Query {
    fn walk<'a>(&self, scene: Scene<'a, '_>, take: &mut Take<'_, 'a>) -> ControlFlow<()> {
        walk::walk(&self.segments, Scene { node: self.from.of(scene), ..scene }, take)
    }

    /// The node, if it is the only one.
    fn single<'a>(&self, scene: Scene<'a, '_>) -> Option<&'a Value> {
        let mut found = None;
        let several = self.walk(scene, &mut |node| match found.replace(node) {
            None => ControlFlow::Continue(()),
            Some(_) => ControlFlow::Break(()),
        });
        found.filter(|_| several.is_continue())
    }
}
