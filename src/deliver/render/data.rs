//! The data that a named event declares: members in order, whose leaves are paths into the change or fixed texts.

use serde_json::Value;

use super::BadRendering;
use super::write::Node;
use crate::condition::path::{Found, Path};

/// In front of a text that is sent as it is.
const FIXED: &str = "const:";

/// Compiled.
#[derive(Clone, Debug)]
pub enum Data {
    Fixed(String),
    Path(Path),
    Table(Vec<(String, Data)>),
}

impl Data {
    /// Of `[[name, leaf or table], …]`. A leaf is `const:` and a text, or a singular path that begins with `@`, which
    /// is `{op, before, after, changes}`.
    pub fn compile(tree: &Value) -> Result<Self, BadRendering> {
        let bad = |what: String| BadRendering(format!("data: {what}"));
        match tree {
            Value::String(text) => match text.strip_prefix(FIXED) {
                Some(fixed) => Ok(Self::Fixed(fixed.to_owned())),
                None => path(text).map(Self::Path).ok_or_else(|| bad(format!("`{text}` is no singular path"))),
            },
            Value::Array(pairs) => {
                let mut table: Vec<(String, Self)> = Vec::with_capacity(pairs.len());
                for pair in pairs {
                    let [Value::String(name), inner] = pair.as_array().map_or(&[][..], Vec::as_slice) else {
                        return Err(bad("a member is a name and what it holds".to_owned()));
                    };
                    if table.iter().any(|(other, _)| other == name) {
                        return Err(bad(format!("`{name}` stands there twice")));
                    }
                    table.push((name.clone(), Self::compile(inner)?));
                }
                Ok(Self::Table(table))
            }
            _ => Err(bad("a leaf is a text".to_owned())),
        }
    }

    /// What it comes to for a change; what is missing is null.
    pub fn node<'a>(&'a self, change: &'a Value) -> Node<'a> {
        match self {
            Self::Fixed(text) => Node::Text(text.as_str().into()),
            Self::Path(path) => match path.find(change) {
                Ok(Found::One(value)) => Node::Value(value),
                _ => Node::Null,
            },
            Self::Table(members) => {
                Node::Object(members.iter().map(|(name, data)| (name.as_str(), data.node(change))).collect())
            }
        }
    }
}

fn path(text: &str) -> Option<Path> {
    let rest = text.strip_prefix('@')?;
    Path::compile(&format!("${rest}")).ok().filter(Path::is_singular)
}
