//! One signed attempt at once, marked as a test: the answer is shown, and nothing of it is kept.

use std::time::Duration;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::find;
use super::members::{Wrong, invalid};
use super::sample::{Sample, sample};
use super::view::settings;
use crate::deliver::attempt::{Letter, Sent, texts};
use crate::deliver::endpoint::Endpoint;
use crate::deliver::exchange::{Failed, MOST_KEPT};
use crate::gateway::{Gateway, outbound};
use crate::id::DeliveryId;
use crate::manage::caller::Caller;
use crate::problem::{Code, Problem};
use crate::store::endpoints::StoredEndpoint;
use crate::store::keys::Role;

#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = TestOfWebhook, example = json!({ "type": "record_created" }))]
pub struct Asked {
    /// The event's type; the first that the webhook asks for unless given.
    #[serde(default, rename = "type")]
    event: Option<String>,
    /// By slug; the first that has such events unless given.
    #[serde(default)]
    module: Option<String>,
}

/// What was sent and what came back.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TestedWebhook)]
pub struct Tested {
    test: bool,
    #[serde(rename = "type")]
    event: String,
    module: Option<String>,
    /// The change that it tells of; null when that was made up.
    change_id: Option<String>,
    /// Whether a delivery with this answer would count as delivered.
    is_success: bool,
    status: Option<u16>,
    time_ms: f64,
    #[schema(value_type = Option<Object>)]
    headers: Option<Value>,
    /// As text; what is none in UTF-8 is replaced.
    body: Option<String>,
    is_body_cut: bool,
    error: Option<ErrorView>,
    address: Option<String>,
    request: RequestView,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TestError)]
struct ErrorView {
    class: &'static str,
    detail: String,
}

#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = TestRequest)]
struct RequestView {
    url: String,
    #[schema(value_type = Object)]
    headers: Value,
    body: String,
}

pub async fn test_webhook(gateway: &Gateway, caller: &Caller, id: &str, asked: Asked) -> Result<Tested, Problem> {
    caller.needs(Role::Editor)?;
    let endpoint = endpoint(gateway, &find(gateway, id).await?)?;
    let sample = sample(gateway, &endpoint, (asked.event.as_deref(), asked.module.as_deref())).await?;
    let book = gateway.deliveries.book();
    let shape = book.shape_of(&sample.change).map(|shape| &**shape);
    let made = book.rendering(endpoint.profile, shape, &sample.event);
    let made = made.map_err(|error| {
        tracing::error!(%error, event = sample.event, "an event cannot be rendered");
        Problem::from(Code::InternalError)
    })?;
    let letter = Letter {
        endpoint: &endpoint,
        // Not that of the change's own delivery: a receiver would take that for a duplicate.
        delivery: DeliveryId::new(gateway.clock.now()),
        event: &sample.event,
        change: &sample.change,
        rendering: &made.rendering,
        number: 1,
        retried_from: 0,
        test: true,
    };
    let sent = letter.send(gateway.deliveries.poster(), &gateway.clock).await;
    Ok(tested(&endpoint, sample, sent))
}

/// Enabled or not, with no more time than a request of the API has.
fn endpoint(gateway: &Gateway, stored: &StoredEndpoint) -> Result<Endpoint, Problem> {
    let raw = settings(stored)?;
    gateway.targets.check(&raw.url).map_err(|bad| invalid(vec![Wrong::new("url", bad.to_string())]))?;
    let mut endpoint = outbound::endpoint(stored, &gateway.seal).ok_or_else(|| {
        tracing::error!(endpoint = %stored.id, "an endpoint cannot be used: its settings or secrets do not read");
        Problem::from(Code::InternalError)
    })?;
    let most = (gateway.config.bounds.api_time * 4 / 5).min(endpoint.timeout());
    endpoint.raw.timeout = Some(u32::try_from(most.as_secs()).unwrap_or(u32::MAX).max(1));
    Ok(endpoint)
}

fn tested(endpoint: &Endpoint, sample: Sample, sent: Sent) -> Tested {
    let request = RequestView {
        url: endpoint.url.to_string(),
        headers: read(&texts(&sent.headers, &endpoint.headers)),
        body: String::from_utf8_lossy(&sent.body).into_owned(),
    };
    let (reply, error) = match sent.exchange.result {
        Ok(reply) => (Some(reply), None),
        Err(Failed { class, detail }) => (None, Some(ErrorView { class: class.as_str(), detail })),
    };
    let body = reply.as_ref().map(|reply| &reply.body);
    Tested {
        test: true,
        event: sample.event,
        module: sample.module,
        change_id: (!sample.is_made_up).then_some(sample.change.id),
        is_success: reply.as_ref().is_some_and(|reply| (200..300).contains(&reply.status)),
        status: reply.as_ref().map(|reply| reply.status),
        time_ms: millis(sent.exchange.timings.total),
        headers: reply.as_ref().map(|reply| read(&texts(&reply.headers, &HeaderMap::new()))),
        is_body_cut: body.is_some_and(|body| body.len() >= MOST_KEPT),
        body: body.map(|body| String::from_utf8_lossy(body).into_owned()),
        error,
        address: sent.exchange.address.map(|address| address.to_string()),
        request,
    }
}

fn read(headers: &str) -> Value {
    serde_json::from_str(headers).unwrap_or(Value::Null)
}

/// To the microsecond.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}
