//! From TOML to the types of a module file, past every error: what cannot be read is told, set right or taken away, and
//! the rest is read again. That costs a pass for each error, and errors are bounded.

use std::ops::Range;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error, ValueDeserializer};

use super::lines::Lines;
use super::tree::Way;
use super::{FileError, MOST_ERRORS, RawFile, brackets, keys, kinds, numbers, syntax};
use crate::map::mapping::LONGEST_FILE;
use crate::map::rule::RawRule;
use crate::record::definition::RawModule;
use crate::record::event::RawEvent;
use crate::source::RawSource;

/// What was found while reading.
pub struct Notes<'a> {
    pub file: &'a str,
    pub lines: Lines,
    pub errors: Vec<FileError>,
    /// How often something was told; what is told of a line may replace what was told before.
    told: usize,
    /// Places of which something was taken away: what later checks miss there was told already.
    pub forgiven: Vec<Way>,
}

/// A file as far as it could be read. `raw` is `None` when what is missing says nothing about the file.
pub struct Read<'a> {
    pub tree: Spanned<DeTable<'a>>,
    pub raw: Option<RawFile>,
    pub notes: Notes<'a>,
}

impl Notes<'_> {
    /// Says something of a place that was set right, or stays usable.
    pub fn at(&mut self, way: &Way, byte: usize, detail: &str) {
        self.told += 1;
        let line = self.lines.of(byte);
        // An unquoted text in place of, say, a number: the second message says it better.
        self.errors.retain(|error| error.line != Some(line) || error.field.is_some());
        let (file, field) = (self.file.to_owned(), Some(way.to_string()));
        self.errors.push(FileError { file, line: Some(line), field, detail: detail.to_owned() });
    }

    /// Says something of a place that is taken away.
    pub fn damaged(&mut self, way: &Way, byte: usize, detail: &str) {
        self.at(way, byte, detail);
        self.forgive(way.clone());
    }

    pub fn forgive(&mut self, way: Way) {
        self.forgiven.push(way);
    }
}

pub fn read<'a>(file: &'a str, text: &'a str) -> Read<'a> {
    if text.len() > LONGEST_FILE {
        let detail =
            format!("the file is larger than {LONGEST_FILE} bytes; a module file is written by hand, and far shorter");
        let errors = vec![FileError { file: file.to_owned(), line: Some(1), field: None, detail }];
        let notes = Notes { file, lines: Lines::new(""), errors, told: 1, forgiven: Vec::new() };
        return Read { tree: Spanned::new(0..0, DeTable::new()), raw: None, notes };
    }
    let lines = Lines::new(text);
    let syntax::Parsed { mut tree, slips, torn } = syntax::parse(text, &lines);
    let told = |(byte, detail)| FileError { file: file.to_owned(), line: Some(lines.of(byte)), field: None, detail };
    let errors = slips.into_iter().map(told).collect::<Vec<_>>();
    let mut notes = Notes { file, told: errors.len(), lines, errors, forgiven: Vec::new() };
    if torn {
        return Read { tree, raw: None, notes };
    }
    numbers::made_plain(tree.get_mut(), &mut notes);
    let raw = settled(&mut tree, &mut notes);
    Read { tree, raw, notes }
}

/// Part by part, so that a pass for an error is a pass over its part; then the whole, which has few errors left.
fn settled(tree: &mut Spanned<DeTable<'_>>, notes: &mut Notes<'_>) -> Option<RawFile> {
    let root = tree.get_mut();
    let top = Way::default();
    let strays = root.keys().map(|key| key.get_ref().to_string()).filter(|key| !keys::is_of_file(key));
    for key in strays.take(MOST_ERRORS).collect::<Vec<_>>() {
        keys::unknown_in_file(root, &top.key(&key), notes);
    }
    brackets::set_right(root, notes);
    for source in brackets::items(root, &top.key("source")).map(|place| top.key("source").item(place)) {
        for rule in brackets::items(root, &source.key("rule")).map(|place| source.key("rule").item(place)) {
            part::<RawRule>(root, &rule, notes);
        }
        part::<RawSource>(root, &source, notes);
    }
    let events = top.key("module").key("event");
    for event in brackets::items(root, &events).map(|place| events.item(place)) {
        part::<RawEvent>(root, &event, notes);
    }
    part::<RawModule>(root, &top.key("module"), notes);
    while notes.told <= MOST_ERRORS {
        brackets::set_right(tree.get_mut(), notes);
        match RawFile::deserialize(Deserializer::from(tree.clone())) {
            Ok(raw) => return Some(raw),
            Err(error) if set_right(tree.get_mut(), &Way::default(), &error, notes) => {}
            Err(_) => break,
        }
    }
    None
}

/// One table of the file, until it reads.
fn part<T: DeserializeOwned>(tree: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    while notes.told <= MOST_ERRORS {
        let Some(node) = way.node(tree) else { return };
        match T::deserialize(ValueDeserializer::from(node.clone())) {
            Err(error) if set_right(tree, way, &error, notes) => {}
            _ => return,
        }
    }
}

/// Whether the same error cannot come again. `within` is the way to what was read.
fn set_right(tree: &mut DeTable<'_>, within: &Way, error: &Error, notes: &mut Notes<'_>) -> bool {
    let span = error.span().unwrap_or_default();
    let Some(way) = within.to_span(tree, &span) else {
        let detail = error.message().to_owned();
        notes.errors.push(FileError { file: notes.file.to_owned(), line: None, field: None, detail });
        return false;
    };
    let (message, before) = (error.message(), notes.told);
    if message.starts_with("unknown field ") {
        keys::unknown(tree, &way, &names(message), notes);
    } else if message.starts_with("unknown variant ") {
        word(tree, &way, &names(message), notes);
    } else {
        kind(tree, &way, message, span, notes);
    }
    notes.told > before
}

/// What serde expects, which it names in backticks.
fn names(message: &str) -> Vec<&str> {
    let expected = message.rfind("`, expected ").map_or("", |at| &message[at + 1..]);
    expected.split('`').skip(1).step_by(2).collect()
}

/// A closed list of words, such as those of `on_missing`.
fn word(tree: &mut DeTable<'_>, way: &Way, words: &[&str], notes: &mut Notes<'_>) {
    let Some((table, key)) = way.split() else { return };
    let Some(node) = way.node(tree) else { return };
    let written = node.get_ref().as_str().unwrap_or_default().to_owned();
    let (detail, near) = kinds::wrong_word(key, &written, words);
    let at = node.span().start;
    match near {
        Some(near) => {
            *node.get_mut() = DeValue::String(near.into());
            notes.at(way, at, &detail);
        }
        None => {
            notes.damaged(&table.key(key), at, &detail);
            table.table(tree).map(|table| table.remove(key));
        }
    }
}

/// A value of another type, or out of the bounds of its type.
fn kind(tree: &mut DeTable<'_>, way: &Way, message: &str, span: Range<usize>, notes: &mut Notes<'_>) {
    let Some((table, key)) = way.split() else { return };
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    let expected = expected.or_else(|| message.strip_prefix("wanted "));
    // A type that may be written in several ways says so itself, and nothing else.
    let expected = expected.or_else(|| message.starts_with("a ").then_some(message));
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    let detail = match (expected, way.node(tree)) {
        _ if let Some(missing) = missing => kinds::lacking(way, missing),
        (Some(expected), Some(node)) => kinds::wrong(way, expected, node.get_ref()),
        _ => format!("`{key}` cannot be read: {message}"),
    };
    let whole = table.key(key);
    notes.damaged(&whole, span.start, &detail);
    let is_field = matches!(whole.keys()[..], ["module", "fields", _]);
    match whole.node(tree) {
        // The field is there; only its type is not known.
        Some(node) if is_field => *node.get_mut() = DeValue::String("text".into()),
        _ => drop(table.table(tree).map(|table| table.remove(key))),
    }
}
