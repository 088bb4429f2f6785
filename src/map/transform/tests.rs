use http::HeaderMap;
use serde_json::json;

use super::entry::{ENTRIES, Outcome};
use super::*;

mod fit;
mod mistakes;
mod numbers;

fn checked(json: &str) -> Result<Transform, String> {
    Transform::check(&serde_json::from_str(json).map_err(|error| error.to_string())?)
}

fn applied(transform: &str, node: &str) -> String {
    applied_in("null", transform, node)
}

fn applied_in(document: &str, transform: &str, node: &str) -> String {
    let transform = checked(transform).unwrap_or_else(|error| panic!("{transform}: {error}"));
    let [document, node] = [document, node].map(|text| serde_json::from_str::<Value>(text).unwrap());
    let (headers, query) = (HeaderMap::new(), serde_json::Map::new());
    let received_at = crate::clock::Timestamp::default();
    let work = crate::condition::Work::unbounded();
    let sight =
        Sight { document: &document, node: &document, headers: &headers, query: &query, received_at, work: &work };
    let outcome = transform.apply(Cow::Borrowed(&node), sight);
    outcome.map_or_else(|bad| bad.code.to_owned(), |node| node.to_string())
}

#[test]
fn what_the_reference_says_is_true() {
    for entry in ENTRIES {
        assert!(!entry.examples.is_empty());
        for example in entry.examples {
            let made = applied_in(example.document, example.transform, example.node);
            let (Outcome::Gives(wanted) | Outcome::Refuses(wanted)) = example.outcome;
            assert_eq!(made, wanted, "{} of {}", example.transform, example.node);
            assert_eq!(checked(example.transform).unwrap().entry().name, entry.name);
        }
        let rule: toml::Table = toml::from_str(&format!("transform = [{}]", entry.spelling)).unwrap();
        let raw: RawTransform = rule["transform"][0].clone().try_into().unwrap();
        assert_eq!(Transform::check(&raw).unwrap().entry().name, entry.name);
        assert_eq!(raw.to_string(), entry.spelling);
    }
}

#[test]
fn every_key_is_told_of() {
    let message = serde_json::from_str::<RawTransform>(r#"{"?": 1}"#).unwrap_err().to_string();
    let keys: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
    assert_eq!(keys.len(), 15, "{message}");
    for key in keys {
        let told = |entry: &&&entry::Entry| entry.spelling.contains(key) || entry.meaning.contains(key);
        assert!(ENTRIES.iter().find(told).is_some(), "{key}");
    }
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
    let replace = checked(r#"{"replace": "c", "with": "d"}"#).unwrap();
    for transform in [Transform::Trim, Transform::Lowercase, replace] {
        assert!(
            matches!(transform.apply_with(Cow::Borrowed(&node), &|_| None), Ok(Cow::Borrowed(same)) if std::ptr::eq(same, &node))
        );
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
fn toml_and_json_say_the_same_and_round_trip() {
    #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    struct Rule {
        #[serde(deserialize_with = "list")]
        transform: Vec<RawTransform>,
    }
    let toml = r#"transform = ["trim", { map = { paid = "closed", n = 1.5, i = 2, b = true }, else = "open" },
        { scale = -2 }, { timestamp = "%F", zone = "UTC" }, { minor_units = "$.c", digits = { ISK = 2 } },
        { replace = "a", with = "" }, { split = ",", part = -1 }, { prefix = "a" }, { suffix = "b" },
        { number = "de" }, { hash = "sha256" }]"#;
    let json = r#"{"transform":["trim",{"map":{"b":true,"i":2,"n":1.5,"paid":"closed"},"else":"open"},{"scale":-2},{"timestamp":"%F","zone":"UTC"},{"minor_units":"$.c","digits":{"ISK":2}},{"replace":"a","with":""},{"split":",","part":-1},{"prefix":"a"},{"suffix":"b"},{"number":"de"},{"hash":"sha256"}]}"#;
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

#[test]
fn texts_are_changed_piece_by_piece() {
    for (transform, node, wanted) in [
        (r#"{"replace": "aa", "with": "a"}"#, r#""aaaa b""#, r#""aa b""#),
        (r#"{"replace": "a", "with": "aa"}"#, r#""aba""#, r#""aabaa""#),
        (r#"{"replace": ".", "with": ","}"#, "1.50", r#""1,50""#),
        (r#"{"replace": "é", "with": "e"}"#, r#""né""#, r#""ne""#),
        (r#"{"replace": "a", "with": "b"}"#, "null", "null"),
        (r#"{"replace": "a", "with": "b"}"#, "{}", "wrong_type"),
        (r#"{"prefix": " "}"#, r#""a""#, r#"" a""#),
        (r#"{"prefix": "0"}"#, "true", r#""0true""#),
        (r#"{"suffix": "é"}"#, r#""e""#, r#""eé""#),
        (r#"{"suffix": "é"}"#, r#""""#, r#""""#),
        (r#"{"split": ",", "part": 0}"#, r#""a""#, r#""a""#),
        (r#"{"split": ",", "part": 1}"#, r#""a,""#, r#""""#),
        (r#"{"split": ",", "part": -2}"#, r#""a,b,c""#, r#""b""#),
        (r#"{"split": ",", "part": -4}"#, r#""a,b,c""#, "null"),
        (r#"{"split": ",", "part": 0}"#, r#""""#, "null"),
        (r#"{"split": "aa"}"#, r#""aaa""#, r#"["","a"]"#),
        (r#"{"split": ","}"#, "null", "null"),
        (r#"{"split": ".", "part": 0}"#, "12.50", r#""12""#),
        (r#"{"split": ","}"#, "[1]", "wrong_type"),
    ] {
        assert_eq!(applied(transform, node), wanted, "{transform} of {node}");
    }
}

#[test]
fn results_are_bounded() {
    let long = |length: usize| format!("{:?}", "a".repeat(length));
    let commas = |count: usize| format!("{:?}", ",".repeat(count));
    let grow = format!(r#"{{"replace": "a", "with": "{}"}}"#, "b".repeat(LONGEST_PIECE));
    for (transform, node, wanted) in [
        (grow.as_str(), long(6_000), "too_large"),
        (r#"{"prefix": "b"}"#, long(LONGEST_RESULT), "too_large"),
        (r#""uppercase""#, format!("{:?}", "ΐ".repeat(400_000)), "too_large"),
        (r#""trim""#, long(LONGEST_RESULT + 1), "too_large"),
        (r#"{"split": ","}"#, long(LONGEST_RESULT + 1), "too_large"),
        (r#"{"split": ","}"#, commas(MOST_PARTS), "too_many_parts"),
        (r#"{"split": ",", "part": 0}"#, commas(MOST_PARTS), "too_many_parts"),
    ] {
        assert_eq!(applied(transform, &node), wanted, "{transform}");
    }
    assert_eq!(applied(&grow, &long(5_000)).len(), 1_000_002);
    assert_eq!(applied(r#""trim""#, &long(LONGEST_RESULT)).len(), LONGEST_RESULT + 2);
    assert_eq!(applied(r#"{"split": ",", "part": -1}"#, &commas(MOST_PARTS - 1)), r#""""#);
}

#[test]
fn a_hash_is_of_the_text_alone() {
    let hash = r#"{"hash": "sha256"}"#;
    assert_eq!(applied(hash, "12.50"), applied(hash, r#""12.50""#));
    assert_eq!(applied(hash, r#""""#).len(), 66);
    assert_eq!(applied(hash, "[]"), "wrong_type");
}
