use serde_json::json;

use super::*;

fn checked(json: &str) -> Result<Transform, String> {
    Transform::check(&serde_json::from_str(json).map_err(|error| error.to_string())?)
}

fn applied(transform: &str, node: &str) -> String {
    let transform = checked(transform).unwrap_or_else(|error| panic!("{transform}: {error}"));
    let node: Value = serde_json::from_str(node).unwrap();
    let outcome = transform.apply(Cow::Borrowed(&node));
    outcome.map_or_else(|bad| bad.code.to_owned(), |node| node.to_string())
}

#[test]
fn texts_are_trimmed_and_cased() {
    for (transform, node, wanted) in [
        (r#""trim""#, r#"" \u00a0a b\n""#, r#""a b""#),
        (r#""trim""#, "1.50", "1.50"),
        (r#""trim""#, "null", "null"),
        (r#""trim""#, "[]", "wrong_type"),
        (r#""uppercase""#, r#""straße""#, r#""STRASSE""#),
        (r#""uppercase""#, "true", r#""TRUE""#),
        (r#""lowercase""#, r#""ÄB\u01c5""#, r#""äbǆ""#),
        (r#""lowercase""#, "{}", "wrong_type"),
        (r#""lowercase""#, "7", "7"),
    ] {
        assert_eq!(applied(transform, node), wanted, "{transform} of {node}");
    }
}

#[test]
fn what_does_not_change_is_not_copied() {
    let node = json!("ab 1");
    for transform in [Transform::Trim, Transform::Lowercase] {
        assert!(matches!(transform.apply(Cow::Borrowed(&node)), Ok(Cow::Borrowed(same)) if std::ptr::eq(same, &node)));
    }
}

#[test]
fn values_are_mapped_by_their_text() {
    let map = r#"{"map": {"paid": "closed", "1": 2.50, "true": null, "": false}}"#;
    let with_else = r#"{"map": {"paid": "closed"}, "else": "open"}"#;
    for (transform, node, wanted) in [
        (map, r#""paid""#, r#""closed""#),
        (map, "1", "2.50"),
        (map, r#""1""#, "2.50"),
        (map, "1.0", "not_in_map"),
        (map, "true", "null"),
        (map, r#""""#, "false"),
        (map, r#""Paid""#, "not_in_map"),
        (map, "null", "null"),
        (map, "[1]", "wrong_type"),
        (with_else, r#""void""#, r#""open""#),
        (with_else, "null", "null"),
        (r#"{"map": {"a": 1}, "else": null}"#, r#""b""#, "null"),
    ] {
        assert_eq!(applied(transform, node), wanted, "{transform} of {node}");
    }
}

#[test]
fn numbers_are_scaled_by_their_digits() {
    for (places, node, wanted) in [
        (-2, "1999", "19.99"),
        (-2, r#""5""#, "0.05"),
        (3, "1.2345", "1234.5"),
        (0, "1e2", "100"),
        (30, "9007199254740993", "9007199254740993000000000000000000000000000000"),
        (-2, r#""abc""#, "not_a_number"),
        (-2, r#"" 5""#, "not_a_number"),
        (-2, "1e400", "out_of_range"),
        (-2, "true", "wrong_type"),
        (-2, "null", "null"),
    ] {
        assert_eq!(applied(&format!(r#"{{"scale": {places}}}"#), node), wanted, "{node} by {places}");
    }
}

#[test]
fn times_are_read_in_the_stated_form() {
    let berlin = r#"{"timestamp": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}"#;
    let offset = r#"{"timestamp": "%Y-%m-%d %H:%M:%S%.f %z"}"#;
    let unix = r#"{"timestamp": "unix"}"#;
    let millis = r#"{"timestamp": "unix_ms"}"#;
    for (transform, node, wanted) in [
        (berlin, r#""02/01/2026 04:05""#, "2026-01-02T03:05:00.000000Z"),
        (berlin, r#""02/07/2026 04:05""#, "2026-07-02T02:05:00.000000Z"),
        (berlin, r#""29/03/2026 02:30""#, "2026-03-29T01:30:00.000000Z"),
        (berlin, r#""25/10/2026 02:30""#, "2026-10-25T00:30:00.000000Z"),
        (berlin, r#""31/02/2026 02:30""#, "not_a_timestamp"),
        (berlin, r#""02/01/2026 04:05 ""#, "not_a_timestamp"),
        (berlin, r#""""#, "not_a_timestamp"),
        (berlin, "[]", "wrong_type"),
        (offset, r#""2026-01-02 03:04:05.1234567 +0200""#, "2026-01-02T01:04:05.123456Z"),
        (offset, r#""1969-12-31 23:59:59.9999999 +0000""#, "1969-12-31T23:59:59.999999Z"),
        (offset, r#""9999-12-31 23:59:59 -0100""#, "not_a_timestamp"),
        (r#"{"timestamp": "%Y%m%d", "zone": "UTC"}"#, "20260102", "2026-01-02T00:00:00.000000Z"),
        (r#"{"timestamp": "%m/%d/%y %I:%M %p", "zone": "UTC"}"#, r#""1/2/26 3:04 pm""#, "2026-01-02T15:04:00.000000Z"),
        (r#"{"timestamp": "%s"}"#, r#""1767323045""#, "2026-01-02T03:04:05.000000Z"),
        (unix, "1767323045", "2026-01-02T03:04:05.000000Z"),
        (unix, "1767323045.1234569", "2026-01-02T03:04:05.123456Z"),
        (unix, r#""1.767323045e9""#, "2026-01-02T03:04:05.000000Z"),
        (unix, "0", "1970-01-01T00:00:00.000000Z"),
        (unix, "-0.0000001", "1969-12-31T23:59:59.999999Z"),
        (unix, "-1.0", "1969-12-31T23:59:59.000000Z"),
        (unix, "1767323045000", "out_of_range"),
        (unix, "1e90", "out_of_range"),
        (unix, r#""now""#, "not_a_number"),
        (unix, "true", "not_a_number"),
        (unix, "null", "null"),
        (millis, "1767323045123", "2026-01-02T03:04:05.123000Z"),
        (millis, "1767323045123.4567", "2026-01-02T03:04:05.123456Z"),
    ] {
        assert_eq!(applied(transform, node).trim_matches('"'), wanted, "{transform} of {node}");
    }
}

#[test]
fn what_cannot_work_is_refused_when_it_is_checked() {
    for (transform, part) in [
        (r#""capitalise""#, "there is no transform `capitalise`"),
        (r#""scale""#, "written as a table"),
        ("{}", "one of `map`, `scale` and `timestamp`"),
        (r#"{"scale": 1, "timestamp": "unix"}"#, "one of"),
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
        (r#"{"timestamp": "", "zone": "UTC"}"#, "no full date"),
        (r#"{"timestamp": "unix", "zone": "UTC"}"#, "takes no `zone`"),
    ] {
        let message = checked(transform).map_or_else(|error| error, |taken| format!("{taken:?}"));
        assert!(message.contains(part), "{transform}: {message}");
    }
    let long = format!(r#"{{"timestamp": "%F{}"}}"#, "x".repeat(time::LONGEST_FORMAT));
    assert!(checked(&long).unwrap_err().contains("longer than"));
    let many: BTreeMap<_, _> = (0..=MOST_ENTRIES).map(|key| (key.to_string(), Value::Null)).collect();
    assert!(mapping(&many, None).is_err());
}

#[test]
fn toml_and_json_say_the_same_and_round_trip() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Rule {
        transform: Vec<RawTransform>,
    }
    let toml = r#"transform = ["trim", { map = { paid = "closed", n = 1.5, i = 2, b = true }, else = "open" },
        { scale = -2 }, { timestamp = "%F", zone = "UTC" }]"#;
    let json = r#"{"transform":["trim",{"map":{"b":true,"i":2,"n":1.5,"paid":"closed"},"else":"open"},{"scale":-2},{"timestamp":"%F","zone":"UTC"}]}"#;
    let from_toml: Rule = toml::from_str(toml).unwrap();
    assert_eq!(serde_json::to_string(&from_toml).unwrap(), json);
    let from_json: Rule = serde_json::from_str(json).unwrap();
    assert_eq!(from_toml, from_json);
    assert_eq!(toml::from_str::<Rule>(&toml::to_string(&from_json).unwrap()).unwrap(), from_json);
    let by_value: Rule = serde_json::from_value(serde_json::from_str(json).unwrap()).unwrap();
    assert_eq!(by_value, from_json);
    let digits = r#"{"map":{"a":1.50,"b":1e400},"else":null}"#;
    let kept: RawTransform = serde_json::from_str(digits).unwrap();
    assert_eq!(serde_json::to_string(&kept).unwrap().replace("e+", "e"), digits);
}
