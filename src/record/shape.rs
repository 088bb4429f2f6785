//! A module's shape: its fields in order, and what identifies a record. Its number moves with every change of it.

use super::change::CUSTOM;
use super::event::NamedEvent;
use super::field::{Field, FieldName, ModuleSlug};
use crate::id::ModuleId;

/// The most fields that a module may have.
pub const MOST_FIELDS: usize = 200;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    pub module: ModuleId,
    pub slug: ModuleSlug,
    pub name: String,
    /// Starts at 1; every altered shape has the next number.
    pub number: i64,
    pub fields: Vec<Field>,
    /// Places in `fields` of the fields that identify a record, unless a source says otherwise.
    pub matching: Vec<usize>,
    /// That the module names, in its file's order. The number does not move with them.
    pub events: Vec<NamedEvent>,
}

/// The name of a module's table, unquoted.
pub fn table_of(slug: &ModuleSlug) -> String {
    format!("m_{}", slug.as_str().replace('-', "_"))
}

impl Shape {
    /// What its module was, with the events that it names now: what was logged is told by these, too. Where one speaks of
    /// a field that has come since, or has another name since, it is what it was.
    pub fn told_by(&self, now: &Self) -> Self {
        let is_known = |name: &str| name == CUSTOM || self.place(name).is_some();
        let then = |event: &NamedEvent| self.events.iter().find(|then| then.name == event.name);
        let told = |event: &NamedEvent| match then(event) {
            Some(then) if !event.speaks_only_of(&is_known) => then.clone(),
            _ => event.clone(),
        };
        Self { events: now.events.iter().map(told).collect(), ..self.clone() }
    }

    pub fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.as_str() == name)
    }

    /// The name of the module's table, unquoted.
    pub fn table(&self) -> String {
        table_of(&self.slug)
    }

    pub fn names<'a>(&'a self, places: &'a [usize]) -> impl Iterator<Item = &'a FieldName> {
        places.iter().filter_map(|place| self.fields.get(*place)).map(|field| &field.name)
    }
}
