//! Reading a body: bounded in size, in progress and in time.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::clock::Clock;
use crate::config::Bounds;
use crate::problem::{Code, Problem};

/// What an early answer waits for, at most.
const DRAINED_BYTES: usize = 256 * 1024;
const DRAINED_TIME: Duration = Duration::from_secs(1);

pub fn too_large(most: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body is larger than the {most} bytes that this source takes"))
}

/// The whole body, in one piece and uncopied when it came in one.
pub async fn read(
    body: &mut Body,
    length: Option<usize>,
    most: usize,
    bounds: &Bounds,
    clock: &Clock,
) -> Result<Bytes, Problem> {
    let begun = clock.monotonic();
    let (mut window, mut progress) = (begun, 0);
    let mut first: Option<Bytes> = None;
    let mut whole = BytesMut::new();
    loop {
        let now = clock.monotonic();
        if progress >= bounds.progress_bytes {
            (window, progress) = (now, 0);
        }
        let end = (window + bounds.progress_time).min(begun + bounds.body_time);
        let frame = tokio::time::timeout(end.saturating_sub(now), body.frame()).await;
        let Some(frame) = frame.map_err(|_| Problem::from(Code::BodyTimeout))? else { break };
        let frame = frame.map_err(|_| Problem::new(Code::InvalidRequest, "the body ended before it was complete"))?;
        let Ok(data) = frame.into_data() else { continue };
        progress += data.len();
        let got = first.as_ref().map_or(0, Bytes::len).max(whole.len());
        if got + data.len() > most {
            return Err(too_large(most));
        }
        match first.take() {
            None if whole.is_empty() => first = Some(data),
            None => whole.extend_from_slice(&data),
            Some(first) => {
                whole.reserve(length.unwrap_or(first.len() + data.len()));
                whole.extend_from_slice(&first);
                whole.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| whole.freeze()))
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
