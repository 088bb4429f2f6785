//! What becomes of a module when it is altered: the definition that stands, the one that is wanted, and which field of
//! the one is which of the other. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definition::{Definition, FieldDefinition};
use super::field::FieldName;

/// From an old definition to a new one.
#[derive(Clone, Debug)]
pub struct Alteration {
    pub old: Definition,
    pub new: Definition,
    /// Fields that have another name from now on: from, to.
    pub renamed: Vec<(FieldName, FieldName)>,
}

impl Alteration {
    /// `new` is given the marks of the old one, and new marks where a new field has a name that another is known by.
    pub fn new(old: Definition, new: Definition, renamed: Vec<(FieldName, FieldName)>) -> Self {
        let mut alteration = Self { old, new, renamed };
        alteration.new.marks = alteration.marks();
        alteration
    }

    fn marks(&self) -> BTreeMap<FieldName, String> {
        let kept = |field: &FieldDefinition| {
            let before = self.before(&field.name)?;
            Some((field.name.clone(), self.old.mark(&before.name).to_owned()))
        };
        let mut marks = self.new.fields.iter().filter_map(kept).collect::<BTreeMap<_, _>>();
        for field in self.added() {
            let taken = |mark: &str| marks.values().any(|other| other == mark);
            // No name has such a sign in it.
            let others = (2..).map(|number| format!("{}#{number}", field.name));
            let mark = std::iter::once(field.name.to_string()).chain(others).find(|mark| !taken(mark));
            marks.extend(mark.map(|mark| (field.name.clone(), mark)));
        }
        marks.retain(|name, mark| name.as_str() != mark);
        marks
    }

    /// What a field of the new definition was; `None` when it is added.
    pub fn before(&self, name: &FieldName) -> Option<&FieldDefinition> {
        match self.renamed.iter().find(|(_, to)| to == name) {
            Some((from, _)) => self.old.field(from),
            None => self.old.field(name).filter(|_| self.is_not_renamed(name)),
        }
    }

    /// What a field of the old definition becomes; `None` when it is dropped.
    pub fn after(&self, name: &FieldName) -> Option<&FieldDefinition> {
        match self.renamed.iter().find(|(from, _)| from == name) {
            Some((_, to)) => self.new.field(to),
            // Another may have its name now.
            None => self.new.field(name).filter(|_| self.renamed.iter().all(|(_, to)| to != name)),
        }
    }

    fn is_not_renamed(&self, name: &FieldName) -> bool {
        self.renamed.iter().all(|(from, _)| from != name)
    }

    pub fn added(&self) -> impl Iterator<Item = &FieldDefinition> {
        self.new.fields.iter().filter(|field| self.before(&field.name).is_none())
    }

    pub fn dropped(&self) -> impl Iterator<Item = &FieldDefinition> {
        self.old.fields.iter().filter(|field| self.after(&field.name).is_none())
    }

    /// Fields that stay, as they were and as they will be.
    pub fn kept(&self) -> impl Iterator<Item = (&FieldDefinition, &FieldDefinition)> {
        self.new.fields.iter().filter_map(|field| Some((self.before(&field.name)?, field)))
    }

    /// Those that get another type.
    pub fn converted(&self) -> impl Iterator<Item = (&FieldDefinition, &FieldDefinition)> {
        self.kept().filter(|(before, after)| before.kind != after.kind)
    }

    pub fn is_converted(&self, name: &FieldName) -> bool {
        self.converted().any(|(_, after)| after.name == *name)
    }

    /// Keys of the new definition whose indexes stand: they were keys before, and hold the same values.
    pub fn is_kept_key(&self, key: &[FieldName]) -> bool {
        let was = key.iter().map(|name| self.before(name).map(|field| field.name.clone())).collect::<Option<Vec<_>>>();
        was.is_some_and(|was| self.old.keys.contains(&was)) && !key.iter().any(|name| self.is_converted(name))
    }

    /// Keys of the old definition that are still keys, under whatever names, of the same values.
    pub fn stays_key(&self, key: &[FieldName]) -> bool {
        let now = key.iter().map(|name| self.after(name).map(|field| field.name.clone())).collect::<Option<Vec<_>>>();
        now.is_some_and(|now| self.new.keys.contains(&now) && self.is_kept_key(&now))
    }

    /// What the log tells of it, so that a reader who keeps records of its own can follow; empty when nothing of what
    /// records are was altered. Only what moved is named.
    pub fn told(&self) -> Map<String, Value> {
        let mut told = Map::new();
        let mut tell = |name: &str, list: Vec<Value>| {
            if !list.is_empty() {
                told.insert(name.to_owned(), list.into());
            }
        };
        tell("added", self.added().map(|field| json!(field)).collect());
        tell("dropped", self.dropped().map(|field| json!(field.name)).collect());
        tell("renamed", self.renamed.iter().map(|(from, to)| json!({ "from": from, "to": to })).collect());
        let converted = self.converted();
        let converted = converted.map(|(was, is)| json!({ "field": is.name, "from": was.kind, "to": is.kind }));
        tell("converted", converted.collect());
        let required = self.kept().filter(|(was, is)| was.required != is.required);
        tell("required", required.map(|(_, is)| json!({ "field": is.name, "to": is.required })).collect());
        let values = self.kept().filter(|(was, is)| was.values != is.values);
        tell("values", values.map(|(_, is)| json!({ "field": is.name, "to": is.values })).collect());
        let matching = self.old.matching.iter().map(|name| self.after(name).map(|field| &field.name));
        if !matching.eq(self.new.matching.iter().map(Some)) {
            told.insert("match".to_owned(), json!({ "from": self.old.matching, "to": self.new.matching }));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> FieldName {
        FieldName::parse(text).unwrap()
    }

    fn definition(fields: &[(&str, &str)]) -> Definition {
        let field = |(name_of, kind): &(&str, &str)| FieldDefinition {
            name: name(name_of),
            kind: (*kind).to_owned(),
            required: false,
            values: Vec::new(),
        };
        let fields = fields.iter().map(field).collect::<Vec<_>>();
        let first = vec![fields[0].name.clone()];
        let (matching, keys) = (first.clone(), vec![first]);
        Definition { name: "M".to_owned(), matching, fields, keys, events: Vec::new(), marks: BTreeMap::new() }
    }

    fn alteration(old: &[(&str, &str)], new: &[(&str, &str)], renamed: &[(&str, &str)]) -> Alteration {
        let renamed = renamed.iter().map(|(from, to)| (name(from), name(to))).collect();
        Alteration::new(definition(old), definition(new), renamed)
    }

    #[test]
    fn each_field_is_found_again() {
        let old = [("sku", "text"), ("qty", "text"), ("old", "date"), ("was", "text")];
        let new = [("code", "text"), ("qty", "integer"), ("old", "text"), ("new", "json")];
        let altered = alteration(&old, &new, &[("sku", "code"), ("was", "old")]);
        let told = json!({
            "added": [{ "name": "new", "type": "json" }],
            "dropped": ["old"],
            "renamed": [{ "from": "sku", "to": "code" }, { "from": "was", "to": "old" }],
            "converted": [{ "field": "qty", "from": "text", "to": "integer" }],
        });
        assert_eq!(Value::Object(altered.told()), told);
        assert!(altered.is_kept_key(&[name("code")]) && altered.stays_key(&[name("sku")]));
        assert!(!altered.is_kept_key(&[name("qty")]));
        assert!(alteration(&old, &old, &[]).told().is_empty());
    }

    #[test]
    fn a_key_of_converted_values_is_another() {
        let altered = alteration(&[("sku", "text")], &[("sku", "integer")], &[]);
        assert!(!altered.is_kept_key(&[name("sku")]) && !altered.stays_key(&[name("sku")]));
    }

    #[test]
    fn what_was_renamed_is_known_as_before_and_what_has_its_name_is_not() {
        let once = alteration(&[("a", "text")], &[("b", "text")], &[("a", "b")]);
        assert_eq!(once.new.mark(&name("b")), "a");
        let twice = Alteration::new(once.new.clone(), definition(&[("b", "text"), ("a", "text")]), Vec::new());
        let marks = [name("b"), name("a")].map(|field| twice.new.mark(&field).to_owned());
        assert_eq!(marks, ["a", "a#2"]);
        let back =
            alteration(&[("a", "text"), ("b", "text")], &[("b", "text"), ("a", "text")], &[("a", "b"), ("b", "a")]);
        assert_eq!([name("b"), name("a")].map(|field| back.new.mark(&field).to_owned()), ["a", "b"]);
    }
}
