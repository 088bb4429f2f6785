//! `tidegate mapping check`: everything that a gateway would say of module files, but for what it has already.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::super::output::{Failure, Output, REFUSED};
use super::read_text;
use crate::config::Bounds;
use crate::source::document::{Document, FileError, check_all};

#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Module files, such as mappings/work-orders.toml; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    files: Vec<File>,
}

#[derive(Serialize)]
struct File {
    file: String,
    ok: bool,
    errors: Vec<Found>,
}

/// A problem as it stands below its file.
#[derive(Serialize)]
struct Found {
    line: Option<usize>,
    field: Option<String>,
    detail: String,
}

pub fn run(args: &CheckArgs, output: Output) -> Result<u8, Failure> {
    let files = args.files.iter().map(|path| read_text(path)).collect::<Result<Vec<_>, _>>()?;
    let errors = errors(&files);
    let ok = errors.iter().all(Vec::is_empty);
    let answer =
        Answer { files: files.iter().zip(&errors).map(|((name, _), errors)| File::of(name, errors)).collect() };
    output.answer(&answer, || text(&errors))?;
    Ok(if ok { 0 } else { REFUSED })
}

/// One list a file.
fn errors(files: &[(String, String)]) -> Vec<Vec<FileError>> {
    let documents = files.iter().map(|(name, text)| Document::read(name, text)).collect::<Vec<_>>();
    check_all(&documents, &Bounds::default()).into_iter().map(|checked| checked.err().unwrap_or_default()).collect()
}

fn text(errors: &[Vec<FileError>]) -> String {
    let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
    let lines = errors.iter().flatten().map(ToString::to_string);
    let problems = errors.iter().map(Vec::len).sum();
    let summary = format!("{}, {}", count(errors.len(), "file"), count(problems, "problem"));
    lines.chain([summary]).collect::<Vec<_>>().join("\n")
}

impl File {
    fn of(name: &str, errors: &[FileError]) -> Self {
        let found =
            |error: &FileError| Found { line: error.line, field: error.field.clone(), detail: error.detail.clone() };
        Self { file: name.to_owned(), ok: errors.is_empty(), errors: errors.iter().map(found).collect() }
    }
}
