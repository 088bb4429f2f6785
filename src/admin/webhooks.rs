//! Webhooks over HTTP: endpoints of changes that flow out. The ETag is the version.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::extract::{Authenticated, Named};
use super::handlers::{PageQuery, parsed, query};
use crate::gateway::Gateway;
use crate::manage::webhook;
use crate::manage::webhook::view::{WebhookView, WithSecret};
use crate::problem::{Code, Problem};

type App = State<Arc<Gateway>>;
type Body = Result<Bytes, BytesRejection>;

fn etag(version: i64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{version}\"")).map_err(|_| Code::InternalError.into())
}

fn tagged(view: &WebhookView) -> Result<Response, Problem> {
    Ok(([(header::ETAG, etag(view.version())?)], Json(view)).into_response())
}

/// What is shown once is kept by nobody on its way.
fn once(status: StatusCode, shown: &WithSecret) -> Result<Response, Problem> {
    let headers =
        [(header::ETAG, etag(shown.version())?), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((status, headers, Json(shown)).into_response())
}

/// What `If-Match` says; one that is not text fits nothing.
fn condition(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default())
}

/// A body that may be left out.
fn or_default<T: DeserializeOwned + Default>(body: Body) -> Result<T, Problem> {
    match &body {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(T::default()),
        _ => parsed(body),
    }
}

fn answer(value: impl Serialize) -> Response {
    Json(value).into_response()
}

pub async fn list_profiles(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    webhook::list_profiles::list_profiles(&gateway, &caller).map(answer)
}

pub async fn list_webhooks(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let page = query(page)?;
    let page = (page.limit, page.cursor.as_deref());
    webhook::list_webhooks::list_webhooks(&gateway, &caller, page).await.map(answer)
}

pub async fn create_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Body,
) -> Result<Response, Problem> {
    let made = webhook::create_webhook::create_webhook(&gateway, &caller, parsed(body)?).await?;
    once(StatusCode::CREATED, &made)
}

pub async fn get_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    tagged(&webhook::get_webhook::get_webhook(&gateway, &caller, &id).await?)
}

pub async fn change_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = (&*id, condition(&headers));
    tagged(&webhook::change_webhook::change_webhook(&gateway, &caller, of, parsed(body)?).await?)
}

pub async fn delete_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    webhook::delete_webhook::delete_webhook(&gateway, &caller, (&id, condition(&headers))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn enable_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    tagged(&webhook::enable_webhook::enable_webhook(&gateway, &caller, &id).await?)
}

pub async fn disable_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    tagged(&webhook::disable_webhook::disable_webhook(&gateway, &caller, &id).await?)
}

pub async fn rotate_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    let rotated = webhook::rotate_secret::rotate_secret(&gateway, &caller, &id, or_default(body)?).await?;
    once(StatusCode::OK, &rotated)
}

pub async fn promote_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    tagged(&webhook::promote_secret::promote_secret(&gateway, &caller, &id).await?)
}

pub async fn test_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    webhook::test_webhook::test_webhook(&gateway, &caller, &id, or_default(body)?).await.map(answer)
}
