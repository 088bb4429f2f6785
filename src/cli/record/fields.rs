//! Fields and filters as they are typed.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::cli::output::Failure;

#[derive(Args, Clone, Debug)]
pub struct FieldsArgs {
    /// NAME=TEXT, or NAME:=JSON
    #[arg(value_name = "FIELD", value_parser = field)]
    pub fields: Vec<(String, Value)>,

    /// A JSON object for custom_data
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub custom: Option<Map<String, Value>>,
}

impl FieldsArgs {
    /// As the gateway takes it.
    pub fn body(self) -> Result<Value, Failure> {
        if self.fields.is_empty() && self.custom.is_none() {
            return Err(Failure::Usage("give at least one FIELD=VALUE, or --custom".to_owned()));
        }
        let fields: Map<String, Value> = self.fields.into_iter().collect();
        Ok(json!({ "fields": fields, "customData": self.custom.unwrap_or_default() }))
    }
}

fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=TEXT or NAME:=JSON")?;
    match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value).map_err(|error| format!("{name}: not JSON: {error}"))?;
            Ok((name.to_owned(), value))
        }
        None => Ok((name.to_owned(), value.into())),
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("not a JSON object: {error}"))
}

/// `quantity[gte]=5` as a parameter of the API.
pub fn filter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected FIELD=VALUE or FIELD[OP]=VALUE")?;
    let name = match name.split_once('[') {
        Some((field, op)) => format!("filter[{field}][{op}"),
        None => format!("filter[{name}]"),
    };
    Ok((name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_what_is_asked() {
        assert_eq!(filter("quantity[gte]=5").unwrap(), ("filter[quantity][gte]".to_owned(), "5".to_owned()));
        assert_eq!(filter("state=a=b").unwrap(), ("filter[state]".to_owned(), "a=b".to_owned()));
        assert!(filter("state").is_err());
        assert_eq!(field("note=5").unwrap(), ("note".to_owned(), json!("5")));
        assert_eq!(field("note:=null").unwrap(), ("note".to_owned(), Value::Null));
        assert!(field("note:=x").is_err() && field("note").is_err());
    }
}
