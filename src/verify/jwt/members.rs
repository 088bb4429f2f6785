//! One JSON object of a token, each name once (RFC 7519, 4 leaves the choice to refuse the rest). Values stay text until
//! one is asked for, so that a number keeps its digits and no value of any depth is built.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::clock::Timestamp;

pub(super) struct Members<'a>(BTreeMap<String, &'a RawValue>);

/// A claim is there and is not a time.
#[derive(Debug)]
pub(super) struct NotATime;

impl<'a> Members<'a> {
    /// None unless the bytes are one object with distinct names and nothing behind it.
    pub(super) fn read(json: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }

    /// A text, or a list of texts; anything else is none.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let list = || self.0.get(name).and_then(|value| serde_json::from_str(value.get()).ok());
        self.text(name).map(|text| vec![text]).or_else(list).unwrap_or_default()
    }

    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, NotATime> {
        self.0.get(name).map(|value| instant(value.get()).ok_or(NotATime)).transpose()
    }
}

/// A NumericDate (RFC 7519, 2): seconds since 1970, with or without a fraction, which is cut to microseconds. Written
/// with an exponent, or out of the range of years (milliseconds are), it is none.
fn instant(number: &str) -> Option<Timestamp> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| text.bytes().all(|char| char.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6.6}").parse().ok()?;
    let whole = whole.parse::<i64>().ok()?.checked_mul(1_000_000)?;
    Timestamp::from_micros(whole.checked_add(micros)?)
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EachOnce)
    }
}

struct EachOnce;

impl<'de> Visitor<'de> for EachOnce {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with distinct names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Members(members))
    }
}
