//! The administration API: one file that lists every route. Each handler parses, calls one verb, answers.

mod changes;
mod deliveries;
mod extract;
mod handlers;
mod jobs;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use crate::gateway::Gateway;

/// Bytes of a request's body; module files are the largest.
const MOST_BODY: usize = 4 * 1024 * 1024;

pub fn router() -> Router<Arc<Gateway>> {
    let api = Router::new()
        .route("/apply", post(handlers::apply))
        .route("/modules", get(handlers::list_modules))
        .route("/modules/{slug}", get(handlers::get_module))
        .route("/modules/{slug}/records", get(handlers::list_records))
        .route("/modules/{slug}/records/{record}", get(handlers::get_record))
        .route("/modules/{slug}/sources", get(handlers::list_sources).post(handlers::create_source))
        .route("/modules/{slug}/sources/{source}", get(handlers::get_source))
        .route("/modules/{slug}/sources/{source}/secrets", delete(handlers::remove_secrets))
        .route("/modules/{slug}/sources/{source}/reveal-secret", post(handlers::reveal_secret))
        .route("/presets", get(handlers::list_presets))
        .route("/changes", get(changes::list_changes))
        .route("/changes/stream", get(changes::stream_changes))
        .route("/events", get(handlers::list_events))
        .route("/events/{id}", get(handlers::get_event))
        .route("/events/{id}/payload", get(handlers::get_payload))
        .route("/webhooks/{id}/deliveries", get(deliveries::list_deliveries))
        .route("/deliveries/{id}", get(deliveries::get_delivery))
        .route("/deliveries/{id}/retry", post(deliveries::retry_delivery))
        .route("/jobs", get(jobs::list_jobs).post(jobs::create_job))
        .route("/jobs/{id}", get(jobs::get_job).delete(jobs::cancel_job))
        .route("/profiles", get(webhooks::list_profiles))
        .route("/webhooks", get(webhooks::list_webhooks).post(webhooks::create_webhook))
        .route(
            "/webhooks/{id}",
            get(webhooks::get_webhook).patch(webhooks::change_webhook).delete(webhooks::delete_webhook),
        )
        .route("/webhooks/{id}/enable", post(webhooks::enable_webhook))
        .route("/webhooks/{id}/disable", post(webhooks::disable_webhook))
        .route("/webhooks/{id}/rotate-secret", post(webhooks::rotate_secret))
        .route("/webhooks/{id}/promote-secret", post(webhooks::promote_secret))
        .route("/webhooks/{id}/test", post(webhooks::test_webhook))
        .layer(DefaultBodyLimit::max(MOST_BODY));
    Router::new().nest("/api/v1", api)
}
