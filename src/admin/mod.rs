//! The administration API: one file that lists every route. Each handler parses, calls one verb, answers; what it says
//! of itself is the OpenAPI document.

mod answer;
mod apply;
mod changes;
mod deliveries;
pub mod described;
mod events;
mod extract;
mod jobs;
mod keys;
mod mappings;
mod modules;
mod records;
mod sources;
mod webhooks;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::gateway::Gateway;

/// Bytes of a request's body; module files are the largest.
const MOST_BODY: usize = 4 * 1024 * 1024;

fn api() -> OpenApiRouter<Arc<Gateway>> {
    OpenApiRouter::new()
        .routes(routes!(apply::apply))
        .routes(routes!(apply::export))
        .routes(routes!(apply::list_presets))
        .routes(routes!(modules::list_modules, modules::create_module))
        .routes(routes!(modules::get_module, modules::change_module, modules::delete_module))
        .routes(routes!(records::list_records, records::create_record))
        .routes(routes!(records::get_record, records::change_record, records::delete_record))
        .routes(routes!(records::list_history))
        .routes(routes!(sources::list_sources, sources::create_source))
        .routes(routes!(sources::get_source, sources::change_source, sources::delete_source))
        .routes(routes!(sources::rotate_token))
        .routes(routes!(sources::rotate_secret))
        .routes(routes!(sources::remove_secrets))
        .routes(routes!(sources::reveal_secret))
        .routes(routes!(mappings::get, mappings::put))
        .routes(routes!(mappings::versions))
        .routes(routes!(mappings::version))
        .routes(routes!(mappings::restore))
        .routes(routes!(mappings::diff))
        .routes(routes!(mappings::try_out))
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(events::get_payload))
        .routes(routes!(events::replay_event))
        .routes(routes!(changes::list_changes))
        .routes(routes!(changes::stream_changes))
        .routes(routes!(webhooks::list_profiles))
        .routes(routes!(webhooks::list_webhooks, webhooks::create_webhook))
        .routes(routes!(webhooks::get_webhook, webhooks::change_webhook, webhooks::delete_webhook))
        .routes(routes!(webhooks::enable_webhook))
        .routes(routes!(webhooks::disable_webhook))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::promote_secret))
        .routes(routes!(webhooks::test_webhook))
        .routes(routes!(deliveries::list_deliveries))
        .routes(routes!(deliveries::get_delivery))
        .routes(routes!(deliveries::retry_delivery))
        .routes(routes!(jobs::list_jobs, jobs::create_job))
        .routes(routes!(jobs::get_job, jobs::cancel_job))
        .routes(routes!(keys::list_keys, keys::create_key))
        .routes(routes!(keys::get_own_key))
        .routes(routes!(keys::revoke_key))
        .routes(routes!(keys::list_audit))
}

pub fn router() -> Router<Arc<Gateway>> {
    let (routes, _) = api().split_for_parts();
    Router::new().nest(described::BASE, routes.layer(DefaultBodyLimit::max(MOST_BODY))).merge(described::router())
}
