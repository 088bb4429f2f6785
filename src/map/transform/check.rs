//! From what is written to a transform, with the way out for what is not one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Chain, FARTHEST_SCALE, LONGEST_PIECE, Locale, MOST_ENTRIES, MOST_PARTS, MOST_TRANSFORMS, MinorUnits, RawTable,
    RawTransform, Reading, Transform, hint,
};

impl Chain {
    /// Every fault; one of several transforms is named by its place, from 1. Of more than a rule may have none is looked
    /// at.
    pub fn check(raw: &[RawTransform]) -> Result<Self, Vec<String>> {
        if raw.len() > MOST_TRANSFORMS {
            return Err(vec![format!("a rule has at most {MOST_TRANSFORMS} transforms, and this one {}", raw.len())]);
        }
        let mut faults = Vec::new();
        let mut transforms = Vec::with_capacity(raw.len());
        for (place, raw_transform) in raw.iter().enumerate() {
            match Transform::check(raw_transform) {
                Ok(transform) => transforms.push(transform),
                Err(detail) if raw.len() == 1 => faults.push(detail),
                Err(detail) => faults.push(format!("transform {}: {detail}", place + 1)),
            }
        }
        if faults.is_empty() { Ok(Self(transforms)) } else { Err(faults) }
    }
}

impl Transform {
    /// The error is for the admin who writes the mapping.
    pub fn check(raw: &RawTransform) -> Result<Self, String> {
        let table = match raw {
            RawTransform::Word(word) => return by_word(word),
            RawTransform::Table(table) => table,
        };
        match table.verbs()[..] {
            [_] => {}
            [] => return Err(without_verb(table)),
            [first, second, ..] => {
                return Err(format!(
                    "one transform does one thing, and this has `{first}` and `{second}`; write one after the other: \
                     transform = [{{ {first} = … }}, {{ {second} = … }}]"
                ));
            }
        }
        match table.stray() {
            Some((key, verb)) => Err(format!("`{key}` belongs to `{verb}`; leave it out here")),
            None => by_verb(table),
        }
    }
}

fn by_word(word: &str) -> Result<Transform, String> {
    match word {
        "trim" => Ok(Transform::Trim),
        "lowercase" => Ok(Transform::Lowercase),
        "uppercase" => Ok(Transform::Uppercase),
        other => Err(hint::instead_of(other)),
    }
}

fn without_verb(table: &RawTable) -> String {
    match table.stray() {
        Some((key, verb)) => format!("`{key}` belongs to `{verb}`, which is missing: {}", hint::spelling(verb)),
        None => format!("the transform is empty; write one of {}", hint::all()),
    }
}

/// The table has one verb, and what belongs to it.
fn by_verb(table: &RawTable) -> Result<Transform, String> {
    if let Some(text) = &table.replace {
        return replacing(text, table.with.as_deref());
    }
    if let Some(separator) = &table.split {
        return splitting(separator, table.part);
    }
    if let Some(text) = &table.prefix {
        return piece("prefix", text).map(Transform::Prefix);
    }
    if let Some(text) = &table.suffix {
        return piece("suffix", text).map(Transform::Suffix);
    }
    if let Some(tag) = &table.number {
        return Locale::find(tag).map(Transform::Number).ok_or_else(|| hint::no_locale(tag));
    }
    if let Some(places) = table.scale {
        return scaling(places);
    }
    if let Some(from) = &table.minor_units {
        return MinorUnits::check(from, table.digits.as_ref()).map(Transform::MinorUnits);
    }
    if let Some(format) = &table.timestamp {
        return Reading::check(format, table.zone.as_deref()).map(Transform::Timestamp);
    }
    if let Some(entries) = &table.map {
        return mapping(entries, table.otherwise.as_ref());
    }
    match table.hash.as_deref() {
        Some("sha256") => Ok(Transform::Hash),
        Some(other) => Err(format!("there is no hash {other:?}; write {}", hint::spelling("hash"))),
        None => Err(without_verb(table)),
    }
}

fn piece(key: &str, text: &str) -> Result<Box<str>, String> {
    match text.len() {
        0 => Err(format!("`{key}` is empty, so the transform does nothing; leave it out")),
        1..=LONGEST_PIECE => Ok(text.into()),
        _ => Err(format!("the text of `{key}` is longer than {LONGEST_PIECE} bytes")),
    }
}

fn replacing(text: &str, with: Option<&str>) -> Result<Transform, String> {
    let text = piece("replace", text)?;
    match with {
        None => Err("say what is put in the text's place: with = \"…\"; with = \"\" takes it away".into()),
        Some("") => Ok(Transform::Replace { text, with: "".into() }),
        Some(with) if *with == *text => Err("`replace` and `with` are the same text; leave the transform out".into()),
        Some(with) => Ok(Transform::Replace { text, with: piece("with", with)? }),
    }
}

fn splitting(separator: &str, part: Option<i64>) -> Result<Transform, String> {
    if separator.is_empty() {
        return Err("`split` is empty; write the text between the parts, such as { split = \",\", part = 0 }".into());
    }
    let separator = piece("split", separator)?;
    match part {
        Some(part) if part.unsigned_abs() > MOST_PARTS as u64 => {
            Err(format!("`part` counts from 0, or from -1 backwards, and a text has at most {MOST_PARTS} parts"))
        }
        part => Ok(Transform::Split { separator, part }),
    }
}

fn scaling(places: i64) -> Result<Transform, String> {
    i32::try_from(places).ok().filter(|places| places.abs() <= FARTHEST_SCALE).map(Transform::Scale).ok_or_else(|| {
        format!(
            "`scale` is a power of ten from -{FARTHEST_SCALE} to {FARTHEST_SCALE}: {} makes 19.99 of 1999",
            hint::spelling("scale")
        )
    })
}

fn mapping(entries: &BTreeMap<String, Value>, otherwise: Option<&Value>) -> Result<Transform, String> {
    if entries.is_empty() {
        return Err(format!("`map` has no entries; write {}", hint::spelling("map")));
    }
    if entries.len() > MOST_ENTRIES {
        return Err(format!("`map` has more than {MOST_ENTRIES} entries"));
    }
    let scalar = |value: &Value| !value.is_array() && !value.is_object();
    if let Some((key, _)) = entries.iter().find(|(_, value)| !scalar(value)) {
        return Err(format!("`map` turns {key:?} into neither a text, a number, a boolean nor null"));
    }
    if !otherwise.is_none_or(scalar) {
        return Err("`else` is neither a text, a number, a boolean nor null".into());
    }
    Ok(Transform::Map { entries: entries.clone(), otherwise: otherwise.cloned() })
}
