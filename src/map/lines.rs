//! Bodies as NDJSON, also called JSON Lines: each line is a JSON document of its own, as strict as a body of one, and the
//! document that rules see is the array of them, for `each = "$[*]"`. Lines end with a line feed, with or without a
//! carriage return before it; blank lines count for nothing.

use serde_json::Value;

use super::json::{self, BadBody};
use crate::condition::path::MOST_NODES;

/// The most lines that are not blank: as many as `each` makes records of.
pub const MOST_LINES: usize = MOST_NODES;

/// Reads the lines into an array. The first that is wrong is told, by its number in the body.
pub fn parse(bytes: &[u8]) -> Result<Value, BadBody> {
    let text = json::text(bytes)?;
    let mut documents = Vec::new();
    let mut next = 0;
    for line in text.split('\n') {
        let start = next;
        next += line.len() + 1;
        if line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            continue;
        }
        if documents.len() == MOST_LINES {
            return Err(BadBody::new("too_many_lines", "the body has more than 1,000 lines", start, bytes));
        }
        let document = json::read(line).map_err(|(code, what, at)| BadBody::new(code, what, start + at, bytes))?;
        documents.push(document);
    }
    if documents.is_empty() {
        return Err(BadBody::new("empty_body", "the body is empty", 0, bytes));
    }
    Ok(Value::Array(documents))
}

/// A document a line.
pub fn write(documents: &[Value]) -> String {
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: impl AsRef<[u8]>) -> String {
        parse(body.as_ref()).map_or_else(|bad| bad.code.to_owned(), |value| value.to_string())
    }

    #[test]
    fn lines_become_an_array() {
        for (body, wanted) in [
            ("{\"a\":1}", "[{\"a\":1}]"),
            ("{\"a\":1}\n{\"a\":1}\n", "[{\"a\":1},{\"a\":1}]"),
            ("1\r\n\r\n2\r\n", "[1,2]"),
            ("\n \t\r\n1\n\n\n", "[1]"),
            (" [1.50] \n\"a\\nb\"\nnull", "[[1.50],\"a\\nb\",null]"),
            ("\"a\u{2028}b\u{85}\"", "[\"a\u{2028}b\u{85}\"]"),
        ] {
            assert_eq!(read(body), wanted, "{body:?}");
        }
    }

    #[test]
    fn each_line_is_as_strict_as_a_body() {
        for (body, wanted) in [
            ("", "empty_body"),
            ("\n \r\n", "empty_body"),
            ("1 2", "invalid_json"),
            ("{\n\"a\":1}", "invalid_json"),
            ("1\r2", "invalid_json"),
            ("1\n\u{b}\n2", "invalid_json"),
            ("1\n\u{feff}2", "invalid_json"),
            ("\u{1e}1\n\u{1e}2", "invalid_json"),
            ("1\n{\"a\":1,\"a\":2}", "duplicate_key"),
            ("1\n\"\\ud800\"", "lone_surrogate"),
            ("1\n{\"$serde_json::private::Number\":\"1\"}", "reserved_key"),
        ] {
            assert_eq!(read(body), wanted, "{body:?}");
        }
        assert_eq!(read(b"1\n\"\xff\""), "invalid_utf8");
        assert_eq!(read(format!("1\n{}", "[".repeat(101))), "too_deep");
        // What one line opens does not count against the next.
        assert!(parse(format!("{0}\n{0}", "[".repeat(100) + &"]".repeat(100)).as_bytes()).is_ok());
    }

    #[test]
    fn lines_are_bounded_and_blank_ones_are_free() {
        assert!(parse("1\n\n".repeat(MOST_LINES).as_bytes()).is_ok());
        let bad = parse("1\n\n".repeat(MOST_LINES + 1).as_bytes()).unwrap_err();
        assert_eq!((bad.code, bad.at), ("too_many_lines", 3 * MOST_LINES));
        assert_eq!(bad.detail, "line 2001, column 1: the body has more than 1,000 lines");
    }

    #[test]
    fn the_message_names_the_line_of_the_body() {
        let bad = parse(b"{\"a\":1}\r\n\n{\"a\":secret}\n").unwrap_err();
        assert_eq!((bad.detail.as_str(), bad.at), ("line 3, column 6: expected a value", 15));
        let bad = parse(b"1\n{\"a\":").unwrap_err();
        assert_eq!(bad.detail, "line 2, column 6: the document ends where a value is expected");
    }
}
