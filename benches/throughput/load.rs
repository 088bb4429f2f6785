//! The load: connections that each send one request after the other (a closed loop), bodies signed as they go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tidegate::verify::hmac_sha256;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub const SECRET: &str = "whsec_of_the_benchmark";
const KEYS: u64 = 100_000;

/// Where requests go: an address and the paths of its sources.
pub struct Target {
    pub address: String,
    pub paths: Vec<String>,
}

pub struct Report {
    pub requests: usize,
    pub refused: usize,
    pub rate: f64,
    /// Microseconds, sorted.
    latencies: Vec<u32>,
}

impl Report {
    /// Milliseconds.
    pub fn percentile(&self, percent: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (last as f64 * percent / 100.0).round() as usize;
        f64::from(self.latencies.get(place).copied().unwrap_or(0)) / 1_000.0
    }
}

static NEXT: AtomicU64 = AtomicU64::new(0);

pub async fn run(target: &Arc<Target>, connections: usize, span: Duration) -> Report {
    let begun = Instant::now();
    let end = begun + span;
    let tasks = (0..connections).map(|_| tokio::spawn(connection(Arc::clone(target), end))).collect::<Vec<_>>();
    let mut latencies = Vec::new();
    let mut refused = 0;
    for task in tasks {
        let (own, own_refused) = task.await.unwrap();
        latencies.extend(own);
        refused += own_refused;
    }
    let took = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    Report { requests: latencies.len(), refused, rate: latencies.len() as f64 / took, latencies }
}

async fn connection(target: Arc<Target>, end: Instant) -> (Vec<u32>, usize) {
    let mut stream = TcpStream::connect(&target.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut latencies, mut refused) = (Vec::new(), 0);
    let mut answer = vec![0; 16 * 1024];
    while Instant::now() < end {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let request = request(&target, number);
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        let status = read_answer(&mut stream, &mut answer).await;
        latencies.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        refused += usize::from(!(200..300).contains(&status));
    }
    (latencies, refused)
}

/// A request of its own event id, for one of the keys in an order that repeats no pattern.
fn request(target: &Target, number: u64) -> Vec<u8> {
    let key = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % KEYS;
    let path = &target.paths[(number % target.paths.len() as u64) as usize];
    let mut body = format!(
        r#"{{"id":"evt-{number}","type":"order.updated","payload":{{"sku":"SKU-{key}","qty":{},"station":"Press {}","price":"{}.50","urgent":{},"due":"2026-03-01T08:00:00Z"}},"padding":""#,
        number % 1_000,
        number % 7,
        number % 900,
        number.is_multiple_of(2),
    );
    body.extend(std::iter::repeat_n('x', 1_024 - 2 - body.len()));
    body.push_str("\"}");
    let signature = data_encoding::HEXLOWER.encode(&hmac_sha256(SECRET.as_bytes(), body.as_bytes()));
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nx-webhook-signature: sha256={signature}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Reads one answer with a Content-Length, and returns its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> u16 {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.unwrap();
        assert!(read > 0, "the connection was closed");
        filled += read;
        let Some(head) = buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head]).unwrap().to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        if filled >= head + 4 + length {
            return text[9..12].parse().unwrap();
        }
    }
}
