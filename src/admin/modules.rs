//! Modules over HTTP.

use axum::extract::State;
use axum::response::Response;

use super::answer::{App, answer};
use super::described::NotFound;
use super::extract::{Authenticated, Named};
use crate::manage;
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
    manage::get_module::get_module(&gateway, &caller, &slug).await.map(answer)
}
