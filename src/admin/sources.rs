//! Sources over HTTP.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{App, Body, answer, parsed};
use super::described::{Conflict, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::create_source::{CreatedSource, NewSource};
use crate::manage::page::Page;
use crate::manage::reveal_secret::RevealedSecret;
use crate::manage::view::SourceView;
use crate::problem::Problem;

/// A module's sources, by slug
#[utoipa::path(get, path = "/modules/{slug}/sources", tag = "Sources", security(("key" = ["viewer"])),
    responses((status = 200, body = Page<SourceView>), NotFound))]
pub async fn list_sources(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
) -> Result<Response, Problem> {
    manage::list_sources::list_sources(&gateway, &caller, &slug).await.map(answer)
}

/// Makes a source
///
/// Its token and URL are answered once.
#[utoipa::path(post, path = "/modules/{slug}/sources", tag = "Sources", security(("key" = ["editor"])),
    request_body = NewSource, responses((status = 201, body = CreatedSource), NotFound, Conflict, Unfit))]
pub async fn create_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    let created = manage::create_source::create_source(&gateway, &caller, &slug, parsed(body)?).await?;
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, headers, axum::Json(created)).into_response())
}

/// One source
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}", tag = "Sources", security(("key" = ["viewer"])),
    responses((status = 200, body = SourceView), NotFound))]
pub async fn get_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    manage::get_source::get_source(&gateway, &caller, &slug, &source).await.map(answer)
}

/// Takes a source's secrets away
///
/// A signed source refuses everything until it has one again.
#[utoipa::path(delete, path = "/modules/{slug}/sources/{source}/secrets", tag = "Sources",
    security(("key" = ["editor"])), responses((status = 204), NotFound, Conflict))]
pub async fn remove_secrets(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    manage::remove_secrets::remove_secrets(&gateway, &caller, &slug, &source).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Shows the secret that a handshake brought, once
#[utoipa::path(post, path = "/modules/{slug}/sources/{source}/reveal-secret", tag = "Sources",
    security(("key" = ["editor"])), responses((status = 200, body = RevealedSecret), NotFound, Conflict))]
pub async fn reveal_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let revealed = manage::reveal_secret::reveal_secret(&gateway, &caller, &slug, &source).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], answer(revealed)).into_response())
}
