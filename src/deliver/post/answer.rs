//! The start of an answer's body.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::deliver::exchange::MOST_KEPT;

/// Each piece wakes two tasks, however small it is: 64 KiB byte by byte would cost far more than the delivery.
const MOST_PIECES: usize = 1_024;

/// What comes `within` this time, up to [`MOST_KEPT`] and in at most so many pieces. Dropping what is not at its end
/// closes the connection.
pub(super) async fn start_of(mut body: Incoming, within: Duration) -> Bytes {
    let mut kept = BytesMut::new();
    let reading = async {
        for _ in 0..MOST_PIECES {
            let Some(Ok(frame)) = body.frame().await else { break };
            if let Some(data) = frame.data_ref() {
                kept.extend_from_slice(&data[..data.len().min(MOST_KEPT - kept.len())]);
            }
            if kept.len() == MOST_KEPT {
                break;
            }
        }
    };
    // Late is as good as short: the status has decided.
    let _ = timeout(within, reading).await;
    kept.freeze()
}
