//! What to write instead, for words that people try.

use super::entry::{self, ENTRIES};
use super::locale::LOCALES;
use crate::record::nearest::{did_you_mean, nearest};

/// Words of other systems and what does the same here. `{name}` stands for a transform's spelling.
const TRIED: &[(&[&str], &str)] = &[
    (&["upper", "toupper", "touppercase", "upcase", "ucase", "to_upper"], "write {uppercase}"),
    (&["lower", "tolower", "tolowercase", "downcase", "lcase", "to_lower"], "write {lowercase}"),
    (&["strip", "chomp", "ltrim", "rtrim", "trimmed", "strip_whitespace", "trim_start", "trim_end"], "write {trim}"),
    (
        &[
            "int",
            "integer",
            "toint",
            "to_int",
            "parseint",
            "float",
            "double",
            "decimal",
            "tonumber",
            "to_number",
            "num",
        ],
        "a number field takes a number, also as a text such as \"12.50\", without a transform; one that is written for \
         people is read by {number}",
    ),
    (
        &["string", "str", "text", "tostring", "to_string"],
        "a text field takes numbers and booleans without a transform",
    ),
    (
        &["bool", "boolean", "tobool", "to_bool"],
        "a boolean field takes true and false, also as texts, without a transform; other words are turned into them \
         by { map = { yes = true, no = false } }",
    ),
    (
        &["date", "datetime", "time", "to_date", "todate", "strptime", "parse_date", "iso8601", "rfc3339", "iso"],
        "a timestamp field takes RFC 3339 and a date field YYYY-MM-DD without a transform; other forms are read by \
         {timestamp}",
    ),
    (
        &["unix", "unix_ms", "epoch", "unixtime", "unix_timestamp", "millis", "seconds", "unix_s"],
        "write { timestamp = \"unix\" } for seconds, { timestamp = \"unix_ms\" } for milliseconds",
    ),
    (&["sha256", "sha-256", "sha", "sha1", "sha512", "md5", "digest", "checksum"], "write {hash}"),
    (
        &["cents", "divide", "div", "multiply", "mul", "times", "money", "currency", "amount"],
        "write {scale}, or {minor_units} where the currency varies",
    ),
    (
        &["enum", "lookup", "switch", "case", "translate", "values", "mapping", "dict", "const", "constant"],
        "write {map}; a constant is from = \"const:…\"",
    ),
    (&["concat", "append", "prepend", "template", "format", "add"], "write {prefix} or {suffix}"),
    (
        &["substring", "substr", "slice", "regex", "regexp", "match", "extract", "gsub", "sub", "left", "right"],
        "there are no patterns; write {split} or {replace}",
    ),
    (
        &["first", "last", "join", "count", "length", "size", "len", "json"],
        "what becomes of several nodes is said by the rule's key `take`: take = \"first\", \"last\", \"join\", \
         \"count\" or \"json\"",
    ),
    (
        &["default", "coalesce", "fallback", "null", "nullify", "null_if_empty", "nullif", "empty_to_null"],
        "that is said by other keys of the rule: default = …, on_missing, on_null and on_empty",
    ),
    (&["capitalize", "capitalise", "title", "titlecase"], "only {lowercase} and {uppercase} change letters"),
    (&["round", "floor", "ceil", "abs"], "numbers keep their digits; nothing rounds them"),
];

/// How a transform is written.
pub(super) fn spelling(name: &str) -> &'static str {
    entry::find(name).map_or("", |entry| entry.spelling)
}

/// Every spelling.
pub(super) fn all() -> String {
    ENTRIES.iter().map(|entry| entry.spelling).collect::<Vec<_>>().join(", ")
}

/// A word that is no transform, or one that is a table.
pub(super) fn instead_of(word: &str) -> String {
    if let Some(entry) = entry::find(word) {
        return format!("`{word}` is written as a table: {}", entry.spelling);
    }
    let shown: String = word.chars().take(60).collect();
    let lower = word.to_lowercase();
    let known =
        TRIED.iter().find(|(words, _)| words.contains(&lower.as_str())).map(|(_, instead)| written_out(instead));
    let names = ENTRIES.iter().map(|entry| entry.name);
    let instead = known
        .or_else(|| Some(format!("did you mean {}?", spelling(nearest(word, names)?))))
        .unwrap_or_else(|| format!("there are {}", all()));
    format!("there is no transform `{shown}`; {instead}")
}

fn written_out(instead: &str) -> String {
    ENTRIES.iter().fold(instead.to_owned(), |text, entry| text.replace(&format!("{{{}}}", entry.name), entry.spelling))
}

/// A tag with a country that is written as the language is, or one that is not in the list.
pub(super) fn no_locale(tag: &str) -> String {
    let shown: String = tag.chars().take(60).collect();
    let tags = || LOCALES.iter().map(|locale| locale.tag);
    let normal = tag.replace('_', "-");
    let language = normal.split('-').next().unwrap_or_default();
    let language = tags().find(|known| known.eq_ignore_ascii_case(language));
    let meant = match tags().find(|known| known.eq_ignore_ascii_case(&normal)).or(language) {
        Some(known) => format!("; did you mean {known:?}?"),
        None => did_you_mean(nearest(tag, tags()), |tag| format!("{tag:?}")),
    };
    format!("`number` does not know {shown:?}, only {}{meant}", tags().collect::<Vec<_>>().join(", "))
}
