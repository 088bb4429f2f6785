//! Every route there is: the public door, the pages of problems, the administration API, and what watches ask for.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use serde_json::json;
use tower_http::catch_panic::CatchPanicLayer;

use super::observe::observe;
use super::{api, deliveries, limits, signatures};
use crate::gateway::Gateway;
use crate::limit::Quota;
use crate::map::reference;
use crate::problem::{self, Code, Problem};
use crate::store::RETRY_AFTER;
use crate::{admin, receive};

/// How long readiness waits for the database.
const READY_WITHIN: Duration = Duration::from_secs(2);
/// Pages carry their own style and nothing else.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

type App = State<Arc<Gateway>>;

/// One listener for all.
pub fn everything(gateway: &Arc<Gateway>) -> Router {
    finished(pages().merge(receive::router()).merge(administrative(gateway)).merge(probes()), gateway)
}

/// The public listener beside an administrative one: webhooks only, and the pages that their answers name.
pub fn webhooks(gateway: &Arc<Gateway>) -> Router {
    finished(pages().merge(receive::router()), gateway)
}

pub fn administration(gateway: &Arc<Gateway>) -> Router {
    finished(pages().merge(administrative(gateway)).merge(probes()), gateway)
}

/// The API and its page; a request that takes too long is answered all the same.
fn administrative(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let within = middleware::from_fn_with_state(Arc::clone(gateway), within);
    admin::router().route(api::PATH, get(|| async { made_once(&API, api::page) })).layer(within)
}

async fn within(State(gateway): App, request: Request, next: Next) -> Response {
    let most = gateway.config.bounds.api_time;
    let done = tokio::time::timeout(most, next.run(request)).await;
    done.unwrap_or_else(|_| {
        gateway.metrics.reached("api_time");
        let detail = format!("this was not done within {most:?}; it may be done all the same, later");
        Problem::new(Code::DatabaseUnavailable, detail).with_retry_after(RETRY_AFTER).into_response()
    })
}

fn finished(routes: Router<Arc<Gateway>>, gateway: &Arc<Gateway>) -> Router {
    routes
        .fallback(|| async { Problem::from(Code::NotFound) })
        .method_not_allowed_fallback(|| async { Problem::from(Code::MethodNotAllowed) })
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::clone(gateway), observe))
        .with_state(Arc::clone(gateway))
}

/// A bug; the request fails, the gateway goes on. What was panicked with may quote a payload, and is not logged.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request panicked");
    Problem::from(Code::InternalError).into_response()
}

fn probes() -> Router<Arc<Gateway>> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

/// The process answers; nothing else is asked.
async fn live() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// Requests can be served: not stopping, and the database answers.
async fn ready(State(gateway): App) -> Result<Response, Problem> {
    if gateway.stopping.is_cancelled() {
        return Err(Problem::from(Code::ShuttingDown).with_retry_after(RETRY_AFTER));
    }
    match tokio::time::timeout(READY_WITHIN, gateway.store.ping()).await {
        Ok(done) => done?,
        Err(_) => return Err(Problem::from(Code::DatabaseUnavailable).with_retry_after(RETRY_AFTER)),
    }
    Ok(Json(json!({ "status": "ready" })).into_response())
}

async fn metrics(State(gateway): App) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], gateway.metrics_text()).into_response()
}

/// What the `type` of a problem leads to, and the reference of the mapping language.
fn pages() -> Router<Arc<Gateway>> {
    Router::new()
        .route(problem::PATH, get(|| async { page(problem::index_page()) }))
        .route(&format!("{}/{{code}}", problem::PATH), get(problem_page))
        .route(
            reference::PATH,
            get(|| async { made_once(&MAPPINGS, || reference::page(Quota::default().per_minute())) }),
        )
        .route(limits::PATH, get(|| async { made_once(&LIMITS, limits::page) }))
        .route(deliveries::PATH, get(|| async { made_once(&DELIVERIES, deliveries::page) }))
        .route(signatures::PATH, get(|| async { made_once(&SIGNATURES, signatures::page) }))
}

async fn problem_page(Path(code): Path<String>) -> Result<Response, Problem> {
    problem::page(&code).map(page).ok_or_else(|| Problem::new(Code::NotFound, "there is no such problem"))
}

static MAPPINGS: OnceLock<Bytes> = OnceLock::new();
static LIMITS: OnceLock<Bytes> = OnceLock::new();
static API: OnceLock<Bytes> = OnceLock::new();
static DELIVERIES: OnceLock<Bytes> = OnceLock::new();
static SIGNATURES: OnceLock<Bytes> = OnceLock::new();

/// Long pages cost little, however many ask for them and however slowly they read.
fn made_once(made: &OnceLock<Bytes>, make: impl FnOnce() -> String) -> Response {
    page(made.get_or_init(|| make().into()).clone())
}

fn page(html: impl Into<Body>) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY))], Html(html.into())).into_response()
}
