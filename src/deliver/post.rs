//! The HTTP client that takes a delivery to its target: one request, one answer, each of its costs bounded. HTTP/1.1
//! only; no redirects, no cookies, no decompression, no proxy from the environment.
//!
//! Every new connection looks the name up afresh, judges all that the look-up gave, and dials just that
//! (`connect.rs`), so a name that changes its mind between check and use gains nothing. Connections that are kept open
//! were judged when they were dialled, and settings do not change while the gateway runs.
//!
//! With an egress proxy, names are resolved there: which of their addresses may be reached is then the proxy's to
//! judge, and must be set up there. Addresses that stand in a URL are judged here all the same. The address and the
//! time of the connection are then those to the proxy.

mod answer;
mod connect;
mod failure;
mod resolve;
#[cfg(test)]
mod tests;
mod tls;
mod trace;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;

use super::exchange::{ErrorClass, Exchange, Failed, Outgoing, Reply, Timings};
use super::target::Targets;
use crate::clock::Clock;
use crate::config::Proxy;
use crate::secret::ExposeSecret;
use connect::Connector;
pub use resolve::{Found, Resolve, System};
use tls::Trust;
use trace::{Trace, Used};

/// How the message is framed and where it goes is said here and by nobody else.
const OURS: [HeaderName; 9] =
    [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, UPGRADE, EXPECT, TE, TRAILER, PROXY_AUTHORIZATION];

/// What one attempt may cost, besides its timeout.
#[derive(Clone, Debug)]
struct Limits {
    lookup: Duration,
    /// For all addresses of a name together.
    connect: Duration,
    tls: Duration,
    /// From the answer's head to its end.
    body: Duration,
    head_bytes: usize,
    head_fields: usize,
    /// All that is read of one answer: heads that promise another one, the framing of chunks.
    answer_bytes: usize,
    /// A connection that nobody uses is kept so long.
    idle: Duration,
    idle_per_host: usize,
    /// Older connections take no further request, so that a busy one does not hold on to an address that the name has
    /// left long ago.
    age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lookup: Duration::from_secs(5),
            connect: Duration::from_secs(5),
            tls: Duration::from_secs(10),
            body: Duration::from_secs(5),
            head_bytes: 64 * 1024,
            head_fields: 100,
            answer_bytes: 512 * 1024,
            // Many servers (Node, Apache, uvicorn) close after five seconds. A request that meets the close is lost.
            idle: Duration::from_secs(4),
            idle_per_host: 32,
            age: Duration::from_secs(300),
        }
    }
}

/// One for a gateway; clones share its connections.
#[derive(Clone)]
pub struct Poster {
    client: Client<Connector, Full<Bytes>>,
    targets: Targets,
    /// What an egress proxy asks for on requests that are not tunnelled.
    proxy_authorization: Option<HeaderValue>,
    limits: Limits,
    /// For durations: real ones, whatever time the gateway believes it is.
    clock: Clock,
}

impl Poster {
    pub fn new(targets: Targets, proxy: Option<Proxy>, resolver: Arc<dyn Resolve>) -> Self {
        Self::within(Limits::default(), Trust::OfTheSystem, targets, proxy, resolver)
    }

    fn within(
        limits: Limits,
        trust: Trust,
        targets: Targets,
        proxy: Option<Proxy>,
        resolver: Arc<dyn Resolve>,
    ) -> Self {
        let clock = Clock::system();
        let proxy_authorization = proxy.as_ref().and_then(authorization);
        let connector = Connector::new(limits.clone(), clock.clone(), targets.clone(), proxy, resolver, trust);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(limits.idle)
            .pool_max_idle_per_host(limits.idle_per_host)
            // It would try without end; `send` tries once more where nothing has left.
            .retry_canceled_requests(false)
            .http1_max_buf_size(limits.head_bytes)
            .http1_max_headers(limits.head_fields)
            .build(connector);
        Self { client, targets, proxy_authorization, limits, clock }
    }

    /// Whatever happens out there is in what comes back, at the latest at the end of the timeout. Then, as when the
    /// future is dropped, a connection in use is closed.
    pub async fn post(&self, outgoing: Outgoing) -> Exchange {
        let begun = self.clock.monotonic();
        let trace = Trace::default();
        let (result, first_byte) = match self.request(&outgoing) {
            Ok(request) => self.exchange(request, outgoing.timeout, begun, &trace).await,
            Err(failed) => (Err(failed), None),
        };
        let steps = trace.steps();
        let total = self.clock.monotonic().saturating_sub(begun);
        let timings = Timings { dns: steps.dns, connect: steps.connect, tls: steps.tls, first_byte, total };
        Exchange { address: steps.address, timings, result }
    }

    fn request(&self, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, Failed> {
        let refused = |why: &dyn ToString| Failed { class: ErrorClass::TargetNotAllowed, detail: why.to_string() };
        self.targets.judge(&outgoing.url).map_err(|why| refused(&why))?;
        let uri = Uri::try_from(outgoing.url.as_str()).map_err(|why| refused(&why))?;
        let is_plain = outgoing.url.scheme() == "http";
        let mut request = Request::new(Full::new(outgoing.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers(&outgoing.headers, is_plain);
        Ok(request)
    }

    fn headers(&self, given: &HeaderMap, is_plain: bool) -> HeaderMap {
        let mut headers = given.clone();
        for name in OURS {
            headers.remove(name);
        }
        // Inside a tunnel it would reach the target.
        if let Some(authorization) = self.proxy_authorization.as_ref().filter(|_| is_plain) {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        headers
    }

    /// The answer, and when its head was there.
    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        within: Duration,
        begun: Duration,
        trace: &Trace,
    ) -> (Result<Reply, Failed>, Option<Duration>) {
        let mut used = Used::default();
        let response = timeout(within, trace.follow(self.send(request, trace, &mut used))).await;
        trace.settle(&used);
        used.retire(self.clock.monotonic().saturating_sub(self.limits.age));
        let response = match response {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return (Err(failure::of(&error)), None),
            Err(_) => return (Err(failure::late(within)), None),
        };
        let first_byte = self.clock.monotonic().saturating_sub(begun);
        let left = within.saturating_sub(first_byte).min(self.limits.body);
        let (head, body) = response.into_parts();
        let body = answer::start_of(body, left).await;
        (Ok(Reply { status: head.status.as_u16(), headers: head.headers, body }), Some(first_byte))
    }

    /// A kept connection may be closed by the other side just when it is taken. If hyper says that nothing of the
    /// request was written to it, it is sent once more.
    async fn send(
        &self,
        request: Request<Full<Bytes>>,
        trace: &Trace,
        used: &mut Used,
    ) -> Result<Response<Incoming>, Error> {
        match self.client.request(used.watch(request.clone())).await {
            Err(error) if failure::never_left(&error) && trace.steps().connect.is_none() => {
                self.client.request(used.watch(request)).await
            }
            done => done,
        }
    }
}

fn authorization(proxy: &Proxy) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(proxy.authorization.as_ref()?.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}
