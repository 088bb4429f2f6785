//! Time and randomness. Nothing else in the tree reads a clock or the system's random bytes (`clippy.toml` holds
//! that); pure code gets a [`Timestamp`] as an argument.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: microseconds since 1970-01-01T00:00:00Z, years 1 to 9999.
/// Printed as RFC 3339 in UTC, always with six digits: `2026-01-02T03:04:05.000000Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// The text is not an RFC 3339 date-time with an offset, or its year is outside 1 to 9999.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an RFC 3339 timestamp with an offset, such as 2026-01-02T03:04:05Z")]
pub struct BadTimestamp;

impl Timestamp {
    const MIN: i64 = -62_135_596_800_000_000; // 0001-01-01T00:00:00Z
    const MAX: i64 = 253_402_207_200_999_999; // 9999-12-30T22:00:00.999999Z: every offset still prints a four-digit year

    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN..=Self::MAX).contains(&micros).then_some(Self(micros))
    }

    pub fn micros(self) -> i64 {
        self.0
    }

    /// Later by `span`; stays at the end of the range rather than leaving it.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros).min(Self::MAX))
    }

    /// Earlier by `span`; stays at the beginning of the range rather than leaving it.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros).max(Self::MIN))
    }

    /// When its day began (UTC).
    #[must_use]
    pub fn midnight(self) -> Self {
        Self((self.0.div_euclid(DAY) * DAY).max(Self::MIN))
    }

    /// Time passed since `earlier`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.jiff())
    }
}

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    /// Digits below the microsecond are cut, not rounded (DESIGN 4).
    fn from_str(text: &str) -> Result<Self, BadTimestamp> {
        if !is_rfc_3339(text) {
            return Err(BadTimestamp);
        }
        let at: jiff::Timestamp = text.parse().map_err(|_| BadTimestamp)?;
        let micros = i64::try_from(at.as_nanosecond().div_euclid(1_000)).map_err(|_| BadTimestamp)?;
        Self::from_micros(micros).ok_or(BadTimestamp)
    }
}

/// The grammar of RFC 3339, 5.6; the ranges of its numbers are the parser's.
fn is_rfc_3339(text: &str) -> bool {
    let shaped = |text: &[u8], shape: &[u8]| {
        text.len() == shape.len()
            && text.iter().zip(shape).all(|(char, kind)| match kind {
                b'9' => char.is_ascii_digit(),
                b'T' => char.eq_ignore_ascii_case(&b'T'),
                other => char == other,
            })
    };
    let Some((head, tail)) = text.as_bytes().split_at_checked(19) else { return false };
    let offset = match tail.strip_prefix(b".") {
        None => tail,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|char| char.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
    };
    let zoned = matches!(offset, b"Z" | b"z") || shaped(offset, b"+99:99") || shaped(offset, b"-99:99");
    shaped(head, b"9999-99-99T99:99:99") && zoned
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        let schema = ObjectBuilder::new().schema_type(Type::String);
        let schema = schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
        schema.description(Some("UTC, to the microsecond.")).examples(["2026-01-02T03:04:05.000000Z"]).into()
    }
}

impl utoipa::ToSchema for Timestamp {}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The one clock of a gateway: wall time (corrected to the database's), a monotonic reading for limits, and randomness.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Reading>);

#[derive(Debug)]
enum Reading {
    System { start: Instant, offset_micros: AtomicI64 },
    Manual { micros: AtomicI64 },
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the one home of time")]
    pub fn system() -> Self {
        Self(Arc::new(Reading::System { start: Instant::now(), offset_micros: AtomicI64::new(0) }))
    }

    /// Stands still until [`Clock::advance`]; for tests.
    pub fn manual(at: Timestamp) -> Self {
        Self(Arc::new(Reading::Manual { micros: AtomicI64::new(at.micros()) }))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one home of time")]
    pub fn now(&self) -> Timestamp {
        match &*self.0 {
            Reading::Manual { micros } => Timestamp(micros.load(Ordering::Relaxed)),
            Reading::System { offset_micros, .. } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let micros = i64::try_from(since.as_micros()).unwrap_or(0);
                Timestamp(micros.saturating_add(offset_micros.load(Ordering::Relaxed)))
            }
        }
    }

    /// Time since the clock was made; never jumps, so that a corrected wall clock refills no allowance.
    pub fn monotonic(&self) -> Duration {
        match &*self.0 {
            Reading::System { start, .. } => start.elapsed(),
            Reading::Manual { micros } => Duration::from_micros(micros.load(Ordering::Relaxed).unsigned_abs()),
        }
    }

    /// Takes the database's time as the truth; replicas then agree. A manual clock keeps its own.
    pub fn follow(&self, database_now: Timestamp) {
        if let Reading::System { offset_micros, .. } = &*self.0 {
            offset_micros.store(0, Ordering::Relaxed);
            let offset = database_now.micros().saturating_sub(self.now().micros());
            offset_micros.store(offset, Ordering::Relaxed);
        }
    }

    pub fn advance(&self, span: Duration) {
        if let Reading::Manual { micros } = &*self.0 {
            micros.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::Relaxed);
        }
    }
}

impl governor::clock::Clock for Clock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.monotonic()
    }
}

/// Random bytes that each thread fetches at once, for ids: a call to the system for each would be one in forty of what a
/// webhook costs.
const FETCHED: usize = 1024;

thread_local! {
    /// The bytes, and how many of them are used up.
    static RANDOM: RefCell<([u8; FETCHED], usize)> = const { RefCell::new(([0; FETCHED], FETCHED)) };
}

/// Fresh bytes from the system's generator, at most 64.
///
/// # Panics
/// When the system has no random source: without one no id and no secret can be made.
pub fn random<const N: usize>() -> [u8; N] {
    const { assert!(N <= 64, "more would be used up at once") };
    RANDOM.with_borrow_mut(|(bytes, used)| {
        if *used + N > FETCHED {
            fetch(bytes);
            *used = 0;
        }
        let mut taken = [0; N];
        taken.copy_from_slice(&bytes[*used..*used + N]);
        // Nobody gets them twice, and a secret made of them does not stay here.
        bytes[*used..*used + N].fill(0);
        *used += N;
        taken
    })
}

#[expect(clippy::disallowed_methods, clippy::expect_used, reason = "this is the one home of randomness")]
fn fetch(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system's random source answers");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_read_with_any_offset_and_printed_with_six_digits() {
        let at: Timestamp = "2026-01-02T05:04:05.1234569+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-01-02T03:04:05.123456Z");
        assert_eq!("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap().to_string(), "2026-01-02T03:04:05.000000Z");
        assert_eq!("1969-12-31T23:59:59.9999999Z".parse::<Timestamp>().unwrap().micros(), -1);
        assert_eq!(at.midnight().to_string(), "2026-01-02T00:00:00.000000Z");
        assert_eq!(at.before(Duration::from_secs(3)).to_string(), "2026-01-02T03:04:02.123456Z");
        assert_eq!(at.before(Duration::MAX).midnight().to_string(), "0001-01-01T00:00:00.000000Z");
    }

    #[test]
    fn what_is_not_rfc_3339_is_refused() {
        for text in [
            "",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02 03:04:05Z",
            "2026-01-02T03:04:05Z[UTC]",
            "1767323045",
            "-000001-01-02T03:04:05Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(BadTimestamp), "{text}");
        }
    }
}
