//! The time that a sender signs with: where it stands, in which unit, and whether it is near enough to now. The raw text
//! goes into what is signed; a text that does not have the declared form refuses the request and never opens it.

use http::HeaderName;

use super::place::Layout;
use super::raw::{RawTimestamp, Unit};
use super::request::Request;
use super::template::Template;
use crate::clock::Timestamp;

const MICROS: i64 = 1_000_000;
/// The longest timestamp that is read.
const LONGEST: usize = 40;

#[derive(Clone, Debug)]
pub enum From {
    Header(HeaderName, String),
    /// Of the signature's own value.
    Field(String),
    /// Place among its elements, from 1.
    Item(usize),
    Json(Template, String),
}

#[derive(Clone, Debug)]
pub struct Moment {
    pub from: From,
    pub unit: Unit,
    pub enforced: bool,
}

impl Moment {
    pub fn check(raw: &RawTimestamp) -> Result<Self, String> {
        let RawTimestamp { header, field, json, item, unit, enforced } = raw.clone();
        let from = match (header, field, json, item) {
            (Some(name), None, None, None) => {
                let header = HeaderName::try_from(name.as_str());
                From::Header(header.map_err(|_| format!("`{name}` is not the name of a header"))?, name)
            }
            (None, Some(field), None, None) if !field.is_empty() => From::Field(field),
            (None, None, Some(path), None) => From::Json(Template::compile(&[format!("{{json:{path}}}")])?, path),
            (None, None, None, Some(item @ 1..=16)) => From::Item(item),
            _ => {
                return Err(
                    "say where the time stands, once: timestamp = { header = \"X-Timestamp\" }, or field = \"t\", \
                            json = \"$.timestamp\", or item = 1"
                        .to_owned(),
                );
            }
        };
        Ok(Self { from, unit, enforced })
    }

    /// The raw text. `value` is the signature's own.
    pub fn find(&self, request: &Request<'_>, value: &str, layout: &Layout) -> Option<String> {
        let text = match &self.from {
            From::Header(name, _) => std::str::from_utf8(request.header(name)?).ok()?.to_owned(),
            From::Field(key) => {
                let mut found = layout.of_key(value, key);
                let first = found.next()?.to_owned();
                // Two of them would leave open which is judged and which is signed.
                found.next().is_none().then_some(first)?
            }
            From::Item(item) => layout.elements(value).nth(item - 1)?.to_owned(),
            From::Json(template, _) => {
                let filling = super::template::Filling { request, timestamp: None, hmac: None };
                template.text(filling).ok()?
            }
        };
        Some(text)
    }

    /// Whether it is within so many seconds of now, in either direction, where that is asked. What has not the declared
    /// form never is.
    pub fn is_fresh(&self, text: &str, now: Timestamp, tolerance: u32) -> bool {
        let near = |at: i64| at.abs_diff(now.micros()) <= u64::from(tolerance) * 1_000_000;
        read(self.unit, text).is_some_and(|at| !self.enforced || near(at))
    }

    pub fn write(&self, now: Timestamp) -> String {
        match self.unit {
            Unit::S => now.micros().div_euclid(MICROS).to_string(),
            Unit::Ms => now.micros().div_euclid(1_000).to_string(),
            Unit::Rfc3339 => now.to_string(),
        }
    }

    pub fn describe(&self) -> String {
        match &self.from {
            From::Header(_, name) => format!("the header {name}"),
            From::Field(key) => format!("`{key}` in the signature"),
            From::Item(item) => format!("element {item} of the signature"),
            From::Json(_, path) => format!("the member {path} of the body"),
        }
    }
}

/// Microseconds since 1970.
fn read(unit: Unit, text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > LONGEST {
        return None;
    }
    let number = || {
        // No sign, no space, no fraction, no exponent.
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok())?
    };
    match unit {
        Unit::S => number()?.checked_mul(MICROS),
        Unit::Ms => number()?.checked_mul(1_000),
        Unit::Rfc3339 => text.parse::<Timestamp>().ok().map(Timestamp::micros),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_declared_form_is_a_time() {
        for (unit, text, wanted) in [
            (Unit::S, "1614265330", Some(1_614_265_330_000_000)),
            (Unit::Ms, "1633519811129", Some(1_633_519_811_129_000)),
            (Unit::Rfc3339, "2020-01-01T00:00:00-07:00", Some(1_577_862_000_000_000)),
            (Unit::S, "", None),
            (Unit::S, "+1614265330", None),
            (Unit::S, "-1", None),
            (Unit::S, " 1614265330", None),
            (Unit::S, "1614265330.5", None),
            (Unit::S, "1e9", None),
            (Unit::S, "9223372036854775807", None),
            (Unit::S, "99999999999999999999", None),
            (Unit::S, "١٦", None),
            (Unit::Ms, "never", None),
            (Unit::Rfc3339, "1614265330", None),
            (Unit::Rfc3339, "2020-01-01", None),
        ] {
            assert_eq!(read(unit, text), wanted, "{text}");
        }
    }
}
