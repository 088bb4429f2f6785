//! What XML 1.0 (fifth edition) is made of: characters, names, white space, references, attributes. Numbers in brackets
//! are those of its productions.

use super::super::json::Fault;
use super::fault;

/// [3]
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// [2]
pub(super) fn is_legal(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// [4]
fn begins_name(char: char) -> bool {
    matches!(
        char,
        ':' | '_' | 'A'..='Z' | 'a'..='z'
            | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
            | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
            | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}'
    )
}

/// [4a]
fn continues_name(char: char) -> bool {
    begins_name(char)
        || matches!(char, '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

/// The bytes at the beginning that may be a name.
pub(super) fn name_length(text: &str) -> usize {
    text.find(|char| !continues_name(char)).unwrap_or(text.len())
}

/// Of a text that [`name_length`] has measured: [5].
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(begins_name)
}

/// Adds text with its line ends as one line feed each (2.11).
pub(super) fn push_lines(text: &mut String, piece: &str) {
    for (place, line) in piece.split('\r').enumerate() {
        match line.strip_prefix('\n') {
            _ if place == 0 => text.push_str(line),
            rest => {
                text.push('\n');
                text.push_str(rest.unwrap_or(line));
            }
        }
    }
}

/// The character that stands for `&name;`. Those that a document type could define are not there.
pub(super) fn reference(name: &str) -> Result<char, &'static str> {
    let number = match name {
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "amp" => return Ok('&'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        name => name.strip_prefix('#').ok_or("there are no entities but lt, gt, amp, apos and quot")?,
    };
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    let are_digits = !digits.is_empty() && digits.chars().all(|char| char.is_digit(radix));
    let code = if are_digits { u32::from_str_radix(digits, radix).ok() } else { None };
    let char = code.and_then(char::from_u32).filter(|char| is_legal(*char));
    char.ok_or("the reference names no character that XML knows")
}

/// What an attribute is worth: references resolved, each line end and tab a blank (3.3.3).
pub(super) fn attribute_value(raw: &str, at: usize) -> Result<String, Fault> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(place) = rest.find(['<', '&', '\t', '\n', '\r']) {
        value.push_str(&rest[..place]);
        rest = &rest[place..];
        let here = at + raw.len() - rest.len();
        let taken = match rest.as_bytes() {
            [b'&', ..] => {
                let end = rest.find(';').ok_or_else(|| fault("`&` begins a reference that has no `;`", here))?;
                value.push(reference(&rest[1..end]).map_err(|what| fault(what, here))?);
                end + 1
            }
            [b'<', ..] => return Err(fault("the value of an attribute holds `<`, which is written `&lt;`", here)),
            blank => {
                value.push(' ');
                if blank.starts_with(b"\r\n") { 2 } else { 1 }
            }
        };
        rest = &rest[taken..];
    }
    value.push_str(rest);
    Ok(value)
}

/// The attributes of a tag as they are written, [41] and the white space before each.
pub(super) struct Attributes<'a> {
    rest: &'a str,
    /// Where `rest` begins.
    at: usize,
}

pub(super) struct Attribute<'a> {
    pub name: &'a str,
    pub at: usize,
    /// What stands between the quotes.
    pub value: &'a str,
    pub value_at: usize,
}

impl<'a> Attributes<'a> {
    pub fn new(text: &'a str, at: usize) -> Self {
        Self { rest: text, at }
    }

    fn step(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        (self.rest, self.at) = (rest, self.at + bytes);
        taken
    }

    /// Steps over white space; whether there was some.
    fn blanks(&mut self) -> bool {
        let blanks = self.rest.len() - self.rest.trim_start_matches(BLANKS).len();
        self.step(blanks);
        blanks > 0
    }

    fn one(&mut self) -> Result<Attribute<'a>, Fault> {
        let at = self.at;
        let name = self.step(name_length(self.rest));
        if !is_name(name) {
            return Err(fault("expected the name of an attribute, or the end of the tag", at));
        }
        self.blanks();
        if !self.rest.starts_with('=') {
            return Err(fault("expected `=` after the name of an attribute", self.at));
        }
        self.step(1);
        self.blanks();
        let Some(quote) = self.rest.chars().next().filter(|char| matches!(char, '"' | '\'')) else {
            return Err(fault("expected the value of an attribute, in quotes", self.at));
        };
        self.step(1);
        let value_at = self.at;
        let end = self.rest.find(quote).ok_or_else(|| fault("an attribute without its closing quote", at))?;
        let value = self.step(end);
        self.step(1);
        Ok(Attribute { name, at, value, value_at })
    }
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<Attribute<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let is_apart = self.blanks();
        if self.rest.is_empty() {
            return None;
        }
        Some(if is_apart { self.one() } else { Err(fault("expected white space or the end of the tag", self.at)) })
    }
}
