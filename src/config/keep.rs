//! How long what has happened is kept: `keep_events`, `keep_changes`, `keep_deliveries` and `keep_audit`, as `30d`, `720h`, or a number of days.

use std::time::Duration;

use super::checked;
use super::raw::Layers;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const USUAL: Duration = Duration::from_secs(30 * DAY);
const YEAR: Duration = Duration::from_secs(365 * DAY);
/// A hundred years: for ever, for all that is known.
const MOST: u64 = 36_500 * DAY;

/// Ages from which on things are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Events with their payloads, where their source does not say otherwise.
    pub events: Duration,
    /// The log of changes: as far back as it can be read.
    pub changes: Duration,
    /// Settled deliveries and their attempts, and finished jobs. At most `changes`: a body is made from its change.
    pub deliveries: Duration,
    /// The audit log.
    pub audit: Duration,
}

impl Default for Keep {
    fn default() -> Self {
        Self { events: USUAL, changes: USUAL, deliveries: USUAL, audit: YEAR }
    }
}

pub(super) fn keep(layers: &Layers, problems: &mut Vec<String>) -> Keep {
    let events = checked(layers.one("keep_events", |raw| &raw.keep_events), problems, |text| age(&text));
    let audit = checked(layers.one("keep_audit", |raw| &raw.keep_audit), problems, |text| age(&text));
    let changes = layers.one("keep_changes", |raw| &raw.keep_changes);
    let changes = checked(changes, problems, |text| age(&text)).unwrap_or(USUAL);
    let deliveries = checked(layers.one("keep_deliveries", |raw| &raw.keep_deliveries), problems, |text| {
        let deliveries = age(&text)?;
        if deliveries <= changes {
            return Ok(deliveries);
        }
        let (deliveries, changes) = (show(deliveries), show(changes));
        Err(format!(
            "deliveries cannot be kept for {deliveries} when changes are kept for {changes} (keep_changes): what is sent \
             again is made from its change"
        ))
    });
    Keep {
        events: events.unwrap_or(USUAL),
        changes,
        deliveries: deliveries.unwrap_or(USUAL.min(changes)),
        audit: audit.unwrap_or(YEAR),
    }
}

/// `30d`, `720h` or a number of days.
pub fn age(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].trim_start() {
        "" | "d" | "D" => Some(DAY),
        "h" | "H" => Some(HOUR),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    let (Some(number), Some(unit)) = (number, unit) else {
        return Err(format!("`{text}` is not a number of days, such as 30 or 30d, or of hours, such as 720h"));
    };
    match number.checked_mul(unit) {
        Some(seconds @ HOUR..=MOST) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("`{text}` is out of bounds: 1h to {}", show(Duration::from_secs(MOST)))),
    }
}

/// In days where these are whole.
pub fn show(age: Duration) -> String {
    match age.as_secs() {
        seconds if seconds.is_multiple_of(DAY) => format!("{}d", seconds / DAY),
        seconds => format!("{}h", seconds / HOUR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_days_or_hours() {
        for (text, seconds) in
            [("30d", 30 * DAY), ("30", 30 * DAY), (" 7 D ", 7 * DAY), ("720h", 30 * DAY), ("1h", HOUR)]
        {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for (text, why) in [
            ("", "`` is not a number of days, such as 30 or 30d, or of hours, such as 720h"),
            ("30s", "`30s` is not a number of days"),
            ("-1d", "`-1d` is not a number of days"),
            ("1.5d", "`1.5d` is not a number of days"),
            ("0d", "`0d` is out of bounds: 1h to 36500d"),
            ("36501d", "`36501d` is out of bounds"),
            ("99999999999999999d", "`99999999999999999d` is out of bounds"),
        ] {
            let found = age(text).unwrap_err();
            assert!(found.starts_with(why), "{text}: {found}");
        }
        assert_eq!((show(USUAL), show(Duration::from_secs(36 * HOUR))), ("30d".to_owned(), "36h".to_owned()));
    }
}
