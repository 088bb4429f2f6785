use jsonpath_rust::query::js_path_process;
use serde_json::json;

use super::*;
use crate::condition::LONGEST;

fn refused(text: &str) -> String {
    Path::compile(text).map_or_else(|bad| bad.to_string(), |path| format!("taken: {path:?}"))
}

/// `-` for missing, else the nodes as JSON, separated by blanks.
fn found(path: &str, document: &Value) -> String {
    match Path::compile(path).unwrap_or_else(|bad| panic!("{path}: {bad}")).find(document) {
        Err(TooManyNodes) => "too many".into(),
        Ok(Found::Missing) => "-".into(),
        Ok(Found::One(node)) => format!("={node}"),
        Ok(Found::Many(nodes)) => nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    }
}

#[test]
fn paths_select_as_rfc_9535_says() {
    let document = json!({
        "a": {"b": [10, 20, 30], "c-d": null, "": 1, "x y": 2, "日本": 3},
        "items": [{"id": 1, "n": []}, {"id": 2, "n": [5], "t": "x"}, {"id": 3, "n": [5, 6]}],
        "main": 2, "empty": [], "o": {"p": {"id": 1}, "q": {"id": 2}},
    });
    for (path, wanted) in [
        ("$.main", "=2"),
        ("$.a.b[0]", "=10"),
        ("$.a.b[-1]", "=30"),
        ("$.a.b[-3]", "=10"),
        ("$.a.b[-4]", "-"),
        ("$.a.b[3]", "-"),
        ("$.a.b.c", "-"),
        ("$.a[0]", "-"),
        ("$['a'][\"c-d\"]", "=null"),
        ("$.a['']", "=1"),
        ("$.a['x y']", "=2"),
        ("$.a.日本", "=3"),
        ("$.a['\\u65e5\\u672c']", "=3"),
        ("$.nope[*]", "-"),
        ("$.a.nope[?@.x]", "-"),
        ("$.empty[*]", ""),
        ("$.a.b[*]", "10 20 30"),
        ("$.a.b[1:]", "20 30"),
        ("$.a.b[:-1]", "10 20"),
        ("$.a.b[::-1]", "30 20 10"),
        ("$.a.b[::2]", "10 30"),
        ("$.a.b[2:0:-1]", "30 20"),
        ("$.a.b[::0]", ""),
        ("$.a.b[-9:9]", "10 20 30"),
        ("$.a.b[0,-1,0]", "10 30 10"),
        ("$.items[*].id", "1 2 3"),
        ("$.items[*].t", "\"x\""),
        ("$..id", "1 2 3 1 2"),
        ("$..b[1]", "20"),
        ("$.o.*.id", "1 2"),
        ("$.items[?@.id > 1].id", "2 3"),
        ("$.items[?@.id == $.main].id", "2"),
        ("$.items[?$.main].id", "1 2 3"),
        ("$.items[?$.nope].id", ""),
        ("$.items[?@.t].id", "2"),
        ("$.items[?!@.t].id", "1 3"),
        ("$.items[?(@.id == 1 || @.id == 3) && !(@.id == 3)].id", "1"),
        ("$.items[?length(@.n) == 2].id", "3"),
        ("$.items[?value(@.n[*]) == 5].id", "2"),
        ("$.items[?@.n[?@ == 6]].id", "3"),
        ("$.items[?@.t == 'x', 0].id", "2 1"),
        ("$..[?@.id == $.main].id", "2 2"),
        ("$.items[?@[?@ == 6]]", ""),
        ("$.a.b[?@ >= 1.99e1]", "20 30"),
        ("$.items[?match(@.t, '[x-z]')].id", "2"),
        ("$.items[?!search(@.t, '.')].id", "1 3"),
        ("$.items[?match(@.id, '1')].id", ""),
        ("$.o[?@.id == 2].id", "2"),
        ("$..[?@.id == 2].id", "2 2"),
        ("$", &format!("={document}")),
    ] {
        assert_eq!(found(path, &document), wanted, "{path}");
    }
}

/// Where the crate is right and its cost bounded, the walk gives the same nodes in the same order.
#[test]
fn the_walk_agrees_with_the_crate() {
    let documents = [
        json!({"a": [[1, 2, {"a": 3}], {"b": [4, null], "a": {"a": []}}, "x", {}], "b": {"a": false, "b": [[5]]}}),
        json!([{"a": 1}, {"a": "1", "b": []}, [{"b": 2, "a": 0}], [], 7, null]),
        json!("text"),
    ];
    for path in [
        "$",
        "$.a",
        "$.*",
        "$[*]",
        "$[*].*",
        "$..a",
        "$..b",
        "$[-1]",
        "$[1:4]",
        "$[::-2]",
        "$[-2:0:-1]",
        "$['a', 'b']",
        "$['a'][0, 1, 0]",
        "$.a[1, *]",
        "$.*[0]",
        "$[?@.a]",
        "$[?!@.a]",
        "$.a[?@.b]",
        "$[?@.a == 1 || @.b == 2]",
        "$.*[?@.a != 3]",
        "$[?@.a > 0, ?@.b, 0]",
        "$[?length(@.a) >= 1]",
        "$[?value(@.*) == 1]",
        "$[?@.b[?@.a]]",
        "$[?@ == null]",
        "$[?@ < 8]",
    ] {
        let query = parse_json_path(path).unwrap();
        let path = Path::compile(path).unwrap();
        for document in &documents {
            let ours = match path.find(document).unwrap() {
                Found::Missing => Vec::new(),
                Found::One(node) => vec![node],
                Found::Many(nodes) => nodes,
            };
            let theirs: Vec<_> = js_path_process(&query, document).unwrap().into_iter().map(|node| node.val).collect();
            assert_eq!(ours, theirs, "{} in {document}", path.as_str());
        }
    }
}

#[test]
fn nothing_counts_as_none() {
    let document = json!([{"x": [], "n": 0}, {"x": [7], "n": 1}, {"n": 1}, {"x": [7, 8], "y": [1, 2]}]);
    let places = |filter: &str| {
        let path = Path::compile(&format!("$[?{filter}]")).unwrap();
        let Ok(Found::Many(nodes)) = path.find(&document) else { return "none".to_owned() };
        let place = |node: &&Value| document.as_array().unwrap().iter().position(|item| std::ptr::eq(*node, item));
        nodes.iter().filter_map(place).map(|place| place.to_string()).collect()
    };
    for (filter, wanted) in [
        ("count(@.x[*]) == 0", "02"),
        ("count(@.x[*]) != 0", "13"),
        ("count(@.x[*]) < 2", "012"),
        ("count(@.x[*]) >= 1", "13"),
        ("0 == count(@.x[*])", "02"),
        ("!(count(@.x[*]) > 0)", "02"),
        ("count(@.x[*]) == @.n", "01"),
        ("count(@.x[*]) == count(@.y[*])", "023"),
        ("count(@.y[?@ > 1]) == 0", "012"),
        ("@.n == 1 && count(@.x[*]) == 0", "2"),
        ("count(@.x) == 1", "013"),
    ] {
        assert_eq!(places(filter), wanted, "{filter}");
    }
}

#[test]
fn other_dialects_are_told_what_to_write() {
    for (text, part) in [
        ("", "the path is empty"),
        ("{{payload.qty}}", "`$.payload.qty`"),
        ("{{ $json.payload.qty }}", "`$.payload.qty`"),
        ("$json.payload.qty", "`$.payload.qty`"),
        (".payload.tags[]", "`$.payload.tags[*]`"),
        ("payload.tags[].name", "`$.payload.tags[*].name`"),
        ("a.b", "`$.a.b`"),
        ("[0].a", "`$[0].a`"),
        (".a", "`$.a`"),
        ("@.a", "`$.a`"),
        ("/a/0/b", "`$['a'][0]['b']`"),
        ("$.a ", "blanks before and after"),
        (" $.a", "blanks before and after"),
        ("$.[0].a", "`$[0].a`"),
        ("$.a-b", "`$['a-b']`"),
        ("$.x.@type.y", "`$.x['@type'].y`"),
        ("$.1a[0]", "`$['1a'][0]`"),
        ("$.it's", "a quote is not closed"),
        ("$.a b", "`$['a b']`"),
        ("$. a", "after the dot"),
        ("$.a[?@. b == 1]", "after the dot"),
        ("$a", "`$.a`"),
        ("$.a.length()", "take = \"count\""),
        ("$.a[(@.length-1)]", "`[-1]`"),
        ("$.a[?@.b =~ /x/]", "match(@.a, 'x.*')"),
        ("$.a[?@.b = 1]", "`==`"),
        ("$.a[?@.b === 1]", "=="),
        ("$.a[?@.b in ['x']]", "@.a == 'x' ||"),
        ("$.a[?@.b and @.c]", "`&&`"),
        ("$.a[b]", "`['a']`"),
        ("$.a[]", "brackets are empty"),
        ("$.a[0", "a bracket is not closed"),
        ("$.a['b]", "a quote is not closed"),
        ("$.a.", "after the last dot"),
        ("$.a[?@.b-c == 1]", "`@['a-b']`"),
        ("$.a[?@.b == 9007199254740993]", "at most 15 digits"),
        ("$.a^", "`$['a^']`"),
        ("$$", "not a path"),
    ] {
        let message = refused(text);
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn what_would_be_dear_or_wrong_is_refused() {
    let long = format!("$.{}", "a".repeat(LONGEST));
    let many = format!("${}", ".a".repeat(33));
    let calls = format!("$[?{}@.a", "length(".repeat(60));
    for (text, part) in [
        (long.as_str(), "longer than 512"),
        (&many, "more than 32 segments"),
        (&calls, "functions are nested"),
        ("$..a..b", "`..` may stand once"),
        ("$[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]", "unites more than 16"),
        ("$[0,1,2,3,4][0,1,2,3]", "unites more than 16"),
        ("$[?@.a[?@.b[?@.c]]]", "nested more than 2"),
        ("$[?@..a]", "`..` may not stand inside"),
        ("$[?@.*.*]", "only one part"),
        ("$[?$.a[*]]", "names and indexes only"),
        ("$[?$..a]", "names and indexes only"),
        ("$[?match(@.a, @.b)]", "a text in quotes"),
        ("$[?match(@.a, '^x$')]", "leave out `^` and `$`"),
        ("$[?match(@.a, '\\\\d+')]", "`[0-9]`"),
        ("$[?match(@.a, '[a--b]')]", "does not read"),
        ("$[?@.a == 1e-400]", "at most two digits"),
        ("$[?search(@.a, '(a{1,50}){1,50}')]", "too costly"),
        ("$[?search(@.a, 'a(')]", "does not read"),
        ("$[?search(@.*, 'a')]", "one value"),
        ("$[?search(@.a, 'a') == true]", "not a path"),
        ("$[?@.a.length > 1]", "`length(@.a)`"),
        ("$[?'@.a' == 'x']", "without quotes"),
        ("$[?in(@.a, @.b)]", "no function of RFC 9535"),
        ("$[?none_of(@.a, @.b)]", "no function of RFC 9535"),
        ("$[?length(@.a)]", "must be compared"),
        ("$[?count(@.*)]", "must be compared"),
        ("$[?!value(@.*)]", "must be compared"),
        ("$[?length(@.*) < 3]", "takes one value"),
        ("$[?length(@..a) < 3]", "takes one value"),
        ("$[?length(@.a == 1) < 3]", "not a path"),
        ("$[?length(!@.a) < 3]", "takes one value"),
        ("$[?count('a') < 3]", "not a path"),
        ("$[?value(1) < 3]", "takes a path"),
        ("$[?count(length(@.a)) < 3]", "takes a path"),
    ] {
        let message = refused(text);
        assert!(message.contains(part) && !message.starts_with("taken"), "{text}: {message}");
    }
}

#[test]
fn no_text_takes_the_parser_long() {
    for (head, part) in [
        ("$[?", "("),
        ("$[?", "!("),
        ("$", "[?@"),
        ("$[?", "@[?("),
        ("$[?", "@&&("),
        ("$[?@", "[?(@"),
        ("$", "[?length("),
        ("$[?", "length(@["),
        ("$[?", "1==("),
        ("$", "['a',"),
        ("$", "[0:"),
        ("$[?", "@.a||"),
        ("$[?", "(@)=="),
    ] {
        let count = (LONGEST - head.len()) / part.len();
        assert!(Path::compile(&format!("{head}{}", part.repeat(count))).is_err(), "{part}");
    }
}

#[test]
fn nodes_are_bounded_before_they_are_gathered() {
    let list = |length: usize| json!({"a": vec![json!({"b": 1}); length]});
    for path in ["$.a[*]", "$.a[*].b", "$..b", "$.a[?@.b]", "$.a[?$.a]"] {
        assert!(
            matches!(Path::compile(path).unwrap().find(&list(MOST_NODES)), Ok(Found::Many(nodes)) if nodes.len() == MOST_NODES),
            "{path}"
        );
        assert_eq!(found(path, &list(MOST_NODES + 1)), "too many", "{path}");
    }
    assert_eq!(found("$.a[?@.b == 2]", &list(5_000)), "");
}

/// One key of half a megabyte over many nodes: the crate's texts of locations alone would fill the memory.
#[test]
fn long_keys_do_not_multiply() {
    let mut inner = serde_json::Map::new();
    inner.insert("k".repeat(500_000), Value::from(vec![json!([0]); 100_000]));
    let document = json!({"a": [inner]});
    for path in ["$..zz", "$.a[*].*[*].zz", "$.a[?@.*].zz", "$.a.*.*[?@.zz]"] {
        assert_eq!(found(path, &document), "", "{path}");
    }
}

#[test]
fn deep_documents_are_walked() {
    let document = (0..100).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(found("$..[?@ == 1]", &document), "1");
    assert_eq!(found(&format!("${}", "[0]".repeat(32)), &document), format!("={}1{}", "[".repeat(68), "]".repeat(68)));
}

#[test]
fn a_path_keeps_its_text_and_crosses_threads() {
    fn crosses_threads<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}
    let path = Path::compile("$['a']  [0]").unwrap();
    crosses_threads(&path);
    assert_eq!((path.as_str(), path.is_singular()), ("$['a']  [0]", true));
    for text in ["$[*]", "$..a", "$[0,1]", "$[0:1]", "$[?@.a]"] {
        assert!(!Path::compile(text).unwrap().is_singular(), "{text}");
    }
}
