//! Numbers by their digits, languages and currencies.

use super::*;

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
fn numbers_are_read_as_their_language_writes_them() {
    for (locale, text, wanted) in [
        ("de", "1.234,50", "1234.50"),
        ("de", "1234,50", "1234.50"),
        ("de", "-1.234.567", "-1234567"),
        ("de", "\u{2212}0,10", "-0.10"),
        ("de", "+5", "5"),
        ("de", ",5", "0.5"),
        ("de", "-,5", "-0.5"),
        ("de", "000012,50", "12.50"),
        ("de", "-0", "0"),
        ("de", "12345678901234567890123,01", "12345678901234567890123.01"),
        ("de", "1.23,4", "not_a_number"),
        ("de", "1.2345", "not_a_number"),
        ("de", "1234.567", "not_a_number"),
        ("de", "1,234.50", "not_a_number"),
        ("de", "1.234.50", "not_a_number"),
        ("de", "0.123", "not_a_number"),
        ("de", ".123", "not_a_number"),
        ("de", "1..234", "not_a_number"),
        ("de", "5,", "not_a_number"),
        ("de", ",", "not_a_number"),
        ("de", "", "not_a_number"),
        ("de", "-", "not_a_number"),
        ("de", "--5", "not_a_number"),
        ("de", "5-", "not_a_number"),
        ("de", " 5", "not_a_number"),
        ("de", "5 €", "not_a_number"),
        ("de", "1e5", "not_a_number"),
        ("de", "1,5e5", "not_a_number"),
        ("de", "٣", "not_a_number"),
        ("de", "1.٢٣٤", "not_a_number"),
        ("de", "NaN", "not_a_number"),
        ("en", "1,234.50", "1234.50"),
        ("en", "12,345,678", "12345678"),
        ("en", "1,23,456", "not_a_number"),
        ("en", "1.234,5", "not_a_number"),
        ("en", ".5", "0.5"),
        ("en-IN", "12,34,567.8", "1234567.8"),
        ("en-IN", "1,234", "1234"),
        ("en-IN", "123,456", "not_a_number"),
        ("en-IN", "1,234,567", "not_a_number"),
        ("fr", "1\u{202f}234\u{202f}567,8", "1234567.8"),
        ("fr", "1\u{a0}234,5", "1234.5"),
        ("fr", "1 234", "1234"),
        ("fr", "1 234\u{a0}567", "not_a_number"),
        ("fr", "1.234", "not_a_number"),
        ("de-CH", "1’234.50", "1234.50"),
        ("de-CH", "1'234.50", "1234.50"),
        ("de-AT", "1 234,50", "1234.50"),
        ("de-AT", "1.234,50", "1234.50"),
    ] {
        let transform = format!(r#"{{"number": "{locale}"}}"#);
        assert_eq!(applied(&transform, &json!(text).to_string()), wanted, "{text} in {locale}");
    }
    for (node, wanted) in [("1.50", "1.50"), ("true", "wrong_type"), ("[]", "wrong_type"), ("null", "null")] {
        assert_eq!(applied(r#"{"number": "de"}"#, node), wanted);
    }
    assert_eq!(applied(r#"{"number": "de"}"#, &format!("{:?}", "9".repeat(101))), "out_of_range");
}

#[test]
fn each_locale_reads_its_own_sample() {
    for locale in LOCALES {
        assert!(!locale.marks.contains(&locale.decimal) && !locale.marks.is_empty(), "{}", locale.tag);
        for mark in locale.marks {
            let first = if locale.marks[0].is_whitespace() { ' ' } else { locale.marks[0] };
            let text = locale.to_string().replace(first, &mark.to_string());
            let transform = format!(r#"{{"number": "{}"}}"#, locale.tag);
            assert_eq!(applied(&transform, &json!(text).to_string()), "1234567.89", "{text} in {}", locale.tag);
        }
    }
    let tags: std::collections::BTreeSet<_> = LOCALES.iter().map(|locale| locale.tag).collect();
    assert_eq!(tags.len(), LOCALES.len());
}

#[test]
fn amounts_have_the_digits_of_their_currency() {
    let units = r#"{"minor_units": "$.c"}"#;
    let otherwise = r#"{"minor_units": "$.c", "digits": {"isk": 2, "usdc": 6, "USD": 0}}"#;
    let fixed = r#"{"minor_units": "const:KWD"}"#;
    for (document, transform, node, wanted) in [
        (r#"{"c": "EUR"}"#, units, "1999", "19.99"),
        (r#"{"c": "eur"}"#, units, r#""1999""#, "19.99"),
        (r#"{"c": "EUR"}"#, units, "-5", "-0.05"),
        (r#"{"c": "EUR"}"#, units, "12.5", "0.125"),
        (r#"{"c": "EUR"}"#, units, "9007199254740993", "90071992547409.93"),
        (r#"{"c": "JPY"}"#, units, "500", "500"),
        (r#"{"c": "ISK"}"#, units, "500", "500"),
        (r#"{"c": "MGA"}"#, units, "500", "5.00"),
        (r#"{"c": "TND"}"#, units, "1234", "1.234"),
        (r#"{"c": "CLF"}"#, units, "1234", "0.1234"),
        (r#"{"c": "ZWG"}"#, units, "1", "0.01"),
        (r#"{"c": "ANG"}"#, units, "1", "0.01"),
        (r#"{"c": "HRK"}"#, units, "1", "0.01"),
        (r#"{"c": "ZWR"}"#, units, "1", "0.01"),
        (r#"{"c": "BYR"}"#, units, "500", "500"),
        (r#"{"c": "ISK"}"#, otherwise, "500", "5.00"),
        (r#"{"c": "USDC"}"#, otherwise, "1500000", "1.500000"),
        (r#"{"c": "usd"}"#, otherwise, "5", "5"),
        (r#"{"c": "EUR"}"#, otherwise, "500", "5.00"),
        ("null", fixed, "1234", "1.234"),
        (r#"{"c": "XAU"}"#, units, "1", "unknown_currency"),
        (r#"{"c": "XTS"}"#, units, "1", "unknown_currency"),
        (r#"{"c": "€"}"#, units, "1", "unknown_currency"),
        (r#"{"c": " EUR"}"#, units, "1", "unknown_currency"),
        (r#"{"c": 978}"#, units, "1", "unknown_currency"),
        (r#"{"c": ""}"#, units, "1", "no_currency"),
        (r#"{"c": null}"#, units, "1", "no_currency"),
        (r#"{"c": ["EUR"]}"#, units, "1", "no_currency"),
        ("{}", units, "1", "no_currency"),
        ("{}", units, "null", "null"),
        (r#"{"c": "EUR"}"#, units, r#""19,99""#, "not_a_number"),
        (r#"{"c": "EUR"}"#, units, "true", "wrong_type"),
    ] {
        assert_eq!(applied_in(document, transform, node), wanted, "{transform} of {node} in {document}");
    }
}
