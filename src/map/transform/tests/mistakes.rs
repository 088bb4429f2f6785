//! What an admin may write wrongly, and what the message says.

use super::*;

fn refused(table: &[(&str, &str)]) {
    for (transform, part) in table {
        let message = checked(transform).map_or_else(|error| error, |taken| format!("{taken:?}"));
        assert!(message.contains(part), "{transform}: {message}");
    }
}

#[test]
fn words_that_people_try_are_told_what_to_write() {
    refused(&[
        (r#""capitalise""#, "there is no transform `capitalise`"),
        (r#""scale""#, "written as a table"),
        ("{}", "the transform is empty; write one of \"trim\", "),
        (r#"{"scale": 1, "timestamp": "unix"}"#, "transform = [{ scale = … }, { timestamp = … }]"),
        (r#"{"else": 1}"#, "`else` belongs to `map`, which is missing: { map = "),
        (r#""split""#, "`split` is written as a table: { split = "),
        (r#""Trim""#, "did you mean \"trim\"?"),
        (r#""tirm""#, "did you mean \"trim\"?"),
        (r#""uppercased""#, "did you mean \"uppercase\"?"),
        (r#""timestmap""#, "did you mean { timestamp = "),
        (r#""toUpperCase""#, "write \"uppercase\""),
        (r#""lower""#, "write \"lowercase\""),
        (r#""strip""#, "write \"trim\""),
        (r#""int""#, "without a transform"),
        (r#""sha256""#, "write { hash = \"sha256\" }"),
        (r#""date""#, "YYYY-MM-DD without a transform"),
        (r#""unix""#, "{ timestamp = \"unix_ms\" } for milliseconds"),
        (r#""cents""#, "write { scale = -2 }"),
        (r#""lookup""#, "{ map = "),
        (r#""regex""#, "no patterns"),
        (r#""first""#, "take = \"first\""),
        (r#""null_if_empty""#, "on_empty"),
    ]);
}

#[test]
fn tables_that_cannot_work_are_refused() {
    refused(&[
        (r#"{"replace": "a"}"#, "with = \"\" takes it away"),
        (r#"{"replace": "", "with": "b"}"#, "`replace` is empty"),
        (r#"{"replace": "a", "with": "a"}"#, "the same text"),
        (r#"{"with": "a"}"#, "`with` belongs to `replace`"),
        (r#"{"prefix": ""}"#, "`prefix` is empty"),
        (r#"{"split": ""}"#, "the text between the parts"),
        (r#"{"split": ",", "part": 1001}"#, "at most 1000 parts"),
        (r#"{"split": ",", "part": -9223372036854775808}"#, "at most 1000 parts"),
        (r#"{"split": ",", "part": "0"}"#, "expected i64"),
        (r#"{"part": 0}"#, "`part` belongs to `split`"),
        (r#"{"number": "de-DE"}"#, "did you mean \"de\"?"),
        (r#"{"number": "en_IN"}"#, "did you mean \"en-IN\"?"),
        (r#"{"number": "DE-ch"}"#, "did you mean \"de-CH\"?"),
        (r#"{"number": "xx"}"#, "only en, en-IN, "),
        (r#"{"minor_units": "USD"}"#, "\"const:USD\""),
        (r#"{"minor_units": "currency"}"#, "where `minor_units` looks: "),
        (r#"{"minor_units": "$..currency"}"#, "a single place"),
        (r#"{"minor_units": "const:XYZ"}"#, "digits = { XYZ = 2 }"),
        (r#"{"minor_units": "$.c", "digits": {}}"#, "names 1 to 200"),
        (r#"{"minor_units": "$.c", "digits": {"€": 2}}"#, "by their codes"),
        (r#"{"minor_units": "$.c", "digits": {"EUR": 19}}"#, "0 to 18, not 19"),
        (r#"{"minor_units": "$.c", "digits": {"EUR": -1}}"#, "0 to 18, not -1"),
        (r#"{"scale": 1, "digits": {"EUR": 2}}"#, "`digits` belongs to `minor_units`"),
        (r#"{"hash": "md5"}"#, "write { hash = \"sha256\" }"),
        (r#"{"upper": true}"#, "expected one of `replace`, `with`, `prefix`"),
        (r#"{"scale": 31}"#, "-30 to 30"),
        (r#"{"scale": -31}"#, "-30 to 30"),
        (r#"{"scale": 1.5}"#, "expected i64"),
        (r#"{"scale": 1, "else": 2}"#, "`else` belongs to `map`"),
        (r#"{"scale": 1, "zone": "UTC"}"#, "`zone` belongs to `timestamp`"),
        (r#"{"map": {}}"#, "no entries"),
        (r#"{"map": {"a": []}}"#, "turns \"a\" into neither"),
        (r#"{"map": {"a": 1}, "else": {}}"#, "`else` is neither"),
        (r#"{"mapp": {}}"#, "unknown field `mapp`"),
        ("7", "a transform: "),
    ]);
}

#[test]
fn forms_of_times_that_cannot_work_are_refused() {
    refused(&[
        (r#"{"timestamp": "DD/MM/YYYY"}"#, "a format is written with %"),
        (r#"{"timestamp": "epoch"}"#, "are \"unix\""),
        (r#"{"timestamp": "ISO8601"}"#, "leave it out"),
        (r#"{"timestamp": "%F", "zone": "Europe/Berlni"}"#, "did you mean \"Europe/Berlin\"?"),
        (r#"{"timestamp": "%Y-%m-%d"}"#, "say which `zone`"),
        (r#"{"timestamp": "%Y-%m-%d %z", "zone": "UTC"}"#, "leave out `zone`"),
        (r#"{"timestamp": "%Y-%m-%d", "zone": "Europe/Bern"}"#, "no time zone"),
        (r#"{"timestamp": "%H:%M", "zone": "UTC"}"#, "no full date"),
        (r#"{"timestamp": "%Y-%m", "zone": "UTC"}"#, "no full date"),
        (r#"{"timestamp": "%F %I:%M", "zone": "UTC"}"#, "no full date"),
        (r#"{"timestamp": "%F %T %Z"}"#, "cannot be read"),
        (r#"{"timestamp": "%F %T %Q"}"#, "cannot be read"),
        (r#"{"timestamp": "%F %"}"#, "cannot be read"),
        (r#"{"timestamp": "%F %!"}"#, "cannot be read"),
        (r#"{"timestamp": "", "zone": "UTC"}"#, "a format is written with %"),
        (r#"{"timestamp": "unix", "zone": "UTC"}"#, "takes no `zone`"),
    ]);
}

#[test]
fn what_is_too_long_is_refused() {
    let long = format!(r#"{{"timestamp": "%F{}"}}"#, "x".repeat(time::LONGEST_FORMAT));
    assert!(checked(&long).unwrap_err().contains("longer than"));
    let many: BTreeMap<_, _> = (0..=MOST_ENTRIES).map(|key| (key.to_string(), Value::Null)).collect();
    let many = serde_json::json!({ "map": many }).to_string();
    assert!(checked(&many).unwrap_err().contains("more than 1000 entries"));
    let piece = format!(r#"{{"prefix": "{}"}}"#, "x".repeat(LONGEST_PIECE + 1));
    assert!(checked(&piece).unwrap_err().contains("longer than 200 bytes"));
}

#[test]
fn every_transform_of_a_rule_is_judged() {
    let raw: Vec<RawTransform> = serde_json::from_str(r#"["tirm", "trim", {"scale": 99}]"#).unwrap();
    let faults = Chain::check(&raw).unwrap_err();
    assert!(faults.len() == 2 && faults[0].starts_with("transform 1: ") && faults[1].starts_with("transform 3: "));
    let alone = Chain::check(&raw[..1]).unwrap_err();
    assert!(alone[0].starts_with("there is no transform `tirm`"));
    let trim = RawTransform::Word("trim".into());
    assert!(Chain::check(&vec![trim.clone(); MOST_TRANSFORMS]).is_ok());
    assert!(Chain::check(&vec![trim; MOST_TRANSFORMS + 1]).unwrap_err()[0].contains("at most 10 transforms"));
}

#[test]
fn a_transform_without_its_list_is_told_so() {
    #[derive(serde::Deserialize, Debug)]
    struct Rule {
        #[serde(deserialize_with = "list")]
        #[expect(dead_code, reason = "only its absence is looked at")]
        transform: Vec<RawTransform>,
    }
    for (toml, part) in [
        (r#"transform = "trim""#, r#"`transform` is a list: write transform = ["trim"]"#),
        ("transform = { scale = -2 }", "`transform` is a list: write transform = [{ scale = -2 }]"),
        (r#"transform.hash = "sha256""#, r#"write transform = [{ hash = "sha256" }]"#),
        ("transform = true", r#"expected a list of transforms, such as ["trim", { scale = -2 }]"#),
        ("transform = [1]", "expected a transform: "),
        ("transform = { upper = 1 }", "unknown field `upper`"),
    ] {
        let message = toml::from_str::<Rule>(toml).unwrap_err().to_string();
        assert!(message.contains(part), "{toml}: {message}");
    }
}
