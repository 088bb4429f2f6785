//! What admins are told of each transform: one table, from which messages and the reference page are made. Every
//! example is run by a test.

use super::{FARTHEST_SCALE, LONGEST_FORMAT, LONGEST_PIECE, LONGEST_RESULT, MOST_ENTRIES, MOST_PARTS, Transform};

#[derive(Debug)]
pub struct Entry {
    /// The word, or the table's first key.
    pub name: &'static str,
    /// As it stands in a rule's list, in TOML.
    pub spelling: &'static str,
    /// Code in backticks.
    pub meaning: &'static str,
    pub bounds: fn() -> String,
    pub examples: &'static [Example],
}

#[derive(Debug)]
pub struct Example {
    /// In JSON, as everything here.
    pub transform: &'static str,
    pub node: &'static str,
    /// The document around the node, where the transform looks at more of it.
    pub document: &'static str,
    pub outcome: Outcome,
}

#[derive(Debug)]
pub enum Outcome {
    Gives(&'static str),
    /// The code of the error.
    Refuses(&'static str),
}

const fn gives(transform: &'static str, node: &'static str, made: &'static str) -> Example {
    Example { transform, node, document: "null", outcome: Outcome::Gives(made) }
}

const fn refuses(transform: &'static str, node: &'static str, code: &'static str) -> Example {
    Example { transform, node, document: "null", outcome: Outcome::Refuses(code) }
}

const fn beside(document: &'static str, example: Example) -> Example {
    Example { document, ..example }
}

fn unbounded() -> String {
    String::new()
}

fn piece() -> String {
    format!("Texts of 1 to {LONGEST_PIECE} bytes.")
}

impl Transform {
    /// A transform that is not in the table does not compile.
    pub fn entry(&self) -> &'static Entry {
        match self {
            Self::Trim => &TRIM,
            Self::Lowercase => &LOWERCASE,
            Self::Uppercase => &UPPERCASE,
            Self::Replace { .. } => &REPLACE,
            Self::Prefix(_) => &PREFIX,
            Self::Suffix(_) => &SUFFIX,
            Self::Split { .. } => &SPLIT,
            Self::Number(_) => &NUMBER,
            Self::Scale(_) => &SCALE,
            Self::MinorUnits(_) => &MINOR_UNITS,
            Self::Timestamp(_) => &TIMESTAMP,
            Self::Map { .. } => &MAP,
            Self::Hash => &HASH,
        }
    }
}

/// Every transform, in the order of the reference page.
pub static ENTRIES: &[&Entry] = &[
    &TRIM,
    &LOWERCASE,
    &UPPERCASE,
    &REPLACE,
    &PREFIX,
    &SUFFIX,
    &SPLIT,
    &NUMBER,
    &SCALE,
    &MINOR_UNITS,
    &TIMESTAMP,
    &MAP,
    &HASH,
];

pub fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().copied().find(|entry| entry.name == name)
}

static TRIM: Entry = Entry {
    name: "trim",
    spelling: "\"trim\"",
    meaning: "Takes white space away from both ends of a text. A number stays a number.",
    bounds: unbounded,
    examples: &[
        gives(r#""trim""#, r#"" A-17\n""#, r#""A-17""#),
        gives(r#""trim""#, "1.50", "1.50"),
        refuses(r#""trim""#, "[\" a\"]", "wrong_type"),
    ],
};

static LOWERCASE: Entry = Entry {
    name: "lowercase",
    spelling: "\"lowercase\"",
    meaning: "Every letter small, by the rules of Unicode that no language changes.",
    bounds: unbounded,
    examples: &[
        gives(r#""lowercase""#, r#""ADA@EXAMPLE.ORG""#, r#""ada@example.org""#),
        gives(r#""lowercase""#, "null", "null"),
    ],
};

static UPPERCASE: Entry = Entry {
    name: "uppercase",
    spelling: "\"uppercase\"",
    meaning: "Every letter a capital, by the rules of Unicode that no language changes.",
    bounds: unbounded,
    examples: &[
        gives(r#""uppercase""#, r#""ab-17""#, r#""AB-17""#),
        gives(r#""uppercase""#, r#""Straße""#, r#""STRASSE""#),
    ],
};

static REPLACE: Entry = Entry {
    name: "replace",
    spelling: "{ replace = \"a\", with = \"b\" }",
    meaning: "Puts one text in the place of another, wherever it occurs. The text is taken literally: there are no \
              patterns. `with = \"\"` takes it away.",
    bounds: piece,
    examples: &[
        gives(r#"{"replace": "-", "with": " "}"#, r#""in-work-now""#, r#""in work now""#),
        gives(r#"{"replace": "€ ", "with": ""}"#, r#""€ 12.50""#, r#""12.50""#),
        gives(r#"{"replace": "-", "with": " "}"#, r#""open""#, r#""open""#),
    ],
};

static PREFIX: Entry = Entry {
    name: "prefix",
    spelling: "{ prefix = \"INV-\" }",
    meaning: "Puts a text before. An empty text stays empty.",
    bounds: piece,
    examples: &[
        gives(r#"{"prefix": "INV-"}"#, "1042", r#""INV-1042""#),
        gives(r#"{"prefix": "INV-"}"#, r#""""#, r#""""#),
    ],
};

static SUFFIX: Entry = Entry {
    name: "suffix",
    spelling: "{ suffix = \"-eu\" }",
    meaning: "Puts a text after. An empty text stays empty. It also gives an offset to times that are sent without one.",
    bounds: piece,
    examples: &[
        gives(r#"{"suffix": "-eu"}"#, r#""shop""#, r#""shop-eu""#),
        gives(r#"{"suffix": "Z"}"#, r#""2026-01-02T03:04:05""#, r#""2026-01-02T03:04:05Z""#),
    ],
};

static SPLIT: Entry = Entry {
    name: "split",
    spelling: "{ split = \",\", part = 0 }",
    meaning: "Cuts a text wherever the separator occurs and takes one part: 0 is the first, -1 the last, null when \
              there is none. Without `part` it gives the array of all parts, for a json field. An empty text has no \
              parts.",
    bounds: || format!("A separator of 1 to {LONGEST_PIECE} bytes; at most {MOST_PARTS} parts (`too_many_parts`)."),
    examples: &[
        gives(r#"{"split": "/", "part": -1}"#, r#""gid://shop/Order/4711""#, r#""4711""#),
        gives(r#"{"split": ",", "part": 2}"#, r#""a,b""#, "null"),
        gives(r#"{"split": ", "}"#, r#""red, green""#, r#"["red","green"]"#),
        gives(r#"{"split": ","}"#, r#""""#, "[]"),
    ],
};

static NUMBER: Entry = Entry {
    name: "number",
    spelling: "{ number = \"de\" }",
    meaning: "Reads a number as people write it in a language: with its decimal mark, with or without the marks between \
              groups. Groups must be whole; signs are `+`, `-` and the minus sign. Currency signs and blanks at the \
              ends are no part of a number: take them away with `replace` and `trim` before. A number that is sent \
              as a JSON number passes as it is.",
    bounds: unbounded,
    examples: &[
        gives(r#"{"number": "de"}"#, r#""1.234,50""#, "1234.50"),
        gives(r#"{"number": "fr"}"#, r#""1 234,5""#, "1234.5"),
        gives(r#"{"number": "en-IN"}"#, r#""12,34,567""#, "1234567"),
        refuses(r#"{"number": "de"}"#, r#""1.23,4""#, "not_a_number"),
        refuses(r#"{"number": "en"}"#, r#""$12""#, "not_a_number"),
    ],
};

static SCALE: Entry = Entry {
    name: "scale",
    spelling: "{ scale = -2 }",
    meaning: "Moves the decimal point of a number: times ten to this power, exactly. `-2` makes euros of cents.",
    bounds: || format!("Powers from -{FARTHEST_SCALE} to {FARTHEST_SCALE}."),
    examples: &[
        gives(r#"{"scale": -2}"#, "1999", "19.99"),
        gives(r#"{"scale": -2}"#, r#""5""#, "0.05"),
        gives(r#"{"scale": 3}"#, "1.5", "1500"),
        refuses(r#"{"scale": -2}"#, r#""19,99""#, "not_a_number"),
    ],
};

static MINOR_UNITS: Entry = Entry {
    name: "minor_units",
    spelling: "{ minor_units = \"$.currency\" }",
    meaning: "Makes an amount of one that is counted in the currency's smallest units: two digits for most currencies, \
              none for some, three or four for others, by ISO 4217. It names where the currency's code stands, in any \
              way that `from` can (under `each` a path starts at the node, `root:$.currency` at the document). For a \
              sender that counts otherwise, `digits = { ISK = 2 }` says how many digits a currency has.",
    bounds: unbounded,
    examples: &[
        beside(r#"{"currency":"usd"}"#, gives(r#"{"minor_units": "$.currency"}"#, "1999", "19.99")),
        beside(r#"{"currency":"JPY"}"#, gives(r#"{"minor_units": "$.currency"}"#, "500", "500")),
        beside(r#"{"currency":"KWD"}"#, gives(r#"{"minor_units": "$.currency"}"#, "1234", "1.234")),
        beside(
            r#"{"currency":"isk"}"#,
            gives(r#"{"minor_units": "$.currency", "digits": {"ISK": 2}}"#, "50000", "500.00"),
        ),
        beside(r#"{"currency":"EURO"}"#, refuses(r#"{"minor_units": "$.currency"}"#, "1999", "unknown_currency")),
        beside("{}", refuses(r#"{"minor_units": "$.currency"}"#, "1999", "no_currency")),
    ],
};

static TIMESTAMP: Entry = Entry {
    name: "timestamp",
    spelling: "{ timestamp = \"%d/%m/%Y %H:%M\", zone = \"Europe/Berlin\" }",
    meaning: "Reads a time in a stated form and gives it as a timestamp field takes it. The form is `\"unix\"` or \
              `\"unix_ms\"` for seconds or milliseconds since 1970, or a format of `strptime`; one that has no offset \
              (`%z`, `%:z`) needs a `zone` by its name in the time zone database. A form without a time of day means \
              midnight.",
    bounds: || {
        format!("Formats of at most {LONGEST_FORMAT} bytes; years 1 to 9999. Digits below the microsecond are cut.")
    },
    examples: &[
        gives(
            r#"{"timestamp": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}"#,
            r#""02/01/2026 04:05""#,
            r#""2026-01-02T03:05:00.000000Z""#,
        ),
        gives(
            r#"{"timestamp": "%Y-%m-%d %H:%M:%S %z"}"#,
            r#""2026-01-02 05:04:05 +0200""#,
            r#""2026-01-02T03:04:05.000000Z""#,
        ),
        gives(r#"{"timestamp": "unix"}"#, "1767323045", r#""2026-01-02T03:04:05.000000Z""#),
        gives(r#"{"timestamp": "unix_ms"}"#, r#""1767323045123""#, r#""2026-01-02T03:04:05.123000Z""#),
        refuses(r#"{"timestamp": "unix"}"#, "1767323045123", "out_of_range"),
    ],
};

static MAP: Entry = Entry {
    name: "map",
    spelling: "{ map = { paid = \"closed\" }, else = \"open\" }",
    meaning: "Looks the value up and gives what stands beside it: a text, a number or a boolean. `else` stands for \
              everything that is not listed; without it, such a value is an error. Capitals count: put `lowercase` \
              before, if they vary.",
    bounds: || format!("1 to {MOST_ENTRIES} entries."),
    examples: &[
        gives(r#"{"map": {"paid": "closed", "void": "closed"}, "else": "open"}"#, r#""paid""#, r#""closed""#),
        gives(r#"{"map": {"paid": "closed", "void": "closed"}, "else": "open"}"#, r#""draft""#, r#""open""#),
        gives(r#"{"map": {"yes": true, "no": false}}"#, r#""no""#, "false"),
        gives(r#"{"map": {"1": "low", "2": "high"}}"#, "2", r#""high""#),
        refuses(r#"{"map": {"yes": true, "no": false}}"#, r#""maybe""#, "not_in_map"),
    ],
};

static HASH: Entry = Entry {
    name: "hash",
    spelling: "{ hash = \"sha256\" }",
    meaning: "The SHA-256 of the text, as 64 hexadecimal digits: to recognise a value without keeping it. Who can guess \
              the value can find it by its hash, so it hides no short numbers and no e-mail addresses.",
    bounds: unbounded,
    examples: &[
        gives(
            r#"{"hash": "sha256"}"#,
            r#""ada@example.org""#,
            r#""cfe00dde46ef942601ffafb9e2825e802858b460e586b8305b344c1eb826357d""#,
        ),
        gives(r#"{"hash": "sha256"}"#, "1042", r#""216da54b5931a6d37cca8e29953361fe02c680bbd8b482343f508e32e8e9cc3b""#),
    ],
};

/// What every transform is held to.
pub fn common_bounds() -> String {
    format!("A transform gives a text of at most {LONGEST_RESULT} bytes; a longer one is refused (`too_large`).")
}
