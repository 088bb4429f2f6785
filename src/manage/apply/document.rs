//! One module file: read, and its lines found again for messages.

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::FileError;
use crate::record::definition::RawModule;
use crate::source::RawSource;

/// The keys of a module file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFile {
    pub module: RawModule,
    #[serde(rename = "source", default)]
    pub sources: Vec<RawSource>,
}

#[derive(Debug)]
pub struct Document<'a> {
    pub name: &'a str,
    text: &'a str,
    pub raw: RawFile,
}

impl<'a> Document<'a> {
    pub fn parse(name: &'a str, text: &'a str) -> Result<Self, FileError> {
        toml::from_str(text).map(|raw| Self { name, text, raw }).map_err(|error| FileError {
            file: name.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            field: None,
            detail: error.message().to_owned(),
        })
    }

    /// An error at a path of keys, such as `source[1].rule[2].from`, with the line of the deepest key that is there.
    pub fn error(&self, at: &str, detail: &str) -> FileError {
        FileError {
            file: self.name.to_owned(),
            line: self.line(at),
            field: Some(at.to_owned()),
            detail: detail.to_owned(),
        }
    }

    fn line(&self, at: &str) -> Option<usize> {
        let table = DeTable::parse(self.text).ok()?;
        let mut table = table.get_ref();
        let mut found = None;
        for step in at.split('.') {
            let (key, index) = step
                .split_once('[')
                .map_or((step, None), |(key, index)| (key, index.trim_end_matches(']').parse::<usize>().ok()));
            let Some((name, value)) = table.iter().find(|(name, _)| name.get_ref().as_ref() == key) else { break };
            found = Some(name.span().start);
            let inner = match (value.get_ref(), index) {
                (DeValue::Array(array), Some(index)) => {
                    let Some(item) = index.checked_sub(1).and_then(|index| array.get(index)) else { break };
                    found = Some(item.span().start);
                    item.get_ref()
                }
                (inner, _) => inner,
            };
            let DeValue::Table(inner) = inner else { break };
            table = inner;
        }
        found.map(|start| line_of(self.text, start))
    }
}

fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|char| **char == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[module]\nslug = \"a\"\nmatch = [\"x\"]\n\n[module.fields]\nx = \"text\"\n\n[[source]]\nslug = \"s\"\n\n[[source.rule]]\nfrom = \"$.x\"\nto = \"x\"\n\n[[source.rule]]\nfrom = \"$.y\"\nto = \"y\"\n";

    #[test]
    fn a_fault_is_found_in_the_text() {
        let document = Document::parse("a.toml", TEXT).unwrap();
        for (at, line) in [
            ("module.slug", 2),
            ("module.fields.x", 6),
            ("source[1].slug", 9),
            ("source[1].rule[2].to", 17),
            ("source[1].rule[2].take", 15),
        ] {
            assert_eq!(document.error(at, "").line, Some(line), "{at}");
        }
    }

    #[test]
    fn what_is_no_module_file_has_a_line() {
        let error = Document::parse("a.toml", "[module]\nslug = \"a\"\nmatsch = []\n").unwrap_err();
        assert_eq!(error.line, Some(3));
        assert!(error.detail.contains("matsch"), "{}", error.detail);
    }
}
