//! What is no TOML, told to someone who may never have written any. The parser goes on after an error, so that all of
//! them are told at once; one a line, since the second is mostly an echo of the first.

mod place;

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use super::MOST_ERRORS;
use super::lines::Lines;
use super::tree::Way;
use place::Place;

/// The most of the parser's errors that are looked at, echoes included.
const MOST_LOOKED_AT: usize = 10 * MOST_ERRORS;
/// What the parser says of a line in brackets.
const HEADERS: &[&str] = &["unclosed table", "unclosed array table", "unquoted keys cannot be empty"];

/// A document as far as it could be read.
pub struct Parsed<'a> {
    pub tree: Spanned<DeTable<'a>>,
    /// Where in the text, and what is wrong there.
    pub slips: Vec<(usize, String)>,
    /// Something was lost, so that what the tree lacks says nothing about the file.
    pub torn: bool,
}

/// What an error did to the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Harm {
    /// None: it is plain what was meant, and so it stands in the tree.
    None,
    /// A key or a value is not in the tree.
    Entry,
    /// What follows was taken for something else.
    Rest,
}

pub fn parse<'a>(text: &'a str, lines: &Lines) -> Parsed<'a> {
    let (mut tree, mut errors) = DeTable::parse_recoverable(text);
    errors.sort_by_key(start);
    let mut parsed = (Vec::new(), false);
    let (mut told, mut headers) = (BTreeSet::new(), true);
    for (place, error) in errors.iter().enumerate() {
        let at = Place::of(text, error);
        // Tables whose header was not read fill others, which then seem to stand there twice.
        if !headers && error.message().starts_with("duplicate key") {
            continue;
        }
        headers &= !HEADERS.iter().any(|sign| error.message().starts_with(sign));
        let (detail, harm) = at.explain(error, &errors[place + 1..]);
        let harm = if harm == Harm::None { mended(tree.get_mut(), &at, error) } else { harm };
        parsed.1 |= harm != Harm::None;
        if told.insert(lines.of(at.byte)) {
            parsed.0.push((at.byte, detail));
        }
        if place >= MOST_LOOKED_AT || parsed.0.len() > MOST_ERRORS {
            parsed.1 = true;
            break;
        }
        if harm == Harm::Rest {
            break;
        }
    }
    Parsed { tree, slips: parsed.0, torn: parsed.1 }
}

fn start(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// An unquoted word stands in the tree as whatever the parser took it for: put the text there.
fn mended(tree: &mut DeTable<'_>, at: &Place<'_>, error: &Error) -> Harm {
    let Some(span) = error.span().filter(|span| !span.is_empty()) else { return Harm::None };
    if error.message().starts_with("duplicate key") {
        return Harm::None;
    }
    let node = Way::default().to_span(tree, &span);
    match node.and_then(|way| way.node(tree).filter(|node| node.span() == span).map(|node| node.get_mut())) {
        Some(value) => {
            *value = match at.value.to_ascii_lowercase().as_str() {
                "true" => DeValue::Boolean(true),
                "false" => DeValue::Boolean(false),
                _ => DeValue::String(at.value.to_owned().into()),
            };
            Harm::None
        }
        None => Harm::Entry,
    }
}
