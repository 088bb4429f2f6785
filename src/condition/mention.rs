//! What a condition speaks of, for checks against what there is to be judged.

use serde_json::Value;

use super::Condition;
use super::judge::{Logic, Operand, Query};
use super::walk::{Segment, Step};

/// A path of a condition, `@` and `$` alike.
#[derive(Debug, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The names that the path begins with, up to its first index, wildcard, slice or filter.
    pub names: Vec<&'a str>,
    /// The text that the path as a whole is compared with.
    pub text: Option<&'a str>,
}

impl Condition {
    /// Every path, in order, but for those inside a filter: there `@` is a node of the path around it.
    pub fn mentions(&self) -> Vec<Mention<'_>> {
        let mut found = Vec::new();
        of_logic(&self.0.logic, &mut found);
        found
    }
}

fn of_logic<'a>(logic: &'a Logic, found: &mut Vec<Mention<'a>>) {
    match logic {
        Logic::Any(all) | Logic::All(all) => all.iter().for_each(|logic| of_logic(logic, found)),
        Logic::Not(logic) => of_logic(logic, found),
        Logic::Exists(query) => found.push(of_query(query)),
        Logic::Compared { left, right, .. } => {
            found.extend(of_operand(left, right.text()));
            found.extend(of_operand(right, left.text()));
        }
        Logic::Matches { text, .. } => found.extend(of_operand(text, None)),
    }
}

fn of_operand<'a>(operand: &'a Operand, text: Option<&'a str>) -> Option<Mention<'a>> {
    match operand {
        Operand::Literal(_) => None,
        Operand::One { steps, .. } => {
            let names = steps.iter().map_while(Step::name).collect::<Vec<_>>();
            let text = text.filter(|_| names.len() == steps.len());
            Some(Mention { names, text })
        }
        Operand::Length(operand) => of_operand(operand, None),
        Operand::Count(query) | Operand::ValueOf(query) => Some(of_query(query)),
    }
}

fn of_query(query: &Query) -> Mention<'_> {
    Mention { names: query.segments.iter().map_while(Segment::name).collect(), text: None }
}

impl Operand {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Literal(Value::String(text)) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_with_what_they_are_compared_with() {
        let text = "@.a.b == 'x' && ('y' != $.c || !@.d[0].e) && count(@.f[?@.g == 'z']) > 1 && match(@.h, 'i')";
        let condition = Condition::compile(text).unwrap();
        let found = condition.mentions();
        let found: Vec<_> = found.iter().map(|mention| (mention.names.join("."), mention.text)).collect();
        let wanted = [("a.b", Some("x")), ("c", Some("y")), ("d", None), ("f", None), ("h", None)];
        assert_eq!(found, wanted.map(|(names, text)| (names.to_owned(), text)));
    }
}
