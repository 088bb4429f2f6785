use std::collections::BTreeSet;
use std::fs;
use std::path::Path as File;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::clock::Timestamp;
use crate::condition::Condition;
use crate::condition::path::{Found, Path};
use crate::id::ModuleId;
use crate::map::input::Input;
use crate::map::mapping::RawMapping;
use crate::map::rule::{OnEmpty, OnMissing, OnNull, RawRule, Take};
use crate::map::transform::Reading;
use crate::record::definition::{Definition, RawModule};
use crate::record::event::RawEvent;
use crate::record::value::coerce;

fn set(words: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    words.into_iter().map(Into::into).collect()
}

fn terms(rows: &[Row]) -> BTreeSet<String> {
    set(rows.iter().map(|row| row.term.clone()))
}

/// The words or keys that serde lists for one that is not among them.
fn known<'de, T: Deserialize<'de>>(json: &'de str) -> BTreeSet<String> {
    let Err(error) = serde_json::from_str::<T>(json) else { panic!("{json} is taken") };
    set(error.to_string().split('`').skip(3).step_by(2))
}

#[test]
fn the_page_stands_alone_and_escapes() {
    let page = page(60);
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for outside in ["http:", "https:", "<script", "<link", "src=", "url(", "onclick"] {
        assert!(!page.contains(outside), "{outside}");
    }
    let prose = Prose("<b> `<i>&` \"x\"".into()).to_string();
    assert!(!prose.contains("<b>") && !prose.contains("<i>") && prose.contains("<code>&#"), "{prose}");
    assert!(page.contains("takes 60 requests a minute"));
    assert!(!page.contains("<code></code>"));
}

#[test]
fn every_place_of_the_contents_is_there() {
    let page = page(60);
    let ids: Vec<_> =
        Regex::new("id=\"([^\"]+)\"").unwrap().captures_iter(&page).map(|found| found[1].to_owned()).collect();
    assert_eq!(set(ids.clone()).len(), ids.len(), "an id stands twice");
    for link in Regex::new("href=\"#([^\"]+)\"").unwrap().captures_iter(&page) {
        assert!(ids.contains(&link[1].to_owned()), "{}", &link[1]);
    }
}

#[test]
fn keys_and_words_are_those_of_the_code() {
    assert_eq!(terms(&keys::mapping()), known::<RawMapping>(r#"{"?": 1}"#));
    assert_eq!(terms(&keys::rule()), known::<RawRule>(r#"{"?": 1}"#));
    assert_eq!(terms(&events::keys()), known::<RawEvent>(r#"{"?": 1}"#));
    let defaults = [
        ("on_missing", known::<OnMissing>("\"?\""), serde_json::to_string(&OnMissing::default())),
        ("on_null", known::<OnNull>("\"?\""), serde_json::to_string(&OnNull::default())),
        ("on_empty", known::<OnEmpty>("\"?\""), serde_json::to_string(&OnEmpty::default())),
        ("take", known::<Take>("\"?\""), serde_json::to_string(&Take::default())),
    ];
    for ((key, rows), (wanted, words, default)) in keys::words().into_iter().zip(defaults) {
        assert_eq!((key, terms(&rows)), (wanted, words));
        let row = keys::rule().into_iter().find(|row| row.term == key).unwrap();
        assert_eq!(format!("{:?}", row.also), default.unwrap());
    }
}

#[test]
fn places_and_paths_are_taken() {
    for row in keys::inputs() {
        assert!(Input::check(&row.term).is_ok(), "{}", row.term);
    }
    find_what_is_said(&serde_json::from_str(keys::SAMPLE).unwrap(), keys::paths());
}

#[track_caller]
fn find_what_is_said(sample: &Value, paths: Vec<Row>) {
    for row in paths {
        let found = match Path::compile(&row.term).unwrap().find(sample).unwrap() {
            Found::One(node) => vec![node],
            Found::Many(nodes) => nodes,
            Found::Missing => Vec::new(),
        };
        let found: Vec<_> = found.into_iter().map(Value::to_string).collect();
        assert_eq!(found.join(", "), row.also, "{}", row.term);
    }
}

#[test]
fn bodies_are_read_as_is_said() {
    for body in bodies::samples() {
        let document: Value = serde_json::from_str(body.document).unwrap();
        assert_eq!(body.format.read(body.sent.as_bytes()), Ok(document), "{}", body.title);
    }
    let [.., xml] = bodies::samples();
    find_what_is_said(&xml.format.read(xml.sent.as_bytes()).unwrap(), bodies::paths());
    // The last path finds an element that stands alone, too.
    let single = xml.sent.replace("<line sku=\"B-2\">5</line>", "");
    let mut paths = bodies::paths();
    let mut last = paths.pop().unwrap();
    last.also = r#""A-1""#.to_owned();
    find_what_is_said(&xml.format.read(single.as_bytes()).unwrap(), vec![last]);
}

#[test]
fn fields_take_what_is_said() {
    for (kind, about) in values::all_kinds().iter().zip(values::kinds()) {
        for (json, wanted) in about.examples {
            let made = coerce(kind, &serde_json::from_str(json).unwrap());
            let made = made.map(|value| value.to_string()).map_err(|bad| bad.code);
            assert_eq!(made.as_deref(), wanted.as_ref().map(|text| *text), "{} of {json}", about.name);
        }
    }
}

#[test]
fn formats_read_as_is_said() {
    for row in values::formats() {
        let zone = (!row.term.contains("%z")).then_some("UTC");
        let reading = Reading::check(&row.term, zone).unwrap_or_else(|detail| panic!("{}: {detail}", row.term));
        assert_eq!(reading.read(row.meaning.0.trim_matches('`')).unwrap().to_string(), row.also, "{}", row.term);
    }
}

#[test]
fn conditions_hold_as_is_said() {
    let sample: Value = serde_json::from_str(conditions::SAMPLE).unwrap();
    for row in conditions::conditions().into_iter().chain(conditions::functions()) {
        let condition = Condition::compile(&row.term).unwrap_or_else(|bad| panic!("{}: {bad}", row.term));
        assert_eq!(condition.holds(&sample, &sample).to_string(), row.also, "{}", row.term);
    }
    let change: Value = serde_json::from_str(events::SAMPLE).unwrap();
    for row in events::conditions() {
        let condition = Condition::compile(&row.term).unwrap_or_else(|bad| panic!("{}: {bad}", row.term));
        assert_eq!(condition.holds(&change, &change).to_string(), row.also, "{}", row.term);
    }
    for row in conditions::dialects() {
        assert!(Condition::compile(&row.term).is_err(), "{} is taken", row.term);
        assert!(Condition::compile(&row.also).is_ok(), "{}", row.also);
    }
}

#[derive(Deserialize)]
struct Document {
    module: RawModule,
    #[serde(default)]
    source: Vec<toml::Table>,
}

/// What an example is a part of, where it is no whole file.
fn whole(example: &str) -> String {
    let module = examples::FIRST
        .split("[[source]]")
        .next()
        .unwrap()
        .replace("[module.fields]", "[module.fields]\nline = \"integer\"");
    match (example.contains("[module]"), example.contains("[[source]]")) {
        (true, _) => example.to_owned(),
        (false, true) => format!("{module}{example}"),
        (false, false) => format!("{module}[[source]]\n[[source.rule]]\nfrom = \"$.no\"\nto = \"number\"\n{example}"),
    }
}

#[test]
fn examples_can_be_saved() {
    let texts = [
        examples::FIRST,
        examples::SEVERAL,
        examples::EACH,
        examples::DELETING,
        examples::MONEY,
        examples::DAYS,
        events::EXAMPLE,
    ];
    for text in texts.map(whole) {
        let document: Document = toml::from_str(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let sketch = document.module.sketch();
        assert!(sketch.faults.is_empty(), "{text}\n{:?}", sketch.faults);
        let (matching, name) = (sketch.matching.unwrap(), sketch.name.unwrap());
        let definition = Definition {
            name,
            keys: vec![matching.clone()],
            matching,
            fields: sketch.fields,
            events: sketch.events,
            marks: Default::default(),
        };
        let (shape, keys) = definition.shape(ModuleId::new(Timestamp::default()), sketch.slug.unwrap(), 1).unwrap();
        for mut source in document.source {
            source.remove("slug");
            let mapping: RawMapping = source.try_into().unwrap_or_else(|error| panic!("{text}\n{error}"));
            let checked = mapping.check(&shape, &keys);
            assert!(checked.is_ok(), "{text}\n{checked:?}");
        }
    }
}

/// Reads the sources: a code that they give is told of, and no other.
#[test]
fn every_code_is_told_of() {
    let root = File::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let code = Regex::new(r#"(?:BadValue::new\(|code: |refuse\()\s*"([a-z_]+)""#).unwrap();
    let mut given = BTreeSet::new();
    for place in ["map", "record", "intake.rs", "intake", "store"] {
        for text in sources(&root.join(place)) {
            given.extend(code.captures_iter(&text).map(|found| found[1].to_owned()));
        }
    }
    let told = terms(&values::codes());
    let missing: Vec<_> = given.difference(&told).collect();
    assert!(missing.is_empty(), "map/reference/values.rs does not tell of {missing:?}");
}

/// The texts of a file, or of the files in a folder, without tests.
fn sources(place: &File) -> Vec<String> {
    if place.is_file() {
        return vec![fs::read_to_string(place).unwrap()];
    }
    let inside = fs::read_dir(place).into_iter().flatten().map(|entry| entry.unwrap().path());
    inside.filter(|path| !path.to_string_lossy().contains("tests")).flat_map(|path| sources(&path)).collect()
}

/// Numbers of bounds that the page cannot take from where they hold.
#[test]
fn bounds_of_paths_hold() {
    let united = |count: usize| format!("$[{}]", vec!["0"; count].join(","));
    let filters = |deep: usize| format!("${}.a{}", "[?@".repeat(deep), "]".repeat(deep));
    let descendants = |count: usize| format!("${}", "..a".repeat(count));
    for (most, path) in [
        (bounds::MOST_UNITED, &united as &dyn Fn(usize) -> String),
        (bounds::MOST_FILTERS, &filters),
        (bounds::MOST_DESCENDANTS, &descendants),
    ] {
        assert!(Path::compile(&path(most)).is_ok(), "{}", path(most));
        assert!(Path::compile(&path(most + 1)).is_err(), "{}", path(most + 1));
    }
}
