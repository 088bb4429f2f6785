use serde_json::json;

use super::*;

fn holds(condition: &str, node: &Value) -> bool {
    Condition::compile(condition).unwrap_or_else(|bad| panic!("{condition}: {bad}")).holds(node, node)
}

fn refused(text: &str) -> String {
    Condition::compile(text).map_or_else(|bad| bad.to_string(), |found| format!("taken: {found:?}"))
}

#[test]
fn conditions_hold_or_do_not() {
    let order: Value = serde_json::from_str(
        r#"{"status": "open", "total": 12.50, "id": 9007199254740993, "tiny": 1e-17, "huge": 1e400, "none": null,
            "paid": true, "items": [{"sku": "A-1", "n": 2}, {"sku": "B-2", "n": 0}], "empty": [], "o": {"a": [1, 2.0]},
            "p": {"a": [1.0, 2]}, "name": "Zoë 🚀", "a-b": "x", "length": 3, "note": "two\nlines"}"#,
    )
    .unwrap();
    for (condition, wanted) in [
        ("@.status == 'open'", true),
        ("@.status != 'open'", false),
        ("@.nope != 'open'", true),
        ("@.nope == @.nada", true),
        ("@.nope == null", false),
        ("@.none == null", true),
        ("@.none", true),
        ("@.nope", false),
        ("!@.nope", true),
        ("@.total == 12.5", true),
        ("@.total > 12.49 && @.total <= 12.5", true),
        ("@.total >= '12'", false),
        ("@.id == 9007199254740", false),
        ("@.tiny == 0", false),
        ("@.tiny > 0", true),
        ("@.huge > 1", true),
        ("@.paid == true", true),
        ("@.paid > false", false),
        ("@.o == @.p", true),
        ("@.o == @.items", false),
        ("@.items[0].sku == 'A-1'", true),
        ("@.items[-1].sku == \"B-2\"", true),
        ("@.items[?@.n > 1]", true),
        ("@.items[?@.n > 2]", false),
        ("count(@.items[?@.n == 0]) == 1", true),
        ("count(@.nope[*]) == 0", true),
        ("length(@.items) > 1", true),
        ("length(@.name) == 5", true),
        ("length(@.total) == 5", false),
        ("length(@.nope) == length(@.nada)", true),
        ("@['length'] == 3", true),
        ("@['a-b'] == 'x'", true),
        ("value(@.empty[*]) == 1", false),
        ("$.status == 'open'", true),
        ("match(@.items[0].sku, '[A-C]-[0-9]')", true),
        ("match(@.status, 'pen')", false),
        ("match(@.name, '\\\\p{L}+ .')", true),
        ("search(@.status, 'pen')", true),
        ("match(@.note, 'two.lines')", false),
        ("match(@.note, 'two[^x]lines')", true),
        ("search(@.total, '12')", false),
        ("(@.status == 'open' || @.status == 'new') && !(@.total < 0)", true),
        ("@.name >= 'Zo'", true),
        ("@.status == 'op\\u0065n'", true),
    ] {
        assert_eq!(holds(condition, &order), wanted, "{condition}");
    }
    assert!(holds("@ == 'x'", &json!("x")), "a node that is no object");
}

#[test]
fn what_looks_like_a_mistake_but_is_none_is_taken() {
    let order = json!({"total": 12.5, "a1e400": "1e400", "o": {"a": [1, 2]}});
    for (condition, wanted) in [
        ("@[?@.a]", true),
        ("@[?@.zz]", false),
        ("@[?(@.a[0] == 1)]", true),
        ("@.a1e400", true),
        ("@.a1e400 == '1e400'", true),
        ("@.total < 1e99 && @.total > 1e-99", true),
    ] {
        assert_eq!(holds(condition, &order), wanted, "{condition}");
    }
}

#[test]
fn the_document_is_seen_from_a_node() {
    let document = json!({"kind": "sale", "items": [{"sku": "a"}]});
    let condition = Condition::compile("@.sku == 'a' && $.kind == 'sale'").unwrap();
    assert!(condition.holds(&document["items"][0], &document));
    assert!(!condition.holds(&document, &document));
    assert_eq!(condition.as_str(), "@.sku == 'a' && $.kind == 'sale'");
}

#[test]
fn other_dialects_are_told_what_to_write() {
    for (text, part) in [
        ("", "is empty"),
        (" @.a", "blanks before and after"),
        ("@.a == 'x' ", "blanks before and after"),
        ("status == 'x'", "`@.status`"),
        ("@.status == open", "`'open'`"),
        ("$.a = 'x'", "`==`"),
        ("@.a === 'x'", "=="),
        ("@.a <> 'x'", "=="),
        ("@.a =~ /x.*/", "match(@.a, 'x.*')"),
        ("@.a == 'x' and @.b", "`&&`"),
        ("@.a or @.b", "`||`"),
        ("not @.a", "`!`"),
        ("@.a in ['x', 'y']", "@.a == 'x' ||"),
        ("@.name contains 'x'", "search(@.a, 'x')"),
        ("@.a == None", "`@.a == null`"),
        ("@.a == True", "small letters"),
        ("@.a exists", "`!@.a`"),
        ("[?(@.a == 1)]", "write `(@.a == 1)`"),
        ("?@.a", "write `@.a`"),
        ("$[?@.a == 1]", "write `@.a == 1`"),
        ("{{ $json.status }} == 'x'", "no templates"),
        ("@.items.length > 0", "`length(@.items)`"),
        ("@.items.length() > 0", "no methods"),
        ("@.items.size() > 0", "no methods"),
        ("'@.status' == 'draft'", "without quotes"),
        ("!@.status == 'draft'", "`!(@.status == 'draft')`"),
        ("@.a-b == 1", "`@['a-b']`"),
        ("@.id == 12345678901234567890", "at most 15 digits"),
        ("@.a == 1], $[?@.b", "not a condition"),
        ("@.a, ?@.b", "not a condition"),
        ("@.a][?@.b", "not a condition"),
        ("@..a == 1", "not a condition"),
        ("@..a", "`..` may not stand inside"),
        ("count($.a[*]) > 1", "`@` may more"),
        ("length(@.a)", "must be compared"),
        ("@.a == 1e999", "too large"),
        ("@.a == 1e-400", "at most two digits"),
        ("@.a > -1.5E+100", "at most two digits"),
        ("1e-400 < @.a", "at most two digits"),
        ("@.a == 1e -400", "at most two digits"),
        ("@[?@.a == 1e400]", "at most two digits"),
        ("match(@.a, '\\d+')", "written twice: `\\\\d`"),
        ("match(@.a, '[\\^]')", "written twice: `\\\\^`"),
        ("@.a-1e400", "`@['a-b']`"),
        ("startsWith(@.a, 'x')", "not a condition"),
        ("@.a == 'it's'", "quote is not closed"),
        ("(@.a == 1", "bracket is not closed"),
        ("@.a == 1 &&", "not a condition"),
        ("true", "not a condition"),
    ] {
        let message = refused(text);
        assert!(message.contains(part) && !message.starts_with("taken"), "{text}: {message}");
    }
}

#[test]
fn no_condition_takes_the_parser_long() {
    for part in ["(", "!(", "@[?(", "@&&(", "length(", "1==(", "@.a||", "(@)==", "@.a==1&&", "match(@.a,"] {
        let _ = Condition::compile(&part.repeat(LONGEST / part.len()));
    }
}
