//! Kinds of fields, with ways of filling them: transforms, and what a sender would send for them.

use serde_json::{Value, json};

use super::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Timestamp,
    Date,
    Json,
    Status,
}

pub const ALL: [Kind; 8] =
    [Kind::Text, Kind::Integer, Kind::Decimal, Kind::Boolean, Kind::Timestamp, Kind::Date, Kind::Json, Kind::Status];
/// Those by which a record may be found.
pub const MATCHING: [Kind; 6] = [Kind::Text, Kind::Integer, Kind::Boolean, Kind::Timestamp, Kind::Date, Kind::Status];

/// How one rule turns what is sent into a field: its transforms as TOML, a few values that they take, a default.
pub struct Way {
    pub transform: &'static str,
    pub good: Vec<Value>,
    pub default: &'static str,
}

impl Kind {
    /// As a module file writes it.
    pub fn toml(self) -> &'static str {
        match self {
            Self::Text => "\"text\"",
            Self::Integer => "\"integer\"",
            Self::Decimal => "\"decimal\"",
            Self::Boolean => "\"boolean\"",
            Self::Timestamp => "\"timestamp\"",
            Self::Date => "\"date\"",
            Self::Json => "\"json\"",
            Self::Status => r#"{ type = "status", values = ["open", "closed", "in work"] }"#,
        }
    }

    fn default(self) -> &'static str {
        match self {
            Self::Text => "\"dé\\u0301fault\"",
            Self::Integer => "-7",
            Self::Decimal => "\"0.10\"",
            Self::Boolean => "false",
            Self::Timestamp => "\"2026-01-01T00:00:00+01:00\"",
            Self::Date => "\"2024-02-29\"",
            Self::Json => "[1, \"two\", { three = true }]",
            Self::Status => "\"open\"",
        }
    }

    /// With so few values that records meet and events repeat them.
    pub fn way(self, rng: &mut Rng, values: usize) -> Way {
        let ways = match self {
            Self::Text => texts(),
            Self::Integer => integers(),
            Self::Decimal => decimals(),
            Self::Boolean => booleans(),
            Self::Timestamp => timestamps(),
            Self::Date => dates(),
            Self::Json => documents(),
            Self::Status => statuses(),
        };
        let (transform, good) = rng.pick(&ways);
        let Value::Array(good) = good else { unreachable!("each way lists what it takes") };
        Way { transform, good: rng.some(good, values), default: self.default() }
    }
}

type Ways = Vec<(&'static str, Value)>;

fn number(digits: &str) -> Value {
    serde_json::from_str(digits).unwrap()
}

fn texts() -> Ways {
    vec![
        ("", json!(["alpha", "Beta", "caf\u{e9}", "cafe\u{301}", number("1.50"), number("1E+2"), true])),
        ("", json!(["a", "A", " a ", "\u{1F469}\u{200D}\u{1F467}", "\u{202e}x", "ﬁ", "Ω"])),
        (r#""trim", "uppercase""#, json!([" straße ", "x\u{a0}", "\tY\n", "ŉ"])),
        (r#""lowercase""#, json!(["İSTANBUL", "ΑΣ", "Ǆ", number("-0")])),
        (r#"{ replace = "-", with = "+" }"#, json!(["a-b-c", "--", "none"])),
        (r#"{ prefix = "ÄÖ-" }, { suffix = "." }"#, json!(["1", "two", number("3.0")])),
        (r#"{ split = ",", part = 1 }, "trim""#, json!(["a, b,c", "x,y", "alone", ",,"])),
        (r#"{ split = "/", part = -1 }"#, json!(["a/b/c", "c", "/"])),
        (r#"{ hash = "sha256" }"#, json!(["secret", "", number("1.0"), "\u{1F600}"])),
        (r#"{ map = { a = "first", b = "second" }, else = "other" }"#, json!(["a", "b", "c", number("1")])),
        (r#"{ scale = -2 }"#, json!([number("1999"), "5", number("1e2")])),
    ]
}

fn integers() -> Ways {
    vec![
        ("", json!([1, 2, "3", number("4.0"), number("5e0")])),
        ("", json!([number("9223372036854775807"), number("-9223372036854775808"), number("9007199254740993"), "-0"])),
        (r#""trim""#, json!([" 1 ", "2\n", "\u{3000}7"])),
        (r#"{ scale = 2 }"#, json!([number("0.01"), "12.5", 3])),
        (r#"{ number = "de" }"#, json!(["1.234", "7", "-12.345.678"])),
        (r#"{ number = "en" }"#, json!(["1,234", "7", "-12,345,678"])),
        (r#"{ map = { one = 1, two = 2 } }"#, json!(["one", "two"])),
        (r#"{ split = ":", part = 0 }"#, json!(["1:x", "22:y", "333"])),
    ]
}

fn decimals() -> Ways {
    vec![
        ("", json!([number("12.50"), number("12.5"), "-0.00", number("1e-7"), 0])),
        (
            "",
            json!([number("12345678901234567890.12345678901234567890"), "1e30", "99999999999999999999999999999999999"]),
        ),
        (r#"{ scale = -2 }"#, json!([1999, 1, "250", number("0")])),
        (r#"{ number = "de" }"#, json!(["1.234,50", "-0,5", "7"])),
        (r#"{ number = "fr" }"#, json!(["1 234,50", "12,5", "7"])),
        (r#"{ minor_units = "root:$.currency" }"#, json!([1999, 500, "0", 123_456])),
        (r#"{ minor_units = "root:$.currency", digits = { ISK = 2 } }"#, json!([100, "7", -250])),
    ]
}

fn booleans() -> Ways {
    vec![
        ("", json!([true, false, "true", "false"])),
        (r#""lowercase""#, json!(["TRUE", "False", true])),
        (r#"{ map = { yes = true, no = false, "1" = true } }"#, json!(["yes", "no", 1])),
    ]
}

fn timestamps() -> Ways {
    vec![
        ("", json!(["2026-03-01T10:00:00Z", "2026-03-01T11:00:00+01:00", "1969-12-31T23:59:59.1234567Z"])),
        (r#"{ timestamp = "unix" }"#, json!([1_772_442_000, "0", number("1772442000.25"), -1])),
        (r#"{ timestamp = "unix_ms" }"#, json!([1_772_442_000_123_u64, "1", number("-1")])),
        (
            r#"{ timestamp = "%d/%m/%Y %H:%M", zone = "Europe/Berlin" }"#,
            json!(["02/03/2026 09:30", "29/02/2024 00:00"]),
        ),
        // The hour that was there twice, and the one that was not.
        (
            r#"{ timestamp = "%Y-%m-%d %H:%M", zone = "Europe/Berlin" }"#,
            json!(["2026-10-25 02:30", "2026-03-29 02:30"]),
        ),
        (r#"{ timestamp = "%Y-%m-%dT%H:%M:%S%z" }"#, json!(["2026-03-02T09:30:00+0530", "1999-12-31T23:59:60+0000"])),
    ]
}

fn dates() -> Ways {
    vec![
        ("", json!(["2026-03-01", "0001-01-01", "9999-12-31", "2024-02-29"])),
        (r#"{ split = "T", part = 0 }"#, json!(["2026-03-01T10:00:00Z", "2024-02-29T00:00:00+14:00"])),
        (r#""trim""#, json!([" 2026-03-01", "2026-03-02\n"])),
    ]
}

fn documents() -> Ways {
    vec![
        (
            "",
            json!([{ "b": number("1.50"), "a": [null, { "\u{e9}": "e\u{301}" }] }, [], "text", number("1E400"), false]),
        ),
        ("", json!([{ "a": { "b": [1, 2, 3] } }, { "a": { "b": [1, 2, number("3.0")] } }, {}, ""])),
        (r#"{ split = ";" }"#, json!(["a;b;c", ";", "", "x"])),
    ]
}

fn statuses() -> Ways {
    vec![
        ("", json!(["open", "closed", "in work"])),
        (r#""trim", "lowercase""#, json!([" OPEN", "Closed", "In Work "])),
        (r#"{ map = { o = "open", c = "closed" }, else = "in work" }"#, json!(["o", "c", "w", 3])),
    ]
}
