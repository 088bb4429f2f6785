//! The handlers. What a request says is parsed here; what it means is the verb's.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::extract::{Authenticated, Named};
use crate::gateway::Gateway;
use crate::manage;
use crate::manage::list_events::Wanted;
use crate::map::json;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;

type App = State<Arc<Gateway>>;

/// A body, read strictly: the same scan as for payloads, so that a key given twice is refused here, too.
pub(super) fn parsed<T: DeserializeOwned>(body: Result<Bytes, BytesRejection>) -> Result<T, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::from(Code::BodyTooLarge),
        _ => Problem::new(Code::InvalidRequest, "the body could not be read"),
    })?;
    let value = json::parse(&body)
        .map_err(|bad| Problem::new(Code::find(bad.code).unwrap_or(Code::InvalidJson), bad.to_string()))?;
    T::deserialize(value).map_err(|error| Problem::new(Code::InvalidRequest, error.to_string()))
}

pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| Problem::new(Code::InvalidRequest, rejection.body_text()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyBody {
    files: Vec<File>,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApplyQuery {
    #[serde(default)]
    dry_run: bool,
}

pub async fn apply(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Result<Query<ApplyQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let body: ApplyBody = parsed(body)?;
    let input = manage::apply::Input {
        files: body.files.into_iter().map(|file| (file.name, file.text)).collect(),
        secrets: body.secrets.into_iter().map(|(name, text)| (name, SecretString::from(text))).collect(),
        dry_run: asked.dry_run,
    };
    Ok(Json(manage::apply::apply(&gateway, &caller, &input).await?).into_response())
}

pub async fn list_modules(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    Ok(Json(manage::list_modules::list_modules(&gateway, &caller).await?).into_response())
}

pub async fn get_module(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_module::get_module(&gateway, &caller, &slug).await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    pub(super) limit: Option<i64>,
    pub(super) cursor: Option<String>,
}

pub async fn list_records(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    page: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let page = query(page)?;
    let page = (page.limit, page.cursor.as_deref());
    Ok(Json(manage::list_records::list_records(&gateway, &caller, &slug, page).await?).into_response())
}

pub async fn get_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_record::get_record(&gateway, &caller, &slug, &record).await?).into_response())
}

pub async fn list_sources(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::list_sources::list_sources(&gateway, &caller, &slug).await?).into_response())
}

pub async fn create_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let created = manage::create_source::create_source(&gateway, &caller, &slug, parsed(body)?).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

pub async fn get_source(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_source::get_source(&gateway, &caller, &slug, &source).await?).into_response())
}

pub async fn remove_secrets(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    manage::remove_secrets::remove_secrets(&gateway, &caller, &slug, &source).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn reveal_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let revealed = manage::reveal_secret::reveal_secret(&gateway, &caller, &slug, &source).await?;
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(revealed)).into_response())
}

pub async fn list_presets(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    Ok(Json(manage::list_presets::list_presets(&gateway, &caller)?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventsQuery {
    module: Option<String>,
    source: Option<String>,
    limit: Option<i64>,
    cursor: Option<String>,
}

pub async fn list_events(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let wanted = Wanted {
        module: asked.module.as_deref(),
        source: asked.source.as_deref(),
        limit: asked.limit,
        cursor: asked.cursor.as_deref(),
    };
    Ok(Json(manage::list_events::list_events(&gateway, &caller, wanted).await?).into_response())
}

pub async fn get_event(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    Ok(Json(manage::get_event::get_event(&gateway, &caller, &id).await?).into_response())
}

/// Served as inert bytes: whatever a sender wrote, no browser runs it here.
pub async fn get_payload(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let payload = manage::get_payload::get_payload(&gateway, &caller, &id).await?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"payload\"")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, payload).into_response())
}
