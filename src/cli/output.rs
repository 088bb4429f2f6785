//! The one place that prints. On stdout stands what was asked for: text, or with `--json` one object and nothing else.
//! What went wrong goes to stderr (with `--json` into the object). There is no colour, on a terminal or off it.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{Value, json};

/// How this process speaks to whoever started it.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
}

/// Why a command did not do what was asked; each has an exit code of its own.
#[derive(Debug)]
pub enum Failure {
    /// The gateway answered no: its `problem+json`, or what stands in for one.
    Refused(Value),
    /// The arguments, settings or files cannot be used.
    Usage(String),
    /// No answer came back.
    Unreachable(String),
}

/// Exit codes; 0 is done.
pub const REFUSED: u8 = 1;
pub const USAGE: u8 = 2;
pub const UNREACHABLE: u8 = 3;

impl Failure {
    pub fn exit(&self) -> u8 {
        match self {
            Self::Refused(_) => REFUSED,
            Self::Usage(_) => USAGE,
            Self::Unreachable(_) => UNREACHABLE,
        }
    }

    fn problem(&self) -> Value {
        match self {
            Self::Refused(problem) => problem.clone(),
            Self::Usage(detail) => json!({ "code": "usage", "detail": detail }),
            Self::Unreachable(detail) => json!({ "code": "unreachable", "detail": detail }),
        }
    }
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// The command's answer, in the form that was asked for.
    ///
    /// # Errors
    /// It could not be written: a token that is shown once would be lost, and the exit code must say so.
    pub fn answer(&self, object: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json { serde_json::to_string(object) } else { Ok(printable(&text())) };
        text.map_err(io::Error::from).and_then(|text| to_stdout(&text)).map_err(unwritten)
    }

    pub fn is_json(&self) -> bool {
        self.json
    }

    /// The answer to a program, where people were told it piece by piece.
    ///
    /// # Errors
    /// It could not be written.
    pub fn object(&self, object: &impl Serialize) -> Result<(), Failure> {
        if self.json { self.answer(object, String::new) } else { Ok(()) }
    }

    /// Text for people beside the answer; with `--json` there is nobody to read it.
    ///
    /// # Errors
    /// It could not be written.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { to_stdout(&printable(text)).map_err(unwritten) }
    }

    /// A bar of so many steps on stderr, while it is a terminal. It is to be cleared before the answer.
    pub fn progress(&self, steps: u64) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{bar:40} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(steps).with_style(style)
    }

    pub fn failure(&self, failure: &Failure) {
        let problem = failure.problem();
        let told = self.json && to_stdout(&json!({ "error": problem }).to_string()).is_ok();
        if !told {
            // When stderr is gone too there is nobody left to tell.
            let _ = writeln!(io::stderr().lock(), "{}", printable(&format!("tidegate: {}", describe(&problem))));
        }
    }
}

/// A problem as people read it: title, detail, and a line for each of its errors.
fn describe(problem: &Value) -> String {
    let text = |name: &str| problem.get(name).and_then(Value::as_str);
    let head: Vec<&str> = [text("title"), text("detail")].into_iter().flatten().collect();
    let mut lines = vec![head.join(": ")];
    lines.extend(problem.get("errors").and_then(Value::as_array).into_iter().flatten().map(describe_error));
    lines.join("\n  ")
}

/// `work-orders.toml:12: quantity: not a field type`: where, as far as the error says so, and what.
fn describe_error(error: &Value) -> String {
    let part = |name: &str| match error.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let file = part("file").map(|file| part("line").map_or(file.clone(), |line| format!("{file}:{line}")));
    let ids = error.get("records").and_then(Value::as_array).into_iter().flatten();
    let ids = ids.filter_map(|record| record.get("id")?.as_str()).collect::<Vec<_>>();
    let records = (!ids.is_empty()).then(|| ids.join(" "));
    let groups = error.get("groups").map(Value::to_string);
    let parts: Vec<String> = [file, part("field"), part("detail"), records, groups].into_iter().flatten().collect();
    if parts.is_empty() { error.to_string() } else { parts.join(": ") }
}

/// Other people's text must not steer the terminal it is shown on.
fn printable(text: &str) -> String {
    let shown = |char: char| if char.is_control() && !matches!(char, '\n' | '\t') { '\u{fffd}' } else { char };
    text.chars().map(shown).collect()
}

fn unwritten(error: io::Error) -> Failure {
    Failure::Usage(format!("cannot write to stdout: {error}"))
}

fn to_stdout(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        // Whoever closed the pipe has read enough: `tidegate … | head -1` is no error.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reads_as_a_title_and_a_line_for_each_error() {
        let problem = json!({
            "title": "The files cannot be applied",
            "detail": "2 errors",
            "errors": [
                { "file": "work-orders.toml", "line": 12, "field": "quantity", "detail": "not a field type" },
                { "file": "work-orders.toml", "line": null, "detail": "no module" },
                { "code": "odd" },
            ],
        });
        let expected = "The files cannot be applied: 2 errors\n  \
            work-orders.toml:12: quantity: not a field type\n  work-orders.toml: no module\n  {\"code\":\"odd\"}";
        assert_eq!(describe(&problem), expected);
        assert_eq!(describe(&json!({ "detail": "only this" })), "only this");
    }

    #[test]
    fn a_remote_text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc\td"), "a\u{fffd}[2Jb\u{fffd}\nc\td");
    }

    #[test]
    fn each_failure_has_its_exit_code() {
        assert_eq!(Failure::Refused(Value::Null).exit(), 1);
        assert_eq!(Failure::Usage(String::new()).exit(), 2);
        assert_eq!(Failure::Unreachable(String::new()).exit(), 3);
    }
}
