//! What handlers share: how bodies, queries and conditions are read, and how answers are written.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::gateway::Gateway;
use crate::map::json;
use crate::problem::{Code, Problem, without_values};

pub type App = State<Arc<Gateway>>;
pub type Body = Result<Bytes, BytesRejection>;
pub type Asked<T> = Result<Query<T>, QueryRejection>;

/// A body, read strictly: the same scan as for payloads, so that a key given twice is refused here, too.
pub fn parsed<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::from(Code::BodyTooLarge),
        _ => Problem::new(Code::InvalidRequest, "the body could not be read"),
    })?;
    let value = json::parse(&body)
        .map_err(|bad| Problem::new(Code::find(bad.code).unwrap_or(Code::InvalidJson), bad.to_string()))?;
    // serde would take a list for the members of a struct, by their places.
    if !value.is_object() {
        return Err(Problem::new(Code::InvalidRequest, "the body is a JSON object"));
    }
    T::deserialize(value).map_err(|error| Problem::new(Code::InvalidRequest, without_values(&error.to_string())))
}

/// A body that may be left out.
pub fn or_default<T: DeserializeOwned + Default>(body: Body) -> Result<T, Problem> {
    match &body {
        Ok(bytes) if matches!(bytes.trim_ascii(), b"" | b"null") => Ok(T::default()),
        _ => parsed(body),
    }
}

pub fn query<T>(query: Asked<T>) -> Result<T, Problem> {
    query.map(|Query(query)| query).map_err(|rejection| Problem::new(Code::InvalidRequest, rejection.body_text()))
}

/// What `If-Match` says; one that is not text fits nothing.
pub fn condition(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default())
}

/// Which page of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items of one page; 100 unless given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    pub fn page(&self) -> (Option<i64>, Option<&str>) {
        (self.limit, self.cursor.as_deref())
    }
}

pub fn answer(value: impl Serialize) -> Response {
    Json(value).into_response()
}

fn etag(version: i64) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{version}\"")).map_err(|_| Code::InternalError.into())
}

/// With its version as the ETag.
pub fn tagged(version: i64, view: impl Serialize) -> Result<Response, Problem> {
    Ok(([(header::ETAG, etag(version)?)], Json(view)).into_response())
}

/// What is shown once is kept by nobody on its way.
pub fn once(status: StatusCode, version: i64, shown: impl Serialize) -> Result<Response, Problem> {
    let headers = [(header::ETAG, etag(version)?), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((status, headers, Json(shown)).into_response())
}
