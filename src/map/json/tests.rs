use proptest::prelude::prop;
use proptest::{prop_assert_eq, proptest};

use super::*;

fn code(body: impl AsRef<[u8]>) -> &'static str {
    parse(body.as_ref()).map_or_else(|bad| bad.code, |_| "ok")
}

#[test]
fn what_rfc_8259_allows_is_read() {
    for body in [
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "0.5e-3",
        "1e400",
        "\"\"",
        "[]",
        "{}",
        "[ ]",
        "{ }",
        "[1,2]",
        "\t[\r\n1 , 2 ]\n",
        "{\"a\":1}",
        "{\"\":1}",
        "{\"a\":{\"a\":1},\"b\":{\"a\":1}}",
        r#""\"\\\/\b\f\n\r\t\u00e9""#,
        r#""\ud83d\ude00""#,
        r#""\uD83D\uDE00""#,
        r#""\u0000""#,
        "\"\u{7f}\"",
        "\"日本\u{2028}\"",
        "123456789012345678901234567890.5",
        r#"{"a":1,"A":2}"#,
        r#"{"é":1,"e\u0301":2}"#,
        r#"{"serde_json::private::Number":"1"}"#,
        "[\"$serde_json::private::Number\"]",
    ] {
        assert_eq!(code(body), "ok", "{body}");
    }
}

#[test]
fn what_it_does_not_allow_is_refused() {
    for body in [
        "[",
        "]",
        "{",
        "}",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "{\"a\":1,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1 \"b\":2}",
        "{1:2}",
        "{,}",
        "01",
        "-",
        "-01",
        "+1",
        ".5",
        "1.",
        "1.e1",
        "1e",
        "1e+",
        "0x10",
        "1_0",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "True",
        "nulll",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u+123\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "\"\t\"",
        "'a'",
        "1 2",
        "{} {}",
        "[] //",
        "/* */ 1",
        "\u{feff}1",
        "\u{a0}1",
        "\u{c}1",
        "1\0",
        "a",
    ] {
        assert_eq!(code(body), "invalid_json", "{body}");
    }
}

#[test]
fn what_two_readers_would_read_differently_is_refused() {
    for (body, wanted) in [
        (r#"{"a":1,"a":1}"#, "duplicate_key"),
        (r#"{"a":1,"\u0061":1}"#, "duplicate_key"),
        (r#"[{"x":[{"b":1,"c":{},"b":2}]}]"#, "duplicate_key"),
        (r#"{"😀":1,"\ud83d\ude00":1}"#, "duplicate_key"),
        (r#"{"":1,"":1}"#, "duplicate_key"),
        (r#""\ud800""#, "lone_surrogate"),
        (r#""\udc00""#, "lone_surrogate"),
        (r#""\ud800\ud800""#, "lone_surrogate"),
        (r#""\ud800x""#, "lone_surrogate"),
        (r#""\ude00\ud83d""#, "lone_surrogate"),
        (r#"{"\udfff":1}"#, "lone_surrogate"),
        (r#"{"$serde_json::private::Number":"1"}"#, "reserved_key"),
        (r#"{"\u0024serde_json::private::RawValue":"1"}"#, "reserved_key"),
        ("", "empty_body"),
        (" \r\n\t", "empty_body"),
    ] {
        assert_eq!(code(body), wanted, "{body}");
    }
    for body in [&b"\"\xff\""[..], b"\"\xc0\x80\"", b"\"\xed\xa0\x80\"", b"\xff\xfe1\0", b"\"\xf0\x9f\x98\""] {
        assert_eq!(code(body), "invalid_utf8", "{body:?}");
    }
}

#[test]
fn depth_and_numbers_are_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for (body, wanted) in [
        (nested(MOST_DEPTH), "ok"),
        (nested(MOST_DEPTH + 1), "too_deep"),
        (objects(MOST_DEPTH), "ok"),
        (objects(MOST_DEPTH + 1), "too_deep"),
        ("[".repeat(1_000_000), "too_deep"),
        (format!("[{}]", vec!["[]"; 500].join(",")), "ok"),
        ("9".repeat(LONGEST_NUMBER), "ok"),
        ("9".repeat(LONGEST_NUMBER + 1), "number_too_long"),
        (format!("-0.{}", "0".repeat(LONGEST_NUMBER)), "number_too_long"),
    ] {
        assert_eq!(code(&body), wanted, "{}", &body[..20]);
    }
}

#[test]
fn duplicates_among_very_many_keys_are_found() {
    let object = |last: usize| {
        let keys: Vec<_> = (0..100_000).chain([last]).map(|key| format!("\"{key}\":0")).collect();
        format!("{{{}}}", keys.join(","))
    };
    assert_eq!(code(object(100_000)), "ok");
    let bad = parse(object(7).as_bytes()).unwrap_err();
    assert_eq!((bad.code, bad.at), ("duplicate_key", object(7).len() - "\"7\":0}".len()));
}

#[test]
fn the_message_says_where_and_repeats_nothing() {
    let bad = parse("{\"ä\":1,\n  \"ö\": secret}".as_bytes()).unwrap_err();
    assert_eq!((bad.to_string().as_str(), bad.at), ("line 2, column 8: expected a value", 17));
    assert_eq!(parse(b"[1,").unwrap_err().to_string(), "line 1, column 4: the document ends where a value is expected");
}

#[test]
fn numbers_keep_their_digits() {
    let digits = "[1.50,1e400,-0.0,12345678901234567890123]";
    assert_eq!(parse(digits.as_bytes()).unwrap().to_string().replace("e+", "e"), digits);
}

proptest! {
    /// Of the grammar the scan says what serde_json says; only its own rules come on top.
    #[test]
    fn the_scan_agrees_with_serde_json(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"b\"", "\"", "\\", "\\u00e9", "\\ud83d", "\\ude00", "0", "1", "-", ".",
                "e", "+", "true", "null", " ", "\n", "\t", "x", "ä",
            ]),
            0..12,
        ),
    ) {
        let body = tokens.concat();
        let lax = serde_json::from_str::<Value>(&body).is_ok();
        let strict = code(&body);
        match strict {
            "duplicate_key" => {}
            "lone_surrogate" | "empty_body" => prop_assert_eq!(lax, false, "{}", body),
            _ => prop_assert_eq!(lax, strict == "ok", "{}: {}", body, strict),
        }
    }
}
