//! Ways through a TOML tree: from a span to the path of keys that leads there, and from a path to the node. Paths are
//! written as messages show them: `source[1].rule[2].to`, counted from 1.

use std::fmt::{self, Write};
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::record::definition::key_in_path;

pub type Node<'a> = Spanned<DeValue<'a>>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    /// Counted from 0.
    Item(usize),
}

/// The steps from the top of a document to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way(Vec<Step>);

impl Way {
    /// Reads what `Display` writes.
    pub fn parse(text: &str) -> Self {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (key, tail) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len())),
            };
            steps.push(Step::Key(key.to_owned()));
            rest = tail;
            while let Some((item, tail)) = rest.strip_prefix('[').and_then(|tail| tail.split_once(']')) {
                steps.extend(item.parse::<usize>().ok().and_then(|item| item.checked_sub(1)).map(Step::Item));
                rest = tail;
            }
            rest = rest.strip_prefix('.').unwrap_or(rest);
        }
        Self(steps)
    }

    /// The way to the key or value at or below this way that has this span; else to the innermost one around it.
    pub fn to_span(&self, root: &mut DeTable<'_>, span: &Range<usize>) -> Option<Self> {
        let mut nearest: Option<(usize, Self)> = None;
        let table = self.table(root)?;
        visit(table, &mut self.clone(), &mut |way, spans| {
            for found in spans {
                let around = found.start <= span.start && span.end <= found.end;
                if around && nearest.as_ref().is_none_or(|(length, _)| found.len() < *length) {
                    nearest = Some((found.len(), way.clone()));
                }
            }
        });
        nearest.map(|(_, way)| way)
    }

    /// The last key of the way, and the way to the table that holds it.
    pub fn split(&self) -> Option<(Self, &str)> {
        let at = self.0.iter().rposition(|step| matches!(step, Step::Key(_)))?;
        let Some(Step::Key(key)) = self.0.get(at) else { return None };
        Some((Self(self.0[..at].to_vec()), key))
    }

    /// The way to the item of the top-level list `key` that this way leads through.
    pub fn up_to_item(&self, key: &str) -> Option<Self> {
        match &self.0[..] {
            [Step::Key(first), Step::Item(item), ..] if first == key => Some(Self::default().key(key).item(*item)),
            _ => None,
        }
    }

    /// Whether the way ends at an item of a list.
    pub fn ends_in_item(&self) -> bool {
        matches!(self.0.last(), Some(Step::Item(_)))
    }

    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    #[must_use]
    pub fn item(&self, item: usize) -> Self {
        self.then(Step::Item(item))
    }

    fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Keys alone: what kind of place it is, whichever source or rule.
    pub fn keys(&self) -> Vec<&str> {
        fn key(step: &Step) -> Option<&str> {
            match step {
                Step::Key(key) => Some(key),
                Step::Item(_) => None,
            }
        }
        self.0.iter().filter_map(key).collect()
    }

    pub fn last_key(&self) -> &str {
        self.split().map_or("", |(_, key)| key)
    }

    pub fn starts_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    pub fn table<'t, 'a>(&self, root: &'t mut DeTable<'a>) -> Option<&'t mut DeTable<'a>> {
        if self.0.is_empty() {
            return Some(root);
        }
        match self.node(root)?.get_mut() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn node<'t, 'a>(&self, root: &'t mut DeTable<'a>) -> Option<&'t mut Node<'a>> {
        let (first, rest) = self.0.split_first()?;
        let Step::Key(key) = first else { return None };
        let mut node = root.get_mut(key.as_str())?;
        for step in rest {
            node = match (step, node.get_mut()) {
                (Step::Key(key), DeValue::Table(table)) => table.get_mut(key.as_str())?,
                (Step::Item(item), DeValue::Array(array)) => array.get_mut(*item)?,
                _ => return None,
            };
        }
        Some(node)
    }

    /// Where in the text the deepest step stands that is there.
    pub fn start(&self, root: &DeTable<'_>) -> Option<usize> {
        let mut table = Some(root);
        let mut array: Option<&DeArray<'_>> = None;
        let mut found = None;
        for step in &self.0 {
            let value = match step {
                Step::Key(key) => {
                    let Some((name, value)) = table.and_then(|table| table.get_key_value(key.as_str())) else { break };
                    found = Some(name.span().start);
                    value
                }
                Step::Item(item) => {
                    let Some(value) = array.and_then(|array| array.get(*item)) else { break };
                    found = Some(value.span().start);
                    value
                }
            };
            table = value.get_ref().as_table();
            array = value.get_ref().as_array();
        }
        found
    }
}

type Visit<'f> = dyn FnMut(&Way, [Range<usize>; 2]) + 'f;

fn visit(table: &DeTable<'_>, way: &mut Way, found: &mut Visit<'_>) {
    for (key, value) in table {
        way.0.push(Step::Key(key.get_ref().to_string()));
        found(way, [key.span(), value.span()]);
        visit_inside(value.get_ref(), way, found);
        way.0.pop();
    }
}

fn visit_inside(value: &DeValue<'_>, way: &mut Way, found: &mut Visit<'_>) {
    match value {
        DeValue::Table(table) => visit(table, way, found),
        DeValue::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                way.0.push(Step::Item(place));
                found(way, [item.span(), item.span()]);
                visit_inside(item.get_ref(), way, found);
                way.0.pop();
            }
        }
        _ => {}
    }
}

/// Gives a key another name, in its place among the others.
pub fn rename(table: &mut DeTable<'_>, from: &str, to: &str) {
    let entries = std::mem::take(table);
    for (mut key, value) in entries {
        if key.get_ref() == from {
            *key.get_mut() = to.to_owned().into();
        }
        table.insert(key, value);
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Item(item) => write!(f, "[{}]", item + 1)?,
                Step::Key(key) => {
                    if place > 0 {
                        f.write_char('.')?;
                    }
                    f.write_str(&key_in_path(key))?;
                }
            }
        }
        Ok(())
    }
}
