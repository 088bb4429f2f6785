//! What the API says of itself: the OpenAPI document, made of the handlers. What holds for many routes is added here:
//! the key, what names in paths mean, and the errors that any request may meet.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use serde_json::json;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Server};
use utoipa::{IntoResponses, ToSchema};

use super::api;
use crate::gateway::Gateway;
use crate::problem::{self, Code, Entry};

pub const PATH: &str = "/api/openapi.json";
/// Where the routes stand.
pub const BASE: &str = "/api/v1";
const PROBLEM: &str = "application/problem+json";
const ABOUT: &str = "Modules, sources, mappings, records, events and webhooks of one gateway. \
    Every request carries an API key as `Authorization: Bearer tgk_…`; the role that it needs stands with each route: \
    a viewer reads, an editor also writes, an owner also hands out keys. \
    Lists are pages: `nextCursor` of one is `cursor` of the next. Where an answer has an `ETag`, a change may name it as `If-Match`. \
    Every refusal is a problem (RFC 9457) with a stable `code`.";

/// RFC 9457, with Tidegate's own `code`, `errors` and `requestId`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes; problem.rs writes it, below every room that knows of documents")]
struct Problem {
    /// Where a page explains the code.
    r#type: String,
    title: String,
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Stable, in snake_case.
    code: String,
    /// Each fault by itself, where there may be several.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<serde_json::Value>>,
    request_id: Option<String>,
}

macro_rules! refusals {
    ($($name:ident = $code:ident;)*) => {$(
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let (status, refusal) = refusal(Code::$code);
                BTreeMap::from([(status, refusal)])
            }
        }
    )*};
}

// What a route may refuse beside what any route may; other codes of the same status are possible.
refusals! {
    NotFound = NotFound;
    Conflict = Conflict;
    Expired = CursorExpired;
    Gone = PayloadGone;
    Moved = PreconditionFailed;
    Unfit = InvalidDocument;
}

/// As the code's page tells it.
fn refusal(code: Code) -> (String, RefOr<Response>) {
    let Entry { text, status, title, meaning, .. } = code.entry();
    let example = json!({
        "type": format!("{}/{text}", problem::PATH), "title": title, "status": status.as_u16(), "detail": meaning, "code": text,
    });
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).example(Some(example)).build();
    let response = ResponseBuilder::new().description(format!("{title}.")).content(PROBLEM, problem).build();
    (status.as_str().to_owned(), response.into())
}

/// The whole document.
pub fn document() -> OpenApi {
    let mut document = api().into_openapi();
    let version = env!("CARGO_PKG_VERSION");
    document.info = InfoBuilder::new().title("Tidegate").version(version).description(Some(ABOUT)).build();
    document.servers = Some(vec![Server::new(BASE)]);
    let components = document.components.get_or_insert_default();
    components.schemas.insert("Problem".to_owned(), <Problem as utoipa::PartialSchema>::schema());
    let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
    let key = key.description(Some("An API key, `tgk_…`; the scopes are roles.")).build();
    components.add_security_scheme("key", SecurityScheme::Http(key));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            complete(path, &method, operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let all = [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

/// What every route has in common, and what follows from its form.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let parameters = operation.parameters.get_or_insert_default();
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let is_known = |known: &RefOr<Parameter>| matches!(known, RefOr::T(known) if known.name == name);
        if !parameters.iter().any(is_known) {
            parameters.push(named(name).into());
        }
    }
    if operation.responses.responses.contains_key("412") {
        parameters.push(if_match().into());
    }
    let has_body = operation.request_body.is_some();
    let mut codes = vec![Code::KeyInvalid, Code::TooManyWrongKeys, Code::InternalError, Code::DatabaseUnavailable];
    codes.extend((has_body || !parameters.is_empty()).then_some(Code::InvalidRequest));
    codes.extend(has_body.then_some(Code::BodyTooLarge));
    codes.extend((*method != HttpMethod::Get || !is_for_viewers(operation)).then_some(Code::Forbidden));
    let responses = &mut operation.responses.responses;
    for (status, refusal) in codes.into_iter().map(refusal) {
        responses.entry(status).or_insert(refusal);
    }
    for (status, response) in responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
            response.description = status.and_then(|status| status.canonical_reason()).unwrap_or("Done").to_owned();
        }
    }
}

fn is_for_viewers(operation: &Operation) -> bool {
    let viewers = SecurityRequirement::new("key", ["viewer"]);
    operation.security.as_ref().is_some_and(|security| security.contains(&viewers))
}

fn named(name: &str) -> Parameter {
    let what = match name {
        "slug" => "A module's slug.",
        "source" => "A source's slug.",
        "record" => "A record's id.",
        "n" => "The number of a version.",
        _ => "An id.",
    };
    let text = ObjectBuilder::new().schema_type(Type::String);
    let named = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Path).required(Required::True);
    named.description(Some(what)).schema(Some(text)).build()
}

fn if_match() -> Parameter {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let what = "The ETag of the version that is meant; of another nothing is changed.";
    let header = ParameterBuilder::new().name("If-Match").parameter_in(ParameterIn::Header).required(Required::False);
    header.description(Some(what)).schema(Some(text)).build()
}

pub fn router() -> Router<Arc<Gateway>> {
    Router::new().route(PATH, get(serve))
}

/// Anybody may read what the API is like.
async fn serve() -> axum::response::Response {
    static MADE: OnceLock<Bytes> = OnceLock::new();
    // Texts and numbers always serialise.
    let made = MADE.get_or_init(|| document().to_json().unwrap_or_default().into());
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], made.clone()).into_response()
}
