//! Any document of ours as TOML, from its JSON: keys in the order in which they were written, numbers by their digits. It
//! fails where a module file could not say the same.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// What no module file can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    #[error(
        "null stands in it, which no module file can say; for a transform take \"\" instead, and on_empty = \"null\""
    )]
    Null,
    #[error("the number would lose digits in a module file; write it in quotes, as a text")]
    Number,
    #[error("it cannot be written into a module file")]
    Other,
}

/// A member as it stands in JSON.
pub type Member = (String, Box<RawValue>);

/// The members of an object, in its order; nulls are left out, as they stand for what is not said.
pub fn members(document: &impl Serialize) -> Result<Vec<Member>, Unwritable> {
    let mut members = table(&to_raw_value(document).map_err(|_| Unwritable::Other)?)?;
    members.retain(|(_, value)| value.get() != "null");
    Ok(members)
}

/// An object's members where the value is one, and a list of them where it is such a list.
pub fn tables(value: &RawValue) -> Option<Vec<Vec<Member>>> {
    let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
    let is_table = |item: &&RawValue| item.get().starts_with('{');
    if items.is_empty() || !items.iter().all(is_table) {
        return None;
    }
    items.into_iter().map(|item| table(item).ok()).collect()
}

fn table(value: &RawValue) -> Result<Vec<Member>, Unwritable> {
    serde_json::from_str::<Ordered>(value.get()).map(|Ordered(members)| members).map_err(|_| Unwritable::Other)
}

/// A value in one line.
pub fn inline(value: &RawValue) -> Result<String, Unwritable> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'{') => {
            let members = table(value)?.into_iter().map(|(name, value)| line(&name, &value));
            let members = members.collect::<Result<Vec<_>, _>>()?;
            Ok(if members.is_empty() { "{ }".to_owned() } else { format!("{{ {} }}", members.join(", ")) })
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).map_err(|_| Unwritable::Other)?;
            let items = items.into_iter().map(inline).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        Some(b'"') => serde_json::from_str::<String>(json).map(|it| text(&it)).map_err(|_| Unwritable::Other),
        Some(b't' | b'f') => Ok(json.to_owned()),
        Some(b'n') => Err(Unwritable::Null),
        _ if is_kept(json) => Ok(json.to_owned()),
        _ => Err(Unwritable::Number),
    }
}

/// `name = value`.
pub fn line(name: &str, value: &RawValue) -> Result<String, Unwritable> {
    Ok(format!("{} = {}", key(name), inline(value)?))
}

pub fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if is_bare { name.to_owned() } else { basic(name) }
}

/// In single quotes where that saves escapes.
pub fn text(text: &str) -> String {
    let needs_escapes = text.contains(['"', '\\']);
    let is_literal = needs_escapes && !text.contains('\'') && !text.chars().any(char::is_control);
    if is_literal { format!("'{text}'") } else { basic(text) }
}

fn basic(text: &str) -> String {
    let mut written = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            char if char.is_control() => written.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => written.push(char),
        }
    }
    written.push('"');
    written
}

/// Whether a file's number of this text is read as the same text: integers of 64 bits, and floats that a double holds.
fn is_kept(json: &str) -> bool {
    if let Ok(number) = json.parse::<i64>() {
        return number.to_string() == json;
    }
    let float = json.contains('.').then(|| json.parse().ok().and_then(serde_json::Number::from_f64)).flatten();
    float.is_some_and(|float| float.to_string() == json)
}

/// Members in the order of the text, which `serde_json::Map` would sort.
struct Ordered(Vec<Member>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Ordered;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Ordered(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// As JSON, for what is put together by hand.
pub fn raw(value: &Value) -> Result<Box<RawValue>, Unwritable> {
    to_raw_value(value).map_err(|_| Unwritable::Other)
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn written(json: &str) -> Result<String, Unwritable> {
        inline(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn json_reads_back_out_of_toml() {
        for json in [
            r#"{"b":1,"a":[true,"x",{"y.z":-5}]}"#,
            r#"["a\"b","it's \\d","it's \"both\"","tab\tline\nnul\u0001\u007f ä 🦀",""]"#,
            "[1.5,-0.25,9223372036854775807,1.0]",
            "{}",
            "[]",
        ] {
            let text = format!("value = {}", written(json).unwrap());
            let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
            let value = Value::deserialize(table["value"].clone()).unwrap();
            assert_eq!(value, serde_json::from_str::<Value>(json).unwrap(), "{text}");
        }
    }

    #[test]
    fn what_a_file_cannot_say_is_refused() {
        for (json, why) in [
            ("null", Unwritable::Null),
            ("[{\"a\":null}]", Unwritable::Null),
            ("1.50", Unwritable::Number),
            ("1e3", Unwritable::Number),
            ("9223372036854775808", Unwritable::Number),
            ("-0", Unwritable::Number),
            ("0.1000000000000000055", Unwritable::Number),
        ] {
            assert_eq!(written(json), Err(why), "{json}");
        }
    }

    #[test]
    fn keys_and_texts_are_written_as_people_write_them() {
        assert_eq!(
            written(r#"{"type":"text","a b":"@.x == \"y\""}"#).unwrap(),
            r#"{ type = "text", "a b" = '@.x == "y"' }"#
        );
    }
}
