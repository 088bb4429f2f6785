//! Slow clients beside honest ones: the honest should not notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tidegate::cli::bench::load::Tally;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Fire, Options, all_accepted, mean, median, p99};

const HEAD: &[u8] = b"POST /api/webhooks/bench/tgt_slow HTTP/1.1\r\nhost: bench\r\nx-slow: ";
const EVERY: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Slow {
    open: AtomicUsize,
    /// How often the gateway ended one, and how long it had let it be in all, in milliseconds.
    ended: AtomicU64,
    lived: AtomicU64,
    refused: AtomicU64,
}

/// Without and with, in turns, so that what else the machine does meets both. The median of the rounds is told, and
/// each of them: a checkpoint of the database holds everyone up for a moment, and meets one side or the other.
pub const ROUNDS: u64 = 5;

pub async fn run(fire: &Fire, options: &Options) {
    let span = Duration::from_secs(options.loris_seconds);
    let (mut alone, mut beside) = (Tally::default(), Tally::default());
    let (mut p99s_alone, mut p99s_beside) = (Vec::new(), Vec::new());
    let (slow, mut open, mut memory) = (Arc::new(Slow::default()), Vec::new(), 0.0);
    for _ in 0..ROUNDS {
        let round = all_accepted(fire.honest(span).run().await.unwrap()).tally;
        p99s_alone.push(p99(&round));
        alone.add(&round);

        let stop = CancellationToken::new();
        let thread = crowd(&slow, &stop, fire.gateway.target.address(), options.slow_clients);
        // All have come after a second, or are not let in.
        tokio::time::sleep(2 * EVERY).await;
        let running = fire.honest(span).start();
        while !running.is_finished() {
            open.push(slow.open.load(Ordering::Relaxed) as f64);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let round = all_accepted(running.finish().await.unwrap()).tally;
        p99s_beside.push(p99(&round));
        beside.add(&round);
        memory = fire.memory("VmRSS");
        stop.cancel();
        thread.await.unwrap();
        slow.open.store(0, Ordering::Relaxed);
    }
    let ended = slow.ended.load(Ordering::Relaxed);
    println!(
        "loris   {} slow clients ({:.0} connected on average) beside {:.0} requests/s, {ROUNDS} x {:.0} s: honest p99 {:.1} ms, {:.1} ms without (x{:.2}; each round {p99s_beside:.0?} and {p99s_alone:.0?}), p50 {:.1} and {:.1} ms; {ended} cut off, after {:.1} s on average, {} not let in; memory {memory:.0} MiB",
        options.slow_clients,
        mean(&open),
        fire.best / 2.0,
        span.as_secs_f64(),
        median(&p99s_beside),
        median(&p99s_alone),
        median(&p99s_beside) / median(&p99s_alone),
        beside.accepted.percentile(50.0).as_secs_f64() * 1_000.0,
        alone.accepted.percentile(50.0).as_secs_f64() * 1_000.0,
        slow.lived.load(Ordering::Relaxed) as f64 / ended.max(1) as f64 / 1_000.0,
        slow.refused.load(Ordering::Relaxed),
    );
    assert!(ended > 0 || span < Duration::from_secs(15), "slow heads are cut off");
}

/// On a thread of its own, as the honest load is.
fn crowd(slow: &Arc<Slow>, stop: &CancellationToken, to: SocketAddr, number: usize) -> tokio::task::JoinHandle<()> {
    let (slow, stop) = (Arc::clone(slow), stop.clone());
    tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut clients = JoinSet::new();
            for place in 0..number {
                let (slow, stop) = (Arc::clone(&slow), stop.clone());
                // Spread over the second, as independent clients are.
                let first = EVERY.mul_f64(place as f64 / number as f64);
                clients.spawn(async move {
                    tokio::select! {
                        () = client(&slow, to, first) => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
            clients.join_all().await;
        });
    })
}

/// Comes again whenever it is cut off.
async fn client(slow: &Slow, to: SocketAddr, first: Duration) {
    loop {
        tokio::time::sleep(first).await;
        let Ok(mut stream) = TcpStream::connect(to).await else {
            slow.refused.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(EVERY).await;
            continue;
        };
        slow.open.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        until_cut_off(&mut stream).await;
        slow.open.fetch_sub(1, Ordering::Relaxed);
        slow.ended.fetch_add(1, Ordering::Relaxed);
        slow.lived.fetch_add(begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

/// A byte each second; what comes back is read, so that the end is seen at once.
async fn until_cut_off(stream: &mut TcpStream) {
    let mut answer = [0; 1_024];
    let mut bytes = HEAD.iter().copied().chain(std::iter::repeat(b'x'));
    let mut next = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = next.tick() => {
                let byte = bytes.next().unwrap_or(b'x');
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
            read = stream.read(&mut answer) => if matches!(read, Ok(0) | Err(_)) {
                return;
            }
        }
    }
}
