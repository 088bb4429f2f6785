//! Mappings for people.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::Value;

use super::super::diff;
use super::super::preset::table;
use super::trial::because;
use crate::map::mapping::RawMapping;
use crate::source::write;

/// Of a value in a line, in characters.
const LONGEST: usize = 60;

fn text(of: &Value, name: &str) -> String {
    match &of[name] {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn origin(of: &Value) -> String {
    match (of["origin"].as_str(), of["file"].as_str()) {
        (Some("file"), Some(name)) => format!("file {name}"),
        (Some(origin), _) => origin.to_owned(),
        (None, _) => "-".to_owned(),
    }
}

/// A head of comments, and below it what `put` takes.
pub fn mapping(one: &Value) -> String {
    let (module, source, version) = (text(one, "module"), text(one, "source"), text(one, "version"));
    let in_force = if one["inForce"] == true { ", in force" } else { "" };
    let mut page = format!("# {module}/{source}, version {version}{in_force}\n");
    let (created, author) = (text(one, "createdAt"), text(one, "author"));
    // Writing into a String cannot fail.
    let _ = writeln!(page, "# {created} by {author}, origin: {}", origin(one));
    if let Some(note) = one["note"].as_str() {
        let _ = writeln!(page, "# {}", note.replace('\n', "\n# "));
    }
    match RawMapping::deserialize(&one["mapping"]).map(|mapping| write::mapping(&mapping)) {
        Ok(Ok(text)) => page + "\n" + &text,
        _ => format!("{page}\n{:#}", one["mapping"]),
    }
}

pub fn in_force(one: &Value) -> String {
    let note = one["note"].as_str().map_or_else(String::new, |note| format!(": {note}"));
    format!("{}/{} is at version {}{note}", text(one, "module"), text(one, "source"), text(one, "version"))
}

pub fn versions(all: &Value) -> String {
    let head = ["VERSION", "CREATED", "AUTHOR", "ORIGIN", "NOTE"].map(str::to_owned);
    let row = |one: &Value| {
        let star = if one["inForce"] == true { " *" } else { "" };
        let version = format!("{}{star}", text(one, "version"));
        [version, text(one, "createdAt"), text(one, "author"), origin(one), text(one, "note").replace('\n', " ")]
    };
    let rows = all["data"].as_array().into_iter().flatten().map(row).collect::<Vec<_>>();
    table(&[vec![head], rows].concat())
}

pub fn difference(found: &Value) -> String {
    let lines = diff::of_mapping(found);
    let head = format!("version {} to {}", text(found, "from"), text(found, "to"));
    if lines.is_empty() { format!("{head}: the same") } else { format!("{head}\n{}", lines.join("\n")) }
}

pub fn previews(answer: &Value) -> String {
    let results = answer["results"].as_array().into_iter().flatten();
    results.map(preview).collect::<Vec<_>>().join("\n\n")
}

fn preview(result: &Value) -> String {
    let event = &result["event"];
    let mut page = format!("{}: {}", text(result, "payload"), text(result, "verdict"));
    if let Some(of_type) = event["type"].as_str() {
        let _ = write!(page, ", event type {of_type}");
    }
    if let Some(id) = event["id"]["value"].as_str() {
        let _ = write!(page, ", event id {}", cut(id));
    }
    page.push_str(result["cause"].as_str().map_or("", because));
    if let Some(earlier) = event["duplicateOf"].as_str() {
        let _ = write!(page, "\n  it came before, as {earlier}: the answer would be `duplicate`");
    }
    let in_list = |name: &str| result[name].as_array().into_iter().flatten();
    for one in in_list("errors") {
        let _ = write!(page, "\n  {}", error(one));
    }
    in_list("nodes").for_each(|one| page.push_str(&node(one)));
    in_list("records").for_each(|one| page.push_str(&record(one)));
    if result["cut"] == true {
        page.push_str("\n  (more than is shown)");
    }
    page
}

fn error(error: &Value) -> String {
    let index = error["index"].as_u64().map_or_else(String::new, |index| format!("[{index}] "));
    let rule = error["rule"].as_u64().map_or_else(String::new, |rule| format!("rule {rule}, "));
    let to = error["to"].as_str().map_or_else(String::new, |to| format!("{to}: "));
    format!("{index}{rule}{to}{} ({})", text(error, "detail"), text(error, "code"))
}

/// A line a rule: what it finds, what becomes of it, and what is put.
fn node(node: &Value) -> String {
    let mut page = String::new();
    if let Some(index) = node["index"].as_u64() {
        let deletes = if node["deletes"] == true { ", deletes" } else { "" };
        let _ = write!(page, "\n  [{index}] {}{deletes}", text(node, "path"));
    }
    let rules = node["rules"].as_array().into_iter().flatten().map(rule).collect::<Vec<_>>();
    let head = ["RULE", "FROM", "FOUND", "RAW AND TRANSFORMED", "TO", "PUT"].map(str::to_owned);
    for line in table(&[vec![head], rules].concat()).lines() {
        let _ = write!(page, "\n    {line}");
    }
    page
}

fn rule(rule: &Value) -> [String; 6] {
    let found = match rule["turn"].as_str() {
        Some("applied") => rule["found"].as_u64().map_or_else(|| "nothing".to_owned(), |found| found.to_string()),
        _ => "-".to_owned(),
    };
    let raw = rule["raw"]["value"].as_str().map(|raw| cut(&Value::from(raw).to_string()));
    let steps = rule["transforms"].as_array().into_iter().flatten();
    let steps = steps.map(|step| cut(&step["value"].to_string()));
    let way = raw.into_iter().chain(steps).collect::<Vec<_>>().join(" → ");
    [text(rule, "rule"), cut(&text(rule, "from")), found, way, cut(&text(rule, "to")), put(rule)]
}

fn put(rule: &Value) -> String {
    match rule["turn"].as_str() {
        Some("applied") => {}
        Some("when") => return "its `when` does not hold".to_owned(),
        Some("filled") => return "an earlier rule has filled it".to_owned(),
        _ => return "the event deletes".to_owned(),
    }
    if let Some(code) = rule["error"]["code"].as_str() {
        return format!("{code}: {}", text(&rule["error"], "detail"));
    }
    let put = &rule["put"];
    let default = put["default"].get("value").map(|default| format!(" (new records: {})", cut(&default.to_string())));
    match put["puts"].as_str() {
        Some("value") => cut(&put["value"]["value"].to_string()),
        Some("null") => "null".to_owned(),
        _ => format!("stays as it is{}", default.unwrap_or_default()),
    }
}

/// A field a line, as it stands and as it would stand.
fn record(record: &Value) -> String {
    let matched = record["match"].as_object().into_iter().flatten();
    let matched = matched.map(|(name, value)| format!("{name} = {}", cut(&value.to_string()))).collect::<Vec<_>>();
    let id = record["recordId"].as_str().map_or_else(String::new, |id| format!(" ({id})"));
    let mut page = format!("\n  {}{id}: {}", matched.join(", "), text(record, "outcome"));
    for line in diff::of_members(&record["changes"]) {
        let _ = write!(page, "\n    {line}");
    }
    page
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
