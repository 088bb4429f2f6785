//! Sources ready to judge, from the text of a module file and without a database.

use std::sync::Arc;

use tidegate::clock::Timestamp;
use tidegate::config::Bounds;
use tidegate::id::SourceId;
use tidegate::source::document::{Checked, CheckedSource, Document, FileError};
use tidegate::source::{Secrets, Source};

/// The time at which everything happens.
pub fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().expect("RFC 3339")
}

pub fn check(text: &str) -> Result<Checked, Vec<FileError>> {
    Document::read("module.toml", text).check(&Bounds::default())
}

pub fn sources(text: &str) -> Result<Vec<Source>, Vec<FileError>> {
    let Checked { shape, sources, .. } = check(text)?;
    let shape = Arc::new(shape);
    let source = |CheckedSource { slug, settings, mapping, .. }| {
        let (id, shape) = (SourceId::floor(now()), Arc::clone(&shape));
        Source { id, slug, shape, settings, secrets: Secrets::default(), mapping, mapping_version: 1 }
    };
    Ok(sources.into_iter().map(source).collect())
}
