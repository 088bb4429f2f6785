//! Ids: a prefix that says what is named, and a UUIDv7 (RFC 9562) in lower-case Crockford base32, 26 characters.
//! They sort by time of creation, to the microsecond, and are opaque outside.

use std::fmt;
use std::str::FromStr;

use crate::clock::{self, Timestamp};

pub(crate) const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 26;

/// The text is not an id of the kind asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an id: expected `{prefix}` and 26 characters of Crockford base32")]
pub struct BadId {
    prefix: &'static str,
}

/// 48 bits of milliseconds, 12 bits of the millisecond's fraction (RFC 9562, 6.2, method 3), 62 random bits.
fn uuid_v7(at: Timestamp, random: [u8; 8]) -> u128 {
    let micros = u128::from(at.micros().max(0).unsigned_abs());
    let (millis, fraction) = (micros / 1_000, micros % 1_000 * 4_096 / 1_000);
    let tail = u128::from(u64::from_be_bytes(random) >> 2);
    (millis << 80) | (7 << 76) | (fraction << 64) | (0b10 << 62) | tail
}

fn encode(number: u128) -> [u8; LENGTH] {
    let mut text = [0; LENGTH];
    for (at, char) in text.iter_mut().enumerate() {
        let shift = 5 * (LENGTH - 1 - at);
        *char = ALPHABET[(number >> shift & 31) as usize];
    }
    text
}

fn decode(text: &str) -> Option<u128> {
    if text.len() != LENGTH || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes().try_fold(0u128, |number, char| {
        let digit = ALPHABET.iter().position(|known| *known == char)?;
        Some(number << 5 | digit as u128)
    })
}

/// The schema of a text of this form.
fn text(pattern: &str) -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
    let schema = utoipa::openapi::ObjectBuilder::new().schema_type(utoipa::openapi::schema::Type::String);
    schema.pattern(Some(pattern)).into()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn new(at: Timestamp) -> Self {
                Self(uuid_v7(at, clock::random()))
            }

            /// The smallest id of that instant: the bound of a day in a table partitioned by id.
            pub fn floor(at: Timestamp) -> Self {
                Self(u128::from(at.micros().max(0).unsigned_abs()) / 1_000 << 80)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                f.write_str($prefix)?;
                f.write_str(std::str::from_utf8(&text).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix).and_then(decode).map(Self).ok_or(BadId { prefix: $prefix })
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                text(concat!("^", $prefix, "[0-7][0-9a-hjkmnp-tv-z]{25}$"))
            }
        }

        impl utoipa::ToSchema for $name {}

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    ModuleId = "mod_";
    SourceId = "src_";
    EventId = "evt_";
    RecordId = "rec_";
    ChangeId = "chg_";
    KeyId = "key_";
    WorkspaceId = "ws_";
    EndpointId = "whk_";
    DeliveryId = "dlv_";
    AttemptId = "att_";
    JobId = "job_";
    /// One HTTP request; stands in its answer and its log line, nowhere else.
    RequestId = "req_";
    /// One running gateway process.
    ReplicaId = "rep_";
}

impl EventId {
    /// When it was made: days since 1970, in UTC.
    pub fn day(self) -> i64 {
        i64::try_from((self.0 >> 80) / 86_400_000).unwrap_or(i64::MAX)
    }

    /// When that day began.
    pub fn midnight(self) -> Timestamp {
        Timestamp::from_micros(self.day().saturating_mul(86_400_000_000)).unwrap_or_default()
    }
}

impl DeliveryId {
    /// Of one event of a change that is owed to one endpoint: always the same, whoever makes it and however often.
    pub fn of(at: Timestamp, change: &str, endpoint: EndpointId, part: i64) -> Self {
        let digest = crate::secret::digest(&format!("{change}/{endpoint}/{part}"));
        let mut tail = [0; 8];
        tail.copy_from_slice(&digest[..8]);
        Self(uuid_v7(at, tail))
    }

    /// The same number as RFC 9562 writes it.
    pub fn uuid(self) -> Uuid {
        Uuid(self.0)
    }
}

/// The text form of RFC 9562, 4: `8-4-4-4-12` hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(u128);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        let part = |shift: u32, digits: u32| (number >> shift) & ((1 << (4 * digits)) - 1);
        let (first, second, third) = (part(96, 8), part(80, 4), part(64, 4));
        write!(f, "{first:08x}-{second:04x}-{third:04x}-{:04x}-{:012x}", part(48, 4), part(0, 12))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_sorts_by_time() {
        let early = EventId::new(Timestamp::from_micros(1_767_323_045_000_001).unwrap());
        let late = EventId::new(Timestamp::from_micros(1_767_323_045_000_002).unwrap());
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(early.to_string().len(), 30);
        assert!(early.to_string() < late.to_string());
        assert!(EventId::floor(Timestamp::from_micros(1_767_323_045_000_000).unwrap()) < early);
        assert_eq!(early.day(), 1_767_323_045 / 86_400);
    }

    #[test]
    fn a_delivery_has_one_id_which_is_a_uuid() {
        let at = Timestamp::from_micros(1_767_323_045_000_001).unwrap();
        let endpoint = EndpointId::new(at);
        let id = DeliveryId::of(at, "chg_1", endpoint, 0);
        assert_eq!(id, DeliveryId::of(at, "chg_1", endpoint, 0));
        assert_ne!(id, DeliveryId::of(at, "chg_1", endpoint, 1));
        let uuid = id.uuid().to_string();
        assert_eq!(uuid.len(), 36);
        assert_eq!((&uuid[..8], &uuid[14..15]), ("019b7ca9", "7"), "{uuid}");
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let record = RecordId::new(Timestamp::default()).to_string();
        assert!(record.parse::<EventId>().is_err());
        assert!("evt_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<EventId>().is_err());
        assert!("evt_é0000000000000000000000000".parse::<EventId>().is_err());
    }
}
