use super::*;

fn redaction(texts: &[&str]) -> Redaction {
    Redaction::check(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn stored(texts: &[&str], format: Format, body: &str) -> String {
    match redaction(texts).body(Some(format), body.as_bytes()) {
        Redacted::Whole => "whole".to_owned(),
        Redacted::Body(body) => String::from_utf8(body).unwrap(),
        Redacted::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn each_format_is_written_as_it_was_read() {
    for (paths, format, body, wanted) in [
        (
            &["$.card.number"][..],
            Format::Json,
            r#"{"card": {"number": 4111, "b": 1.50}}"#,
            r#"{"card":{"b":1.50,"number":"[redacted]"}}"#,
        ),
        (
            &["$..cvv", "$.list[1:]"],
            Format::Json,
            r#"{"a":[{"cvv":[1,2]}],"list":[1,2,{"cvv":3}]}"#,
            r#"{"a":[{"cvv":"[redacted]"}],"list":[1,"[redacted]","[redacted]"]}"#,
        ),
        (&["$.card", "$.card.number"], Format::Json, r#"{"card":{"number":1}}"#, r#"{"card":"[redacted]"}"#),
        (&["$.absent", "$..none"], Format::Json, r#"{ "a" : 1 }"#, "whole"),
        (&["$[0]"], Format::Json, "[1,2]", r#"["[redacted]",2]"#),
        (&["$[*].cvv"], Format::Lines, "{\"cvv\":1}\n\n{\"a\":2}\r\n", "{\"cvv\":\"[redacted]\"}\n{\"a\":2}"),
        (&["$.card"], Format::Form, "card=4111+1111&a=%26&card=2&b=1&b=2", "a=%26&b=1&b=2&card=%5Bredacted%5D"),
        (&["$.card"], Format::Form, "payload=%7B%22card%22%3A1%7D", "payload=%7B%22card%22%3A%22%5Bredacted%5D%22%7D"),
        (
            &["$.o.card"],
            Format::Xml,
            "<?xml version=\"1.0\"?><o a=\"&lt;&quot;&#9;\"><card>4111</card><i>1</i><i/></o>",
            "<o a=\"&lt;&quot;&#9;\"><card>[redacted]</card><i>1</i><i></i></o>",
        ),
        (
            &["$.o['@card']", "$.o['#text']"],
            Format::Xml,
            "<o card=\"4111\">5555<b>&amp;</b></o>",
            "<o card=\"[redacted]\">[redacted]<b>&amp;</b></o>",
        ),
        (&["$.o.i"], Format::Xml, "<o><i>1</i><i>2</i></o>", "<o><i>[redacted]</i></o>"),
    ] {
        assert_eq!(stored(paths, format, body), wanted, "{paths:?} {body}");
    }
}

#[test]
fn what_cannot_be_read_is_not_stored() {
    for (format, body) in [(Format::Json, "{"), (Format::Xml, "<a"), (Format::Form, "a=%"), (Format::Lines, "1\n{")] {
        assert_eq!(stored(&["$.card"], format, body), "nothing", "{body}");
    }
    assert_eq!(redaction(&["$.card"]).body(None, b"{}"), Redacted::Nothing);
    assert_eq!(redaction(&["header:X-Card"]).body(None, b"\xff"), Redacted::Whole, "no place of it is redacted");
    let many = format!("[{}]", vec!["1"; 1_001].join(","));
    assert_eq!(stored(&["$[*]"], Format::Json, &many), "nothing", "more nodes than a path may select");
}

#[test]
fn places_are_checked() {
    for (text, why) in [
        ("$", "`$` is the whole payload; to store none of it, write keep = { payload = \"never\" }"),
        ("root:$.a", "`root:$.a` is no place of a request"),
        ("const:a", "`const:a` is no place of a request"),
        ("received_at", "`received_at` is no place of a request"),
        ("header:authorization", "the header `authorization` holds credentials"),
        ("$.a[", ""),
    ] {
        let wrong = Redaction::check(&["$.b".to_owned(), text.to_owned()]).unwrap_err();
        assert_eq!(wrong.len(), 1, "{text}");
        assert!(wrong[0].0 == 1 && wrong[0].1.starts_with(why), "{text}: {}", wrong[0].1);
    }
    assert!(Redaction::check(&vec!["$.a".to_owned(); MOST_PLACES]).is_ok());
    assert_eq!(Redaction::check(&vec!["$.a".to_owned(); MOST_PLACES + 1]).unwrap_err().len(), 1);
    let texts = ["$.a", "header:X-Card", "query:card"];
    let written = serde_json::to_string(&redaction(&texts)).unwrap();
    assert_eq!(written, r#"["$.a","header:X-Card","query:card"]"#);
    assert_eq!(serde_json::from_str::<Redaction>(&written).unwrap(), redaction(&texts));
    assert!(redaction(&texts).is_header("x-card") && redaction(&texts).parameters() == ["card"]);
}
