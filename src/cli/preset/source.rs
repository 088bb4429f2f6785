//! A preset as a source of a module file: by its name, and as all that the name stands for.

use serde::Serialize;
use toml::{Table, Value};

use crate::verify::Scheme;
use crate::verify::handshake::Handshake;
use crate::verify::preset::Preset;

/// A source to begin with.
pub fn by_preset(preset: &Preset) -> String {
    let name = &preset.name;
    if brings_its_secret(preset) {
        return format!("[[source]]\nslug = \"{name}\"\nsignature = {{ preset = \"{name}\" }}");
    }
    format!("[[source]]\nslug = \"{name}\"\nsignature = {{ preset = \"{name}\", secret = \"env:{}\" }}", variable(name))
}

/// By a handshake.
fn brings_its_secret(preset: &Preset) -> bool {
    preset.handshakes.iter().any(Handshake::keeps)
}

/// The source without the preset. None where only a preset may say what it says.
pub fn described(preset: &Preset) -> Option<String> {
    let scheme = preset.scheme.as_ref().ok().filter(|scheme| !scheme.raw().fields_only)?;
    let mut source = Table::new();
    source.insert("slug".to_owned(), preset.name.clone().into());
    let text = |text: &Option<String>| text.clone().map(Value::from);
    let response = preset.response.as_ref().and_then(value);
    let occurred_at = preset.occurred_at.as_ref().and_then(value);
    for (key, value) in [
        ("event_type", text(&preset.event_type)),
        ("event_id", text(&preset.event_id)),
        ("occurred_at", occurred_at),
        ("response", response),
    ] {
        source.extend(value.map(|value| (key.to_owned(), value)));
    }
    let mut sections = vec![section("[[source]]", &source), section("[source.signature]", &signature(preset, scheme)?)];
    for handshake in &preset.handshakes {
        let Some(Value::Table(table)) = value(&handshake.raw) else { return None };
        sections.push(section("[[source.handshake]]", &table));
    }
    Some(sections.join("\n\n"))
}

/// Without what goes without saying.
fn signature(preset: &Preset, scheme: &Scheme) -> Option<Table> {
    let Some(Value::Table(mut table)) = value(scheme) else { return None };
    if let Some(Value::Table(timestamp)) = table.get_mut("timestamp") {
        timestamp.retain(|key, value| {
            !(key == "unit" && value.as_str() == Some("s") || key == "enforced" && value.as_bool() == Some(true))
        });
    }
    if !brings_its_secret(preset) {
        table.insert("secret".to_owned(), format!("env:{}", variable(&preset.name)).into());
    }
    Some(table)
}

fn value(of: &impl Serialize) -> Option<Value> {
    Value::try_from(of).ok()
}

fn section(head: &str, keys: &Table) -> String {
    let lines = keys.iter().map(|(key, value)| format!("\n{key} = {}", written(value)));
    head.to_owned() + &lines.collect::<String>()
}

/// A long list stands on several lines.
fn written(value: &Value) -> String {
    const LONGEST: usize = 100;
    match value {
        Value::Array(items) if value.to_string().len() > LONGEST => {
            let lines = items.iter().map(|item| format!("    {item},\n"));
            format!("[\n{}]", lines.collect::<String>())
        }
        _ => value.to_string(),
    }
}

/// The environment variable that a secret would be put into.
fn variable(name: &str) -> String {
    let name: String = name.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }).collect();
    format!("{}_SECRET", name.to_uppercase())
}
