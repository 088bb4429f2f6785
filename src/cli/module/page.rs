//! Modules as people read them.

use serde_json::Value;

use crate::cli::preset::table;

pub fn list(all: &Value) -> String {
    let modules = items(all, "data");
    if modules.is_empty() {
        return "there are no modules".to_owned();
    }
    let head = ["SLUG", "NAME", "FIELDS", "MATCH", "VERSION"].map(str::to_owned);
    let row = |module: &Value| {
        let fields = items(module, "fields").len().to_string();
        [text(module, "slug"), text(module, "name"), fields, joined(module, "match"), text(module, "version")]
    };
    table(&std::iter::once(head).chain(modules.iter().map(row)).collect::<Vec<_>>())
}

pub fn module(module: &Value) -> String {
    let head = ["slug", "name", "match", "version", "shape", "createdAt", "updatedAt"];
    let line = |name: &str| [name.to_owned(), if name == "match" { joined(module, name) } else { text(module, name) }];
    let mut parts = vec![table(&head.map(line))];
    let field = |field: &Value| {
        let required = field.get("required").and_then(Value::as_bool).unwrap_or_default();
        let required = if required { "required" } else { "" };
        [text(field, "name"), text(field, "type"), required.to_owned(), joined(field, "values")]
    };
    parts.push(table(&items(module, "fields").iter().map(field).collect::<Vec<_>>()));
    let events = items(module, "events").iter().map(|event| [text(event, "name"), text(event, "when")]);
    let events = events.collect::<Vec<_>>();
    if !events.is_empty() {
        parts.push(table(&events));
    }
    parts.join("\n\n")
}

pub fn trial(would: &Value) -> String {
    let does = would.get("does").and_then(Value::as_object).into_iter().flatten();
    let mut lines = does.map(|(what, list)| format!("{what}: {list}")).collect::<Vec<_>>();
    lines.extend(items(would, "mappings").iter().map(|mapping| {
        format!("mapping of {}: carried along as version {}", text(mapping, "source"), text(mapping, "version"))
    }));
    let in_the_way = items(would, "inTheWay");
    lines.push(match (in_the_way.len(), lines.is_empty()) {
        (0, true) => "nothing would be altered".to_owned(),
        (0, false) => "nothing stands in the way".to_owned(),
        (count, _) => format!("in the way ({count}):"),
    });
    lines.extend(in_the_way.iter().map(|found| {
        let ids = items(found, "records").iter().map(|record| text(record, "id"));
        let groups = items(found, "groups").iter().map(Value::to_string);
        let named = ids.chain(groups).collect::<Vec<_>>().join(" ");
        format!("  {}: {} {named}", text(found, "field"), text(found, "detail")).trim_end().to_owned()
    }));
    lines.join("\n")
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn joined(value: &Value, name: &str) -> String {
    items(value, name).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
