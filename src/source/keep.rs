//! What of a source's payloads is kept, and for how long: `keep = { payload = "refused", for = "30d", bytes = "1GiB" }`.
//! Said here, done by who writes events (`payload`) and by who removes them (`for`, `bytes`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{Unit, age, show_age};
use crate::record::definition::Fault;

/// The fewest and the most bytes that all payloads of a source may be said to take.
const LEAST_BYTES: u64 = 1_024;
const MOST_BYTES: u64 = 1 << 50;

/// Checked. By default all payloads are kept, for as long as their events are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawKeep", into = "RawKeep")]
pub struct Keep {
    pub payload: KeepPayload,
    /// Older ones go. None: nothing but the events' own end ends them.
    pub age: Option<Duration>,
    /// Where all payloads of the source are together larger, the oldest go.
    pub bytes: Option<u64>,
}

/// Of which events the payload is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeepPayload {
    #[default]
    Always,
    Refused,
    Never,
}

impl KeepPayload {
    pub fn of_accepted(self) -> bool {
        self == Self::Always
    }

    pub fn of_refused(self) -> bool {
        self != Self::Never
    }
}

/// As it is written and stored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Keep)]
pub struct RawKeep {
    /// `always` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<KeepPayload>,
    /// Such as `30d` or `36h`.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub age: Option<String>,
    /// Of all payloads of the source together, such as `1GiB`, or a number of bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<RawSize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged, expecting = "a number of bytes, or a size in quotes such as \"1GiB\"")]
pub enum RawSize {
    Bytes(u64),
    Text(String),
}

impl RawKeep {
    /// Every fault at once, with its key.
    pub fn check(&self) -> Result<Keep, Vec<Fault>> {
        let age = self.age.as_deref().map(age).transpose();
        let bytes = self.bytes.as_ref().map(RawSize::check).transpose();
        match (age, bytes) {
            (Ok(age), Ok(bytes)) => Ok(Keep { payload: self.payload.unwrap_or_default(), age, bytes }),
            (age, bytes) => {
                let faults = [("keep.for", age.err()), ("keep.bytes", bytes.err())];
                Err(faults.into_iter().filter_map(|(at, detail)| Some(Fault::new(at, detail?))).collect())
            }
        }
    }
}

impl RawSize {
    fn check(&self) -> Result<u64, String> {
        let (shown, bytes) = match self {
            Self::Bytes(bytes) => (bytes.to_string(), Some(*bytes)),
            Self::Text(text) => (text.clone(), Unit::Bytes.read(text.trim())),
        };
        let bytes = bytes.ok_or_else(|| format!("`{shown}` is not {}", Unit::Bytes.wanted()))?;
        if (LEAST_BYTES..=MOST_BYTES).contains(&bytes) {
            return Ok(bytes);
        }
        let [least, most] = [LEAST_BYTES, MOST_BYTES].map(|end| Unit::Bytes.show(end));
        Err(format!("`{shown}` is out of bounds: {least} to {most}"))
    }
}

impl TryFrom<RawKeep> for Keep {
    type Error = String;

    fn try_from(raw: RawKeep) -> Result<Self, String> {
        let told = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.detail).collect::<Vec<_>>().join("; ");
        raw.check().map_err(told)
    }
}

impl From<Keep> for RawKeep {
    fn from(keep: Keep) -> Self {
        Self {
            payload: Some(keep.payload),
            age: keep.age.map(show_age),
            bytes: keep.bytes.map(|bytes| RawSize::Text(Unit::Bytes.show(bytes))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    #[test]
    fn what_is_kept_is_read_checked_and_written_back() {
        for (text, payload, age, bytes) in [
            ("{}", KeepPayload::Always, None, None),
            (r#"{"payload": "never"}"#, KeepPayload::Never, None, None),
            (r#"{"payload": "refused", "for": "36h"}"#, KeepPayload::Refused, Some(DAY * 3 / 2), None),
            (r#"{"for": "30d", "bytes": "1GiB"}"#, KeepPayload::Always, Some(30 * DAY), Some(1 << 30)),
            (r#"{"bytes": 4096}"#, KeepPayload::Always, None, Some(4_096)),
        ] {
            let keep: Keep = serde_json::from_str(text).unwrap();
            assert_eq!(keep, Keep { payload, age: age.map(Duration::from_secs), bytes }, "{text}");
            let written = serde_json::to_string(&keep).unwrap();
            assert_eq!(serde_json::from_str::<Keep>(&written).unwrap(), keep, "{written}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let raw: RawKeep = serde_json::from_str(r#"{"for": "30 years", "bytes": "10"}"#).unwrap();
        let told: Vec<_> = raw.check().unwrap_err().into_iter().map(|fault| (fault.at, fault.detail)).collect();
        let wanted = [
            ("keep.for", "`30 years` is not a number of days, such as 30 or 30d, or of hours, such as 720h"),
            ("keep.bytes", "`10` is out of bounds: 1KiB to 1048576GiB"),
        ];
        assert_eq!(told, wanted.map(|(at, detail)| (at.to_owned(), detail.to_owned())));
        let raw: RawKeep = serde_json::from_str(r#"{"bytes": "1 TB"}"#).unwrap();
        assert!(raw.check().unwrap_err()[0].detail.starts_with("`1 TB` is not a number of bytes, such as"));
        assert!(serde_json::from_str::<RawKeep>(r#"{"payload": "often"}"#).is_err());
    }
}
