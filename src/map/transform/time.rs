//! Times in forms that RFC 3339 does not know: a stated format, or counts since 1970.

use jiff::fmt::strtime::{self, BrokenDownTime};
use jiff::tz::TimeZone;

use super::number::{bad_number, decimal};
use crate::clock::Timestamp;
use crate::record::nearest::{did_you_mean, nearest};
use crate::record::value::BadValue;

/// The longest format, in bytes.
pub const LONGEST_FORMAT: usize = 100;
/// 2026-12-31T13:45:56.123456Z, in microseconds: a format is tried on it before it is saved.
const SAMPLE: i64 = 1_798_724_756_123_456;
const SAMPLE_HOUR: i8 = 13;

/// How a `timestamp` transform reads a text or number.
#[derive(Clone, Debug)]
pub enum Reading {
    /// Counts since 1970-01-01T00:00:00Z, each this power of ten microseconds.
    Unix { places: i32 },
    /// The format of `strptime`, as jiff knows it; it carries an offset itself (`%z`, `%:z`, `%s`).
    Offset { format: String },
    /// A local time in a named zone. In the gap of a clock put forward the time is read with the offset before it
    /// (02:30 becomes 03:30), in the fold of a clock put back the earlier of both is meant: "compatible", as RFC 5545.
    Local { format: String, zone: TimeZone },
}

impl Reading {
    pub fn check(format: &str, zone: Option<&str>) -> Result<Self, String> {
        match (format, zone) {
            ("unix", None) => return Ok(Self::Unix { places: 6 }),
            ("unix_ms", None) => return Ok(Self::Unix { places: 3 }),
            ("unix" | "unix_ms", Some(_)) => return Err(format!("{format:?} is UTC and takes no `zone`")),
            _ if !format.contains('%') => return Err(without_percent(format)),
            _ => {}
        }
        if format.len() > LONGEST_FORMAT {
            return Err(format!("the format of `timestamp` is longer than {LONGEST_FORMAT} bytes"));
        }
        let sample = tried(format)?;
        let reading = match (sample.offset().is_some() || sample.timestamp().is_some(), zone) {
            (true, None) => Self::Offset { format: format.to_owned() },
            (true, Some(_)) => return Err("the format carries an offset itself; leave out `zone`".into()),
            (false, Some(name)) => Self::Local { format: format.to_owned(), zone: zone_named(name)? },
            (false, None) => {
                return Err("the format carries no offset (%z); say which `zone` is meant, such as \"UTC\" or \
                            \"Europe/Berlin\""
                    .into());
            }
        };
        // An afternoon hour that comes back as a morning one was written by %I without %p.
        match reading.instant(&sample) {
            Some(_) if sample.hour().is_none_or(|hour| hour == SAMPLE_HOUR) => Ok(reading),
            _ => Err("the format names no full date and time: year, month and day, with %p if hours are %I".into()),
        }
    }

    /// Below the microsecond, digits are cut towards the past, as with RFC 3339.
    pub fn read(&self, text: &str) -> Result<Timestamp, BadValue> {
        let format = match self {
            Self::Unix { places } => return since_1970(text, *places),
            Self::Offset { format } | Self::Local { format, .. } => format,
        };
        let other_form = || BadValue::new("not_a_timestamp", format!("the text is no time of the form {format:?}"));
        let parsed = BrokenDownTime::parse(format, text).map_err(|_| other_form())?;
        self.instant(&parsed).ok_or_else(other_form)
    }

    fn instant(&self, parsed: &BrokenDownTime) -> Option<Timestamp> {
        let at = match self {
            Self::Local { zone, .. } => zone.to_timestamp(parsed.to_datetime().ok()?),
            _ => parsed.to_timestamp(),
        };
        let micros = at.ok()?.as_nanosecond().div_euclid(1_000);
        Timestamp::from_micros(i64::try_from(micros).ok()?)
    }
}

/// Words and the formats of other systems: nothing in them would be read from the text.
fn without_percent(format: &str) -> String {
    let instead = match format.to_ascii_lowercase().as_str() {
        "iso8601" | "iso 8601" | "iso" | "rfc3339" | "rfc 3339" => {
            return "a timestamp field takes RFC 3339 without a transform; leave it out".into();
        }
        "epoch" | "seconds" | "s" | "unix_s" | "unixtime" => "seconds since 1970 are \"unix\"",
        "ms" | "millis" | "milliseconds" | "unix_millis" | "unixms" | "unix-ms" => {
            "milliseconds since 1970 are \"unix_ms\""
        }
        _ => "a format is written with %: \"%d/%m/%Y %H:%M\" reads 31/12/2026 13:45",
    };
    format!("{format:?} is no form of a `timestamp`; {instead}")
}

/// The sample written and read back, which shows what the format carries.
fn tried(format: &str) -> Result<BrokenDownTime, String> {
    let refused = "cannot be read; see https://docs.rs/jiff/latest/jiff/fmt/strtime, without %Z %Q %c %r %x %X %q";
    let sample = jiff::Timestamp::from_microsecond(SAMPLE).map_err(|error| error.to_string())?;
    let written = strtime::format(format, &sample.to_zoned(TimeZone::UTC));
    let parsed = written.and_then(|text| BrokenDownTime::parse(format, text));
    match parsed {
        Ok(parsed) if parsed.iana_time_zone().is_none() => Ok(parsed),
        _ => Err(format!("the format {format:?} of `timestamp` {refused}")),
    }
}

fn zone_named(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let known: Vec<_> = jiff::tz::db().available().collect();
        let meant = did_you_mean(nearest(name, known.iter().map(|zone| zone.as_str())), |zone| format!("{zone:?}"));
        format!("there is no time zone {name:?}; write one such as \"Europe/Berlin\" or \"UTC\"{meant}")
    })
}

/// By digits, never by way of a float.
fn since_1970(text: &str, places: i32) -> Result<Timestamp, BadValue> {
    let out_of_range = || BadValue::new("out_of_range", "the time is not in the years 1 to 9999; are the units right?");
    let micros = decimal(text)?.scaled(places).map_err(bad_number)?;
    let (whole, fraction) = micros.as_str().split_once('.').unwrap_or((micros.as_str(), ""));
    let cut = i64::from(whole.starts_with('-') && fraction.bytes().any(|digit| digit != b'0'));
    let micros = whole.parse::<i64>().ok().and_then(|whole| whole.checked_sub(cut));
    micros.and_then(Timestamp::from_micros).ok_or_else(out_of_range)
}
