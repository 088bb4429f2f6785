//! What a sender asks before it sends. A GET or HEAD is answered where the source has such a handshake, and as on any
//! other path where not, so that nothing is told of the source. What no signature vouches for is rationed, and repeats
//! nothing but what it was sent.

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::arrival::Inbound;
use crate::gateway::{Door, Gateway};
use crate::manage::keep_secret::{has_one, keep_secret};
use crate::problem::{Code, Problem};
use crate::secret::{SecretString, digest_bytes};
use crate::verify::Request;
use crate::verify::handshake::{Answer, Asked, Handshake, Unanswered};

/// When a ration is there again.
const NEXT: std::time::Duration = std::time::Duration::from_secs(1);

/// A GET or HEAD; nothing where this address does not take it.
pub fn probe(gateway: &Gateway, inbound: &mut Inbound) -> Option<Result<Answer, Problem>> {
    let door = inbound.look_up(gateway)?;
    let all = match *inbound.method() {
        Method::HEAD => &door.handshakes.head,
        _ => &door.handshakes.get,
    };
    let url = inbound.public_url(gateway);
    let request = Request::new(inbound.signed(&url));
    let found = all.iter().find(|handshake| handshake.is(&request))?;
    let answered = if door.source.settings.enabled {
        answer(gateway, inbound, &door, (found, &request))
    } else {
        Err(Code::SourceDisabled.into())
    };
    inbound.enter(&door);
    Some(answered)
}

pub fn answer(
    gateway: &Gateway,
    inbound: &Inbound,
    door: &Door,
    (handshake, request): (&Handshake, &Request<'_>),
) -> Result<Answer, Problem> {
    let vouched_for = handshake.is_signed && door.source.settings.signature.is_some();
    if !vouched_for && !door.answers.allows(gateway.clock.monotonic()) {
        let detail = "This source answers so many handshakes a second, and no more.";
        return Err(Problem::new(Code::RateLimited, detail).with_retry_after(NEXT));
    }
    let secrets = door.source.secrets.at(inbound.arrival.received_at);
    let secret = secrets.first().map(AsRef::as_ref);
    let mut answer = handshake.answer(Asked { request, secret, token: inbound.token() }).map_err(refused)?;
    if let Some(offered) = answer.keep.take_if(|_| !secrets.is_empty()) {
        // Asked again, since the answer was lost or by an admin: it is answered again.
        let known = secrets.iter().map(|secret| digest_bytes(secret.as_ref()));
        let offered = digest_bytes(offered.as_bytes());
        if !known.into_iter().any(|known| bool::from(known.ct_eq(&offered))) {
            return Err(has_one());
        }
    }
    Ok(answer)
}

fn refused(unanswered: Unanswered) -> Problem {
    match unanswered {
        Unanswered::WrongToken => {
            Problem::new(Code::HandshakeRefused, "The verify token is not the token of this source's own URL.")
        }
        Unanswered::NoSecret => Code::SignatureUnconfigured.into(),
        Unanswered::Malformed => {
            let detail =
                "This is a handshake, and what its answer is to repeat is missing, too long, or no plain text.";
            Problem::new(Code::InvalidRequest, detail)
        }
    }
}

/// Done before the answer leaves: from then on the sender signs with it.
pub async fn keep(gateway: &Gateway, inbound: &mut Inbound, door: &Door, answer: &mut Answer) -> Result<(), Problem> {
    let Some(secret) = answer.keep.take() else { return Ok(()) };
    // Before it is tried, since that may fail.
    inbound.forget();
    keep_secret(gateway, &door.source, SecretString::from(secret), inbound.arrival.address.clone()).await
}

/// What any path answers that takes POST alone.
pub fn not_allowed() -> Response {
    let allowed = HeaderValue::from_static("POST");
    Problem::from(Code::MethodNotAllowed).with_header(header::ALLOW, allowed).into_response()
}

/// It repeats what someone else wrote: nobody keeps it, and no browser takes it for more than text (`nosniff` stands on
/// every answer of the gateway).
impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        headers.extend(self.headers);
        if let Some(content_type) = self.content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
