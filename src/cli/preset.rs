//! `tidegate preset …`: the senders that are known by name. They are part of the program, so no gateway is asked.

mod source;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::output::{Failure, Output};
use crate::manage::list_presets::PresetView;
use crate::record::nearest::{did_you_mean, nearest};
use crate::verify::preset::{self, Preset};

const LIST: &str = "\
The senders that a gateway knows by name, and, apart, those that it refuses, each with the reason.

Examples:
  tidegate preset list
  tidegate preset list | grep -i shop
  tidegate preset list --json | jq -r '.presets[].name'";

const SHOW: &str = "\
What to paste as the secret, a source to begin with, and the whole scheme in the words of a module
file, to copy and to change for a sender that signs almost like it. Exit code 2 for an unknown name.

Examples:
  tidegate preset show stripe
  tidegate preset show --json slack | jq .signature";

#[derive(Subcommand, Clone, Debug)]
pub enum PresetCommand {
    /// All senders that are known by name
    #[command(after_help = LIST)]
    List,

    /// One of them: what it signs, what to paste, what to write
    #[command(after_help = SHOW)]
    Show(ShowArgs),
}

#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    #[arg(value_name = "NAME")]
    pub name: String,
}

pub fn run(command: &PresetCommand, output: Output) -> Result<u8, Failure> {
    match command {
        PresetCommand::List => list(output),
        PresetCommand::Show(args) => show(&args.name, output),
    }
    .map(|()| 0)
}

#[derive(Serialize)]
struct Listed {
    presets: Vec<PresetView>,
    refused: Vec<Refused>,
}

#[derive(Serialize)]
struct Refused {
    name: &'static str,
    title: &'static str,
    reason: &'static str,
}

fn list(output: Output) -> Result<(), Failure> {
    let refused = preset::all().iter().filter_map(|preset| {
        let reason = preset.scheme.as_ref().err()?;
        Some(Refused { name: &preset.name, title: &preset.title, reason })
    });
    let taken = preset::all().iter().filter(|preset| preset.scheme.is_ok());
    let listed = Listed { presets: taken.map(PresetView::from).collect(), refused: refused.collect() };
    output.answer(&listed, || text(&listed.refused))
}

/// In characters.
const LONGEST_CELL: usize = 72;
const HEADS: [&str; 5] = ["NAME", "TITLE", "SIGNATURE", "EVENT TYPE", "HANDSHAKE"];

fn text(refused: &[Refused]) -> String {
    let rows = preset::all().iter().filter_map(|preset| {
        let scheme = preset.scheme.as_ref().ok()?;
        let handshake = if preset.handshakes.is_empty() { "no" } else { "yes" };
        let signature = cut(scheme.in_words());
        let event_type = preset.event_type.clone().unwrap_or_else(|| "-".to_owned());
        Some([preset.name.clone(), preset.title.clone(), signature, cut(event_type), handshake.to_owned()])
    });
    let mut text = table(&[HEADS.map(str::to_owned)].into_iter().chain(rows).collect::<Vec<_>>());
    if !refused.is_empty() {
        text.push_str("\n\nRefused:");
    }
    for Refused { name, title, reason } in refused {
        text.push_str(&format!("\n  {name} ({title}): {reason}"));
    }
    text
}

/// A path can be longer than any line; `preset show` has all of it.
fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST_CELL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Columns as wide as their widest cell, two blanks apart.
pub(super) fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    preset: PresetView,
    /// Where the requests come from that it is tested by.
    vectors: Vec<&'static str>,
    /// To begin a module file's source with.
    source: Option<String>,
    /// The same without the preset.
    described: Option<String>,
}

fn show(name: &str, output: Output) -> Result<(), Failure> {
    let preset = preset::find(name).ok_or_else(|| {
        let near = nearest(name, preset::all().iter().map(|preset| preset.name.as_str()));
        let hint = did_you_mean(near, |name| format!("`{name}`"));
        Failure::Usage(format!("there is no preset `{name}`{hint}; `tidegate preset list` shows all"))
    })?;
    let shown = Shown {
        preset: preset.into(),
        vectors: preset.vectors.iter().map(|vector| vector.origin.as_str()).collect(),
        source: preset.scheme.is_ok().then(|| source::by_preset(preset)),
        described: source::described(preset),
    };
    output.answer(&shown, || page(preset, &shown))
}

fn page(preset: &Preset, shown: &Shown) -> String {
    let title = &preset.title;
    let (Ok(scheme), Some(source)) = (&preset.scheme, &shown.source) else {
        return format!("{title}: refused\n\n{}", preset.scheme.as_ref().err().map_or("", String::as_str));
    };
    let mut origins = shown.vectors.clone();
    origins.dedup();
    let tested = if origins.is_empty() { "none published".to_owned() } else { origins.join(", ") };
    let again = match &preset.event_id {
        Some(id) => format!("a duplicate, by {id}"),
        None if scheme.signs_its_time() => "a duplicate, by what is signed".to_owned(),
        None => {
            "an event of its own, unless the mapping says `event_id`: it has neither an id nor a signed time".to_owned()
        }
    };
    let (words, secret) = (scheme.in_words(), &preset.secret);
    let mut parts =
        vec![format!("{title}\n{words}\n\nSecret:   {secret}\nVectors:  {tested}\nThe same request again is {again}")];
    parts.push(format!("In a module file:\n\n{}", indented(source)));
    parts.push(match &shown.described {
        Some(described) => format!("What it stands for, to copy and to change:\n\n{}", indented(described)),
        None => "Its signature does not cover the body, which only a preset may say: it cannot be copied.".to_owned(),
    });
    parts.join("\n\n")
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
