//! XML. What is taken, another reader takes, too, and finds the same in it; what is refused as malformed, it refuses.
//! Nothing is larger than what was sent, everything is within the bounds, and written again it reads as the same.

use std::fmt::Write;

use roxmltree::{Document, Node};
use serde_json::{Map, Value};
use tidegate::map::json::MOST_DEPTH;
use tidegate::map::xml;

pub fn run(input: &[u8]) {
    match xml::parse(input) {
        Ok(value) => {
            let text = std::str::from_utf8(input).expect("only UTF-8 is read");
            assert!(texts(&value) <= text.len(), "it has grown");
            within_bounds(&value, 0);
            assert_eq!(xml::parse(written(&value).as_bytes()), Ok(value.clone()));
            // The other reader looks prefixes up, which are kept here as they are written.
            if !text.contains(':') && !text.contains("xmlns") {
                let other = Document::parse(text).expect("the other reader takes it, too");
                // It leaves some carriage returns beside references as they are.
                assert!(text.contains('\r') || as_document(&other) == value, "{:?}", as_document(&other));
            }
        }
        Err(bad) => {
            assert!(bad.at <= input.len() && !bad.detail.is_empty(), "{bad:?}");
            // Nor does it look into declarations and instructions, and it takes numbers of no character for U+FFFD.
            let is_malformed = bad.code == "invalid_xml" && !bad.detail.ends_with("no character that XML knows");
            let is_plain = |text: &&str| is_malformed && !text.contains(':') && !text.contains("<?");
            let other = std::str::from_utf8(input).ok().filter(is_plain).map(Document::parse);
            assert!(!matches!(other, Some(Ok(_))), "the other reader takes it: {bad:?}");
        }
    }
}

/// Of a document without namespaces.
fn as_document(document: &Document<'_>) -> Value {
    let root = document.root_element();
    Value::Object(Map::from_iter([(name(root), as_value(root))]))
}

fn name(element: Node<'_, '_>) -> String {
    element.tag_name().name().to_owned()
}

fn as_value(element: Node<'_, '_>) -> Value {
    let mut members = Map::new();
    for attribute in element.attributes() {
        members.insert(format!("@{}", attribute.name()), attribute.value().into());
    }
    for child in element.children().filter(Node::is_element) {
        let value = as_value(child);
        match members.get_mut(&name(child)) {
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => drop(members.insert(name(child), value)),
        }
    }
    let runs = runs(element);
    if members.is_empty() {
        return runs.concat().into();
    }
    let is_blank = |run: &String| run.chars().all(|char| matches!(char, ' ' | '\t' | '\r' | '\n'));
    let text = runs.into_iter().filter(|run| !is_blank(run)).collect::<String>();
    if !text.is_empty() {
        members.insert("#text".to_owned(), text.into());
    }
    Value::Object(members)
}

/// Its text between elements, whatever else stands there.
fn runs(element: Node<'_, '_>) -> Vec<String> {
    let mut runs = vec![String::new()];
    for child in element.children() {
        if child.is_element() {
            runs.push(String::new());
        } else if let (true, Some(run)) = (child.is_text(), runs.last_mut()) {
            run.push_str(child.text().unwrap_or_default());
        }
    }
    runs
}

fn texts(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(members) => members.values().map(texts).sum(),
        other => panic!("XML has no {other}"),
    }
}

fn within_bounds(value: &Value, depth: usize) {
    assert!(depth <= MOST_DEPTH);
    match value {
        Value::Array(items) => {
            assert!(items.len() > 1 && !items.iter().any(Value::is_array));
            items.iter().for_each(|item| within_bounds(item, depth + 1));
        }
        Value::Object(members) => {
            assert!(!members.is_empty());
            members.values().for_each(|value| within_bounds(value, depth + 1));
        }
        Value::String(text) => assert!(!text.contains(['\0', '\u{1f}', '\u{fffe}', '\u{ffff}']), "{text:?}"),
        other => panic!("XML has no {other}"),
    }
}

fn written(document: &Value) -> String {
    let mut text = String::new();
    for (name, value) in document.as_object().expect("the root is a member") {
        write_element(&mut text, name, value);
    }
    text
}

/// Writing into a String cannot fail.
fn write_element(text: &mut String, name: &str, value: &Value) {
    let none = Map::new();
    let (members, own) = match value {
        Value::Object(members) => (members, members.get("#text").and_then(Value::as_str).unwrap_or_default()),
        value => (&none, value.as_str().expect("a text or an object")),
    };
    let _ = write!(text, "<{name}");
    for (name, value) in members.iter().filter_map(|(name, value)| Some((name.strip_prefix('@')?, value))) {
        let _ = write!(text, " {name}=\"{}\"", escaped(value.as_str().expect("a text")));
    }
    let _ = write!(text, ">{}", escaped(own));
    for (name, value) in members.iter().filter(|(name, _)| !name.starts_with(['@', '#'])) {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.iter().for_each(|value| write_element(text, name, value));
    }
    let _ = write!(text, "</{name}>");
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' | '>' | '&' | '"' | '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(char))),
            char => escaped.push(char),
        }
    }
    escaped
}
