//! Reading a body: bounded in size, in progress and in time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::OwnedSemaphorePermit;

use crate::gateway::Gateway;
use crate::problem::{Code, Problem};
use crate::store::RETRY_AFTER;

/// What an early answer waits for, at most.
const DRAINED_BYTES: usize = 256 * 1024;
const DRAINED_TIME: Duration = Duration::from_secs(1);

pub fn too_large(gateway: &Gateway, most: usize) -> Problem {
    gateway.metrics.reached("max_body");
    Problem::new(Code::BodyTooLarge, format!("the body is larger than the {most} bytes that this source takes"))
}

/// A body, and its claim on the memory that all bodies share, held for as long as the body is.
pub struct Held {
    pub bytes: Bytes,
    claim: Option<OwnedSemaphorePermit>,
}

impl Held {
    pub fn nothing() -> Self {
        Self { bytes: Bytes::new(), claim: None }
    }
}

/// Reads the whole body, in one piece and uncopied when it came in one. Memory is claimed as bytes arrive: what a
/// sender only announces costs nobody anything.
pub async fn read(body: &mut Body, most: usize, gateway: &Gateway) -> Result<Held, Problem> {
    let (bounds, clock) = (&gateway.config.bounds, &gateway.clock);
    let begun = clock.monotonic();
    let (mut window, mut progress) = (begun, 0);
    let mut held = Held::nothing();
    let mut whole = BytesMut::new();
    loop {
        let now = clock.monotonic();
        if progress >= bounds.progress_bytes {
            (window, progress) = (now, 0);
        }
        let end = (window + bounds.progress_time).min(begun + bounds.body_time);
        let frame = tokio::time::timeout(end.saturating_sub(now), body.frame()).await;
        let Some(frame) = frame.map_err(|_| late(gateway, end == begun + bounds.body_time))? else { break };
        let frame = frame.map_err(|_| {
            Problem::new(Code::InvalidRequest, "the body ended before it was complete, or its chunks are malformed")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        progress += data.len();
        if held.bytes.len().max(whole.len()) + data.len() > most {
            return Err(too_large(gateway, most));
        }
        claim(gateway, &mut held.claim, data.len())?;
        if held.bytes.is_empty() && whole.is_empty() {
            held.bytes = data;
            continue;
        }
        whole.extend_from_slice(&std::mem::take(&mut held.bytes));
        whole.extend_from_slice(&data);
    }
    if !whole.is_empty() {
        held.bytes = whole.freeze();
    }
    Ok(held)
}

fn late(gateway: &Gateway, as_a_whole: bool) -> Problem {
    gateway.metrics.reached(if as_a_whole { "body_time" } else { "progress_time" });
    Code::BodyTimeout.into()
}

fn claim(gateway: &Gateway, claim: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), Problem> {
    let more = Arc::clone(&gateway.bodies).try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
    let more = more.map_err(|_| {
        gateway.metrics.reached("bodies_bytes");
        Problem::from(Code::QueueFull).with_retry_after(RETRY_AFTER)
    })?;
    match claim {
        Some(claim) => claim.merge(more),
        None => *claim = Some(more),
    }
    Ok(())
}

/// Takes in what is left, within bounds, and forgets it. What comes beyond them is not read, and the connection stays
/// open for the rest of the time: closing it with bytes unread would take the answer away from the sender.
pub async fn drain(mut body: Body) {
    let mut taken = 0;
    let all = async {
        while let Some(Ok(frame)) = body.frame().await {
            taken += frame.into_data().map_or(0, |data| data.len());
            if taken >= DRAINED_BYTES {
                std::future::pending::<()>().await;
            }
        }
    };
    // Whichever comes first; there is nobody left to tell.
    let _ = tokio::time::timeout(DRAINED_TIME, all).await;
}
