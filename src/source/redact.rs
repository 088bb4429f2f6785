//! What of an event is not kept: `redact = ["$.card.number", "$..cvv", "header:X-Card"]`. Rules see all of a request; what
//! is stored of it has [`REDACTED`] in these places.

use std::collections::HashSet;
use std::sync::Arc;

use http::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Work;
use crate::condition::path::{Found, Path};
use crate::map::body::Format;
use crate::map::input::Input;

/// The most places that one source redacts.
pub const MOST_PLACES: usize = 50;
/// What stands in the place of what is not kept.
pub const REDACTED: &str = "[redacted]";

/// Checked places, as they were written and as they are looked for. Cheap to clone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Redaction(Arc<Places>);

#[derive(Debug, Default)]
struct Places {
    texts: Vec<String>,
    paths: Vec<Path>,
    headers: Vec<HeaderName>,
    parameters: Vec<String>,
}

/// What is to be stored of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Redacted {
    /// As it is: there is nothing in it that is redacted.
    Whole,
    Body(Vec<u8>),
    /// Nothing: it cannot be read, or too much of it would be redacted to be sure.
    Nothing,
}

impl Redaction {
    /// What is wrong, by place in the list from 0.
    pub fn check(texts: &[String]) -> Result<Self, Vec<(usize, String)>> {
        let mut places = Places { texts: texts.to_vec(), ..Places::default() };
        let mut wrong = Vec::new();
        for (place, text) in texts.iter().enumerate().take(MOST_PLACES + 1) {
            if let Err(detail) = places.add(text) {
                wrong.push((place, detail));
            }
        }
        if texts.len() > MOST_PLACES {
            wrong.push((MOST_PLACES, format!("a source redacts at most {MOST_PLACES} places; this is one more")));
        }
        if wrong.is_empty() { Ok(Self(Arc::new(places))) } else { Err(wrong) }
    }

    pub fn is_empty(&self) -> bool {
        self.0.texts.is_empty()
    }

    pub fn texts(&self) -> &[String] {
        &self.0.texts
    }

    pub fn is_header(&self, name: &str) -> bool {
        self.0.headers.iter().any(|known| known == name)
    }

    /// Names of parameters of the URL.
    pub fn parameters(&self) -> &[String] {
        &self.0.parameters
    }

    /// A body in its own format, with the text in the place of each node that is redacted. It is written anew, so that
    /// nothing but its meaning stays: spaces and the order of keys do not.
    pub fn body(&self, format: Option<Format>, body: &[u8]) -> Redacted {
        if self.0.paths.is_empty() {
            return Redacted::Whole;
        }
        let Some((format, document)) = format.and_then(|format| Some((format, format.read(body).ok()?))) else {
            return Redacted::Nothing;
        };
        let Some(hidden) = self.hidden(&document, &Work::of_event(body.len())) else { return Redacted::Nothing };
        if hidden.is_empty() {
            return Redacted::Whole;
        }
        format.write(&without(&document, &hidden), body).map_or(Redacted::Nothing, Redacted::Body)
    }

    /// The nodes, by where they lie; none when there are too many, or it would take too long to find them.
    fn hidden(&self, document: &Value, work: &Work) -> Option<HashSet<usize>> {
        let mut hidden = HashSet::new();
        for path in &self.0.paths {
            match path.find_within(document, work).ok()? {
                Found::Missing => {}
                Found::One(node) => drop(hidden.insert(place(node))),
                Found::Many(nodes) => hidden.extend(nodes.into_iter().map(place)),
            }
        }
        (!work.is_spent()).then_some(hidden)
    }
}

fn place(node: &Value) -> usize {
    std::ptr::from_ref(node).addr()
}

fn without(node: &Value, hidden: &HashSet<usize>) -> Value {
    if hidden.contains(&place(node)) {
        return Value::String(REDACTED.to_owned());
    }
    match node {
        Value::Array(items) => Value::Array(items.iter().map(|item| without(item, hidden)).collect()),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), without(member, hidden))).collect())
        }
        scalar => scalar.clone(),
    }
}

impl Places {
    fn add(&mut self, text: &str) -> Result<(), String> {
        match Input::check(text)? {
            Input::Path(path) if path.as_str().trim() == "$" => {
                Err("`$` is the whole payload; to store none of it, write keep = { payload = \"never\" }".to_owned())
            }
            Input::Path(path) => {
                self.paths.push(path);
                Ok(())
            }
            Input::Header(name) => {
                self.headers.push(name);
                Ok(())
            }
            Input::Query(name) => {
                self.parameters.push(name.into());
                Ok(())
            }
            Input::Root(_) | Input::Const(_) | Input::ReceivedAt => {
                Err(format!("`{text}` is no place of a request; name $.a.path, header:Name or query:name"))
            }
        }
    }
}

impl PartialEq for Redaction {
    fn eq(&self, other: &Self) -> bool {
        self.0.texts == other.0.texts
    }
}

impl TryFrom<Vec<String>> for Redaction {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        Self::check(&texts).map_err(|wrong| wrong.into_iter().map(|(_, detail)| detail).collect::<Vec<_>>().join("; "))
    }
}

impl From<Redaction> for Vec<String> {
    fn from(redaction: Redaction) -> Self {
        redaction.0.texts.clone()
    }
}

#[cfg(test)]
mod tests;
