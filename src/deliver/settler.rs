//! What came of attempts is written down in batches: as many as have ended while the last one was written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::attempt::texts;
use super::engine::Deliveries;
use super::exchange::Exchange;
use crate::clock::Timestamp;
use crate::id::AttemptId;
use crate::store::due::Due;
use crate::store::settle::{Failing, Fate, NewAttempt, Settled};

/// Outcomes in one transaction.
const BATCH: usize = 256;
/// How often a batch is tried, and how long it rests in between; then its leases have run out.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(2);

/// Ends when all that was under way has ended and is written.
pub async fn run(deliveries: Arc<Deliveries>, mut settled: mpsc::Receiver<Settled>) {
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let count = tokio::select! {
            count = settled.recv_many(&mut batch, BATCH) => count,
            () = deliveries.drained.cancelled(), if !settled.is_closed() => {
                settled.close();
                continue;
            }
        };
        if count == 0 {
            break;
        }
        let failing = write(&deliveries, &batch).await;
        if batch.iter().any(|one| one.due.ordered) {
            deliveries.more();
        }
        // When its row says since when it fails.
        let gone = batch.drain(..).filter(|one| one.gone).map(|one| one.due.endpoint).collect::<BTreeSet<_>>();
        for endpoint in gone {
            deliveries.disable(endpoint, "gone").await;
        }
        deliveries.look_after(failing).await;
    }
}

async fn write(deliveries: &Deliveries, batch: &[Settled]) -> Vec<Failing> {
    for _ in 0..TRIES {
        match deliveries.store.settle(batch, deliveries.clock.now()).await {
            Ok(failing) => return failing,
            Err(error) => {
                tracing::warn!(%error, "what came of deliveries could not be written; it is tried again");
                let stopped = tokio::time::timeout(PAUSE, deliveries.drained.cancelled()).await.is_ok();
                if stopped {
                    break;
                }
            }
        }
    }
    tracing::error!(attempts = batch.len(), "what came of deliveries is lost: they will be sent again");
    Vec::new()
}

/// A delivery that can never be sent.
pub fn unsent(due: Due, at: Timestamp, exchange: &Exchange) -> Settled {
    let error = exchange.result.as_ref().err().map(|failed| (failed.class.as_str(), failed.detail.clone()));
    let attempt = NewAttempt {
        id: AttemptId::new(at),
        number: due.attempts + 1,
        at,
        url: String::new(),
        request_headers: texts(&http::HeaderMap::new(), &http::HeaderMap::new()),
        request_body: bytes::Bytes::new(),
        request_size: 0,
        address: None,
        status: None,
        response_headers: None,
        response_body: None,
        error,
        dns: None,
        connect: None,
        tls: None,
        first_byte: None,
        total: 0,
    };
    Settled { due, attempt, fate: Fate::Failed, gone: false }
}
