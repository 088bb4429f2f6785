//! One attempt: rendered, signed, sent, judged. Whatever goes wrong with it is its outcome.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};
use url::Host;

use super::endpoint::Endpoint;
use super::exchange::{ErrorClass, Exchange, Failed, MOST_KEPT, Outgoing, Reply, Timings};
use super::post::Poster;
use super::render::Rendering;
use super::retry::{self, Jitter, Next, Rule};
use super::sign::{self, Envelope};
use super::slots::Went;
use super::target::INSPECT;
use crate::clock::{Clock, Timestamp};
use crate::id::{AttemptId, DeliveryId};
use crate::record::change::Change;
use crate::store::settle::{Fate, NewAttempt};

/// What is sent: an event of a change, to one endpoint.
pub struct Letter<'a> {
    pub endpoint: &'a Endpoint,
    pub delivery: DeliveryId,
    pub event: &'a str,
    pub change: &'a Change,
    pub rendering: &'a Rendering,
    /// From 1.
    pub number: u32,
    /// How many attempts were made before it was sent again: what follows a failure is counted from there.
    pub retried_from: u32,
    pub test: bool,
}

/// What was sent, and what came of it.
pub struct Sent {
    pub at: Timestamp,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub exchange: Exchange,
}

impl Letter<'_> {
    pub async fn send(&self, poster: &Poster, clock: &Clock) -> Sent {
        let at = clock.now();
        let body = self.rendering.render(self.change, self.delivery);
        let secrets = self.endpoint.active_secrets(at);
        let headers = sign::headers(Envelope {
            profile: self.endpoint.profile,
            delivery: self.delivery,
            of_type: self.event,
            sent_at: at,
            hops: self.change.hops,
            test: self.test,
            custom: &self.endpoint.headers,
            secrets: &secrets,
            body: &body,
        });
        let (headers, exchange) = match headers {
            Err(unsendable) => (HeaderMap::new(), failed(ErrorClass::Unsendable, &unsendable.to_string())),
            Ok(headers) if self.endpoint.url.as_str() == INSPECT => (headers, inspected()),
            Ok(headers) => {
                let (url, timeout) = (self.endpoint.url.clone(), self.endpoint.timeout());
                let outgoing = Outgoing { url, headers: headers.clone(), body: body.clone(), timeout };
                (headers, poster.post(outgoing).await)
            }
        };
        Sent { at, headers, body, exchange }
    }

    /// What the answer means for the delivery, and for the endpoint's share of attempts.
    pub fn judge(&self, sent: &Sent, now: Timestamp, drawn: u16) -> (Next, Fate, Went) {
        let endpoint = self.endpoint;
        let rule = Rule {
            retries: endpoint.retries(),
            jitter: Jitter { most_percent: endpoint.profile.jitter_percent, drawn },
            on_gone: endpoint.raw.on_gone,
            is_literal: !matches!(endpoint.url.host(), Some(Host::Domain(_))),
        };
        let next = retry::next(&sent.exchange.result, self.number.saturating_sub(self.retried_from), rule, now);
        let (fate, went) = match &next {
            Next::Delivered => (Fate::Delivered, Went::Well),
            Next::Again { at, slow } => (Fate::Again(*at), slow.map_or(Went::Badly, Went::Overloaded)),
            Next::GivenUp { slow } => (Fate::Failed, slow.map_or(Went::Badly, Went::Overloaded)),
            Next::Gone => (Fate::Failed, Went::Badly),
        };
        (next, fate, went)
    }

    /// As the history keeps it. Of custom headers only the names: their values may be credentials.
    pub fn history(&self, sent: &Sent) -> NewAttempt {
        let timings = sent.exchange.timings;
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        let (reply, error) = match &sent.exchange.result {
            Ok(reply) => (Some(reply), None),
            Err(failed) => (None, Some((failed.class.as_str(), failed.detail.clone()))),
        };
        NewAttempt {
            id: AttemptId::new(sent.at),
            number: self.number,
            at: sent.at,
            url: self.endpoint.url.to_string(),
            request_headers: texts(&sent.headers, &self.endpoint.headers),
            request_body: sent.body.slice(..sent.body.len().min(MOST_KEPT)),
            request_size: sent.body.len(),
            address: sent.exchange.address.map(|address| address.to_string()),
            status: reply.map(|reply| reply.status),
            response_headers: reply.map(|reply| texts(&reply.headers, &HeaderMap::new())),
            response_body: reply.map(|reply| reply.body.clone()),
            error,
            dns: timings.dns.map(micros),
            connect: timings.connect.map(micros),
            tls: timings.tls.map(micros),
            first_byte: timings.first_byte.map(micros),
            total: micros(timings.total),
        }
    }
}

/// The built-in receiver: it takes everything, and what it was given is read in the history.
fn inspected() -> Exchange {
    let body = Bytes::from_static(b"kept for inspection");
    let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, HeaderValue::from_static("text/plain"))]);
    let reply = Reply { status: StatusCode::OK.as_u16(), headers, body };
    Exchange { address: None, timings: Timings::default(), result: Ok(reply) }
}

pub fn failed(class: ErrorClass, detail: &str) -> Exchange {
    let failed = Failed { class, detail: detail.to_owned() };
    Exchange { address: None, timings: Timings::default(), result: Err(failed) }
}

/// Headers as one JSON object of texts, or of lists where one comes several times.
pub fn texts(headers: &HeaderMap, hidden: &HeaderMap) -> String {
    let mut all = Map::new();
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter().map(|value| shown(name, value, hidden));
        let value = match (values.next(), values.next()) {
            (Some(one), None) => one,
            (first, second) => Value::Array(first.into_iter().chain(second).chain(values).collect()),
        };
        all.insert(name.as_str().to_owned(), value);
    }
    Value::Object(all).to_string()
}

fn shown(name: &HeaderName, value: &HeaderValue, hidden: &HeaderMap) -> Value {
    if hidden.contains_key(name) {
        return Value::String("(not kept)".to_owned());
    }
    Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
