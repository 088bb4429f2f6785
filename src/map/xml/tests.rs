use serde_json::json;

use super::*;
use crate::problem::Code;

fn code(body: impl AsRef<[u8]>) -> &'static str {
    parse(body.as_ref()).map_or_else(|bad| bad.code, |_| "ok")
}

#[test]
fn elements_become_members() {
    for (body, wanted) in [
        ("<a/>", json!({ "a": "" })),
        ("<a></a>", json!({ "a": "" })),
        ("<a> x </a>", json!({ "a": " x " })),
        ("<a>\n</a>", json!({ "a": "\n" })),
        ("<a><b/></a>", json!({ "a": { "b": "" } })),
        ("<a><b>1</b><c>2</c></a>", json!({ "a": { "b": "1", "c": "2" } })),
        ("<a><b>1</b><c>2</c><b>3</b><b/></a>", json!({ "a": { "b": ["1", "3", ""], "c": "2" } })),
        ("<a>\n  <b>1</b>\n</a>", json!({ "a": { "b": "1" } })),
        ("<a><b x='1'/><b>2</b></a>", json!({ "a": { "b": [{ "@x": "1" }, "2"] } })),
        ("<a><a><a>1</a></a></a>", json!({ "a": { "a": { "a": "1" } } })),
        ("<a x='1'/>", json!({ "a": { "@x": "1" } })),
        ("<a x='1'> </a>", json!({ "a": { "@x": "1" } })),
        ("<a x='1'> t </a>", json!({ "a": { "@x": "1", "#text": " t " } })),
        ("<a x = \"1\"\n\ty='2' />", json!({ "a": { "@x": "1", "@y": "2" } })),
        ("<p>Hello <b>big</b> world</p>", json!({ "p": { "b": "big", "#text": "Hello  world" } })),
        ("<p>\n  <b>1</b> <i>2</i>\n  end</p>", json!({ "p": { "b": "1", "i": "2", "#text": "\n  end" } })),
        ("<p>\u{a0}<b/></p>", json!({ "p": { "b": "", "#text": "\u{a0}" } })),
        ("<b:a xmlns:b='urn:b' b:x='1'/>", json!({ "b:a": { "@xmlns:b": "urn:b", "@b:x": "1" } })),
        ("<soap:a><soap:b/></soap:a>", json!({ "soap:a": { "soap:b": "" } })),
        ("<été-1.x_y·>€</été-1.x_y·>", json!({ "été-1.x_y·": "€" })),
        ("<日本 名='値'/>", json!({ "日本": { "@名": "値" } })),
    ] {
        assert_eq!(parse(body.as_bytes()), Ok(wanted), "{body}");
    }
}

#[test]
fn text_is_what_is_meant_by_it() {
    for (body, wanted) in [
        ("<a>&lt;&gt;&amp;&apos;&quot;</a>", "<>&'\""),
        ("<a>&#65;&#x42;&#0067;&#x1F600;&#x10FFFF;</a>", "ABC😀\u{10ffff}"),
        ("<a>&#9;&#10;&#13;&#xA0;</a>", "\t\n\r\u{a0}"),
        ("<a>&amp;lt;</a>", "&lt;"),
        ("<a>x<![CDATA[<b>&amp;]]>y</a>", "x<b>&amp;y"),
        ("<a><![CDATA[]]></a>", ""),
        ("<a><![CDATA[]]]]><![CDATA[>]]></a>", "]]>"),
        ("<a>]]&gt; ]] > ]>></a>", "]]> ]] > ]>>"),
        ("<a>one<!-- two -->three<?four five?>six</a>", "onethreesix"),
        ("<a>1\r\n2\r3\n4\r\r\n5</a>", "1\n2\n3\n4\n\n5"),
        ("<a><![CDATA[1\r\n2\r]]>\n3</a>", "1\n2\n\n3"),
        ("<a>'\"=/</a>", "'\"=/"),
        ("<a>\u{7f}\u{80}\u{fffd}\u{10000}</a>", "\u{7f}\u{80}\u{fffd}\u{10000}"),
    ] {
        assert_eq!(parse(body.as_bytes()), Ok(json!({ "a": wanted })), "{body}");
    }
}

#[test]
fn the_value_of_an_attribute_is_one_line() {
    for (body, wanted) in [
        ("<a x=''/>", ""),
        ("<a x='&lt;\">'/>", "<\">"),
        ("<a x=\"it's > &quot;&#x41;&#10;\"/>", "it's > \"A\n"),
        ("<a x='1\r\n2\t3\n\n4\r5'/>", "1 2 3  4 5"),
        ("<a x=' 1 '></a>", " 1 "),
        ("<a x='/>'/>", "/>"),
    ] {
        assert_eq!(parse(body.as_bytes()), Ok(json!({ "a": { "@x": wanted } })), "{body}");
    }
}

#[test]
fn what_stands_around_the_root_is_skipped() {
    for body in [
        "<?xml version=\"1.0\"?><a/>",
        "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<a/>",
        "<?xml version = \"1.1\" encoding=\"utf8\"?>\r\n<a/>",
        "<?xml version='1.0'\nstandalone='no'?><a/>",
        "\u{feff}<a/>",
        "\u{feff}<?xml version='1.0' encoding='Utf-8'?><a/>",
        "\n <a/>\n",
        "<!-- - one -><?two?> --><a/><!----><?xml-stylesheet type='x'?><!-->-->",
        "<?a?><?b <!DOCTYPE ?><a/><?c ??>",
        "<a ></a\n>",
    ] {
        assert_eq!(parse(body.as_bytes()), Ok(json!({ "a": "" })), "{body}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for body in MALFORMED {
        assert_eq!(code(body), "invalid_xml", "{body:?}");
    }
    assert_eq!(code("\u{feff}"), "empty_body");
}

const MALFORMED: &[&str] = &[
    "a",
    "{\"a\":1}",
    "<",
    "<>",
    "< a/>",
    "</>",
    "</a>",
    "<a",
    "<a>",
    "<a/",
    "<a></b>",
    "<a></A>",
    "<a></a b='1'>",
    "<a></ a>",
    "<a></a/>",
    "<a><b></a></b>",
    "<a/></a>",
    "<a/><b/>",
    "<a/>b",
    "b<a/>",
    "<a/>&#32;",
    "<a/><![CDATA[]]>",
    "<![CDATA[a]]><a/>",
    "<!-- only -->",
    "<?only?>",
    "<1/>",
    "<-a/>",
    "<.a/>",
    "<a!/>",
    "<a,b/>",
    "<a\u{d7}/>",
    "<a\u{3000}b='1'/>",
    "<a/b>",
    "<a/ >",
    "<a / >",
    "<a b/>",
    "<a b=/>",
    "<a b=1/>",
    "<a b='1/>",
    "<a b='1\"/>",
    "<a b='1'c='2'/>",
    "<a b='1''2'/>",
    "<a 'b'='1'/>",
    "<a b='1' b='1'/>",
    "<a b='1' c='' b='2'/>",
    "<a b='<'/>",
    "<a b='&lt'/>",
    "<a b='&'/>",
    "<a b='&x;'/>",
    "<a 1b='1'/>",
    "<a b='1'/><",
    "<a>]]></a>",
    "<a><b</a>",
    "<a>&</a>",
    "<a>& </a>",
    "<a>&;</a>",
    "<a>&lt</a>",
    "<a>&lt&gt;</a>",
    "<a>&LT;</a>",
    "<a>&nbsp;</a>",
    "<a>&#;</a>",
    "<a>&#x;</a>",
    "<a>&#X41;</a>",
    "<a>&#+65;</a>",
    "<a>&# 65;</a>",
    "<a>&#6a;</a>",
    "<a>&#x4g;</a>",
    "<a>&#-1;</a>",
    "<a>&#0;</a>",
    "<a>&#x0;</a>",
    "<a>&#1;</a>",
    "<a>&#xB;</a>",
    "<a>&#x1F;</a>",
    "<a>&#xD800;</a>",
    "<a>&#xFFFE;</a>",
    "<a>&#x110000;</a>",
    "<a>&#x100000041;</a>",
    "<a b='&#0;'/>",
    "<a>\0</a>",
    "<a>\u{b}</a>",
    "<a>\u{1f}</a>",
    "<a>\u{fffe}</a>",
    "<a b='\u{1}'/>",
    "<!--\u{1}--><a/>",
    "<a>\u{ffff}</a>",
    "<!-- -- --><a/>",
    "<!-- ---><a/>",
    "<!--><a/>",
    "<!---><a/>",
    "<!-- <a/>",
    "<a><![CDATA[</a>",
    "<a><![cdata[x]]></a>",
    "<a><![CDATA]]></a>",
    "<!a><a/>",
    "<!ENTITY a 'b'><a/>",
    "<a><!ELEMENT a></a>",
    "<?><a/>",
    "<??><a/>",
    "<? a?><a/>",
    "<?1?><a/>",
    "<?a,b?><a/>",
    "<?a <a/>",
    "<?XML version='1.0'?><a/>",
    "<a/><?Xml?>",
    "\n<?xml version='1.0'?><a/>",
    "<!-- --><?xml version='1.0'?><a/>",
    "<?xml version='1.0'?><?xml version='1.0'?><a/>",
    "<a><?xml version='1.0'?></a>",
    "<?xml?><a/>",
    "<?xml ?><a/>",
    "<?xml encoding='UTF-8'?><a/>",
    "<?xml encoding='UTF-8' version='1.0'?><a/>",
    "<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
    "<?xml version='1.0' version='1.0'?><a/>",
    "<?xml version='1.0' standalone='maybe'?><a/>",
    "<?xml version='1.0' other='1'?><a/>",
    "<?xml version='1.0' <a/>?><a/>",
    "<?xml version='2.0'?><a/>",
    "<?xml version='1.'?><a/>",
    "<?xml version='1'?><a/>",
    "<?xml version=1.0?><a/>",
    "<?xml version='1.0'encoding='UTF-8'?><a/>",
    "<?xml version='&#49;.0'?><a/>",
    "\u{feff}\u{feff}<a/>",
    "<a>\u{feff}</a>\u{feff}",
];

#[test]
fn nothing_expands() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><a>&lol2;</a>";
    let file = "<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
    for body in [
        laughs,
        file,
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM 'urn:a'><a/>",
        "<!DOCTYPE",
        "<!DOCTYPE a [<a/>",
        "<!doctype html><html/>",
        "<a><!DOCTYPE a></a>",
        "<a/><!DOCTYPE a>",
    ] {
        assert_eq!(code(body), "xml_doctype", "{body}");
    }
    let bad = parse(file.as_bytes()).unwrap_err();
    assert_eq!((bad.to_string().as_str(), bad.at), ("line 2, column 1: a document type declaration", 22));
}

#[test]
fn other_encodings_than_utf_8_are_refused() {
    for encoding in ["ISO-8859-1", "windows-1252", "UTF-16", "US-ASCII", "UTF-8 ", "", "utf_8"] {
        let body = format!("<?xml version='1.0' encoding='{encoding}'?><a>x</a>");
        assert_eq!(code(&body), "xml_encoding", "{encoding}");
    }
    for body in [&b"<a>M\xfcller</a>"[..], b"\xff\xfe<\0a\0/\0>\0", b"\xfe\xff\0<\0a\0/\0>", b"<a>\xed\xa0\x80</a>"] {
        assert_eq!(code(body), "invalid_utf8", "{body:?}");
    }
    // The declaration is looked at only when the bytes are UTF-8: they are what the sender has to mend first.
    assert_eq!(code(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>"), "invalid_utf8");
    for body in ["", " \r\n\t"] {
        assert_eq!(code(body), "empty_body");
    }
}

#[test]
fn depth_and_attributes_are_bounded() {
    let nested = |depth: usize, inner: &str| format!("{}{inner}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let attributes = |count: usize| (0..count).map(|number| format!(" a{number}=''")).collect::<String>();
    // Each level but the innermost is an array of two and an object in it.
    let twice = |levels: usize| (0..levels).fold("<b/>".to_owned(), |inner, _| format!("<a>{inner}</a><a/>"));
    for (body, wanted) in [
        (nested(MOST_DEPTH, "x"), "ok"),
        (nested(MOST_DEPTH + 1, "x"), "too_deep"),
        (nested(MOST_DEPTH - 1, "<b c=''/>"), "too_deep"),
        (nested(MOST_DEPTH - 2, "<b c=''/>"), "ok"),
        ("<a>".repeat(300_000), "too_deep"),
        (format!("<r>{}</r>", twice(49)), "ok"),
        (format!("<r>{}</r>", twice(50)), "too_deep"),
        (format!("<a{}/>", attributes(MOST_ATTRIBUTES)), "ok"),
        (format!("<a{}/>", attributes(MOST_ATTRIBUTES + 1)), "invalid_xml"),
    ] {
        assert_eq!(code(&body), wanted, "{}…", &body[..20]);
    }
    let deepest = depth(&parse(format!("<r>{}</r>", twice(49)).as_bytes()).unwrap());
    assert_eq!(deepest, MOST_DEPTH);
}

/// Reading takes time by the length of the body, however many pieces it is made of: were one of these quadratic, the
/// test would not end.
#[test]
fn bodies_of_very_many_pieces_are_read() {
    let around = |inner: String| format!("<r>{inner}</r>");
    for (body, wanted) in [
        (around("<a/>".repeat(200_000)), "ok"),
        (around((0..100_000).map(|number| format!("<a{number}/>")).collect()), "ok"),
        (around("<a b=''/>".repeat(100_000)), "ok"),
        (around("x<b/>".repeat(200_000)), "ok"),
        (around(" <b/>".repeat(200_000)), "ok"),
        (around("&#13;".repeat(200_000)), "ok"),
        (around("<!---->".repeat(150_000)), "ok"),
        (around("]".repeat(1_000_000)), "ok"),
        (around("\r".repeat(1_000_000)), "ok"),
        (around("<![CDATA[]]>".repeat(90_000)), "ok"),
        (format!("<a b='{}'/>", "\r\n&amp;".repeat(140_000)), "ok"),
        ("&".repeat(1_000_000), "invalid_xml"),
        ("<".repeat(1_000_000), "invalid_xml"),
        (format!("<a>{}", "&".repeat(1_000_000)), "invalid_xml"),
        (format!("<a b='{}'/>", "&".repeat(1_000_000)), "invalid_xml"),
        (format!("<!--{}", ">".repeat(1_000_000)), "invalid_xml"),
        (format!("<a{}", " b".repeat(500_000)), "invalid_xml"),
        (format!("<!DOCTYPE a [{}", "<!ENTITY a 'b'>".repeat(70_000)), "xml_doctype"),
    ] {
        assert_eq!(code(&body), wanted, "{}…", &body[..20]);
    }
}

#[test]
fn the_message_says_where_and_repeats_nothing() {
    for (body, at, wanted) in [
        ("<a>\n  <é secret=1/></a>", 17, "line 2, column 13: expected the value of an attribute, in quotes"),
        ("<a>\n<secret></secre></a>", 12, "line 2, column 9: the end tag is not that of the element that is open"),
        ("<a b='1'\n b='2'/>", 10, "line 2, column 2: the element has this attribute twice"),
        ("<a>x&secret;</a>", 4, "line 1, column 5: there are no entities but lt, gt, amp, apos and quot"),
        ("<a b='x&#0;'/>", 7, "line 1, column 8: the reference names no character that XML knows"),
        ("<a>x\u{1}</a>", 4, "line 1, column 5: a character that XML does not know"),
        ("<a>", 3, "line 1, column 4: the body ends inside an element"),
        ("<a/>\n<b/>", 5, "line 2, column 1: a second element beside the root"),
        ("<a>]]></a>", 3, "line 1, column 4: `]]>` stands in text; its last character is written `&gt;` there"),
        ("\u{feff}<a>&x;</a>", 6, "line 1, column 5: there are no entities but lt, gt, amp, apos and quot"),
    ] {
        let bad = parse(body.as_bytes()).unwrap_err();
        assert_eq!((bad.to_string().as_str(), bad.at), (wanted, at), "{body:?}");
        assert!(Code::find(bad.code).is_some(), "{}", bad.code);
    }
}
