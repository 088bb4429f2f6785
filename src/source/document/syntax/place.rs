//! The place of a syntax error, and the words for what is wrong there.

use toml::de::Error;

use super::Harm;

/// The longest value that a message repeats.
const LONGEST_SHOWN: usize = 60;
/// How many errors on, at most, a list that swallows what follows shows itself.
const NEAR: usize = 4;

/// What stands around an error.
pub(super) struct Place<'a> {
    pub byte: usize,
    /// The line, without the blanks around it.
    line: &'a str,
    /// Its key, if it has one.
    key: &'a str,
    /// What the error is about, as written.
    pub value: &'a str,
    /// What follows on the line.
    rest: &'a str,
    /// Something is missing here, and what follows stands in another line.
    runs_on: bool,
}

impl<'a> Place<'a> {
    pub fn of(text: &'a str, error: &Error) -> Self {
        let span = error.span().unwrap_or_default();
        let value = text.get(span.clone()).unwrap_or_default();
        // What is missing is missing after the last thing that is there.
        let before = text.get(..span.start).unwrap_or_default();
        let byte = if value.is_empty() { before.trim_end().len().saturating_sub(1) } else { span.start };
        let begin = text.get(..byte).and_then(|head| head.rfind('\n')).map_or(0, |newline| newline + 1);
        let line = text.get(begin..).unwrap_or_default().lines().next().unwrap_or_default().trim();
        let key = line.split(['=', ':']).next().unwrap_or_default().trim();
        let rest = text.get(span.end..).unwrap_or_default().lines().next().unwrap_or_default().trim();
        let runs_on = value.is_empty() && before[before.trim_end().len()..].contains('\n');
        Self { byte, line, key, value, rest, runs_on }
    }

    pub fn explain(&self, error: &Error, others: &[Error]) -> (String, Harm) {
        let message = error.message();
        let what = message.split(", expected").next().unwrap_or_default();
        if let Some(told) = self.another_language(what) {
            return told;
        }
        match what {
            "string values must be quoted" | "invalid float" | "invalid boolean" => self.unquoted(),
            "duplicate key" => self.twice(),
            "unclosed table" | "unclosed array table" => (self.header(), Harm::Entry),
            "unquoted keys cannot be empty" => (self.no_key(), Harm::Entry),
            "unexpected key or value" | "unexpected content" => (self.too_much(), Harm::Entry),
            "key with no value" | "invalid unquoted key" | "missing value for key" => (self.no_value(), Harm::Entry),
            "missing comma between array elements" => in_list(others),
            "extra comma in array" => ("the list has a comma too many".to_owned(), Harm::Entry),
            "unclosed array" => in_list(std::slice::from_ref(error)),
            "unclosed inline table" => self.in_braces(true),
            "missing comma between key-value pairs" => self.in_braces(self.runs_on),
            "missing assignment between key-value pairs" if self.rest.starts_with(':') || self.line.contains(": ") => {
                (self.no_value(), Harm::Entry)
            }
            "missing escaped value" | "too few unicode value digits" | "invalid escape sequence" => {
                (escape(), Harm::Entry)
            }
            "unexpected leading zero" => (leading_zero(), Harm::Entry),
            "invalid mantissa" | "invalid fraction" => {
                ("a number with a point has digits on both sides of it, such as 0.5".to_owned(), Harm::Entry)
            }
            "cannot recurse further; max recursion depth met" => {
                ("lists and tables are nested too deep".to_owned(), Harm::Rest)
            }
            "carriage return must be followed by newline" => (
                "the lines of the file end in a single carriage return; save it with line feeds".to_owned(),
                Harm::Rest,
            ),
            text if text.contains("basic string") || text.contains("literal string") => self.open_text(message),
            text if text.contains("inline table") || text.contains("key-value pairs") => (braces(), Harm::Rest),
            other => (format!("this is not TOML: {other}"), Harm::Rest),
        }
    }

    /// JSON, YAML and comments of other languages.
    fn another_language(&self, what: &str) -> Option<(String, Harm)> {
        let written = |what: &str| {
            format!(
                "a module file is TOML, and this looks like {what}; begin with a line [module] and slug = \"orders\""
            )
        };
        if self.line.starts_with('{') && what == "invalid key-value pair" {
            return Some((written("JSON"), Harm::Rest));
        }
        if self.line.starts_with('<') {
            return Some((written("XML"), Harm::Rest));
        }
        if ["//", "/*", "--", ";", "%"].iter().any(|sign| self.line.starts_with(sign)) {
            return Some(("a comment begins with `#`".to_owned(), Harm::None));
        }
        let no_value = matches!(what, "key with no value" | "invalid unquoted key");
        if no_value && (self.line.ends_with(':') || self.line.starts_with("- ")) {
            return Some((written("YAML"), Harm::Rest));
        }
        None
    }

    fn unquoted(&self) -> (String, Harm) {
        let (key, value) = (self.key, self.value);
        if !value.is_empty() && self.line.trim_start_matches('[').starts_with(value) {
            return ("the line above is not finished: a value, `]` or `}` is missing".to_owned(), Harm::Rest);
        }
        let detail = match value.to_ascii_lowercase().as_str() {
            "" => {
                return (format!("`{key}` has no value; write one after the `=`, or take the line away"), Harm::Entry);
            }
            word @ ("true" | "false") => format!("write {word}, in lower case and without quotes"),
            "null" | "nil" | "none" | "nan" | "inf" => {
                return (format!("there is no {value} in a module file; leave `{key}` out instead"), Harm::Entry);
            }
            _ if value.starts_with(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '`', '\u{ab}']) => {
                "these are no plain quotes; write a text in straight ones: \"…\" or '…'".to_owned()
            }
            _ => format!("a text stands in quotes: {}", self.in_quotes()),
        };
        // What follows the word was lost.
        (
            detail,
            if self.rest.is_empty() || self.rest.starts_with(['#', ',', ']', '}']) { Harm::None } else { Harm::Entry },
        )
    }

    /// The line as it should be, unless that would repeat a secret or too much.
    fn in_quotes(&self) -> String {
        let whole = self.line.split_once('=').map_or("", |(_, value)| value.trim());
        let is_inside = self.line.matches('=').count() > 1 && whole.starts_with(['{', '[']);
        let shown = if is_inside { self.value } else { whole };
        if self.line.contains("secret") || shown.len() > LONGEST_SHOWN || shown.is_empty() {
            return format!("{} = \"…\"", self.key);
        }
        if is_inside || shown.starts_with(['[', '{']) {
            return format!("\"{}\"", self.value);
        }
        let quote = if shown.contains(['"', '\\']) { '\'' } else { '"' };
        format!("{} = {quote}{shown}{quote}", self.key)
    }

    fn twice(&self) -> (String, Harm) {
        let name = self.line.trim_matches(['[', ']', ' ']);
        match (self.line.starts_with('['), name) {
            (false, _) => {
                let begin = match self.value {
                    "from" | "to" => ", or begin another rule by a line [[source.rule]]",
                    "slug" => ", or begin another source by a line [[source]]",
                    _ => "",
                };
                (format!("`{}` stands here a second time; take one away{begin}", self.value), Harm::None)
            }
            (true, "source" | "source.rule") => (
                format!("[{name}] stands here a second time; write every one of them with two brackets: [[{name}]]"),
                Harm::Rest,
            ),
            (true, _) => {
                (format!("[{name}] stands here a second time; move what is below it to the first"), Harm::Rest)
            }
        }
    }

    fn header(&self) -> String {
        let name = self.line.trim_matches(['[', ']', ' ']);
        let whole = if self.line.starts_with("[[") { format!("[[{name}]]") } else { format!("[{name}]") };
        format!("a bracket is missing: write {whole}")
    }

    fn no_key(&self) -> String {
        if self.line.starts_with('[') {
            let name = self.line.trim_matches(['[', ']', ' ']);
            let whole = if name.starts_with("source") { format!("[[{name}]]") } else { format!("[{name}]") };
            return format!("write {whole}: one or two brackets, and no blanks between them");
        }
        "the name of a key is missing before the `=`".to_owned()
    }

    fn no_value(&self) -> String {
        let key = self.key;
        if self.line.starts_with('[') {
            return "in brackets stands the name of a table: [module], [module.fields], [[source]] or [[source.rule]]"
                .to_owned();
        }
        if self.value == ":" || (!self.line.contains('=') && self.line.contains(':')) {
            let word = self.line.split(':').next().unwrap_or_default();
            let word = word.rsplit(['{', ',', ' ']).next().unwrap_or_default();
            return format!("a key and its value are joined by `=`, not by a colon: write {word} = …");
        }
        if !self.line.contains('=') {
            let key = self.line.split_whitespace().next().unwrap_or_default();
            return format!("a line is a key, `=` and a value: write {key} = …");
        }
        if key.contains(char::is_whitespace) && !key.contains(['"', '\'', '.']) {
            let joined = key.split_whitespace().collect::<Vec<_>>().join("_");
            return format!("the name of a key has no blanks: write {joined} = …");
        }
        "the name of a key is letters, digits, `_` and `-`; any other stands in quotes: \"US $\" = …".to_owned()
    }

    fn too_much(&self) -> String {
        let rest = self.rest;
        if self.line.starts_with('[') {
            return "after a line in brackets, such as [module], go on in the next line".to_owned();
        }
        match rest.chars().next() {
            Some(',') if rest.len() == 1 => "take the comma at the end of the line away".to_owned(),
            Some(',') => format!("several values are a list in brackets: {} = [\"…\", \"…\"]", self.key),
            Some(';') => "take the `;` at the end of the line away".to_owned(),
            Some('/') => "a comment begins with `#`".to_owned(),
            _ if rest.split_once('=').is_some_and(|(key, value)| is_key(key) && !value.starts_with('=')) => {
                "one key and its value fill a line; write the second one in the next line".to_owned()
            }
            _ => format!(
                "the text ends at its second quote; one that holds quotes stands in the others: {0} = '… \"x\" …' or \
                 {0} = \"… 'x' …\"",
                self.key
            ),
        }
    }

    fn in_braces(&self, is_open: bool) -> (String, Harm) {
        if is_open {
            return ("the braces are not closed: write `}` after the last value".to_owned(), Harm::Rest);
        }
        ("a comma is missing between two keys in the braces".to_owned(), Harm::Entry)
    }

    fn open_text(&self, message: &str) -> (String, Harm) {
        if message.contains("visible characters") {
            return (
                "the text holds a control character; take it away, or write it as an escape such as \\n".to_owned(),
                Harm::Entry,
            );
        }
        let harm = if message.contains("multi-line") { Harm::Rest } else { Harm::None };
        (format!("the text of `{}` is not closed: a quote is missing at its end", self.key), harm)
    }
}

fn is_key(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// A list that is not closed swallows the lines below it.
fn in_list(others: &[Error]) -> (String, Harm) {
    let runs_on = |error: &Error| {
        ["unexpected `=` in array", "unclosed array"].iter().any(|sign| error.message().starts_with(sign))
    };
    if others.iter().take(NEAR).any(runs_on) {
        return ("the list is not closed: write `]` after its last item".to_owned(), Harm::Rest);
    }
    ("a comma is missing between two items of the list".to_owned(), Harm::None)
}

fn braces() -> String {
    "in braces, keys and values are joined by `=` and parted by commas, and a key that is not just letters, digits, `_` \
     and `-` stands in quotes: { header = \"X-Signature\", prefix = \"sha256=\" }"
        .to_owned()
}

fn escape() -> String {
    "in double quotes a backslash begins an escape such as \\n; write the text in single quotes instead: '…'".to_owned()
}

fn leading_zero() -> String {
    "a number does not begin with 0; a code such as \"007\" is a text in quotes".to_owned()
}
