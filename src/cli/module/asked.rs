//! What is said of fields on the command line, as the API takes it.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::output::Failure;

#[derive(Args, Clone, Debug)]
pub struct NewFields {
    /// Its name for people [default: the slug]
    #[arg(long)]
    pub name: Option<String>,

    /// A field and its type, such as quantity=integer or state=status:open,closed
    #[arg(long = "field", value_name = "FIELD=TYPE", required = true)]
    pub fields: Vec<String>,

    /// A field that a new record needs
    #[arg(long, value_name = "FIELD")]
    pub require: Vec<String>,

    /// The fields that identify a record, such as --match sku or --match shop,number
    #[arg(long = "match", value_name = "FIELD", value_delimiter = ',', required = true)]
    pub matching: Vec<String>,
}

#[derive(Args, Clone, Debug)]
pub struct Changes {
    /// Its name for people
    #[arg(long)]
    pub name: Option<String>,

    /// A new field and its type, such as quantity=integer or state=status:open,closed
    #[arg(long, value_name = "FIELD=TYPE")]
    pub add: Vec<String>,

    /// Another name for a field
    #[arg(long, value_name = "FIELD=NAME")]
    pub rename: Vec<String>,

    /// A field to drop, with its values
    #[arg(long, value_name = "FIELD")]
    pub drop: Vec<String>,

    /// Another type for a field; every stored value is converted, or nothing is done
    #[arg(long = "type", value_name = "FIELD=TYPE")]
    pub kind: Vec<String>,

    /// All values that a status field can have
    #[arg(long, value_name = "FIELD=A,B,…")]
    pub values: Vec<String>,

    /// A field that a new record needs
    #[arg(long, value_name = "FIELD")]
    pub require: Vec<String>,

    /// A field that a new record does not need any more
    #[arg(long, value_name = "FIELD")]
    pub optional: Vec<String>,

    /// The fields that identify a record, such as --match sku or --match shop,number
    #[arg(long = "match", value_name = "FIELD", value_delimiter = ',')]
    pub matching: Vec<String>,
}

impl NewFields {
    pub fn body(&self, slug: &str) -> Result<Value, Failure> {
        let mut fields = Fields::default();
        for field in &self.fields {
            fields.kind(field)?;
        }
        self.require.iter().for_each(|field| fields.say(field, "required", json!(true)));
        Ok(json!({ "slug": slug, "name": self.name, "match": self.matching, "fields": fields.0 }))
    }
}

impl Changes {
    pub fn body(&self) -> Result<Value, Failure> {
        let mut fields = Fields::default();
        for field in self.add.iter().chain(&self.kind) {
            fields.kind(field)?;
        }
        for field in &self.rename {
            let (field, name) = pair(field)?;
            fields.say(field, "rename", json!(name));
        }
        for field in &self.values {
            let (field, values) = pair(field)?;
            fields.say(field, "values", listed(values));
        }
        self.require.iter().for_each(|field| fields.say(field, "required", json!(true)));
        self.optional.iter().for_each(|field| fields.say(field, "required", json!(false)));
        self.drop.iter().for_each(|field| drop(fields.0.insert(field.clone(), Value::Null)));
        let mut body = Map::new();
        if !fields.0.is_empty() {
            body.insert("fields".to_owned(), Value::Object(fields.0));
        }
        body.extend(self.name.as_ref().map(|name| ("name".to_owned(), json!(name))));
        if !self.matching.is_empty() {
            body.insert("match".to_owned(), json!(self.matching));
        }
        if body.is_empty() {
            return Err(Failure::Usage("say what is to be altered, such as --add quantity=integer".to_owned()));
        }
        Ok(Value::Object(body))
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn say(&mut self, field: &str, member: &str, value: Value) {
        let said = self.0.entry(field).or_insert_with(|| json!({}));
        if let Some(members) = said.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
    }

    fn kind(&mut self, text: &str) -> Result<(), Failure> {
        let (field, kind) = pair(text)?;
        let (kind, values) = kind.split_once(':').map_or((kind, None), |(kind, values)| (kind, Some(values)));
        self.say(field, "type", json!(kind));
        values.into_iter().for_each(|values| self.say(field, "values", listed(values)));
        Ok(())
    }
}

fn listed(values: &str) -> Value {
    values.split(',').map(str::trim).collect()
}

fn pair(text: &str) -> Result<(&str, &str), Failure> {
    let wanted = || Failure::Usage(format!("`{text}` is no pair; write FIELD=…, such as quantity=integer"));
    text.split_once('=').ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        changes: Changes,
    }

    fn body(line: &str) -> Result<Value, Failure> {
        Line::try_parse_from(line.split(' ')).unwrap().changes.body()
    }

    #[test]
    fn flags_are_what_the_api_takes() {
        let line = "alter --add quantity=integer --add state=status:open,closed --require sku --require quantity \
                    --rename a=b --type a=text --drop c --values s=x,y --optional s --match sku,shop --name N";
        let fields = json!({
            "quantity": { "type": "integer", "required": true }, "state": { "type": "status", "values": ["open", "closed"] },
            "sku": { "required": true }, "a": { "rename": "b", "type": "text" }, "c": null,
            "s": { "values": ["x", "y"], "required": false },
        });
        assert_eq!(body(line).unwrap(), json!({ "fields": fields, "match": ["sku", "shop"], "name": "N" }));
        assert!(matches!(body("alter"), Err(Failure::Usage(_))));
        assert!(matches!(body("alter --add quantity"), Err(Failure::Usage(_))));
    }
}
