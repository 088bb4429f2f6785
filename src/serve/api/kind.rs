//! What a schema says of a value, in words and links.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};
use serde_json::Value;

/// How the schemas of lists are named.
const PAGE: &str = "Page_";
const SCHEMAS: &str = "#/components/schemas/";

/// HTML, made of names and words of the document.
#[derive(Default)]
pub struct Kind(String);

impl HtmlSafe for Kind {}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Kind {
    pub fn of(schema: &Value) -> Self {
        Self(html(schema))
    }

    /// As a parameter of this place.
    pub fn in_a(self, place: &str, is_required: bool) -> Self {
        let word = match (place, is_required) {
            ("path", _) => String::new(),
            ("query", false) => "optional, ".to_owned(),
            (place, true) => format!("{}, ", safe(place)),
            (place, false) => format!("{}, optional, ", safe(place)),
        };
        Self(word + &self.0)
    }

    /// The media type is told where it is not JSON.
    pub fn sent_as(self, media: &str) -> Self {
        if media == "application/json" { self } else { Self(format!("<code>{}</code>", safe(media))) }
    }
}

fn safe(text: &str) -> String {
    escape(text, Html).map(|text| text.to_string()).unwrap_or_default()
}

/// The description of a member; one that may be null has it one level down.
pub fn said(schema: &Value) -> String {
    let own = schema["description"].as_str();
    let inner = || schema["oneOf"].as_array()?.iter().find_map(|one| one["description"].as_str());
    own.or_else(inner).unwrap_or_default().to_owned()
}

fn html(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(SCHEMAS)) {
        return named(name);
    }
    if let Some(choices) = ["oneOf", "anyOf", "allOf"].iter().find_map(|way| schema[way].as_array()) {
        return choices.iter().map(html).collect::<Vec<_>>().join(" or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values = values.iter().filter_map(Value::as_str).map(|value| format!("<code>{}</code>", safe(value)));
        return values.collect::<Vec<_>>().join(" or ");
    }
    let word = |kind: &Value| match kind.as_str() {
        Some("array") => format!("list of {}", html(&schema["items"])),
        Some("string") => schema["format"].as_str().map_or("text", |_| "time").to_owned(),
        Some("object") => "object".to_owned(),
        other => safe(other.unwrap_or("anything")),
    };
    match &schema["type"] {
        Value::Array(kinds) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        kind => word(kind),
    }
}

/// Ids, names, times and pages are known by their word.
pub fn has_a_place(name: &str) -> bool {
    let is_text = ["Id", "Slug", "Name"].iter().any(|end| name.ends_with(end));
    !is_text && name != "Timestamp" && !name.starts_with(PAGE)
}

fn named(name: &str) -> String {
    match name.strip_prefix(PAGE) {
        Some(item) => format!("page of {}", named(item)),
        None if has_a_place(name) => format!("<a href=\"#schema-{0}\">{0}</a>", safe(name)),
        None if name == "Timestamp" => "time".to_owned(),
        None => "text".to_owned(),
    }
}
