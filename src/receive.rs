//! The public door, and the story to read first: one webhook from its request line to its answer.
//!
//! find the source → (no signature: take from the limit) → read the body → (a handshake: answer it) → verify → take
//! from the limit → judge → write → answer. A forgery costs one hash and a counter, never an honest sender's allowance.

mod answer;
mod arrival;
mod body;
mod handshake;
mod headers;
mod kept;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::gateway::{Door, Gateway};
use crate::intake::Format;
use crate::manage::inbound::{JUDGEMENTS, format, hops, judgement_failed, queue_full, refused, work};
use crate::problem::{Code, Problem};
use crate::store::RETRY_AFTER;
use crate::store::writer::WriteError;
use crate::verify;
use crate::verify::handshake::{Answer, Handshake};
use answer::{Accepted, Answered};
use arrival::Inbound;
pub use arrival::Noted;

pub fn router() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/api/webhooks/{module}", any(receive))
        .route("/api/webhooks/{module}/{token}", any(receive))
        // A token with a slash in it is an unknown token, and so is none at all.
        .route("/api/webhooks/{module}/", any(receive))
        .route("/api/webhooks/{module}/{token}/", any(receive))
        .route("/api/webhooks/{module}/{token}/{*rest}", any(receive))
}

async fn receive(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let mut inbound = Inbound::new(&gateway, request);
    let answered = match *inbound.method() {
        Method::POST => answer(&gateway, &mut inbound).await,
        Method::GET | Method::HEAD => match handshake::probe(&gateway, &mut inbound) {
            Some(answered) => answered.map(Answered::Handshake),
            None => return handshake::not_allowed(),
        },
        _ => return handshake::not_allowed(),
    };
    let took = gateway.clock.now().since(inbound.arrival.received_at);
    let response = match answered {
        Ok(answered) => {
            gateway.metrics.webhook(answered.outcome(), took);
            inbound.count(answered.outcome());
            if matches!(answered, Answered::Handshake(_)) {
                // It is no event, and none is kept of it.
                inbound.arrival.noted.event = None;
            }
            answered.into_response()
        }
        Err(problem) => {
            gateway.metrics.webhook(problem.code().as_str(), took);
            inbound.count(problem.code().as_str());
            inbound.keep_refusal(&gateway, &problem);
            inbound.drain_beside(&gateway);
            if inbound.wants_bare_refusals() { problem.bare().into_response() } else { problem.into_response() }
        }
    };
    inbound.arrival.note(response)
}

/// The way of a webhook. What it refuses is kept by the caller, as far as a source is known.
async fn answer(gateway: &Gateway, inbound: &mut Inbound) -> Result<Answered, Problem> {
    let door = inbound.find_door(gateway)?;
    if !door.source.settings.enabled {
        return Err(Code::SourceDisabled.into());
    }
    if !gateway.writer.admits() {
        return Err(queue_full());
    }
    let may_ask = door.handshakes.has_post();
    if door.source.settings.signature.is_none() && !may_ask {
        take(&door)?;
    }
    let hops = hops(&inbound.headers)?;
    // A handshake may be of any type, and without a body.
    let known = if may_ask { None } else { Some(format(&inbound.headers)?) };
    inbound.read_body(gateway, door.source.max_body(&gateway.config.bounds)).await?;
    // A body may take its time, and the token may have been revoked meanwhile.
    let door = inbound.find_door_again(gateway, door)?;
    if let Some(mut answer) = admit(gateway, inbound, &door)? {
        handshake::keep(gateway, inbound, &door, &mut answer).await?;
        return Ok(Answered::Handshake(answer));
    }
    let format = known.map_or_else(|| format(&inbound.headers), Ok)?;
    commit(gateway, inbound, door, format, hops).await.map(Answered::Accepted)
}

/// Lets a webhook in that is signed as it should be, and counts it; a handshake is answered and not counted. The body is
/// read as JSON for handshakes at most once, and not for a forgery unless some handshake of the source is unsigned.
fn admit(gateway: &Gateway, inbound: &Inbound, door: &Door) -> Result<Option<Answer>, Problem> {
    let (scheme, may_ask) = (door.source.settings.signature.as_ref(), door.handshakes.has_post());
    if scheme.is_none() && !may_ask {
        return Ok(None);
    }
    let url = inbound.public_url(gateway);
    let request = verify::Request::new(inbound.signed(&url));
    let find = |all: &[Handshake]| {
        let found = all.iter().find(|handshake| handshake.is(&request));
        if found.is_some_and(Handshake::keeps) {
            // Whatever becomes of it.
            let _ = inbound.offers_secret.set(());
        }
        found.map(|found| handshake::answer(gateway, inbound, door, (found, &request))).transpose()
    };
    if let Some(answer) = find(&door.handshakes.unsigned)? {
        return Ok(Some(answer));
    }
    if let Some(scheme) = scheme {
        let now = inbound.arrival.received_at;
        match verify::verify(scheme, &door.source.secrets.at(now), request.signed, now) {
            verify::Verdict::Pass if door.source.mapping.event_id.is_none() => {
                if let Some(once) = verify::once(scheme, request.signed) {
                    // A request passes once.
                    let _ = inbound.once.set(once);
                }
            }
            verify::Verdict::Pass => {}
            verify::Verdict::Refused(refusal) => return Err(refusal.problem(scheme)),
        }
    }
    if door.handshakes.sign_for_anyone() && !matches!(request.signed.body.trim_ascii_start().first(), Some(b'{' | b'['))
    {
        let detail = "This source signs challenges, and takes JSON objects and lists alone, which no challenge is.";
        return Err(Problem::new(Code::SignatureMismatch, detail));
    }
    if let Some(answer) = find(&door.handshakes.signed)? {
        return Ok(Some(answer));
    }
    take(door).map(|()| None)
}

fn take(door: &Door) -> Result<(), Problem> {
    door.limiter.take().map_err(|mut over| {
        // Replicas share the limit; senders are told the whole of it.
        over.quota = door.source.quota();
        Problem::from(over)
    })
}

/// Judges and writes; when the module was altered in between, judges anew by its new shape.
async fn commit(
    gateway: &Gateway,
    inbound: &mut Inbound,
    mut door: Arc<Door>,
    format: Format,
    hops: u32,
) -> Result<Accepted, Problem> {
    for _ in 0..JUDGEMENTS {
        let judged = inbound.judge(&door, format);
        inbound.arrival.event_type.clone_from(&judged.event_type);
        let (work, unfit) = work(gateway, &door, judged, inbound.arrival.received_at, hops).await?;
        match gateway.writer.write(inbound.accepted(&door), work).await {
            Ok(receipt) => {
                return Ok(Accepted { event: inbound.arrival.event, receipt, door });
            }
            Err(WriteError::NotRepeated) => return Err(judgement_failed(&unfit)),
            Err(WriteError::ShapeMoved) => {
                tracing::info!(module = %door.source.shape.slug, "the module was altered while an event was on its way");
                gateway.reload_past(inbound.judged_by).await?;
                door = inbound.find_door(gateway)?;
            }
            Err(error) => return Err(refused(&door, error)),
        }
    }
    Err(Problem::from(Code::DatabaseUnavailable).with_retry_after(RETRY_AFTER))
}
