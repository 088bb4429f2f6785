//! A module file: read and checked without a gateway, with every problem at once and the line of each. Applying it is
//! `manage::apply`'s, which also compares it with what stands.

mod brackets;
mod check;
mod keys;
mod kinds;
mod lines;
mod numbers;
mod read;
mod syntax;
mod tree;

use std::fmt;

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

pub use check::{Checked, CheckedSource};

use crate::config::Bounds;
use crate::map::mapping::MOST_FAULTS;
use crate::record::definition::RawModule;
use crate::source::RawSource;
use lines::Lines;
use tree::Way;

/// The most problems that are told of one file.
const MOST_ERRORS: usize = MOST_FAULTS;

/// The keys of a module file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFile {
    module: Option<RawModule>,
    #[serde(rename = "source", default)]
    sources: Vec<RawSource>,
}

/// One problem of a module file. `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileError {
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The path of keys, such as `source[1].rule[2].to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub detail: String,
}

#[derive(Debug)]
pub struct Document<'a> {
    name: &'a str,
    lines: Lines,
    tree: toml::Spanned<DeTable<'a>>,
    /// None when nothing further can be said of the file.
    raw: Option<RawFile>,
    /// What was wrong with the form of the file.
    errors: Vec<FileError>,
    /// Where something was taken away for it.
    forgiven: Vec<Way>,
}

impl<'a> Document<'a> {
    pub fn read(name: &'a str, text: &'a str) -> Self {
        let read::Read { tree, raw, notes } = read::read(name, text);
        Self { name, lines: notes.lines, tree, raw, errors: notes.errors, forgiven: notes.forgiven }
    }

    pub fn name(&self) -> &'a str {
        self.name
    }

    /// The module that the file is about, as far as it says so.
    fn slug(&self) -> Option<&str> {
        let slug = self.raw.as_ref()?.module.as_ref()?.slug.as_str();
        (!slug.is_empty()).then_some(slug)
    }

    fn repeats(&self, others: &[Self]) -> Option<FileError> {
        let slug = self.slug()?;
        let other = others.iter().find(|other| other.slug() == Some(slug))?;
        let detail = format!("{} defines the module `{slug}` already; write both into one file", other.name);
        Some(self.error("module.slug", &detail))
    }

    /// An error at a path of keys, such as `source[1].rule[2].from`, with the line of the deepest key that is there.
    pub fn error(&self, at: &str, detail: &str) -> FileError {
        let start = Way::parse(at).start(self.tree.get_ref()).unwrap_or_default();
        FileError {
            file: self.name.to_owned(),
            line: Some(self.lines.of(start)),
            field: Some(at.to_owned()),
            detail: detail.to_owned(),
        }
    }
}

/// As compilers and editors write it: `FILE:LINE: key: detail`.
impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(field) = &self.field {
            write!(f, ": {field}")?;
        }
        write!(f, ": {}", self.detail)
    }
}

/// Each file, in order. Two may not say what one module is: the second is told.
pub fn check_all(documents: &[Document<'_>], bounds: &Bounds) -> Vec<Result<Checked, Vec<FileError>>> {
    let check = |(place, document): (usize, &Document<'_>)| {
        let checked = document.check(bounds);
        match document.repeats(&documents[..place]) {
            None => checked,
            Some(error) => Err(ordered([checked.err().unwrap_or_default(), vec![error]].concat(), document.name)),
        }
    };
    documents.iter().enumerate().map(check).collect()
}

/// By line; what is about no line comes last.
fn ordered(mut errors: Vec<FileError>, file: &str) -> Vec<FileError> {
    errors.sort_by_key(|error| (error.line.unwrap_or(usize::MAX), error.field.clone()));
    errors.dedup();
    if errors.len() > MOST_ERRORS {
        errors.truncate(MOST_ERRORS);
        let detail = format!("there are more problems than these {MOST_ERRORS}");
        errors.push(FileError { file: file.to_owned(), line: None, field: None, detail });
    }
    errors
}

#[cfg(test)]
mod tests;
