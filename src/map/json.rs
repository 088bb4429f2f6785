//! Bodies as JSON (RFC 8259), more strictly than `serde_json` reads them. One scan of the bytes comes before it,
//! because what it takes silently is what two readers of one body disagree about: duplicate keys, halves of
//! surrogate pairs, numbers that only some can hold. The scan also keeps the private keys out by which an object
//! can pose as a number (`arbitrary_precision`). `\u0000` passes here: judging refuses it with the rule's name.

use std::borrow::Cow;
use std::str::Utf8Error;

use serde_json::Value;

/// The most objects and arrays around a value.
pub const MOST_DEPTH: usize = 100;
/// The longest text of a number, in bytes.
pub const LONGEST_NUMBER: usize = 1_000;
/// Objects with more keys are sorted to find duplicates; below, comparing each with each is quicker.
const FEW_KEYS: usize = 12;
/// `serde_json` keeps keys with this beginning for itself.
const RESERVED: &str = "$serde_json::";

/// Why a body is not what its content type says. Neither part repeats content of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BadBody {
    /// `empty_body`, `invalid_utf8`, `invalid_json`, `duplicate_key`, `lone_surrogate`, `too_deep`,
    /// `number_too_long`, `reserved_key`; of forms also `invalid_form`, of lines `too_many_lines`, of XML `invalid_xml`,
    /// `xml_doctype`, `xml_encoding`.
    pub code: &'static str,
    /// Where and what, for the sender's developer.
    pub detail: String,
    /// The place in the body, in bytes.
    pub at: usize,
}

impl BadBody {
    pub(super) fn new(code: &'static str, what: &str, at: usize, bytes: &[u8]) -> Self {
        let before = &bytes[..at.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        // Bytes that continue a character of UTF-8 are no columns.
        let column = before[start..].iter().filter(|byte| **byte & 0xc0 != 0x80).count() + 1;
        Self { code, detail: format!("line {line}, column {column}: {what}"), at }
    }
}

/// Reads one JSON value that fills the body.
pub fn parse(bytes: &[u8]) -> Result<Value, BadBody> {
    read(text(bytes)?).map_err(|(code, what, at)| BadBody::new(code, what, at, bytes))
}

/// A body as the UTF-8 that it has to be.
pub(super) fn text(bytes: &[u8]) -> Result<&str, BadBody> {
    let bad = |error: Utf8Error| BadBody::new("invalid_utf8", "the body is not UTF-8", error.valid_up_to(), bytes);
    std::str::from_utf8(bytes).map_err(bad)
}

/// Reads one JSON value that fills the text.
pub(super) fn read(text: &str) -> Result<Value, Fault> {
    Scan { text, bytes: text.as_bytes(), at: 0, depth: 0, keys: Vec::new() }.document()?;
    serde_json::from_str(text).map_err(|_| ("invalid_json", "not a JSON value", 0))
}

/// Whether a key would be taken for one of `serde_json`'s own.
pub(super) fn is_reserved(key: &str) -> bool {
    key.starts_with(RESERVED)
}

/// Code, what is wrong, byte offset.
pub(super) type Fault = (&'static str, &'static str, usize);

struct Scan<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// The keys of all objects that are open, innermost last: one buffer for the whole body.
    keys: Vec<Key<'a>>,
}

struct Key<'a> {
    name: Cow<'a, str>,
    at: usize,
}

impl<'a> Scan<'a> {
    fn document(mut self) -> Result<(), Fault> {
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            return self.fault("the document starts with a byte order mark");
        }
        self.blanks();
        if self.at == self.bytes.len() {
            return Err(("empty_body", "the body is empty", 0));
        }
        self.value()?;
        self.blanks();
        if self.at < self.bytes.len() { self.fault("something follows the value") } else { Ok(()) }
    }

    fn fault<T>(&self, what: &'static str) -> Result<T, Fault> {
        Err(("invalid_json", what, self.at))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over `byte` if it is next.
    fn took(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Recursion is bounded by [`MOST_DEPTH`].
    fn value(&mut self) -> Result<(), Fault> {
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(_) => self.fault("expected a value"),
            None => self.fault("the document ends where a value is expected"),
        }
    }

    fn nested(&mut self, body: fn(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.depth == MOST_DEPTH {
            return Err(("too_deep", "objects and arrays are nested more than 100 deep", self.at));
        }
        self.at += 1;
        self.depth += 1;
        body(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return self.fault("expected a value");
        }
        self.at += word.len();
        Ok(())
    }

    fn array(&mut self) -> Result<(), Fault> {
        self.blanks();
        if self.took(b']') {
            return Ok(());
        }
        loop {
            self.blanks();
            self.value()?;
            self.blanks();
            if self.took(b']') {
                return Ok(());
            }
            if !self.took(b',') {
                return self.fault("expected a comma or the end of the array");
            }
        }
    }

    fn object(&mut self) -> Result<(), Fault> {
        let outer = self.keys.len();
        self.blanks();
        if self.took(b'}') {
            return Ok(());
        }
        loop {
            self.blanks();
            self.member()?;
            self.blanks();
            if self.took(b'}') {
                break;
            }
            if !self.took(b',') {
                return self.fault("expected a comma or the end of the object");
            }
        }
        match duplicate(&mut self.keys[outer..]) {
            Some(at) => Err(("duplicate_key", "the object has this key twice", at)),
            None => {
                self.keys.truncate(outer);
                Ok(())
            }
        }
    }

    fn member(&mut self) -> Result<(), Fault> {
        let at = self.at;
        if self.peek() != Some(b'"') {
            return self.fault("expected a key in double quotes");
        }
        let escaped = self.string()?;
        let quoted = &self.text[at..self.at];
        let name = if escaped {
            let unescaped = serde_json::from_str(quoted);
            Cow::Owned(unescaped.map_err(|_| ("invalid_json", "the key cannot be read", at))?)
        } else {
            Cow::Borrowed(&quoted[1..quoted.len() - 1])
        };
        if is_reserved(&name) {
            return Err(("reserved_key", "no key may begin with `$serde_json::`", at));
        }
        self.keys.push(Key { name, at });
        self.blanks();
        if !self.took(b':') {
            return self.fault("expected a colon after the key");
        }
        self.blanks();
        self.value()
    }

    /// Steps over a string; whether it has escapes.
    fn string(&mut self) -> Result<bool, Fault> {
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = &self.bytes[self.at..];
            self.at += rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fault("a control character stands in a string unescaped"),
                None => return self.fault("the document ends inside a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        const HIGH: std::ops::Range<u32> = 0xd800..0xdc00;
        const LOW: std::ops::Range<u32> = 0xdc00..0xe000;
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                return Ok(());
            }
            Some(b'u') => {}
            _ => return self.fault("not an escape of JSON"),
        }
        let unit = self.code_unit()?;
        let paired = HIGH.contains(&unit)
            && self.bytes[self.at..].starts_with(br"\u")
            && self.code_unit().is_ok_and(|unit| LOW.contains(&unit));
        if (HIGH.contains(&unit) && !paired) || LOW.contains(&unit) {
            return Err(("lone_surrogate", "half of a surrogate pair stands alone", start));
        }
        Ok(())
    }

    /// Steps over `\uXXXX`.
    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.bytes.get(self.at + 2..self.at + 6).unwrap_or_default();
        let digit = |number: u32, digit: &u8| Some(number << 4 | char::from(*digit).to_digit(16)?);
        match digits.iter().try_fold(0, digit) {
            Some(unit) if digits.len() == 4 => {
                self.at += 6;
                Ok(unit)
            }
            _ => self.fault("expected four hexadecimal digits"),
        }
    }

    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.took(b'-');
        if !self.took(b'0') {
            self.digits()?;
        }
        if self.took(b'.') {
            self.digits()?;
        }
        if self.took(b'e') || self.took(b'E') {
            let _signed = self.took(b'+') || self.took(b'-');
            self.digits()?;
        }
        if let Some(b'0'..=b'9') = self.peek() {
            return self.fault("a number begins with a zero");
        }
        if self.at - start > LONGEST_NUMBER {
            return Err(("number_too_long", "the number is written with more than 1,000 characters", start));
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { self.fault("expected a digit") } else { Ok(()) }
    }
}

/// The offset of a key that stood before. The order of `keys` is not kept.
fn duplicate(keys: &mut [Key<'_>]) -> Option<usize> {
    if keys.len() <= FEW_KEYS {
        let stood = |(place, key): (usize, &Key<'_>)| keys[..place].iter().any(|other| other.name == key.name);
        return keys.iter().enumerate().find(|(place, key)| stood((*place, key))).map(|(_, key)| key.at);
    }
    keys.sort_unstable_by(|a, b| a.name.cmp(&b.name).then(a.at.cmp(&b.at)));
    keys.windows(2).filter(|pair| pair[0].name == pair[1].name).map(|pair| pair[1].at).min()
}

#[cfg(test)]
mod tests;
