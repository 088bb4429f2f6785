//! Modules over HTTP. The ETag is the version.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, Body, answer, condition, parsed, query, tagged};
use super::described::{Conflict, Moved, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::module::change_module::{Changed, Of};
use crate::manage::page::Page;
use crate::manage::view::ModuleView;
use crate::problem::Problem;

/// All modules, by slug
#[utoipa::path(get, path = "/modules", tag = "Modules", security(("key" = ["viewer"])),
    responses((status = 200, body = Page<ModuleView>)))]
pub async fn list_modules(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    manage::list_modules::list_modules(&gateway, &caller).await.map(answer)
}

/// One module
#[utoipa::path(get, path = "/modules/{slug}", tag = "Modules", security(("key" = ["viewer"])),
    responses((status = 200, body = ModuleView), NotFound))]
pub async fn get_module(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
) -> Result<Response, Problem> {
    let view = manage::get_module::get_module(&gateway, &caller, &slug).await?;
    tagged(view.version(), view)
}

/// What a module is made of.
#[derive(utoipa::ToSchema)]
#[expect(
    dead_code,
    reason = "it describes; what is sent is read member by member, so that every fault is told at once"
)]
struct NewModule {
    /// A lower-case letter, then at most 47 lower-case letters, digits or dashes.
    slug: String,
    /// The slug unless given.
    name: Option<String>,
    /// The fields that identify a record.
    r#match: Vec<String>,
    /// By name: a type, or `{"type", "required", "values"}`.
    #[schema(value_type = BTreeMap<String, Object>)]
    fields: BTreeMap<String, serde_json::Value>,
    /// The events that the module names: `{"name", "when", "data"}`.
    #[schema(value_type = Option<Vec<Object>>)]
    events: Option<Vec<serde_json::Value>>,
}

/// Makes a module
///
/// With a table of its own. Fields stand in the order of their names.
#[utoipa::path(post, path = "/modules", tag = "Modules", security(("key" = ["editor"])),
    request_body(content = NewModule, example = json!({ "slug": "work-orders", "match": ["product_code"],
        "fields": { "product_code": { "type": "text", "required": true }, "quantity": "integer" } })),
    responses((status = 201, body = ModuleView), Conflict, Unfit))]
pub async fn create_module(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Body,
) -> Result<Response, Problem> {
    let made = manage::module::create_module::create_module(&gateway, &caller, parsed(body)?).await?;
    Ok((StatusCode::CREATED, tagged(made.version(), made)?).into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ChangeQuery {
    /// Answers what would be done and what stands in the way, and changes nothing.
    #[serde(default)]
    #[param(required = false)]
    dry_run: bool,
}

/// Alters a module while its events come in
///
/// By a merge, all of it or nothing: members that are left out stay. In `fields`, null drops a field, `rename` gives it
/// another name (mappings are carried along as new versions), `type` converts every stored value, and a name that the
/// module does not have adds a field. What stands in the way is a 409, with records and places named in `errors`.
#[utoipa::path(patch, path = "/modules/{slug}", tag = "Modules", security(("key" = ["editor"])), params(ChangeQuery),
    request_body(content = Object, example = json!({ "fields": { "quantity": { "rename": "amount", "type": "decimal" },
        "note": "text", "work_center": null, "status": { "values": ["open", "closed"] } } })),
    responses((status = 200, body = Changed), NotFound, Conflict, Moved, Unfit))]
pub async fn change_module(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    asked: Asked<ChangeQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { slug: &slug, condition: condition(&headers), dry_run: query(asked)?.dry_run };
    let changed = manage::module::change_module::change_module(&gateway, &caller, of, &parsed(body)?).await?;
    tagged(changed.version(), changed)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// The slug once more, as a confirmation.
    confirm: Option<String>,
}

/// Deletes a module
///
/// With its records, sources, tokens, secrets and mappings. Its events, changes and deliveries stay for as long as they
/// are kept; deliveries that are due are still sent.
#[utoipa::path(delete, path = "/modules/{slug}", tag = "Modules", security(("key" = ["owner"])), params(DeleteQuery),
    responses((status = 204), NotFound, Conflict, Moved))]
pub async fn delete_module(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    asked: Asked<DeleteQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (of, asked) = ((&*slug, condition(&headers)), query(asked)?);
    manage::module::delete_module::delete_module(&gateway, &caller, of, asked.confirm.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
