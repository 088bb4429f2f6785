//! Typed values of fields: how they come from JSON without a transform, how they print, how storage texts them.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::decimal::{BadDecimal, Decimal};
use super::field::Kind;
use crate::clock::Timestamp;

/// A value that is not null. A status is a text.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Box<str>),
    Integer(i64),
    Decimal(Decimal),
    Boolean(bool),
    Timestamp(Timestamp),
    Date(jiff::civil::Date),
    /// Canonical text: keys sorted, no white space, numbers by their digits.
    Json(Box<RawValue>),
}

/// Why a JSON node is no value of the field's kind. `code` is stable, the text says what would do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct BadValue {
    pub code: &'static str,
    pub detail: String,
}

impl BadValue {
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Coercion without a transform (DESIGN 4). `node` is not null: what null means is the rule's to say.
pub fn coerce(kind: &Kind, node: &serde_json::Value) -> Result<Value, BadValue> {
    use serde_json::Value as Node;
    match (kind, node) {
        (Kind::Json, node) => canonical(node),
        (Kind::Text, Node::String(text)) => Ok(Value::Text(text.as_str().into())),
        (Kind::Text, Node::Number(number)) => Ok(Value::Text(number.as_str().into())),
        (Kind::Text, Node::Bool(truth)) => Ok(Value::Text(truth.to_string().into())),
        (Kind::Integer, Node::Number(number)) => integer(number.as_str()),
        (Kind::Integer, Node::String(text)) => integer(text),
        (Kind::Decimal, Node::Number(number)) => decimal(number.as_str()),
        (Kind::Decimal, Node::String(text)) => decimal(text),
        (Kind::Boolean, Node::Bool(truth)) => Ok(Value::Boolean(*truth)),
        (Kind::Boolean, Node::String(text)) => boolean(text),
        (Kind::Timestamp, Node::String(text)) => timestamp(text),
        (Kind::Date, Node::String(text)) => date(text),
        (Kind::Status(values), Node::String(text)) => status(values, text),
        (kind, node) => Err(BadValue::new("wrong_type", format!("{} is no {}", describe(node), kind.name()))),
    }
}

/// The canonical form of any JSON node, as a json value.
pub fn canonical(node: &serde_json::Value) -> Result<Value, BadValue> {
    serde_json::value::to_raw_value(node)
        .map(Value::Json)
        .map_err(|_| BadValue::new("wrong_type", "the node cannot be written as JSON"))
}

fn integer(text: &str) -> Result<Value, BadValue> {
    let number = decimal_of(text, "an integer, such as 42")?;
    if number.has_fraction() {
        return Err(BadValue::new("not_integral", "the number has a fraction; use a decimal field, or a transform"));
    }
    let out_of_range = || BadValue::new("out_of_range", "the integer does not fit 64 bits; use a decimal field");
    number.to_i64().map(Value::Integer).ok_or_else(out_of_range)
}

fn decimal(text: &str) -> Result<Value, BadValue> {
    decimal_of(text, "a decimal number, such as -12.50 or 1e3").map(Value::Decimal)
}

fn decimal_of(text: &str, wanted: &str) -> Result<Decimal, BadValue> {
    Decimal::parse(text).map_err(|error| match error {
        BadDecimal::Grammar => BadValue::new("not_a_number", format!("the text is not {wanted}")),
        BadDecimal::TooLong => BadValue::new("out_of_range", format!("the number has {error}")),
    })
}

fn boolean(text: &str) -> Result<Value, BadValue> {
    match text {
        "true" => Ok(Value::Boolean(true)),
        "false" => Ok(Value::Boolean(false)),
        _ => Err(BadValue::new(
            "not_a_boolean",
            "the text is neither \"true\" nor \"false\"; a `map` transform can turn it into one",
        )),
    }
}

fn timestamp(text: &str) -> Result<Value, BadValue> {
    text.parse().map(Value::Timestamp).map_err(|error: crate::clock::BadTimestamp| {
        BadValue::new("not_a_timestamp", format!("the text is {error}; a `timestamp` transform reads other forms"))
    })
}

fn date(text: &str) -> Result<Value, BadValue> {
    let bad = || BadValue::new("not_a_date", "the text is not a date of the form YYYY-MM-DD");
    if text.len() != 10 || text.starts_with('-') {
        return Err(bad());
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| bad())?;
    if date.year() < 1 { Err(bad()) } else { Ok(Value::Date(date)) }
}

fn status(values: &[String], text: &str) -> Result<Value, BadValue> {
    if values.iter().any(|value| value == text) {
        return Ok(Value::Text(text.into()));
    }
    Err(BadValue::new("not_listed", format!("the text is none of the field's values: {}", values.join(", "))))
}

/// The bytes that a node takes in memory, roughly, as far as they are at most `most`; more is not counted to its end.
pub fn weight(node: &serde_json::Value, most: usize) -> usize {
    use serde_json::Value as Node;
    let mut sum = size_of::<Node>();
    match node {
        Node::Null | Node::Bool(_) => {}
        Node::Number(number) => sum += number.as_str().len(),
        Node::String(text) => sum += text.len(),
        Node::Array(nodes) => {
            for node in nodes {
                if sum > most {
                    break;
                }
                sum += weight(node, most - sum);
            }
        }
        Node::Object(members) => {
            for (key, node) in members {
                if sum > most {
                    break;
                }
                sum += key.len() + weight(node, most - sum);
            }
        }
    }
    sum
}

/// What a node is, for messages; never its content.
pub fn describe(node: &serde_json::Value) -> &'static str {
    match node {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

impl Value {
    /// Reads what storage returned as text for a column of this kind.
    pub fn read(kind: &Kind, text: &str) -> Result<Self, BadValue> {
        match kind {
            Kind::Text | Kind::Status(_) => Ok(Self::Text(text.into())),
            Kind::Integer => integer(text),
            Kind::Decimal => decimal(text),
            Kind::Boolean => boolean(match text {
                "1" => "true",
                "0" => "false",
                other => other,
            }),
            Kind::Timestamp => timestamp(text),
            Kind::Date => date(text),
            Kind::Json => RawValue::from_string(text.to_owned())
                .map(Self::Json)
                .map_err(|_| BadValue::new("wrong_type", "the stored text is not JSON")),
        }
    }

    /// The bytes that its text takes, beside the value itself.
    pub fn weight(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Json(raw) => raw.get().len(),
            Self::Decimal(number) => number.as_str().len(),
            Self::Integer(_) | Self::Boolean(_) | Self::Timestamp(_) | Self::Date(_) => 0,
        }
    }

    /// The text that stands for this value in a match key and in storage.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::Text(text) => text.as_ref().into(),
            Self::Json(raw) => raw.get().into(),
            Self::Decimal(number) => number.as_str().into(),
            other => other.to_string().into(),
        }
    }
}

/// Typed equality: decimals numerically, timestamps as instants, json by structure.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Decimal(a), Self::Decimal(b)) => a == b,
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            (Self::Timestamp(a), Self::Timestamp(b)) => a == b,
            (Self::Date(a), Self::Date(b)) => a == b,
            // Ours are canonical; what another SQL client wrote may have another order and white space.
            (Self::Json(a), Self::Json(b)) => a.get() == b.get() || is_same(a, b),
            _ => false,
        }
    }
}

fn is_same(a: &RawValue, b: &RawValue) -> bool {
    let node = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get());
    matches!((node(a), node(b)), (Ok(a), Ok(b)) if a == b)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(number) => number.fmt(f),
            Self::Boolean(truth) => truth.fmt(f),
            Self::Timestamp(at) => at.fmt(f),
            Self::Date(date) => date.fmt(f),
            Self::Json(raw) => f.write_str(raw.get()),
        }
    }
}

/// As values stand in API, feed and history (DESIGN 3): decimal a string, integer a number.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Boolean(truth) => serializer.serialize_bool(*truth),
            Self::Json(raw) => raw.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Decimal(number) => serializer.serialize_str(number.as_str()),
            other => serializer.collect_str(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    fn coerced(kind: &Kind, text: &str) -> String {
        coerce(kind, &node(text)).map_or_else(|error| error.code.to_owned(), |value| value.to_string())
    }

    #[test]
    fn each_kind_takes_what_the_design_lists_and_nothing_else() {
        let status = Kind::Status(["open".to_owned()].into());
        for (kind, json, wanted) in [
            (&Kind::Text, "\"a\"", "a"),
            (&Kind::Text, "1.50", "1.50"),
            (&Kind::Text, "true", "true"),
            (&Kind::Text, "[]", "wrong_type"),
            (&Kind::Integer, "5.0", "5"),
            (&Kind::Integer, "\"-7\"", "-7"),
            (&Kind::Integer, "5.5", "not_integral"),
            (&Kind::Integer, "9223372036854775807", "9223372036854775807"),
            (&Kind::Integer, "9223372036854775808", "out_of_range"),
            (&Kind::Integer, "\"abc\"", "not_a_number"),
            (&Kind::Integer, "true", "wrong_type"),
            (&Kind::Integer, "1e2", "100"),
            (&Kind::Decimal, "\"12.50\"", "12.50"),
            (&Kind::Decimal, "1e400", "out_of_range"),
            (&Kind::Decimal, "\"12,5\"", "not_a_number"),
            (&Kind::Boolean, "\"true\"", "true"),
            (&Kind::Boolean, "\"yes\"", "not_a_boolean"),
            (&Kind::Boolean, "1", "wrong_type"),
            (&Kind::Timestamp, "\"2026-01-02T03:04:05+01:00\"", "2026-01-02T02:04:05.000000Z"),
            (&Kind::Timestamp, "1", "wrong_type"),
            (&Kind::Date, "\"2026-02-29\"", "not_a_date"),
            (&Kind::Date, "\"2024-02-29\"", "2024-02-29"),
            (&Kind::Date, "\"2024-02-29T0\"", "not_a_date"),
            (&status, "\"open\"", "open"),
            (&status, "\"Open\"", "not_listed"),
            (&Kind::Json, "{\"b\":1.0,\"a\":[]}", "{\"a\":[],\"b\":1.0}"),
        ] {
            assert_eq!(coerced(kind, json), wanted, "{} from {json}", kind.name());
        }
    }

    #[test]
    fn what_is_stored_reads_back_equal() {
        for (kind, json) in [
            (Kind::Text, "\"ä\""),
            (Kind::Integer, "-9223372036854775808"),
            (Kind::Decimal, "1.10"),
            (Kind::Boolean, "true"),
            (Kind::Timestamp, "\"2026-01-02T03:04:05.000001Z\""),
            (Kind::Date, "\"0001-01-01\""),
            (Kind::Json, "[1,{\"x\":null}]"),
        ] {
            let value = coerce(&kind, &node(json)).unwrap();
            assert_eq!(Value::read(&kind, &value.text()).unwrap(), value);
        }
    }
}
