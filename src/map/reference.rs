//! The reference page: the mapping language for the admin who writes one. Made of the tables that the code runs by;
//! what is prose here is held to the code by tests. It stands alone: no script, no outside asset, nothing about the
//! gateway that serves it but what a source is given by default.

mod bodies;
mod bounds;
mod conditions;
mod events;
mod examples;
mod keys;
mod values;

use std::fmt;

use askama::Template;
use askama::filters::{Html, HtmlSafe, escape};

use super::transform::entry::{self, ENTRIES, Entry, Outcome};
use super::transform::{LOCALES, Locale, NOT_TWO_DIGITS, RawTransform};

/// Where it is served.
pub const PATH: &str = "/reference";

#[derive(Template)]
#[template(path = "reference.html")]
struct Page {
    first: &'static str,
    mapping_keys: Vec<Row>,
    rule_keys: Vec<Row>,
    words: Vec<(&'static str, Vec<Row>)>,
    inputs: Vec<Row>,
    paths: Vec<Row>,
    path_sample: &'static str,
    formats_of_bodies: Vec<(String, Prose)>,
    bodies: [bodies::Sample; 4],
    xml: Vec<Row>,
    xml_paths: Vec<Row>,
    kinds: Vec<values::About>,
    transforms: Vec<About>,
    common_bounds: String,
    locales: Vec<(&'static Locale, &'static str)>,
    currencies: Vec<(i32, String)>,
    formats: Vec<Row>,
    conditions: Vec<Row>,
    condition_sample: &'static str,
    functions: Vec<Row>,
    dialects: Vec<Row>,
    several: &'static str,
    each: &'static str,
    deleting: &'static str,
    money: &'static str,
    days: &'static str,
    event_keys: Vec<Row>,
    event_conditions: Vec<Row>,
    event_sample: &'static str,
    event: &'static str,
    codes: Vec<Row>,
    bounds: Vec<(Prose, String)>,
    per_minute: u32,
}

/// A line of a table: a spelling, what it means, and where there is one what holds without it.
struct Row {
    term: String,
    meaning: Prose,
    also: String,
}

impl Row {
    fn new(term: impl Into<String>, meaning: impl Into<String>, also: impl Into<String>) -> Self {
        Self { term: term.into(), meaning: Prose(meaning.into()), also: also.into() }
    }
}

/// A text in which backticks mean code.
pub struct Prose(pub String);

impl HtmlSafe for Prose {}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.split('`').enumerate() {
            let text = escape(part, Html).map_err(|_| fmt::Error)?;
            if place % 2 == 1 { write!(f, "<code>{text}</code>")? } else { write!(f, "{text}")? }
        }
        Ok(())
    }
}

/// A transform, as the page tells of it.
struct About {
    name: &'static str,
    spelling: &'static str,
    meaning: Prose,
    bounds: Prose,
    examples: Vec<Shown>,
}

/// An example, the transform in TOML, the rest in JSON.
struct Shown {
    transform: String,
    node: &'static str,
    document: &'static str,
    made: &'static str,
    is_error: bool,
}

impl From<&Entry> for About {
    fn from(entry: &Entry) -> Self {
        let shown = |example: &entry::Example| {
            let (made, is_error) = match example.outcome {
                Outcome::Gives(made) => (made, false),
                Outcome::Refuses(code) => (code, true),
            };
            let document = if example.document == "null" { "" } else { example.document };
            Shown { transform: in_toml(example.transform), node: example.node, document, made, is_error }
        };
        Self {
            name: entry.name,
            spelling: entry.spelling,
            meaning: Prose(entry.meaning.to_owned()),
            bounds: Prose((entry.bounds)()),
            examples: entry.examples.iter().map(shown).collect(),
        }
    }
}

fn in_toml(json: &str) -> String {
    let transform = serde_json::from_str::<RawTransform>(json);
    transform.map_or_else(|_| json.to_owned(), |transform| transform.to_string())
}

/// The page, as HTML. `per_minute` is the limit of a source that says none.
pub fn page(per_minute: u32) -> String {
    let page = Page {
        first: examples::FIRST,
        mapping_keys: keys::mapping(),
        rule_keys: keys::rule(),
        words: keys::words(),
        inputs: keys::inputs(),
        paths: keys::paths(),
        path_sample: keys::SAMPLE,
        formats_of_bodies: bodies::formats(),
        bodies: bodies::samples(),
        xml: bodies::xml(),
        xml_paths: bodies::paths(),
        kinds: values::kinds(),
        transforms: ENTRIES.iter().map(|entry| About::from(*entry)).collect(),
        common_bounds: entry::common_bounds(),
        locales: LOCALES.iter().map(|locale| (locale, marks(locale))).collect(),
        currencies: NOT_TWO_DIGITS.iter().map(|(digits, codes)| (*digits, codes.join(", "))).collect(),
        formats: values::formats(),
        conditions: conditions::conditions(),
        condition_sample: conditions::SAMPLE,
        functions: conditions::functions(),
        dialects: conditions::dialects(),
        several: examples::SEVERAL,
        each: examples::EACH,
        deleting: examples::DELETING,
        money: examples::MONEY,
        days: examples::DAYS,
        event_keys: events::keys(),
        event_conditions: events::conditions(),
        event_sample: events::SAMPLE,
        event: events::EXAMPLE,
        codes: values::codes(),
        bounds: bounds::bounds(),
        per_minute,
    };
    // Rendering into a string only fails when a value's Display does; these are text and numbers.
    page.render().unwrap_or_default()
}

/// What may stand between groups, in words, since blanks cannot be told apart on a page.
fn marks(locale: &Locale) -> &'static str {
    match locale.marks {
        [','] => "comma",
        ['.'] => "point",
        marks if marks.contains(&'’') => "’ or '",
        marks if marks.contains(&'.') => "blank of any width, or point",
        _ => "blank: plain, no-break or narrow",
    }
}

#[cfg(test)]
mod tests;
