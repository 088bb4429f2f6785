//! What the API says of itself.

mod fuzzed;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::app::{App, text};

both!(anybody_may_read_what_the_api_is_like);

const ROLES: [&str; 3] = ["viewer", "editor", "owner"];
const METHODS: [&str; 5] = ["get", "put", "post", "patch", "delete"];

/// Method, path and what the document says of each route.
pub fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("a document has paths");
    let of = |(path, item): (&String, &Value)| {
        let item = item.clone();
        let path = path.clone();
        METHODS.into_iter().filter_map(move |method| Some((method.to_owned(), path.clone(), item.get(method)?.clone())))
    };
    paths.iter().flat_map(of).collect()
}

/// The role that a route asks for.
#[track_caller]
pub fn role(operation: &Value) -> &str {
    let roles = operation["security"][0]["key"].as_array().expect("a route asks for a key");
    assert_eq!(roles.len(), 1, "{operation}");
    let role = text(&roles[0]);
    assert!(ROLES.contains(&role), "{role}");
    role
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

async fn anybody_may_read_what_the_api_is_like(app: App) {
    let answer = app.request(http::Method::GET, "/api/openapi.json");
    let document = crate::client::Answer::to(answer).await.done();
    assert!(text(&document["openapi"]).starts_with("3.1."), "{}", document["openapi"]);
    let operations = operations(&document);
    assert!(operations.len() > 30);
    let mut names = BTreeSet::new();
    for (method, path, operation) in &operations {
        let route = format!("{method} {path}");
        role(operation);
        assert!(names.insert(text(&operation["operationId"])), "{route}: two routes have one name");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{route} says what it is");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{route}");
        let responses = operation["responses"].as_object().expect("a route answers");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{route}");
        assert!(responses.contains_key("401") && responses.contains_key("503"), "{route}");
        assert!(path.contains('{') <= responses.contains_key("400"), "{route}");
    }
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference stays in the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}
