//! An endpoint's own headers. Their values may be credentials: sealed as one JSON object, shown by name only.

use std::collections::BTreeMap;

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::members::Wrong;
use crate::deliver::profile::Profile;
use crate::deliver::sign;
use crate::problem::{Code, Problem};
use crate::secret::{ExposeSecret, SealKey, SecretString};
use crate::store::endpoints::StoredEndpoint;

/// Names as they were given, and values.
pub type Headers = BTreeMap<String, String>;

/// What is shown for a value; who sends it back leaves that value as it is.
pub const KEPT: &str = "(kept secret)";
const MOST: usize = 20;
/// Names and values together, in bytes.
const MOST_BYTES: usize = 8 * 1024;

pub fn open(stored: &StoredEndpoint, seal: &SealKey) -> Result<Headers, Problem> {
    let Some(sealed) = &stored.headers else { return Ok(Headers::new()) };
    let opened = seal.open(sealed, &stored.id.to_string()).ok();
    let headers = opened.and_then(|opened| serde_json::from_str(opened.expose_secret()).ok());
    headers.ok_or_else(|| {
        tracing::error!(endpoint = %stored.id, "the custom headers of an endpoint cannot be read");
        Code::InternalError.into()
    })
}

/// None where there are none.
pub fn sealed(headers: &Headers, seal: &SealKey, context: &str) -> Option<Vec<u8>> {
    let text = serde_json::to_string(headers).ok().filter(|_| !headers.is_empty())?;
    Some(seal.seal(&SecretString::from(text), context))
}

/// Those that stand with what is asked for: null takes one away, or all of them.
pub fn merged(standing: Headers, asked: &Value) -> Result<Headers, Vec<Wrong>> {
    let asked = match asked {
        Value::Null => return Ok(Headers::new()),
        Value::Object(asked) => asked,
        _ => return Err(vec![Wrong::new("headers", "is an object of names and texts")]),
    };
    let mut wrong = Vec::new();
    let mut headers = standing;
    for (place, (name, value)) in asked.iter().enumerate() {
        let is_same = |other: &String| other.eq_ignore_ascii_case(name);
        let had = headers.keys().find(|other| is_same(other)).cloned();
        let old = had.and_then(|had| headers.remove(&had));
        match value {
            _ if asked.keys().take(place).any(is_same) => wrong.push(of(name, "stands there twice")),
            Value::Null => {}
            Value::String(value) if value == KEPT => match old {
                Some(old) => drop(headers.insert(name.clone(), old)),
                None => wrong.push(of(name, "there is no value that could be kept")),
            },
            Value::String(value) => drop(headers.insert(name.clone(), value.clone())),
            _ => wrong.push(of(name, "is a text, or null to take it away")),
        }
    }
    if wrong.is_empty() { Ok(headers) } else { Err(wrong) }
}

fn of(name: &str, detail: impl Into<String>) -> Wrong {
    Wrong::new(format!("headers.{name}"), detail)
}

/// Nothing of a value is quoted.
pub fn check(headers: &Headers, profile: Option<&Profile>) -> Vec<Wrong> {
    let mut wrong: Vec<_> = headers.iter().filter_map(|(name, value)| why_not(name, value, profile)).collect();
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MOST || bytes > MOST_BYTES {
        wrong.push(Wrong::new("headers", format!("at most {MOST} headers of together {MOST_BYTES} bytes")));
    }
    wrong
}

fn why_not(name: &str, value: &str, profile: Option<&Profile>) -> Option<Wrong> {
    let Ok(parsed) = HeaderName::try_from(name) else { return Some(of(name, "is no name of a header")) };
    if let Some(profile) = profile.filter(|profile| sign::is_reserved(profile, &parsed)) {
        let detail = format!("is set by the gateway or by the profile `{}`", profile.name);
        return Some(of(name, detail));
    }
    HeaderValue::from_str(value).err().map(|_| of(name, "the value holds characters that a header cannot carry"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::deliver::profile::find;

    fn standing() -> Headers {
        Headers::from([("X-One".to_owned(), "1".to_owned()), ("X-Two".to_owned(), "2".to_owned())])
    }

    #[test]
    fn headers_are_merged_by_name() {
        let merged = merged(standing(), &json!({"x-one": null, "X-TWO": KEPT, "X-Three": "3"})).unwrap();
        let pairs: Vec<_> = merged.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(pairs, [("X-TWO", "2"), ("X-Three", "3")]);
        assert_eq!(super::merged(standing(), &Value::Null).unwrap(), Headers::new());
    }

    #[test]
    fn what_cannot_be_a_header_is_told_by_its_name() {
        let fields = |wrong: Vec<Wrong>| wrong.into_iter().map(|wrong| wrong.field).collect::<Vec<_>>();
        let wrong = merged(standing(), &json!({"X-A": 1, "X-B": KEPT, "x-b": "2"})).unwrap_err();
        assert_eq!(fields(wrong), ["headers.X-A", "headers.X-B", "headers.x-b"]);
        let names = ["a b", "content-type", "Webhook-Id", "X-Webhook-Signature", "host", "x-tidegate-test"];
        for name in names {
            let headers = Headers::from([(name.to_owned(), String::new())]);
            assert_eq!(fields(check(&headers, find("collecta"))), [format!("headers.{name}")]);
        }
        let headers = Headers::from([("X-A".to_owned(), "sec\nret".to_owned())]);
        let wrong = check(&headers, find("collecta"));
        assert!(wrong.len() == 1 && !wrong[0].detail.contains("sec"), "{wrong:?}");
        let many = |count: usize, length: usize| -> Headers {
            (0..count).map(|number| (format!("X-{number}"), "v".repeat(length))).collect()
        };
        assert_eq!(check(&many(20, 100), None), []);
        assert_eq!(check(&many(21, 1), None).len(), 1);
        assert_eq!(check(&many(2, 4_096), None).len(), 1);
    }
}
