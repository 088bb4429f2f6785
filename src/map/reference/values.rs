//! Field types, what becomes of JSON without a transform, and the codes of what does not fit.

use super::{Prose, Row};
use crate::record::decimal::MOST_DIGITS;
use crate::record::field::Kind;

/// A field type, as the page tells of it.
pub(super) struct About {
    pub name: &'static str,
    pub spelling: String,
    pub meaning: Prose,
    /// JSON, and the value it becomes or the code of the error.
    pub examples: &'static [(&'static str, Result<&'static str, &'static str>)],
}

pub(super) fn all_kinds() -> [Kind; 8] {
    [
        Kind::Text,
        Kind::Integer,
        Kind::Decimal,
        Kind::Boolean,
        Kind::Timestamp,
        Kind::Date,
        Kind::Status(["open", "closed"].map(str::to_owned).into()),
        Kind::Json,
    ]
}

pub(super) fn kinds() -> Vec<About> {
    all_kinds().iter().map(about).collect()
}

fn about(kind: &Kind) -> About {
    let (meaning, examples): (String, &[_]) = match kind {
        Kind::Text => (
            "Takes a text, a number by the digits in which it was sent (an exponent is written `e+5`), or a boolean."
                .into(),
            &[(r#""A-17""#, Ok("A-17")), ("1.50", Ok("1.50")), ("true", Ok("true")), ("[1]", Err("wrong_type"))],
        ),
        Kind::Integer => (
            "A whole number of 64 bits. Takes such a number, or a text that is one.".into(),
            &[("42", Ok("42")), (r#""42""#, Ok("42")), ("5.0", Ok("5")), ("5.5", Err("not_integral"))],
        ),
        Kind::Decimal => (
            format!(
                "A number that keeps its digits, at most {MOST_DIGITS}. Takes a number, or a text that is one in JSON."
            ),
            &[("12.50", Ok("12.50")), (r#""-3""#, Ok("-3")), ("1e3", Ok("1000")), (r#""12,50""#, Err("not_a_number"))],
        ),
        Kind::Boolean => (
            "Takes true and false, also as texts.".into(),
            &[
                ("true", Ok("true")),
                (r#""false""#, Ok("false")),
                ("1", Err("wrong_type")),
                (r#""yes""#, Err("not_a_boolean")),
            ],
        ),
        Kind::Timestamp => (
            "An instant. Takes RFC 3339 with an offset. Kept in UTC, by the microsecond.".into(),
            &[
                (r#""2026-01-02T03:04:05+01:00""#, Ok("2026-01-02T02:04:05.000000Z")),
                (r#""2026-01-02T03:04:05""#, Err("not_a_timestamp")),
                ("1767323045", Err("wrong_type")),
            ],
        ),
        Kind::Date => (
            "A day. Takes a text of the form YYYY-MM-DD.".into(),
            &[(r#""2026-01-02""#, Ok("2026-01-02")), (r#""02.01.2026""#, Err("not_a_date"))],
        ),
        Kind::Json => (
            "Anything, kept as JSON with sorted keys.".into(),
            &[(r#"{"b": 1.0, "a": []}"#, Ok(r#"{"a":[],"b":1.0}"#)), ("\"text\"", Ok("\"text\""))],
        ),
        Kind::Status(_) => (
            "One of a list of texts. Takes exactly these; capitals count.".into(),
            &[(r#""open""#, Ok("open")), (r#""Open""#, Err("not_listed"))],
        ),
    };
    let name = kind.name();
    let spelling = match kind {
        Kind::Status(_) => "{ type = \"status\", values = [\"open\", \"closed\"] }".to_owned(),
        _ => format!("{name:?}"),
    };
    About { name, spelling, meaning: Prose(meaning), examples }
}

/// Formats of times, a text, and how it is read where the zone is UTC.
pub(super) fn formats() -> Vec<Row> {
    let row = |format: &str, text: &str, at: &str| Row::new(format, format!("`{text}`"), at);
    vec![
        row("%d/%m/%Y %H:%M", "31/12/2026 13:45", "2026-12-31T13:45:00.000000Z"),
        row("%m/%d/%Y %I:%M %p", "12/31/2026 1:45 PM", "2026-12-31T13:45:00.000000Z"),
        row("%Y-%m-%d %H:%M:%S%.f", "2026-12-31 13:45:56.123", "2026-12-31T13:45:56.123000Z"),
        row("%Y-%m-%dT%H:%M:%S%z", "2026-12-31T13:45:56+0100", "2026-12-31T12:45:56.000000Z"),
        row("%a, %d %b %Y %H:%M:%S %z", "Thu, 31 Dec 2026 13:45:56 +0000", "2026-12-31T13:45:56.000000Z"),
        row("%Y%m%d%H%M%S", "20261231134556", "2026-12-31T13:45:56.000000Z"),
        row("%d %B %Y", "31 December 2026", "2026-12-31T00:00:00.000000Z"),
    ]
}

/// What `code` of an answer's `errors` means to whoever writes the mapping.
pub(super) fn codes() -> Vec<Row> {
    let code = |code: &str, meaning: &str| Row::new(code, meaning, "");
    vec![
        code("missing", "Nothing stands at the place, and the rule says `on_missing = \"error\"`."),
        code("null", "A null stands there, and the rule says `on_null = \"error\"`."),
        code("empty", "An empty text stands there, and the rule says `on_empty = \"error\"`."),
        code("required", "The field is required, and would be left without a value."),
        code("several_nodes", "The place holds several values, and one is needed: say which by `take`."),
        code("too_many_nodes", "The path selects more values than a path may."),
        code("wrong_type", "The value is of a kind that the field or the transform cannot take, such as an array."),
        code("not_a_number", "The text is no number. `{ number = … }` reads numbers as people write them."),
        code("not_integral", "The number has a fraction, and the field is an integer."),
        code("out_of_range", "The number has too many digits, or the time is outside the years 1 to 9999."),
        code("not_a_boolean", "The text is neither `true` nor `false`. A `map` turns other words into them."),
        code(
            "not_a_timestamp",
            "The text is no time of the form that is asked for. `{ timestamp = … }` names another.",
        ),
        code("not_a_date", "The text is no date of the form YYYY-MM-DD."),
        code("not_listed", "The text is none of the values of the status field."),
        code("not_in_map", "The value is not listed in the `map`, which has no `else`."),
        code("no_currency", "Nothing stands where `minor_units` looks for the currency."),
        code(
            "unknown_currency",
            "The currency is none that ISO 4217 lists with smaller units, and `digits` does not name it.",
        ),
        code(
            "too_large",
            "A transform would give too long a text, the rules take too much of one event together, or one event would \
             change a large record too often.",
        ),
        code(
            "too_costly",
            "The mapping would look at too many places of this event, such as a filter over a large list for every record.",
        ),
        code("too_many_parts", "`split` would make too many parts."),
        code("nul_in_value", "The value holds the character U+0000, which no text column can store."),
        code("header_not_text", "The header is not UTF-8."),
        code("match_value", "A field that identifies the record has no value, an empty text, or too long a one."),
        code(
            "match_taken",
            "Another record has this value in the fields of another `match`. Records are never merged.",
        ),
        code("event_type", "The event type is too long, or holds the character U+0000."),
    ]
}
