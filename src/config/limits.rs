//! The bounds as an operator writes them: `--limit NAME=VALUE`, `TIDEGATE_LIMIT_NAME`, `[limits]` of the file. Each
//! is set by the strongest place that names it; the others keep what the weaker ones or the table say.

use std::collections::HashMap;

use serde::Deserialize;
use strsim::damerau_levenshtein;
use toml::Spanned;

use super::bounds::{Bounds, LIMITS, Limit};
use super::raw::{Environment, Layers};

const VARIABLE: &str = "TIDEGATE_LIMIT_";
/// Names that differ by more are not what was meant.
const FARTHEST_SLIP: usize = 4;

/// A bound as it was written.
struct Written {
    name: String,
    value: String,
    place: String,
}

/// Those of the table, changed as the operator says.
pub(super) fn bounds(layers: &Layers, environment: &Environment, problems: &mut Vec<String>) -> Bounds {
    let mut bounds = Bounds::default();
    let mut places = HashMap::new();
    let mut written = in_file(layers, problems);
    written.extend(in_environment(environment, problems));
    written.extend(in_flags(layers, problems));
    for Written { name, value, place } in written {
        let limit = Limit::find(&name).ok_or_else(|| unknown(&name));
        match limit.and_then(|limit| Ok((limit, limit.read(&value)?))) {
            Ok((limit, number)) => {
                (limit.set)(&mut bounds, number);
                places.insert(limit.name, place);
            }
            Err(why) => problems.push(format!("{place}: {why}")),
        }
    }
    for (smaller, larger, why) in ORDERED {
        problems.extend(contradiction(&bounds, &places, (smaller, larger), why));
    }
    bounds
}

/// Pairs of which the first cannot be above the second.
const ORDERED: [(&str, &str, &str); 2] = [
    ("max_body", "max_body_ceiling", "which is the most that any source takes"),
    ("max_body_ceiling", "bodies_bytes", "so a body of that size would never be taken"),
];

fn contradiction(
    bounds: &Bounds,
    places: &HashMap<&str, String>,
    (smaller, larger): (&str, &str),
    why: &str,
) -> Option<String> {
    let (smaller, larger) = (Limit::find(smaller)?, Limit::find(larger)?);
    let (low, high) = ((smaller.get)(bounds), (larger.get)(bounds));
    if low <= high {
        return None;
    }
    // One of the two was written: the table contradicts itself nowhere.
    let place = places.get(smaller.name).or_else(|| places.get(larger.name)).map_or("limits", String::as_str);
    let shown = |limit: &Limit, number| format!("{} is {}", limit.name, limit.unit.show(number));
    Some(format!("{place}: {} and {}, {why}", shown(smaller, low), shown(larger, high)))
}

fn unknown(name: &str) -> String {
    let plain = name.to_lowercase().replace('-', "_");
    let distance = |limit: &Limit| damerau_levenshtein(&plain, limit.name);
    let nearest = LIMITS.iter().min_by_key(|limit| distance(limit));
    let nearest = nearest.filter(|limit| distance(limit) <= FARTHEST_SLIP);
    let meant = nearest.map_or_else(|| ".".to_owned(), |limit| format!("; did you mean `{}`?", limit.name));
    let all = LIMITS.iter().map(|limit| limit.name).collect::<Vec<_>>().join(", ");
    format!("there is no limit `{name}`{meant} There are: {all}")
}

fn in_file(layers: &Layers, problems: &mut Vec<String>) -> Vec<Written> {
    let mut written = Vec::new();
    for (name, value) in &layers.file.limits {
        let place = layers.places.get(&format!("limits.{name}")).cloned().unwrap_or_default();
        let value = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            other => {
                problems.push(format!("{place}: expected a number or a text, found {}", other.type_str()));
                continue;
            }
        };
        written.push(Written { name: name.clone(), value, place });
    }
    written
}

fn in_environment(environment: &Environment, problems: &mut Vec<String>) -> Vec<Written> {
    let mut written = Vec::new();
    for name in environment.variables.keys().filter_map(|name| name.to_str()) {
        let Some(limit) = name.strip_prefix(VARIABLE) else { continue };
        let value = environment.text(name, problems);
        written.extend(value.map(|value| Written { name: limit.to_lowercase(), value, place: name.to_owned() }));
    }
    written
}

fn in_flags(layers: &Layers, problems: &mut Vec<String>) -> Vec<Written> {
    let mut written = Vec::new();
    for text in &layers.flags.limit {
        match text.split_once('=') {
            Some((name, value)) => {
                let (name, value) = (name.trim().to_owned(), value.to_owned());
                written.push(Written { place: format!("--limit {name}"), name, value });
            }
            None => problems.push(format!("--limit: `{text}` is not NAME=VALUE, such as connections=10000")),
        }
    }
    written
}

/// Where each key below `[limits]` stands: `limits.key` → `tidegate.toml:3: limits.key`.
pub(super) fn places(path: &str, text: &str) -> HashMap<String, String> {
    #[derive(Deserialize, Default)]
    struct File {
        #[serde(default)]
        limits: HashMap<Spanned<String>, toml::Value>,
    }
    // A file that cannot be read as this has been told of already.
    let file: File = toml::from_str(text).unwrap_or_default();
    let place = |key: &Spanned<String>| {
        let line = 1 + text[..key.span().start].matches('\n').count();
        let name = format!("limits.{}", key.get_ref());
        (name.clone(), format!("{path}:{line}: {name}"))
    };
    file.limits.keys().map(place).collect()
}
