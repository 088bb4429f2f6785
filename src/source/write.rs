//! A module as a file writes it, with its sources and their mappings: what applying the text would change nothing of.
//! Members are written as storage has them, so that one that is added to a module or a source is written, too; those
//! that a file says in another way stand here by name. Secrets are no part of it: their names are, where they have any.

mod toml;

use serde::Serialize;
use serde_json::Value;

use self::toml::{Member, inline, key, line, members, raw, tables, text};
use super::Settings;
use crate::map::mapping::RawMapping;
use crate::record::definition::{Definition, Fault, FieldDefinition};
use crate::record::event::EventDefinition;
use crate::verify::Scheme;
use crate::verify::raw::RawSignature;

pub use self::toml::Unwritable;

/// A source to be written.
pub struct Written<'a> {
    pub slug: &'a str,
    pub settings: &'a Settings,
    pub mapping: &'a RawMapping,
    pub secrets: Secrets,
}

/// Where the secrets of a source come from that have no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// There are none, or all are named.
    Named,
    Given,
    /// The sender's handshake brought it.
    Kept,
}

const GIVEN: &str = "# Its secrets were given over the API, and no file holds a secret. Where this is applied to the same gateway they stay;\n\
                     # elsewhere add secret = \"env:NAME\" to the signature.\n";
const KEPT: &str = "# Its secret was brought by the sender's handshake, and no file holds a secret. Where this is applied to the same\n\
                    # gateway it stays; elsewhere the sender brings another.\n";

/// The text of a file.
///
/// # Errors
/// Of what no file can say, each place.
pub fn file(slug: &str, definition: &Definition, sources: &[Written<'_>]) -> Result<String, Vec<Fault>> {
    let mut page = Page { tables: "source.".to_owned(), ..Page::default() };
    page.module(slug, definition);
    for (place, source) in sources.iter().enumerate() {
        page.at = format!("source[{}].", place + 1);
        page.source(source);
    }
    if page.faults.is_empty() { Ok(page.text.trim_end().to_owned() + "\n") } else { Err(page.faults) }
}

/// A mapping by itself: its keys, and `[[rule]]` tables.
///
/// # Errors
/// Of what no file can say, each place.
pub fn mapping(mapping: &RawMapping) -> Result<String, Vec<Fault>> {
    let mut page = Page::default();
    page.mapping(mapping);
    if page.faults.is_empty() { Ok(page.text.trim().to_owned() + "\n") } else { Err(page.faults) }
}

/// What of a mapping no file can say, by its own paths of keys.
pub fn unwritable(mapping: &RawMapping) -> Vec<Fault> {
    let mut page = Page::default();
    page.mapping(mapping);
    page.faults
}

/// As far as it is written.
#[derive(Default)]
struct Page {
    text: String,
    faults: Vec<Fault>,
    /// What stands before the paths of faults.
    at: String,
    /// What stands before the names of a source's tables.
    tables: String,
}

impl Page {
    fn module(&mut self, slug: &str, definition: &Definition) {
        self.text.push_str(&format!("[module]\nslug = {}\n", text(slug)));
        self.at = "module.".to_owned();
        // `keys` are made of the matches, `marks` of renamings; the rest has forms of its own.
        let apart = ["keys", "marks", "fields", "events"];
        let is_usual = |(name, value): &Member| {
            name == "name" && serde_json::from_str(value.get()).is_ok_and(|it: String| it == slug)
        };
        for member in self.members_of(definition).iter().filter(|(name, _)| !apart.contains(&name.as_str())) {
            if !is_usual(member) {
                self.line(member);
            }
        }
        self.fields(&definition.fields);
        definition.events.iter().enumerate().for_each(|(place, event)| self.event(place, event));
    }

    /// One below the other.
    fn fields(&mut self, fields: &[FieldDefinition]) {
        self.text.push_str("\n[module.fields]\n");
        let width = fields.iter().map(|field| field.name.as_str().len()).max().unwrap_or(0);
        for field in fields {
            let mut said = self.members_of(field);
            said.retain(|(member, _)| member != "name");
            let value = match &said[..] {
                [(_, kind)] => inline(kind),
                said => said.iter().map(|(name, value)| line(name, value)).collect::<Result<Vec<_>, _>>().map(braced),
            };
            let name = field.name.as_str();
            let value = self.fine(&format!("fields.{name}"), value);
            self.text.push_str(&format!("{name:width$} = {value}\n"));
        }
    }

    fn event(&mut self, place: usize, event: &EventDefinition) {
        self.text.push_str("\n[[module.event]]\n");
        let at = std::mem::replace(&mut self.at, format!("module.event[{}].", place + 1));
        for member in self.members_of(event).iter().filter(|(name, _)| name != "data") {
            self.line(member);
        }
        self.at = at;
        if let Some(data) = &event.data {
            self.text.push_str("\n[module.event.data]\n");
            for (name, node) in pairs(data) {
                self.text.push_str(&format!("{} = {}\n", key(name), of_data(node)));
            }
        }
    }

    fn source(&mut self, source: &Written<'_>) {
        self.text.push_str(&format!("\n[[source]]\nslug = {}\n", text(source.slug)));
        let mut said = self.members_of(source.settings);
        // Said by `signature`; and what is on is not said.
        said.retain(|(name, value)| name != "secret_names" && !(name == "enabled" && value.get() == "true"));
        let mut blocks = Vec::new();
        for (name, value) in said {
            match (name.as_str(), &source.settings.signature) {
                ("signature", Some(scheme)) => self.signature(scheme, source),
                _ => match tables(&value) {
                    Some(tables) => blocks.push((name, tables)),
                    None => self.line(&(name, value)),
                },
            }
        }
        self.mapping_keys(source.mapping);
        for (name, tables) in blocks {
            for (place, table) in tables.iter().enumerate() {
                self.block(&name, place, table);
            }
        }
        self.rules(source.mapping);
    }

    fn signature(&mut self, scheme: &Scheme, source: &Written<'_>) {
        self.text.push_str(match source.secrets {
            Secrets::Named => "",
            Secrets::Given => GIVEN,
            Secrets::Kept => KEPT,
        });
        let mut said = self.members_of(&plain(scheme));
        let names = match &source.settings.secret_names[..] {
            [] => None,
            [one] => Some(Value::from(one.as_str())),
            many => Some(many.into()),
        };
        said.extend(names.and_then(|names| Some(("secret".to_owned(), raw(&names).ok()?))));
        let said = said.iter().map(|(name, value)| line(name, value)).collect::<Result<Vec<_>, _>>();
        let value = self.fine("signature", said.map(braced));
        self.text.push_str(&format!("signature = {value}\n"));
    }

    fn mapping(&mut self, mapping: &RawMapping) {
        self.mapping_keys(mapping);
        self.rules(mapping);
    }

    fn mapping_keys(&mut self, mapping: &RawMapping) {
        let keys = RawMapping { rules: Vec::new(), ..mapping.clone() };
        self.members_of(&keys).iter().for_each(|member| self.line(member));
    }

    fn rules(&mut self, mapping: &RawMapping) {
        for (place, rule) in mapping.rules.iter().enumerate() {
            let members = self.members_of(rule);
            self.block("rule", place, &members);
        }
    }

    /// A table of a list of a source.
    fn block(&mut self, name: &str, place: usize, members: &[Member]) {
        self.text.push_str(&format!("\n[[{}{name}]]\n", self.tables));
        let at = std::mem::take(&mut self.at);
        self.at = format!("{at}{name}[{}].", place + 1);
        members.iter().for_each(|member| self.line(member));
        self.at = at;
    }

    fn line(&mut self, (name, value): &Member) {
        let value = self.fine(name, inline(value));
        self.text.push_str(&format!("{} = {value}\n", key(name)));
    }

    fn members_of(&mut self, document: &impl Serialize) -> Vec<Member> {
        members(document).unwrap_or_else(|why| {
            self.faults.push(Fault::new(self.at.trim_end_matches('.'), why.to_string()));
            Vec::new()
        })
    }

    fn fine(&mut self, name: &str, written: Result<String, Unwritable>) -> String {
        written.unwrap_or_else(|why| {
            self.faults.push(Fault::new(format!("{}{name}", self.at), why.to_string()));
            String::new()
        })
    }
}

fn braced(members: Vec<String>) -> String {
    format!("{{ {} }}", members.join(", "))
}

/// Without what would be understood anyway.
fn plain(scheme: &Scheme) -> RawSignature {
    let raw = scheme.raw();
    let less = RawSignature { encoding: None, ..raw.clone() };
    let is_same = Scheme::try_from(less.clone()).is_ok_and(|understood| understood == *scheme);
    if is_same { less } else { raw.clone() }
}

/// The data of an event is kept as a list of `[key, node]`, so that it stays in order.
fn pairs(data: &Value) -> impl Iterator<Item = (&str, &Value)> {
    data.as_array().into_iter().flatten().filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?)))
}

fn of_data(node: &Value) -> String {
    match node.as_str() {
        Some(leaf) => text(leaf),
        None => braced(pairs(node).map(|(name, node)| format!("{} = {}", key(name), of_data(node))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_file_can_say_is_told_by_its_place() {
        let mapping = serde_json::json!({ "rule": [
            { "from": "$.a", "to": "a" },
            { "from": "$.b", "to": "b", "transform": [{ "map": { "x": 1 }, "else": null }] },
            { "from": "$.c", "to": "c", "default": { "deep": [null] } },
        ] });
        let faults = unwritable(&serde_json::from_value(mapping).unwrap());
        let places: Vec<_> = faults.iter().map(|fault| fault.at.as_str()).collect();
        assert_eq!(places, ["rule[2].transform", "rule[3].default"]);
    }
}
