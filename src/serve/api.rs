//! The page of the administration API, made from what it says of itself. Like the other pages it stands alone.

mod kind;

use askama::Template;
use serde_json::Value;

use crate::admin::described;
use crate::map::reference::Prose;
use kind::Kind;

/// Where it is served.
pub const PATH: &str = "/reference/api";

#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    about: Prose,
    base: &'static str,
    document: &'static str,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

/// Routes about one noun.
struct Group {
    name: String,
    routes: Vec<Route>,
}

struct Route {
    id: String,
    method: String,
    path: String,
    role: String,
    summary: String,
    description: Prose,
    parameters: Vec<Row>,
    body: Option<Kind>,
    example: Option<String>,
    answers: Vec<Row>,
}

struct Schema {
    name: String,
    what: Prose,
    /// Of one that has no members.
    kind: Kind,
    members: Vec<Row>,
}

struct Row {
    name: String,
    kind: Kind,
    what: Prose,
}

/// The page, as HTML.
pub fn page() -> String {
    let document = serde_json::to_value(described::document()).unwrap_or_default();
    let about = Prose(text(&document["info"]["description"]));
    let (groups, schemas) = (groups(&document), schemas(&document));
    let page = Page { about, base: described::BASE, document: described::PATH, groups, schemas };
    // Rendering into a string only fails when a value's Display does; these are texts.
    page.render().unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// In the order in which the routes are listed.
fn groups(document: &Value) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let name = text(&operation["tags"][0]);
            let route = route(document, (method, path), operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.routes.push(route),
                None => groups.push(Group { name, routes: vec![route] }),
            }
        }
    }
    groups
}

fn route(document: &Value, (method, path): (&str, &str), operation: &Value) -> Route {
    let parameter = |of: &Value| Row {
        name: text(&of["name"]),
        kind: Kind::of(&of["schema"]).in_a(&text(&of["in"]), of["required"] == Value::Bool(true)),
        what: Prose(text(&of["description"])),
    };
    let answer = |(status, of): (&String, &Value)| {
        let kind = of["content"].as_object().and_then(|content| content.iter().next());
        let kind = kind.filter(|_| status.starts_with('2')).map(|(media, of)| Kind::of(&of["schema"]).sent_as(media));
        Row { name: status.clone(), kind: kind.unwrap_or_default(), what: Prose(text(&of["description"])) }
    };
    let body = operation.pointer("/requestBody/content/application~1json");
    Route {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        role: text(&operation["security"][0]["key"][0]),
        summary: text(&operation["summary"]),
        description: Prose(text(&operation["description"])),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        example: body.and_then(|body| example(document, body)),
        body: body.map(|body| Kind::of(&body["schema"])),
        answers: operation["responses"].as_object().into_iter().flatten().map(answer).collect(),
    }
}

/// Of the body itself, or of its schema.
fn example(document: &Value, body: &Value) -> Option<String> {
    let of_schema = || document.pointer(body["schema"]["$ref"].as_str()?.strip_prefix('#')?)?.get("example");
    serde_json::to_string_pretty(body.get("example").or_else(of_schema)?).ok()
}

/// Those that have a place of their own.
fn schemas(document: &Value) -> Vec<Schema> {
    let all = document["components"]["schemas"].as_object().into_iter().flatten();
    let schema = |(name, of): (&String, &Value)| {
        let members = members(of);
        let kind = if members.is_empty() { Kind::of(of) } else { Kind::default() };
        Schema { name: name.clone(), what: Prose(text(&of["description"])), kind, members }
    };
    all.filter(|(name, _)| kind::has_a_place(name)).map(schema).collect()
}

fn members(schema: &Value) -> Vec<Row> {
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, of)| Row {
        name: name.clone(),
        kind: Kind::of(of),
        what: Prose(kind::said(of)),
    });
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| match part["$ref"].as_str() {
        Some(_) => vec![Row { name: "…".to_owned(), kind: Kind::of(part), what: Prose(String::new()) }],
        None => members(part),
    });
    parts.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_stands_on_the_page() {
        let page = page();
        let document = serde_json::to_value(described::document()).unwrap();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(
                    page.contains(&format!("<h3 id=\"{id}\"><code>{} {path}</code>", method.to_uppercase())),
                    "{id}"
                );
            }
        }
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(page.contains(&format!("id=\"{link}\"")), "{link} leads nowhere");
        }
    }

    #[test]
    fn the_page_stands_alone() {
        let page = page();
        assert!(page.starts_with("<!doctype html>"));
        for outside in ["<script", "<link", "src=", "url(", "href=\"http"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
