//! `fields` of a request: what is added, changed, renamed and dropped, beside what stays. Every fault at once.

use serde_json::Value;

use super::Members;
use crate::record::definition::{Definition, Fault, FieldDefinition, RawField, key_in_path, no_field};
use crate::record::field::FieldName;
use crate::record::nearest::{did_you_mean, nearest};
use crate::record::shape::MOST_FIELDS;

const MEMBERS: [&str; 4] = ["type", "required", "values", "rename"];
const FORMS: &str =
    "a field is a type such as \"integer\", or an object such as {\"type\": \"text\", \"required\": true}";

/// The fields as they are wanted.
#[derive(Debug, Default)]
pub struct Fields {
    pub all: Vec<FieldDefinition>,
    /// From, to.
    pub renamed: Vec<(FieldName, FieldName)>,
    pub dropped: Vec<FieldName>,
    pub faults: Vec<Fault>,
}

/// What is said of one field.
#[derive(Default)]
struct Said {
    kind: Option<String>,
    required: Option<bool>,
    values: Option<Vec<String>>,
    rename: Option<String>,
}

impl Fields {
    /// `standing` is what the module is; `None` of a new one.
    pub fn read(standing: Option<&Definition>, asked: &Members) -> Self {
        let old = standing.map(|definition| &definition.fields[..]).unwrap_or_default();
        let mut fields = Self::default();
        let asked = match asked.get("fields") {
            None | Some(Value::Null) => Members::new(),
            Some(Value::Object(asked)) => asked.clone(),
            Some(_) => {
                fields.fault("fields", format!("is an object of fields; {FORMS}"));
                Members::new()
            }
        };
        for field in old {
            match asked.get(field.name.as_str()) {
                None => fields.all.push(field.clone()),
                Some(Value::Null) => fields.dropped.push(field.name.clone()),
                Some(value) => fields.change(field, value),
            }
        }
        for (name, value) in asked.iter().filter(|(name, _)| !old.iter().any(|field| field.name.as_str() == *name)) {
            fields.add(name, value, old);
        }
        fields.check_names();
        fields
    }

    fn fault(&mut self, at: impl Into<String>, detail: impl Into<String>) {
        self.faults.push(Fault::new(at, detail));
    }

    fn change(&mut self, field: &FieldDefinition, value: &Value) {
        let at = format!("fields.{}", field.name);
        let Some(said) = self.said(&at, value) else {
            self.all.push(field.clone());
            return;
        };
        let kind = said.kind.unwrap_or_else(|| field.kind.clone());
        let values = said.values.or_else(|| (kind == field.kind).then(|| field.values.clone()));
        let raw = RawField { kind, required: said.required.unwrap_or(field.required), values };
        let name = match said.rename.as_deref().map(FieldName::parse) {
            Some(Ok(name)) => name,
            Some(Err(bad)) => {
                self.fault(format!("{at}.rename"), bad.to_string());
                field.name.clone()
            }
            None => field.name.clone(),
        };
        if name != field.name {
            self.renamed.push((field.name.clone(), name.clone()));
        }
        self.push(&at, name, &raw);
    }

    fn add(&mut self, name: &str, value: &Value, old: &[FieldDefinition]) {
        let at = format!("fields.{}", key_in_path(name));
        let is_meant_to_be = |value: &Value| match value {
            Value::Object(members) => members.contains_key("type") && !members.contains_key("rename"),
            value => !value.is_null(),
        };
        if !is_meant_to_be(value) && !old.is_empty() {
            let names = old.iter().map(|field| field.name.as_str());
            self.fault(at, format!("{}; to add a field, give its `type`", no_field(name, names)));
            return;
        }
        let Some(said) = self.said(&at, value) else { return };
        let raw = RawField {
            kind: said.kind.unwrap_or_default(),
            required: said.required.unwrap_or_default(),
            values: said.values,
        };
        match FieldName::parse(name) {
            Ok(name) => self.push(&at, name, &raw),
            Err(bad) => self.fault(at, bad.to_string()),
        }
    }

    fn push(&mut self, at: &str, name: FieldName, raw: &RawField) {
        let (definition, detail) = raw.definition(name);
        self.all.push(definition);
        self.faults.extend(detail.map(|detail| Fault::new(at, detail)));
    }

    /// Each member by itself, so that one fault does not hide another.
    fn said(&mut self, at: &str, value: &Value) -> Option<Said> {
        let members = match value {
            Value::String(kind) => return Some(Said { kind: Some(kind.clone()), ..Said::default() }),
            Value::Object(members) => members,
            _ => {
                self.fault(at, format!("{FORMS}; null drops it"));
                return None;
            }
        };
        let mut said = Said::default();
        for (name, value) in members {
            let at = format!("{at}.{}", key_in_path(name));
            match (name.as_str(), value) {
                ("type", Value::String(kind)) => said.kind = Some(kind.clone()),
                ("required", Value::Bool(required)) => said.required = Some(*required),
                ("required", Value::Null) => said.required = Some(false),
                ("values", Value::Null) => said.values = Some(Vec::new()),
                ("values", value) => match serde_json::from_value(value.clone()) {
                    Ok(values) => said.values = Some(values),
                    Err(_) => self.fault(at, "is a list of texts"),
                },
                ("rename", Value::String(to)) => said.rename = Some(to.clone()),
                ("rename", Value::Null) => {}
                ("type" | "rename", _) => self.fault(at, "is a text"),
                ("required", _) => self.fault(at, "is true or false"),
                (other, _) => {
                    let hint = did_you_mean(nearest(other, MEMBERS), |name| format!("`{name}`"));
                    self.fault(at, format!("a field has no such member{hint}"));
                }
            }
        }
        Some(said)
    }

    fn check_names(&mut self) {
        let twice = |place: &usize| self.all[..*place].iter().any(|other| other.name == self.all[*place].name);
        let twice = (0..self.all.len()).filter(twice).map(|place| self.all[place].name.clone()).collect::<Vec<_>>();
        for name in twice {
            let from = self.renamed.iter().find(|(_, to)| *to == name).map(|(from, _)| format!("{from}.rename"));
            let at = format!("fields.{}", from.unwrap_or_else(|| name.to_string()));
            self.fault(at, format!("another field has the name `{name}`; choose one that is free"));
        }
        match self.all.len() {
            0 if self.faults.is_empty() => self.fault("fields", "a module has at least one field"),
            count if count > MOST_FIELDS => {
                self.fault("fields", format!("a module has at most {MOST_FIELDS} fields, this one {count}"));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn standing() -> Definition {
        let fields = json!([
            { "name": "sku", "type": "text", "required": true }, { "name": "qty", "type": "text" },
            { "name": "state", "type": "status", "values": ["open"] },
        ]);
        let definition = json!({ "name": "M", "match": ["sku"], "fields": fields, "keys": [["sku"]] });
        serde_json::from_value(definition).unwrap()
    }

    fn read(asked: Value) -> Fields {
        Fields::read(Some(&standing()), json!({ "fields": asked }).as_object().unwrap())
    }

    #[test]
    fn what_is_not_named_stays() {
        let fields = read(json!({
            "qty": { "rename": "quantity", "type": "integer" }, "state": null, "note": "text", "sku": { "required": null },
        }));
        assert_eq!(fields.faults, []);
        let all: Vec<_> =
            fields.all.iter().map(|field| (field.name.as_str(), field.kind.as_str(), field.required)).collect();
        assert_eq!(all, [("sku", "text", false), ("quantity", "integer", false), ("note", "text", false)]);
        assert_eq!(fields.dropped, [FieldName::parse("state").unwrap()]);
        assert_eq!(fields.renamed.len(), 1);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let fields = read(json!({
            "sku": { "rename": "Sku", "requird": true }, "qty": "int", "stat": null, "state": { "values": "x", "required": 1 },
            "note": { "required": true }, "x-y": "text", "list": [], "b": { "type": "text", "rename": "c" },
        }));
        let told: Vec<_> = fields.faults.iter().map(|fault| fault.at.as_str()).collect();
        let wanted = [
            "fields.sku.requird",
            "fields.sku.rename",
            "fields.qty",
            "fields.state.required",
            "fields.state.values",
            "fields.b",
            "fields.list",
            "fields.note",
            "fields.stat",
            "fields.x-y",
        ];
        assert_eq!(told, wanted, "{:#?}", fields.faults);
        assert!(fields.faults[8].detail.contains("did you mean `state`?"), "{:?}", fields.faults[8]);
    }

    #[test]
    fn names_are_free_when_their_fields_go() {
        assert_eq!(read(json!({ "qty": { "rename": "state" }, "state": { "rename": "qty" } })).faults, []);
        assert_eq!(read(json!({ "qty": { "rename": "state" }, "state": null })).faults, []);
        let taken = read(json!({ "qty": { "rename": "state" } })).faults;
        assert_eq!(taken[0].at, "fields.qty.rename");
        assert_eq!(read(json!({ "qty": { "rename": "note" }, "note": "text" })).faults[0].at, "fields.qty.rename");
    }
}
