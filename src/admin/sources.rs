//! Sources over HTTP.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{App, Body, answer, condition, once, or_default, parsed, tagged};
use super::described::{Conflict, Moved, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::create_source::{CreatedSource, NewSource};
use crate::manage::page::Page;
use crate::manage::reveal_secret::RevealedSecret;
use crate::manage::source::view::SourceView;
use crate::manage::source::{Of, rotate_secret, rotate_token};
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
    once(StatusCode::CREATED, created.version(), created)
}

/// One source
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}", tag = "Sources", security(("key" = ["viewer"])),
    responses((status = 200, body = SourceView), NotFound))]
pub async fn get_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let view = manage::get_source::get_source(&gateway, &caller, &slug, &source).await?;
    tagged(view.version(), view)
}

/// Changes some settings of a source
///
/// By a merge: what is left out stays, null takes a member back to its default. `rateLimit` and `keep` are merged member
/// by member, `signature`, `response`, `handshake` and `redact` are replaced. The secrets stay unless `signature` holds
/// others, which then count alone; the mapping has a route of its own.
#[utoipa::path(patch, path = "/modules/{slug}/sources/{source}", tag = "Sources", security(("key" = ["editor"])),
    request_body(content = Object, example = json!({ "enabled": false, "keep": { "payload": "refused" } })),
    responses((status = 200, body = SourceView), NotFound, Conflict, Moved, Unfit))]
pub async fn change_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    let view = manage::source::patch_source::patch_source(&gateway, &caller, of, parsed(body)?).await?;
    tagged(view.version(), view)
}

/// Deletes a source
///
/// Its URLs are unknown at once. Its events, and the records that it made, stay.
#[utoipa::path(delete, path = "/modules/{slug}/sources/{source}", tag = "Sources", security(("key" = ["editor"])),
    responses((status = 204), NotFound, Conflict, Moved))]
pub async fn delete_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    manage::source::delete_source::delete_source(&gateway, &caller, of).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Gives a source another token
///
/// Both open its door until the overlap ends. The new one, and its URL, are answered once.
#[utoipa::path(post, path = "/modules/{slug}/sources/{source}/rotate-token", tag = "Sources",
    security(("key" = ["editor"])), request_body(content = Option<rotate_token::Rotation>, example = json!({ "overlap": 3600 })),
    responses((status = 200, body = rotate_token::RotatedToken), NotFound, Conflict, Moved, Unfit))]
pub async fn rotate_token(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    let rotated = rotate_token::rotate_token(&gateway, &caller, of, or_default(body)?).await?;
    once(StatusCode::OK, rotated.version(), rotated)
}

/// Gives a source another secret
///
/// Requests may be signed with either until the overlap ends. The new one is answered once. A file that is applied again
/// with the secrets that it named before leaves it in force.
#[utoipa::path(post, path = "/modules/{slug}/sources/{source}/rotate-secret", tag = "Sources",
    operation_id = "rotate_source_secret", security(("key" = ["editor"])),
    request_body(content = Option<rotate_secret::Rotation>, example = json!({ "overlap": 3600 })),
    responses((status = 200, body = rotate_secret::RotatedSecret), NotFound, Conflict, Moved, Unfit))]
pub async fn rotate_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    let rotated = rotate_secret::rotate_secret(&gateway, &caller, of, or_default(body)?).await?;
    once(StatusCode::OK, rotated.version(), rotated)
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
