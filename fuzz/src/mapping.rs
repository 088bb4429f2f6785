//! Module files: any text is read, past its errors too, and each error has its place. What is taken is TOML, says the
//! same as JSON, which is how it is stored, and is taken again from there.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tidegate::source::document::{Checked, FileError};

use crate::module;

/// A list is cut there, and its last entry counts the rest.
const MOST_ERRORS: usize = 101;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match module::check(text) {
        Ok(checked) => {
            assert!(toml::de::DeTable::parse(text).is_ok(), "what is taken is TOML");
            is_taken_again(&checked);
        }
        Err(errors) => have_places(&errors, text.lines().count().max(1)),
    }
}

fn have_places(errors: &[FileError], lines: usize) {
    assert!((1..=MOST_ERRORS).contains(&errors.len()));
    for error in errors {
        assert!(!error.detail.is_empty());
        assert!(error.line.is_none_or(|line| (1..=lines + 1).contains(&line)), "{error:?}");
    }
}

fn is_taken_again(checked: &Checked) {
    let definition = stored(&checked.definition);
    assert_eq!(definition, checked.definition);
    let number = checked.shape.number;
    let (shape, keys) = definition.shape(checked.shape.module, checked.slug.clone(), number).expect("a shape");
    assert_eq!(shape, checked.shape);
    for source in &checked.sources {
        assert_eq!(stored(&source.settings), source.settings);
        let mapping = stored(&source.mapping.raw);
        assert_eq!(mapping, source.mapping.raw);
        mapping.check(&shape, &keys).expect("what was taken is taken again");
    }
}

fn stored<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let json = serde_json::to_string(value).expect("it can be written as JSON");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("it is not read again: {error}: {json}"))
}
