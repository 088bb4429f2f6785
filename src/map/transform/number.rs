//! Transforms that read numbers, by their digits and never by way of a float. What comes out is always a JSON number,
//! so that an integer or decimal field takes it by its digits.

use std::borrow::Cow;

use serde_json::Value;

use super::locale::Locale;
use super::text_of;
use crate::record::decimal::{BadDecimal, Decimal};
use crate::record::value::BadValue;

/// A number as people write it; a JSON number passes as it is.
pub(super) fn read<'a>(node: Cow<'a, Value>, locale: &Locale) -> Result<Cow<'a, Value>, BadValue> {
    match &*node {
        Value::Number(_) => Ok(node),
        Value::Bool(_) => Err(no_number("a boolean")),
        other => node_of(&written(&text_of(other)?, locale)?).map(Cow::Owned),
    }
}

/// Sign, digits with or without groups, decimal mark, digits. Zeros may lead where there are no groups: the rule says
/// that this is a number. A grouped one that begins with zero (`0.123` in German) was meant for another language.
fn written(text: &str, locale: &Locale) -> Result<Decimal, BadValue> {
    let bad = || {
        let wanted = format!("the text is no number as {:?} writes it, such as {locale}", locale.tag);
        BadValue::new("not_a_number", format!("{wanted}; `trim` takes blanks away, `replace` currency signs"))
    };
    let negative = text.strip_prefix(['-', '\u{2212}']);
    let unsigned = negative.or(text.strip_prefix('+')).unwrap_or(text);
    let (whole, fraction) = match unsigned.split_once(locale.decimal) {
        Some((_, "")) => return Err(bad()),
        Some((whole, fraction)) => (whole, fraction),
        None if unsigned.is_empty() => return Err(bad()),
        None => (unsigned, ""),
    };
    let whole = locale.ungrouped(whole).ok_or_else(bad)?;
    let sign = if negative.is_some() { "-" } else { "" };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let point = if fraction.is_empty() { "" } else { "." };
    // What is no digit after the decimal mark is found by the grammar; an exponent would pass it.
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    Decimal::parse(&format!("{sign}{whole}{point}{fraction}")).map_err(bad_number)
}

pub(super) fn scaled(node: &Value, places: i32) -> Result<Value, BadValue> {
    if node.is_boolean() {
        return Err(no_number("a boolean"));
    }
    node_of(&decimal(&text_of(node)?)?.scaled(places).map_err(bad_number)?)
}

fn no_number(what: &str) -> BadValue {
    BadValue::new("wrong_type", format!("{what} is no number"))
}

fn node_of(number: &Decimal) -> Result<Value, BadValue> {
    number.as_str().parse().map(Value::Number).map_err(|_| bad_number(BadDecimal::Grammar))
}

pub(super) fn decimal(text: &str) -> Result<Decimal, BadValue> {
    Decimal::parse(text).map_err(bad_number)
}

pub(super) fn bad_number(error: BadDecimal) -> BadValue {
    match error {
        BadDecimal::Grammar => BadValue::new("not_a_number", format!("the text is {error}")),
        BadDecimal::TooLong => BadValue::new("out_of_range", format!("the number has {error}")),
    }
}
