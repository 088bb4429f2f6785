//! Around every request: its id, its caller's address, and its one log line. The URI is
//! never logged, on no path: it holds the token.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument as _;

use super::http::Remote;
use crate::config::client_address;
use crate::gateway::{Gateway, Peer};
use crate::id::RequestId;
use crate::problem::{Code, Problem};
use crate::receive::Noted;

pub async fn observe(State(gateway): State<Arc<Gateway>>, mut request: Request, next: Next) -> Response {
    let begun = gateway.clock.monotonic();
    let id = RequestId::new(gateway.clock.now());
    let address = address(&gateway, &request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let ambiguity = ambiguity(&request);
    request.extensions_mut().insert(Peer { request: id, address });
    let gone = Gone { request: id, address };
    let response = match ambiguity {
        Some(problem) => problem.into_response(),
        None => next.run(request).instrument(tracing::error_span!("request", request = %id)).await,
    };
    std::mem::forget(gone);
    let response = signed(response, id);
    let took = gateway.clock.monotonic().saturating_sub(begun);
    log(&method, route.as_ref(), &response, (id, address, took));
    response
}

/// The log line of a request whose client left before the answer: dropped unless the answer came about.
struct Gone {
    request: RequestId,
    address: IpAddr,
}

impl Drop for Gone {
    fn drop(&mut self) {
        tracing::info!(request = %self.request, address = %self.address, "the client left before the answer");
    }
}

/// Puts the request's id on the answer, and into its problem.
fn signed(mut response: Response, id: RequestId) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let noted = response.extensions_mut().remove::<Noted>();
        response = problem.with_request(id).into_response();
        response.extensions_mut().extend(noted.map(extension).unwrap_or_default());
    }
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn extension(noted: Noted) -> axum::http::Extensions {
    let mut extensions = axum::http::Extensions::new();
    extensions.insert(noted);
    extensions
}

fn log(
    method: &Method,
    route: Option<&MatchedPath>,
    response: &Response,
    (request, address, took): (RequestId, IpAddr, std::time::Duration),
) {
    let none = Noted::default();
    let noted = response.extensions().get::<Noted>().unwrap_or(&none);
    let code = response.extensions().get::<Problem>().map(|problem| problem.code().as_str());
    let event = noted.event.map(tracing::field::display);
    tracing::info!(
        %request,
        %method,
        route = route.map_or("none", MatchedPath::as_str),
        status = response.status().as_u16(),
        code,
        module = noted.module,
        source = noted.source,
        event,
        %address,
        took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
}

fn address(gateway: &Gateway, request: &Request) -> IpAddr {
    let peer = request.extensions().get::<Remote>();
    let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Remote(remote)| remote.ip());
    let forwarded = request.headers().get_all("x-forwarded-for");
    let lines = forwarded.iter().map(|line| line.to_str().unwrap_or_default()).collect::<Vec<_>>();
    client_address(peer, lines, &gateway.config.trusted_proxies)
}

/// What a proxy in front could read otherwise than this gateway does, and so be made to hide a second request in the
/// first one: a `Transfer-Encoding` but `chunked`, once; not just one `Host` (RFC 9112, 3.2).
fn ambiguity(request: &Request) -> Option<Problem> {
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|coding| !is_chunked(coding) || codings.next().is_some()) {
        return Some(ambiguous("the only Transfer-Encoding that is taken is `chunked`, once"));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_missing = hosts.next().is_none() && request.version() != Version::HTTP_10;
    (is_missing || hosts.next().is_some()).then(|| ambiguous("a request has one Host header"))
}

fn ambiguous(detail: &str) -> Problem {
    let problem = Problem::new(Code::InvalidRequest, detail);
    problem.with_header(header::CONNECTION, HeaderValue::from_static("close"))
}
