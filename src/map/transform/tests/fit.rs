//! Rules that could never fill their field are found when they are saved.

use super::*;
use crate::map::rule::{OnEmpty, Take};
use crate::record::field::Kind;

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "decimal" => Kind::Decimal,
        "boolean" => Kind::Boolean,
        "timestamp" => Kind::Timestamp,
        "date" => Kind::Date,
        "json" => Kind::Json,
        "status" => Kind::Status(["open", "closed"].map(str::to_owned).into()),
        _ => return None,
    })
}

fn fit_as(on_empty: OnEmpty, from: &str, take: Take, transforms: &str, name: &str) -> Result<(), String> {
    let raw: Vec<RawTransform> =
        toml::from_str::<toml::Table>(&format!("t = {transforms}")).unwrap()["t"].clone().try_into().unwrap();
    let chain = Chain::check(&raw).unwrap_or_else(|faults| panic!("{transforms}: {faults:?}"));
    let fit = chain.check_fit(&Input::check(from).unwrap(), take, on_empty, kind(name).as_ref());
    fit.map_err(|(key, detail)| format!("{key}: {detail}"))
}

fn fit(from: &str, take: Take, transforms: &str, name: &str) -> Result<(), String> {
    fit_as(OnEmpty::Text, from, take, transforms, name)
}

#[test]
fn what_can_fill_the_field_passes() {
    for (transforms, kinds) in [
        ("[]", "text integer decimal boolean timestamp date json status custom"),
        (r#"["trim", "lowercase"]"#, "text integer decimal boolean timestamp date json status custom"),
        (r#"[{ replace = "a", with = "b" }]"#, "text integer boolean status"),
        (r#"[{ split = ",", part = 0 }]"#, "text integer decimal boolean timestamp date json status custom"),
        (r#"[{ split = "," }]"#, "json custom"),
        (r#"["trim", { number = "de" }, { scale = -2 }]"#, "text integer decimal json custom"),
        (r#"[{ minor_units = "$.c" }]"#, "text integer decimal json custom"),
        (r#"[{ timestamp = "unix" }]"#, "text timestamp json custom"),
        (r#"[{ timestamp = "%F", zone = "UTC" }, { split = "T", part = 0 }]"#, "date text"),
        (r#"[{ timestamp = "unix" }, { timestamp = "%Y-%m-%dT%H:%M:%S%.fZ", zone = "UTC" }]"#, "timestamp"),
        (r#"[{ timestamp = "unix" }, { map = { a = "open" }, else = "closed" }]"#, "status"),
        (r#"[{ hash = "sha256" }, "uppercase"]"#, "text json custom"),
        (r#"[{ prefix = "INV-" }]"#, "text json custom"),
        (r#"[{ prefix = "INV-" }, { split = "-", part = 1 }]"#, "integer"),
        (r#"[{ prefix = "1" }, { suffix = "e2" }]"#, "integer decimal text"),
        (r#"[{ prefix = "op" }]"#, "status"),
        (r#"[{ suffix = "ue" }]"#, "boolean"),
        (r#"[{ suffix = "T00:00:00Z" }]"#, "timestamp"),
        (r#"[{ prefix = "20" }]"#, "timestamp date"),
        (r#"[{ map = { a = "open", b = "closed" } }]"#, "status text json"),
        (r#"[{ map = { a = 1, b = 2.0 }, else = 3 }]"#, "integer decimal text json"),
        (r#"[{ map = { a = "1,5" } }, { number = "de" }]"#, "decimal text"),
        (r#"[{ map = { a = "1999" } }, { minor_units = "$.c" }]"#, "decimal"),
        (r#"[{ map = { a = true, b = "false" } }]"#, "boolean text"),
    ] {
        for name in kinds.split(' ') {
            assert_eq!(fit("$.a", Take::One, transforms, name), Ok(()), "{transforms} into {name}");
        }
    }
}

#[test]
fn what_can_never_fill_the_field_is_refused() {
    for (transforms, kinds, part) in [
        (
            r#"[{ hash = "sha256" }]"#,
            "integer decimal boolean timestamp date status",
            "the digits of a hash; make it a text field",
        ),
        (r#"[{ timestamp = "unix" }]"#, "integer decimal", "make it a timestamp field"),
        (r#"[{ timestamp = "unix" }]"#, "boolean status", "make it a timestamp field"),
        (r#"[{ timestamp = "unix" }]"#, "date", "add { split = \"T\", part = 0 }"),
        ("[{ scale = -2 }]", "boolean", "{ map = { 1 = true, 0 = false } }"),
        ("[{ scale = -2 }]", "timestamp", "{ timestamp = \"unix\" } alone"),
        ("[{ scale = -2 }]", "date", "an integer or decimal field"),
        (r#"[{ number = "en" }, "trim"]"#, "status", "add a `map`"),
        (r#"[{ split = "," }]"#, "text integer decimal boolean timestamp date status", "part = 0"),
        (r#"[{ prefix = "INV-" }]"#, "integer decimal boolean timestamp date status", "begins with \"INV-\""),
        (r#"[{ suffix = " EUR" }]"#, "integer decimal boolean timestamp date status", "ends with \" EUR\""),
        (r#"[{ split = "," }, "trim"]"#, "json custom", "transform 2: `trim` takes one value, and gets an array"),
        (r#"[{ split = "," }, { map = { a = 1 } }]"#, "json", "gets an array"),
        (
            r#"[{ timestamp = "unix" }, { scale = 3 }]"#,
            "text custom",
            "transform 2: `scale` takes a number, and gets a time",
        ),
        (r#"[{ timestamp = "unix" }, { timestamp = "unix_ms" }]"#, "timestamp", "`timestamp` takes a number"),
        (r#"[{ timestamp = "unix" }, { timestamp = "%d/%m/%Y", zone = "UTC" }]"#, "timestamp", "times of another form"),
        (r#"[{ hash = "sha256" }, { number = "de" }]"#, "text", "`number` takes a number"),
        (
            r#"[{ hash = "sha256" }, { timestamp = "%F", zone = "UTC" }]"#,
            "timestamp",
            "reads times of another form, and gets the digits of a hash",
        ),
        (r#"[{ prefix = "INV" }, { scale = 2 }]"#, "text", "put the transform that adds it last"),
        (
            r#"[{ map = { paid = "closed", draft = "opne" } }]"#,
            "status",
            "the entry \"draft\" of `map`, which is \"opne\": the text is none of the field's values: open, closed; did you mean \"open\"?",
        ),
        (r#"[{ map = { paid = "closed" }, else = "Open" }]"#, "status", "`else`, which is \"Open\""),
        (r#"[{ map = { a = 1, b = "x" } }]"#, "integer decimal", "the entry \"b\" of `map`"),
        (r#"[{ map = { a = 1.5 } }]"#, "integer", "the number has a fraction"),
        (r#"[{ map = { a = "yes" } }]"#, "boolean", "neither \"true\" nor \"false\""),
        (r#"[{ map = { a = "" } }]"#, "integer status", "which is \"\""),
        (
            r#"[{ map = { a = "x" } }, { number = "de" }]"#,
            "decimal",
            "transform 2: `number` cannot take the entry \"a\" of `map`, which is \"x\": ",
        ),
        (r#"[{ map = { a = "b" } }, { map = { a = "c" } }]"#, "text", "not listed in `map`"),
    ] {
        for name in kinds.split(' ') {
            let message = fit("$.a", Take::One, transforms, name).expect_err(transforms);
            assert!(
                message.starts_with("transform: ") && message.contains(part),
                "{transforms} into {name}: {message}"
            );
        }
    }
}

#[test]
fn what_the_rule_takes_counts_too() {
    for (from, take, transforms, name, wanted) in [
        ("const:open", Take::One, "[]", "status", None),
        (
            "const:opne",
            Take::One,
            "[]",
            "status",
            Some("from: the field is of type status, and gets the constant, which is \"opne\""),
        ),
        ("const:OPEN", Take::One, r#"["lowercase"]"#, "status", None),
        ("const:OPNE", Take::One, r#"["lowercase"]"#, "status", Some("did you mean \"open\"?")),
        ("const:1,5", Take::One, "[]", "decimal", Some("from: ")),
        ("const:1,5", Take::One, r#"[{ number = "fr" }]"#, "decimal", None),
        ("const:abc", Take::One, r#"[{ scale = 1 }]"#, "text", Some("transform: `scale` cannot take the constant")),
        ("const:abc", Take::One, "[]", "custom", None),
        ("$.a[*]", Take::Count, "[]", "integer", None),
        ("$.a[*]", Take::Count, "[]", "boolean", Some("take: the field is of type boolean, and gets a number")),
        ("$.a[*]", Take::Count, "[]", "status", Some("take: ")),
        ("$.a[*]", Take::Count, r#"[{ map = { 0 = "closed" }, else = "open" }]"#, "status", None),
        ("$.a[*]", Take::Json, "[]", "json", None),
        ("$.a[*]", Take::Json, "[]", "text", Some("take: the field is of type text, and gets an array; take one part")),
        ("$.a[*]", Take::Json, r#"["trim"]"#, "json", Some("transform: `trim` takes one value")),
        ("$.a[*]", Take::Join, r#"["trim"]"#, "text", None),
        ("$.a[*]", Take::First, "[]", "integer", None),
        ("received_at", Take::One, "[]", "timestamp", None),
        ("received_at", Take::One, "[]", "text", None),
        ("received_at", Take::One, "[]", "integer", Some("from: the field is of type integer, and gets a time")),
        ("received_at", Take::One, r#"[{ split = "T", part = 0 }]"#, "date", None),
        ("header:X-Total", Take::One, "[]", "integer", None),
    ] {
        match (fit(from, take, transforms, name), wanted) {
            (Ok(()), None) => {}
            (Err(message), Some(part)) if message.contains(part) => {}
            (found, _) => panic!("{from} {transforms} into {name}: {found:?}"),
        }
    }
}

#[test]
fn an_empty_text_that_the_rule_sets_aside_is_no_mistake() {
    let transforms = r#"[{ map = { a = 1, none = "" } }]"#;
    assert!(fit("$.a", Take::One, transforms, "integer").is_err());
    for on_empty in [OnEmpty::Null, OnEmpty::Keep, OnEmpty::Error] {
        assert_eq!(fit_as(on_empty, "$.a", Take::One, transforms, "integer"), Ok(()));
    }
}
