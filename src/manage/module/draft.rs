//! A module as a request wants it: what is said, over what stands. Pure.

use serde_json::Value;

use super::Members;
use super::fields::Fields;
use crate::record::definition::{Definition, Fault, FieldDefinition, check_match};
use crate::record::event::{self, EventDefinition, RawEvent};
use crate::record::field::{FieldName, ModuleSlug};
use crate::record::nearest::{did_you_mean, nearest};
use crate::store::alter::Obstacle;

const MEMBERS: [&str; 4] = ["name", "match", "fields", "events"];
/// Shown, and not changed by saying them.
const ELSEWHERE: [(&str, &str); 6] = [
    ("slug", "is part of the addresses of senders and the name of the table, and stays"),
    ("id", "cannot be chosen or changed"),
    ("shape", "moves by itself"),
    ("version", "moves by itself; to change one version only, send it as If-Match"),
    ("createdAt", "is found out by the gateway"),
    ("updatedAt", "is found out by the gateway"),
];

/// Without the keys of its sources.
#[derive(Debug)]
pub struct Draft {
    pub definition: Definition,
    /// Fields with another name: from, to.
    pub renamed: Vec<(FieldName, FieldName)>,
    pub dropped: Vec<FieldName>,
    /// What of the module itself forbids it.
    pub in_the_way: Vec<Obstacle>,
}

impl Draft {
    /// `standing` is what the module is; `None` of a new one. Every fault of the request at once.
    pub fn of(slug: &ModuleSlug, standing: Option<&Definition>, asked: &Members) -> Result<Self, Vec<Fault>> {
        let mut faults = unknown(asked);
        let mut in_the_way = Vec::new();
        let name = name(slug, standing, asked).unwrap_or_else(|fault| {
            faults.push(fault);
            String::new()
        });
        let Fields { all: fields, renamed, dropped, faults: of_fields } = Fields::read(standing, asked);
        let is_clear = of_fields.is_empty();
        faults.extend(of_fields);
        let matching = match asked.get("match") {
            Some(names) => {
                matching(names, &fields).map_err(|detail| faults.extend(is_clear.then(|| Fault::new("match", detail))))
            }
            None => Ok(carried_match(standing, (&renamed, &dropped), &fields, &mut in_the_way, &mut faults)),
        };
        let events = match asked.get("events") {
            Some(events) => given_events(events, &fields, &mut faults),
            None => standing_events(standing, &fields, (&renamed, &dropped), &mut in_the_way),
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let matching = matching.unwrap_or_default();
        let (keys, marks) = (vec![matching.clone()], Default::default());
        let definition = Definition { name, matching, fields, keys, events, marks };
        Ok(Self { definition, renamed, dropped, in_the_way })
    }
}

fn unknown(asked: &Members) -> Vec<Fault> {
    let why = |name: &String| {
        if let Some((_, why)) = ELSEWHERE.iter().find(|(known, _)| known == name) {
            return Some(Fault::new(name, *why));
        }
        let hint = did_you_mean(nearest(name, MEMBERS), |name| format!("`{name}`"));
        let is_known = MEMBERS.contains(&name.as_str());
        (!is_known).then(|| Fault::new(name, format!("a module has no such member{hint}")))
    };
    asked.keys().filter_map(why).collect()
}

fn name(slug: &ModuleSlug, standing: Option<&Definition>, asked: &Members) -> Result<String, Fault> {
    match (asked.get("name"), standing) {
        (Some(Value::String(name)), _) => Ok(name.clone()),
        (None, Some(standing)) => Ok(standing.name.clone()),
        (None | Some(Value::Null), _) => Ok(slug.to_string()),
        (Some(_), _) => Err(Fault::new("name", "is a text")),
    }
}

fn matching(names: &Value, fields: &[FieldDefinition]) -> Result<Vec<FieldName>, String> {
    let names: Vec<String> = serde_json::from_value(names.clone()).map_err(|_| {
        "is a list of the fields by which a record is found again, such as [\"product_code\"]".to_owned()
    })?;
    check_match(&names, fields)
}

/// What identifies records now identifies them under whatever names.
fn carried_match(
    standing: Option<&Definition>,
    (renamed, dropped): (&[(FieldName, FieldName)], &[FieldName]),
    fields: &[FieldDefinition],
    in_the_way: &mut Vec<Obstacle>,
    faults: &mut Vec<Fault>,
) -> Vec<FieldName> {
    let Some(standing) = standing else {
        faults.push(Fault::new("match", "is missing: the fields by which a record is found again, such as [\"sku\"]"));
        return Vec::new();
    };
    let gone = standing.matching.iter().filter(|name| dropped.contains(name));
    in_the_way.extend(gone.map(|name| {
        let detail = "`match` names the field; say in the same request what is to identify records: \"match\": […]";
        Obstacle::new(format!("fields.{name}"), detail)
    }));
    let kept = standing.matching.iter().filter(|name| !dropped.contains(name)).map(|name| now(name, renamed));
    let matching = kept.collect::<Vec<_>>();
    let texts: Vec<String> = matching.iter().map(ToString::to_string).collect();
    if let (false, Err(detail)) = (texts.is_empty() || !faults.is_empty(), check_match(&texts, fields)) {
        in_the_way.push(Obstacle::new("match", detail));
    }
    matching
}

/// The name that a field has from now on.
pub fn now(name: &FieldName, renamed: &[(FieldName, FieldName)]) -> FieldName {
    renamed.iter().find(|(from, _)| from == name).map_or_else(|| name.clone(), |(_, to)| to.clone())
}

fn given_events(asked: &Value, fields: &[FieldDefinition], faults: &mut Vec<Fault>) -> Vec<EventDefinition> {
    let asked = match asked {
        Value::Null => return Vec::new(),
        Value::Array(asked) => asked,
        _ => {
            faults
                .push(Fault::new("events", "is a list of events, such as {\"name\": \"order.paid\", \"when\": \"…\"}"));
            return Vec::new();
        }
    };
    let mut raw = Vec::<RawEvent>::new();
    for (place, event) in asked.iter().enumerate() {
        match serde_json::from_value(event.clone()) {
            Ok(event) => raw.push(event),
            Err(error) => faults.push(Fault::new(format!("events[{}]", place + 1), error.to_string())),
        }
    }
    if raw.len() < asked.len() {
        return Vec::new();
    }
    let (events, found) = event::check(&raw, fields, &[]);
    faults.extend(found.into_iter().map(|fault| Fault::new(place(&fault.at), fault.detail)));
    events
}

/// Those that stand have to make sense of the new fields as they did of the old ones.
fn standing_events(
    standing: Option<&Definition>,
    fields: &[FieldDefinition],
    (renamed, dropped): (&[(FieldName, FieldName)], &[FieldName]),
    in_the_way: &mut Vec<Obstacle>,
) -> Vec<EventDefinition> {
    let Some(standing) = standing else { return Vec::new() };
    let moved = renamed.iter().map(|(from, _)| from).chain(dropped);
    for name in moved.filter(|name| fields.iter().any(|field| field.name == **name)) {
        let of_it = standing.events.iter().enumerate().filter(|(_, event)| speaks_of(event, name));
        in_the_way.extend(of_it.map(|(place, event)| {
            let detail = format!(
                "the event {} speaks of `{name}`, which is another field from now on; bring new `events` in the same request",
                event.name
            );
            Obstacle::new(format!("events[{}]", place + 1), detail)
        }));
    }
    if standing.fields != fields {
        let raw = standing.events.iter().map(RawEvent::from).collect::<Vec<_>>();
        let (_, found) = event::check(&raw, fields, &[]);
        in_the_way.extend(found.into_iter().map(|fault| {
            let detail =
                format!("the event that the module names: {}; bring new `events` in the same request", fault.detail);
            Obstacle::new(place(&fault.at), detail)
        }));
    }
    standing.events.clone()
}

/// Whether the name stands in its texts, as a word.
fn speaks_of(event: &EventDefinition, name: &FieldName) -> bool {
    let is_word = |text: &str| {
        let mut words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        words.any(|word| word == name.as_str())
    };
    is_word(&event.when) || event.data.as_ref().is_some_and(|data| is_word(&data.to_string()))
}

/// A place in a module file, as the API names it.
fn place(at: &str) -> String {
    at.replacen("module.event", "events", 1)
}
