//! Webhooks over HTTP: endpoints of changes that flow out. The ETag is the version.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::answer::{App, Asked, Body, PageQuery, answer, condition, once, or_default, parsed, query, tagged};
use super::described::{Conflict, Moved, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::deliver::endpoint::RawEndpoint;
use crate::manage::page::Page;
use crate::manage::webhook;
use crate::manage::webhook::list_profiles::ProfileView;
use crate::manage::webhook::view::{WebhookView, WithSecret};
use crate::problem::Problem;

/// What of a new webhook is kept sealed, beside its settings. It only describes: what is sent is read member by member, so
/// that every fault is told at once.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "it describes")]
struct Sealed {
    /// Generated unless given.
    secret: Option<String>,
    /// Sent with each delivery, and shown by name only.
    headers: Option<BTreeMap<String, String>>,
}

struct NewWebhook;

impl PartialSchema for NewWebhook {
    fn schema() -> RefOr<Schema> {
        let mut schema = RawEndpoint::schema();
        if let (RefOr::T(Schema::Object(whole)), RefOr::T(Schema::Object(sealed))) = (&mut schema, Sealed::schema()) {
            whole.properties.extend(sealed.properties);
        }
        schema
    }
}

impl ToSchema for NewWebhook {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        RawEndpoint::schemas(schemas);
    }
}

/// How webhooks can be spoken to
#[utoipa::path(get, path = "/profiles", tag = "Webhooks", security(("key" = ["viewer"])),
    responses((status = 200, body = Page<ProfileView>)))]
pub async fn list_profiles(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    webhook::list_profiles::list_profiles(&gateway, &caller).map(answer)
}

/// All webhooks, oldest first
#[utoipa::path(get, path = "/webhooks", tag = "Webhooks", security(("key" = ["viewer"])),
    params(PageQuery), responses((status = 200, body = Page<WebhookView>)))]
pub async fn list_webhooks(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    webhook::list_webhooks::list_webhooks(&gateway, &caller, query(page)?.page()).await.map(answer)
}

/// Makes a webhook
///
/// Its secret is answered once.
#[utoipa::path(post, path = "/webhooks", tag = "Webhooks", security(("key" = ["editor"])),
    request_body(content = NewWebhook, example = json!({ "url": "https://example.com/hooks", "events": ["record_created"] })),
    responses((status = 201, body = WithSecret), Conflict, Unfit))]
pub async fn create_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    body: Body,
) -> Result<Response, Problem> {
    let made = webhook::create_webhook::create_webhook(&gateway, &caller, parsed(body)?).await?;
    once(StatusCode::CREATED, made.version(), made)
}

/// One webhook
#[utoipa::path(get, path = "/webhooks/{id}", tag = "Webhooks", security(("key" = ["viewer"])),
    responses((status = 200, body = WebhookView), NotFound))]
pub async fn get_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let view = webhook::get_webhook::get_webhook(&gateway, &caller, &id).await?;
    tagged(view.version(), view)
}

/// Changes some settings of a webhook
///
/// By a merge: what is left out stays, null takes a member back to its default.
#[utoipa::path(patch, path = "/webhooks/{id}", tag = "Webhooks", security(("key" = ["editor"])),
    request_body(content = Object, example = json!({ "concurrency": 4, "filter": null })),
    responses((status = 200, body = WebhookView), NotFound, Conflict, Moved, Unfit))]
pub async fn change_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = (&*id, condition(&headers));
    let view = webhook::change_webhook::change_webhook(&gateway, &caller, of, parsed(body)?).await?;
    tagged(view.version(), view)
}

/// Deletes a webhook
///
/// Its history stays for as long as it is kept.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "Webhooks", security(("key" = ["editor"])),
    responses((status = 204), NotFound, Conflict, Moved))]
pub async fn delete_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    webhook::delete_webhook::delete_webhook(&gateway, &caller, (&id, condition(&headers))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Enables a webhook
#[utoipa::path(post, path = "/webhooks/{id}/enable", tag = "Webhooks", security(("key" = ["editor"])),
    responses((status = 200, body = WebhookView), NotFound, Conflict, Unfit))]
pub async fn enable_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let view = webhook::enable_webhook::enable_webhook(&gateway, &caller, &id).await?;
    tagged(view.version(), view)
}

/// Disables a webhook
///
/// It remembers from where on it misses.
#[utoipa::path(post, path = "/webhooks/{id}/disable", tag = "Webhooks", security(("key" = ["editor"])),
    responses((status = 200, body = WebhookView), NotFound, Conflict))]
pub async fn disable_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let view = webhook::disable_webhook::disable_webhook(&gateway, &caller, &id).await?;
    tagged(view.version(), view)
}

/// Gives a webhook another secret
///
/// Both sign until the overlap ends. The new one is answered once.
#[utoipa::path(post, path = "/webhooks/{id}/rotate-secret", tag = "Webhooks", security(("key" = ["editor"])),
    request_body(content = Option<webhook::rotate_secret::Rotation>, example = json!({ "overlap": 3600 })),
    responses((status = 200, body = WithSecret), NotFound, Conflict, Unfit))]
pub async fn rotate_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    let rotated = webhook::rotate_secret::rotate_secret(&gateway, &caller, &id, or_default(body)?).await?;
    once(StatusCode::OK, rotated.version(), rotated)
}

/// Ends the overlap of a rotation now
#[utoipa::path(post, path = "/webhooks/{id}/promote-secret", tag = "Webhooks", security(("key" = ["editor"])),
    responses((status = 200, body = WebhookView), NotFound, Conflict))]
pub async fn promote_secret(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let view = webhook::promote_secret::promote_secret(&gateway, &caller, &id).await?;
    tagged(view.version(), view)
}

/// Sends a test event, and shows the answer
#[utoipa::path(post, path = "/webhooks/{id}/test", tag = "Webhooks", security(("key" = ["editor"])),
    request_body(content = Option<webhook::test_webhook::Asked>, example = json!({ "type": "record_created" })),
    responses((status = 200, body = webhook::test_webhook::Tested), NotFound, Unfit))]
pub async fn test_webhook(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(id): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    webhook::test_webhook::test_webhook(&gateway, &caller, &id, or_default(body)?).await.map(answer)
}
