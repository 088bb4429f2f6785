//! Every bound that a mapping or a payload can meet, from the constants that hold it.

use super::Prose;
use crate::condition::path::MOST_NODES;
use crate::condition::{LONGEST, LONGEST_PATTERN, MOST_SEGMENTS};
use crate::config::Bounds;
use crate::map::form::MOST_PAIRS;
use crate::map::json::{LONGEST_NUMBER, MOST_DEPTH};
use crate::map::lines::MOST_LINES;
use crate::map::mapping::{LONGEST_FILE, MOST_FAULTS, MOST_PATTERNS, MOST_RULES};
use crate::map::rule::{DEEPEST_CUSTOM_PATH, LONGEST_MATCH_VALUE};
use crate::map::transform::{
    FARTHEST_SCALE, LONGEST_FORMAT, LONGEST_PIECE, LONGEST_RESULT, MOST_ENTRIES, MOST_OVERRIDES, MOST_PARTS,
    MOST_TRANSFORMS,
};
use crate::map::xml::MOST_ATTRIBUTES;
use crate::record::decimal::MOST_DIGITS;
use crate::record::definition::{MOST_MATCH_FIELDS, MOST_STATUS_VALUES};
use crate::record::event::{DEEPEST_DATA, LONGEST_NAME, MOST_EVENTS, MOST_MEMBERS};
use crate::record::shape::MOST_FIELDS;

// These hold where they are named, and are private there.
/// `intake::LONGEST_EVENT_TYPE`.
const LONGEST_EVENT_TYPE: usize = 200;
/// `intake::records::MOST_ERRORS`.
const MOST_ERRORS_LISTED: usize = 1_000;
/// `intake::records::MOST_WEIGHT`.
const MOST_WEIGHT: usize = 32 * 1024 * 1024;
/// `condition::check::MOST_DESCENDANTS`.
pub(super) const MOST_DESCENDANTS: usize = 1;
/// `condition::check::MOST_UNITED`.
pub(super) const MOST_UNITED: usize = 16;
/// `condition::filter::MOST_DEPTH`.
pub(super) const MOST_FILTERS: usize = 2;

/// What is bounded, and by how much.
pub(super) fn bounds() -> Vec<(Prose, String)> {
    let numbers = [
        ("Fields of a module", MOST_FIELDS, ""),
        ("Fields of `match`", MOST_MATCH_FIELDS, ""),
        ("Values of a status field", MOST_STATUS_VALUES, ""),
        ("Digits of a decimal", MOST_DIGITS, ""),
        ("A text of a field that identifies records", LONGEST_MATCH_VALUE, "bytes"),
        ("Rules of a mapping", MOST_RULES, ""),
        ("Patterns of `only`", MOST_PATTERNS, ""),
        ("An event type", LONGEST_EVENT_TYPE, "bytes"),
        ("A place in `custom_data`", DEEPEST_CUSTOM_PATH, "names deep"),
        ("A path or condition", LONGEST, "bytes"),
        ("Parts of a path", MOST_SEGMENTS, "names, indexes, brackets"),
        ("`..` in a path", MOST_DESCENDANTS, "time"),
        ("Selectors in one pair of brackets, such as the three of `[0,1,2]`; several pairs multiply", MOST_UNITED, ""),
        ("Filters in each other, the outer one counted", MOST_FILTERS, ""),
        ("Values that a path finds, unless `take` only counts them; records of one event under `each`", MOST_NODES, ""),
        ("A pattern of `match(…)` or `search(…)`", LONGEST_PATTERN, "bytes"),
        ("Transforms of a rule", MOST_TRANSFORMS, ""),
        ("Texts of `replace`, `with`, `prefix`, `suffix`, `split`", LONGEST_PIECE, "bytes"),
        ("Parts of a `split`", MOST_PARTS, ""),
        ("Entries of a `map`", MOST_ENTRIES, ""),
        ("Currencies that `digits` names", MOST_OVERRIDES, ""),
        ("A format of `timestamp`", LONGEST_FORMAT, "bytes"),
        ("A text that a transform gives", LONGEST_RESULT, "bytes"),
        ("A body, unless the source says otherwise by `max_body`", Bounds::default().max_body, "bytes"),
        ("Nesting of a body", MOST_DEPTH, "objects and arrays, or elements"),
        ("A number of a body", LONGEST_NUMBER, "characters"),
        ("Fields of a form", MOST_PAIRS, ""),
        ("Lines of NDJSON", MOST_LINES, ""),
        ("Attributes of an element of XML", MOST_ATTRIBUTES, ""),
        ("Errors that are listed of one event", MOST_ERRORS_LISTED, ""),
        ("Events that a module names", MOST_EVENTS, ""),
        ("The name of such an event", LONGEST_NAME, "bytes"),
        ("Members of an event's `data`, those of tables inside counted", MOST_MEMBERS, ""),
        ("Tables of `data` in each other", DEEPEST_DATA, "deep"),
        ("A module file", LONGEST_FILE, "bytes"),
        ("Problems that are told of a module file", MOST_FAULTS, ""),
    ];
    let shown = |(what, most, unit): (&str, usize, &str)| (Prose(what.to_owned()), format!("{} {unit}", grouped(most)));
    let mut all: Vec<_> = numbers.into_iter().map(shown).collect();
    all.push((Prose("Places that `scale` moves the point".to_owned()), format!("{FARTHEST_SCALE} either way")));
    let memory = format!("{} bytes and twice the size of its body", grouped(MOST_WEIGHT));
    all.push((Prose("Memory that the records of one event take while its rules are applied".to_owned()), memory));
    all
}

/// 1048576 as people read it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
