//! Where in a document a node stands. Rules find nodes and build no text of where they are; a preview looks that up here,
//! by the node's address, for the few that it shows.

use std::collections::HashMap;
use std::fmt::Write;

use serde_json::Value;

/// Of the text of a place, in bytes; a key may be as long as the payload.
const LONGEST: usize = 1_000;

#[derive(Debug, Default)]
pub struct Whereabouts(HashMap<usize, (usize, Step)>);

#[derive(Debug)]
enum Step {
    Top,
    Key(Box<str>),
    Item(usize),
}

impl Whereabouts {
    pub fn of(document: &Value) -> Self {
        let mut places = HashMap::new();
        places.insert(address(document), (0, Step::Top));
        // Bodies are at most 100 levels deep; a list of what is left to do needs no such promise.
        let mut left = vec![document];
        while let Some(node) = left.pop() {
            let within = address(node);
            match node {
                Value::Array(items) => {
                    for (place, item) in items.iter().enumerate() {
                        places.insert(address(item), (within, Step::Item(place)));
                        left.push(item);
                    }
                }
                Value::Object(members) => {
                    for (key, member) in members {
                        let key = key.chars().take(LONGEST).collect::<String>();
                        places.insert(address(member), (within, Step::Key(key.into())));
                        left.push(member);
                    }
                }
                _ => {}
            }
        }
        Self(places)
    }

    /// As a path of RFC 9535 that finds this node alone; `None` for what is no part of the document.
    pub fn path(&self, node: &Value) -> Option<String> {
        let mut steps = Vec::new();
        let mut at = address(node);
        loop {
            match self.0.get(&at)? {
                (_, Step::Top) => break,
                (within, step) => {
                    steps.push(step);
                    at = *within;
                }
            }
        }
        let mut path = "$".to_owned();
        for step in steps.into_iter().rev() {
            // Writing into a String cannot fail.
            let _ = match step {
                Step::Key(key) if is_plain(key) => write!(path, ".{key}"),
                Step::Key(key) => write!(path, "['{}']", key.replace('\\', "\\\\").replace('\'', "\\'")),
                Step::Item(place) => write!(path, "[{place}]"),
                Step::Top => Ok(()),
            };
            if path.len() > LONGEST {
                let end = path.floor_char_boundary(LONGEST);
                return Some(format!("{}…", &path[..end]));
            }
        }
        Some(path)
    }
}

fn address(node: &Value) -> usize {
    std::ptr::from_ref(node).addr()
}

/// A name that a path may have behind a dot.
fn is_plain(key: &str) -> bool {
    let is_start = |char: char| char.is_ascii_alphabetic() || char == '_';
    key.starts_with(is_start) && key.chars().all(|char| is_start(char) || char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::condition::path::{Found, Path};

    #[test]
    fn a_path_finds_its_node_again() {
        let document = json!({ "a": { "b c": [1, { "it's \\ \"it\"": null }] }, "d": [[]], "1": true, "é": "x" });
        let places = Whereabouts::of(&document);
        let nodes = Path::compile("$..*").unwrap();
        let Ok(Found::Many(nodes)) = nodes.find(&document) else { panic!("it finds all") };
        assert_eq!(nodes.len(), 9);
        for node in nodes {
            let path = places.path(node).unwrap();
            let Ok(Found::One(found)) = Path::compile(&path).unwrap().find(&document) else { panic!("{path}") };
            assert!(std::ptr::eq(found, node), "{path}");
        }
        assert_eq!(places.path(&document["a"]["b c"][1]), Some("$.a['b c'][1]".to_owned()));
        assert_eq!(places.path(&json!(1)), None);
    }
}
