//! API keys and the audit log over HTTP.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, Body, PageQuery, answer, parsed, query};
use super::described::{Conflict, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::clock::Timestamp;
use crate::manage::create_key::{self, CreatedKey, NewKey};
use crate::manage::get_own_key;
use crate::manage::key_view::KeyView;
use crate::manage::list_audit::{self, AuditView};
use crate::manage::page::Page;
use crate::manage::{list_keys, revoke_key};
use crate::problem::Problem;
use crate::store::audit::Wanted;

/// API keys, newest first
///
/// Expired and revoked ones, too: the audit log names them.
#[utoipa::path(get, path = "/keys", tag = "Keys", security(("key" = ["owner"])), params(PageQuery),
    responses((status = 200, body = Page<KeyView>)))]
pub async fn list_keys(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    list_keys::list_keys(&gateway, &caller, query(page)?.page()).await.map(answer)
}

/// Makes an API key
///
/// The key itself is answered once. It works here at once, and on other replicas within a second.
#[utoipa::path(post, path = "/keys", tag = "Keys", security(("key" = ["owner"])),
    request_body(content = NewKey, example = json!({ "name": "deploy", "role": "editor", "expiresInDays": 90 })),
    responses((status = 201, body = CreatedKey), Conflict, Unfit))]
pub async fn create_key(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Body,
) -> Result<Response, Problem> {
    let made = create_key::create_key(&gateway, &caller, parsed(body)?).await?;
    let once = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, once, answer(made)).into_response())
}

/// The key that asks
#[utoipa::path(get, path = "/keys/self", tag = "Keys", security(("key" = ["viewer"])),
    responses((status = 200, body = KeyView)))]
pub async fn get_own_key(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    get_own_key::get_own_key(&gateway, &caller).await.map(answer)
}

/// Revokes an API key
///
/// It opens nothing any more, here at once and on other replicas within a second. The last owner key that does not
/// expire stays.
#[utoipa::path(delete, path = "/keys/{id}", tag = "Keys", security(("key" = ["owner"])),
    responses((status = 204), NotFound, Conflict))]
pub async fn revoke_key(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    revoke_key::revoke_key(&gateway, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Which rows of the audit log.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// A key's id, or `startup`, `gateway` or `handshake`.
    actor: Option<String>,
    /// Such as `source.create`.
    action: Option<String>,
    /// What the target begins with: `orders/` is all sources of the module `orders`.
    target: Option<String>,
    /// The earliest instant.
    since: Option<Timestamp>,
    /// Before this instant.
    until: Option<Timestamp>,
    /// Items of one page; 100 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Who changed what, newest first
///
/// Every write with what stood before and after, and from where; without secrets and payloads.
#[utoipa::path(get, path = "/audit", tag = "Keys", security(("key" = ["owner"])), params(AuditQuery),
    responses((status = 200, body = Page<AuditView>)))]
pub async fn list_audit(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<AuditQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        actor: asked.actor.as_deref(),
        action: asked.action.as_deref(),
        target: asked.target.as_deref(),
        since: asked.since,
        until: asked.until,
    };
    let page = (asked.limit, asked.cursor.as_deref());
    list_audit::list_audit(&gateway, &caller, &wanted, page).await.map(answer)
}
