//! Bodies as forms (`application/x-www-form-urlencoded`): each name a key, each value a text, a repeated name an array
//! of texts in the order sent. Senders that wrap JSON into one field `payload` are taken at that JSON.
//! The crates for this replace what they cannot decode; a gateway must not change what was signed, so it refuses.

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::json::{self, BadBody};

/// The most name-value pairs.
pub const MOST_PAIRS: usize = 1_000;
/// The one field that is unwrapped when it stands alone.
const WRAPPER: &str = "payload";

/// Reads a form into an object, or the lone `payload` field as the JSON in it.
pub fn parse(bytes: &[u8]) -> Result<Value, BadBody> {
    let (fields, pairs) = fields(bytes)?;
    match fields.get(WRAPPER) {
        _ if pairs == 0 => Err(BadBody::new("empty_body", "the body is empty", 0, bytes)),
        Some(Value::String(wrapped)) if pairs == 1 => unwrap(wrapped),
        _ => Ok(Value::Object(fields)),
    }
}

/// A document in the place of the form `original`: in its one field, where it was read from there.
pub fn write(document: &Value, original: &[u8]) -> Option<String> {
    let (read, pairs) = fields(original).ok()?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    if pairs == 1 && read.contains_key(WRAPPER) {
        return Some(form.append_pair(WRAPPER, &document.to_string()).finish());
    }
    for (name, value) in document.as_object()? {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            form.append_pair(name, value.as_str()?);
        }
    }
    Some(form.finish())
}

/// Reads the parameters of a URL: what stands behind its `?`.
pub fn parameters(bytes: &[u8]) -> Result<Map<String, Value>, BadBody> {
    let in_url = |bad: BadBody| BadBody { detail: format!("in the parameters of the URL, {}", bad.detail), ..bad };
    fields(bytes).map(|(fields, _)| fields).map_err(in_url)
}

/// Of the parameters of a URL those of these names, as they were written.
pub fn named(query: &str, names: &[String]) -> String {
    let is_named = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        decode(name.as_bytes()).is_ok_and(|name| names.contains(&name))
    };
    query.split('&').filter(is_named).collect::<Vec<_>>().join("&")
}

/// The parameters of a URL with `instead` for the value of each of these names; `None` where it has none of them.
pub fn without(query: &str, names: &[String], instead: &str) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let mut found = false;
    let written = query.split('&').map(|pair| {
        if named(pair, names).is_empty() {
            return pair.to_owned();
        }
        found = true;
        let name = pair.split('=').next().unwrap_or_default();
        let value: String = form_urlencoded::byte_serialize(instead.as_bytes()).collect();
        format!("{name}={value}")
    });
    let written = written.collect::<Vec<_>>().join("&");
    found.then_some(written)
}

/// And how many pairs there were.
fn fields(bytes: &[u8]) -> Result<(Map<String, Value>, usize), BadBody> {
    let fault = |code, what, at| BadBody::new(code, what, at, bytes);
    let mut fields = Map::new();
    let mut at = 0;
    let mut pairs = 0;
    for pair in bytes.split(|byte| *byte == b'&') {
        let start = at;
        at += pair.len() + 1;
        if pair.is_empty() {
            continue;
        }
        pairs += 1;
        if pairs > MOST_PAIRS {
            return Err(fault("invalid_form", "the form has more than 1,000 fields", start));
        }
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = pair.get(equals + 1..).unwrap_or_default();
        let text = |part| decode(part).map_err(|what| fault("invalid_form", what, start));
        let name = text(&pair[..equals])?;
        if json::is_reserved(&name) {
            return Err(fault("reserved_key", "no name may begin with `$serde_json::`", start));
        }
        add(&mut fields, name, text(value)?);
    }
    Ok((fields, pairs))
}

fn unwrap(wrapped: &str) -> Result<Value, BadBody> {
    json::parse(wrapped.as_bytes())
        .map_err(|bad| BadBody { detail: format!("in the form's field `payload`, {}", bad.detail), ..bad })
}

fn add(fields: &mut Map<String, Value>, name: String, value: String) {
    match fields.entry(name) {
        Entry::Vacant(entry) => drop(entry.insert(Value::String(value))),
        Entry::Occupied(mut entry) => match entry.get_mut() {
            Value::Array(values) => values.push(Value::String(value)),
            first => *first = Value::Array(vec![first.take(), Value::String(value)]),
        },
    }
}

fn decode(part: &[u8]) -> Result<String, &'static str> {
    let mut text = Vec::with_capacity(part.len());
    let mut rest = part;
    while let [first, tail @ ..] = rest {
        rest = tail;
        text.push(match first {
            b'+' => b' ',
            b'%' => {
                let (byte, tail) = hexadecimal(rest).ok_or("a percent sign without two hexadecimal digits")?;
                rest = tail;
                byte
            }
            byte => *byte,
        });
    }
    String::from_utf8(text).map_err(|_| "the field is not UTF-8")
}

fn hexadecimal(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, tail) = rest.split_at_checked(2)?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some((digit(digits[0])? << 4 | digit(digits[1])?, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: impl AsRef<[u8]>) -> String {
        parse(body.as_ref()).map_or_else(|bad| bad.code.to_owned(), |value| value.to_string())
    }

    #[test]
    fn forms_become_objects_of_texts() {
        for (body, wanted) in [
            ("a=1", r#"{"a":"1"}"#),
            ("a=1&b=2&a=3&a=4", r#"{"a":["1","3","4"],"b":"2"}"#),
            ("a", r#"{"a":""}"#),
            ("a=&=b", r#"{"":"b","a":""}"#),
            ("&&a=1&", r#"{"a":"1"}"#),
            ("a=b=c", r#"{"a":"b=c"}"#),
            ("a+b=c+%2B%20d", r#"{"a b":"c + d"}"#),
            ("%c3%A4=%E2%82%ac", r#"{"ä":"€"}"#),
            ("ä=ö", r#"{"ä":"ö"}"#),
            ("a%5B%5D=1&a%5B%5D=2", r#"{"a[]":["1","2"]}"#),
            ("payload=%7B%22a%22%3A1.50%7D", r#"{"a":1.50}"#),
            ("payload=1&x=2", r#"{"payload":"1","x":"2"}"#),
            ("payload=1&payload=2", r#"{"payload":["1","2"]}"#),
        ] {
            assert_eq!(read(body), wanted, "{body}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused() {
        for (body, wanted) in [
            ("", "empty_body"),
            ("&", "empty_body"),
            ("a=%", "invalid_form"),
            ("a=%4", "invalid_form"),
            ("a=%4g", "invalid_form"),
            ("a=%+1", "invalid_form"),
            ("%zz=1", "invalid_form"),
            ("a=%ff", "invalid_form"),
            ("a=%ed%a0%80", "invalid_form"),
            ("payload=", "empty_body"),
            ("payload=abc", "invalid_json"),
            ("payload=%7B%22a%22%3A1%2C%22a%22%3A1%7D", "duplicate_key"),
            ("%24serde_json::private::Number=1", "reserved_key"),
        ] {
            assert_eq!(read(body), wanted, "{body}");
        }
        assert_eq!(read(b"a=\xff"), "invalid_form");
        assert_eq!(read("a&".repeat(MOST_PAIRS + 1)), "invalid_form");
        assert!(parse("a&".repeat(MOST_PAIRS).as_bytes()).is_ok());
    }

    #[test]
    fn values_of_parameters_are_taken_out() {
        let names = ["card".to_owned()];
        let written = without("a=1&c%61rd=4111&&card&b", &names, "[x]");
        assert_eq!(written.as_deref(), Some("a=1&c%61rd=%5Bx%5D&&card=%5Bx%5D&b"));
        assert_eq!(without("a=card&%zz", &names, "[x]"), None);
    }

    #[test]
    fn the_message_says_where() {
        let bad = parse(b"a=1&b=%").unwrap_err();
        let wanted = "line 1, column 5: a percent sign without two hexadecimal digits";
        assert_eq!((bad.detail.as_str(), bad.at), (wanted, 4));
        let wanted = "in the form's field `payload`, line 1, column 1: expected a value";
        assert_eq!(parse(b"payload=x").unwrap_err().detail, wanted);
    }
}
