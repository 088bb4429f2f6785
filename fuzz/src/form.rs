//! Forms. What is read holds texts only, none of them longer than what was sent, and reads as the same when it is
//! written again; the parameters of a URL are read alike.

use serde_json::{Map, Value};
use tidegate::map::form;
use tidegate::map::json;

pub fn run(input: &[u8]) {
    let parameters = form::parameters(input);
    match form::parse(input) {
        Ok(Value::Object(fields)) if parameters.as_ref() == Ok(&fields) => {
            are_texts(&fields, input.len());
            assert_eq!(form::parse(written(&fields).as_bytes()), Ok(Value::Object(fields)));
        }
        Ok(unwrapped) => {
            let fields = parameters.expect("a wrapper is a form, too");
            assert!(fields.len() == 1, "{fields:?}");
            let wrapped = fields["payload"].as_str().expect("one text");
            assert_eq!(json::parse(wrapped.as_bytes()), Ok(unwrapped));
        }
        Err(bad) => {
            assert!(bad.at <= input.len() && !bad.detail.is_empty(), "{bad:?}");
            assert!(parameters.is_err() || bad.code != "invalid_form", "{bad:?}");
        }
    }
}

fn are_texts(fields: &Map<String, Value>, sent: usize) {
    let mut bytes = 0;
    for (name, value) in fields {
        bytes += name.len();
        match value {
            Value::String(text) => bytes += text.len(),
            Value::Array(texts) => {
                assert!(texts.len() > 1, "{name}");
                bytes += texts.iter().map(|text| text.as_str().expect("a text").len()).sum::<usize>();
            }
            other => panic!("{name} is {other}"),
        }
    }
    assert!(bytes <= sent);
}

/// The order of different names is not kept, and need not be.
fn written(fields: &Map<String, Value>) -> String {
    let pair = |name: &str, value: &Value| format!("{}={}", escaped(name), escaped(value.as_str().expect("a text")));
    let pairs = fields.iter().flat_map(|(name, value)| match value {
        Value::Array(values) => values.iter().map(|value| pair(name, value)).collect(),
        value => vec![pair(name, value)],
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}
