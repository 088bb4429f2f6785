//! Values of TOML that JSON has not, in `default` and `map`: dates become the texts that they are written as, and a
//! number whose text a double would change is asked for as a text: digits would be lost, or 1.50 become 1.5.

use toml::de::{DeTable, DeValue};

use super::read::Notes;
use super::tree::{Node, Way};

pub fn made_plain(tree: &mut DeTable<'_>, notes: &mut Notes<'_>) {
    table(tree, &Way::default(), notes);
}

fn table(inner: &mut DeTable<'_>, way: &Way, notes: &mut Notes<'_>) {
    for (key, node) in inner.iter_mut() {
        value(node, &way.key(key.get_ref()), notes);
    }
}

fn value(node: &mut Node<'_>, way: &Way, notes: &mut Notes<'_>) {
    let start = node.span().start;
    match node.get_mut() {
        DeValue::Table(inner) => table(inner, way, notes),
        DeValue::Array(items) => {
            for (place, item) in items.iter_mut().enumerate() {
                value(item, &way.item(place), notes);
            }
        }
        DeValue::Float(number) if !is_kept(number.as_str()) => {
            let detail = "the number would lose digits, or is none; write it in quotes, as a text";
            notes.damaged(way, start, detail);
            *node.get_mut() = DeValue::Boolean(false);
        }
        other => {
            if let DeValue::Datetime(date) = other {
                *other = DeValue::String(date.to_string().into());
            }
        }
    }
}

/// Whether the number is shown again as it is written: `1.50` and `1e3` would be 1.5 and 1000.0. The parser takes away
/// underscores, which are not part of a number.
fn is_kept(text: &str) -> bool {
    let held = text.parse().ok().and_then(serde_json::Number::from_f64);
    held.is_some_and(|held| held.to_string() == text)
}
