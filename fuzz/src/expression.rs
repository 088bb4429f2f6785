//! Paths and conditions: the first line is the expression, the rest the document that it looks at. Nothing compiled
//! looks twice and sees two things, nothing selects more than it may, and two ways to ask the same agree.

use std::sync::LazyLock;

use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use serde_json::{Value, json};
use tidegate::condition::path::{Found, MOST_NODES, Path};
use tidegate::condition::{Condition, LONGEST};
use tidegate::map::json;

/// In bytes; a message may repeat the expression with each name of it in brackets and quotes.
const LONGEST_MESSAGE: usize = 8 * LONGEST;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (expression, document) = text.split_once('\n').unwrap_or((text, "{}"));
    let Ok(document) = json::parse(document.as_bytes()) else { return };
    are_ordered(&document);
    match Path::compile(expression) {
        Ok(path) => look(&path, expression, &document),
        Err(error) => is_message(&error.to_string()),
    }
    match Condition::compile(expression) {
        Ok(condition) => ask(&condition, expression, document),
        Err(error) => is_message(&error.to_string()),
    }
}

static ORDER: LazyLock<[Condition; 3]> = LazyLock::new(|| {
    ["@[0] < @[1]", "@[0] == @[1]", "@[0] > @[1]"].map(|text| Condition::compile(text).expect("a condition"))
});

/// Of two numbers one is less, or they are equal; what differs as doubles differs that way.
fn are_ordered(document: &Value) {
    let Some([Value::Number(left), Value::Number(right)]) = document.as_array().map(Vec::as_slice) else { return };
    let order = ORDER.each_ref().map(|condition| condition.holds(document, document));
    assert_eq!(order.iter().filter(|holds| **holds).count(), 1, "{left} {right}: {order:?}");
    let doubles = [left, right].map(|number| number.as_str().parse::<f64>().expect("a number"));
    assert!(doubles[0] >= doubles[1] || order[0], "{left} < {right}");
    assert!(doubles[0] <= doubles[1] || order[2], "{left} > {right}");
}

fn is_message(text: &str) {
    assert!((1..=LONGEST_MESSAGE).contains(&text.len()), "{text}");
}

fn look(path: &Path, text: &str, document: &Value) {
    assert!(path.as_str() == text && text.len() <= LONGEST);
    let found = path.find(document);
    assert_eq!(found, path.find(document));
    match &found {
        Ok(Found::One(_)) => assert!(path.is_singular()),
        Ok(Found::Many(nodes)) => assert!(!path.is_singular() && nodes.len() <= MOST_NODES),
        Ok(Found::Missing) | Err(_) => {}
    }
    // Filters are where the crate that parses is known to judge otherwise.
    if let (Ok(found), false) = (found, text.contains('?')) {
        assert_eq!(places(nodes(found)), places(nodes_by_crate(text, document)), "not what jsonpath-rust finds");
    }
}

fn nodes(found: Found<'_>) -> Vec<&Value> {
    match found {
        Found::Missing => Vec::new(),
        Found::One(node) => vec![node],
        Found::Many(nodes) => nodes,
    }
}

fn nodes_by_crate<'a>(text: &str, document: &'a Value) -> Vec<&'a Value> {
    let path = parse_json_path(text).expect("it was parsed before");
    let found = js_path_process(&path, document).unwrap_or_default();
    found.into_iter().map(|node| node.val).collect()
}

/// Where the nodes are in memory: the order of descendants is not the crate's.
fn places(nodes: Vec<&Value>) -> Vec<*const Value> {
    let mut places: Vec<_> = nodes.into_iter().map(std::ptr::from_ref).collect();
    places.sort_unstable();
    places
}

/// A condition holds for an item exactly if the path with that filter selects it.
fn ask(condition: &Condition, text: &str, item: Value) {
    assert!(condition.as_str() == text && text.len() <= LONGEST);
    let document = json!({ "items": [item] });
    let item = &document["items"][0];
    let holds = condition.holds(item, &document);
    assert_eq!(holds, condition.holds(item, &document));
    let path = format!("$.items[?{text}]");
    if path.len() <= LONGEST {
        let path = Path::compile(&path).expect("a condition that is taken is taken as a filter");
        let selected = path.find(&document).map(nodes);
        assert_eq!(selected, Ok(if holds { vec![item] } else { Vec::new() }));
    }
}
