//! A receiver that does as little as can be, on a thread of its own: reads a request, notes when it came, answers 204.
//! Some of its endpoints may never answer.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tidegate::cli::bench::load::Histogram;
use tidegate::clock::{Clock, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const LENGTH: &[u8] = b"\r\ncontent-length: ";
const TIMESTAMP: &[u8] = b"\"timestamp\":\"";

/// What has come since it was last taken.
#[derive(Default)]
pub struct Came {
    pub requests: u64,
    /// From the change's time to its arrival. The change's time is that of the beginning of its transaction, so that
    /// this is more than what passes after the commit.
    pub delays: Histogram,
    pub last: Option<Instant>,
}

pub struct Receiver {
    pub address: SocketAddr,
    came: Arc<Mutex<Came>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let came = Arc::new(Mutex::new(Came::default()));
        let shared = Arc::clone(&came);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { address, came }
    }

    /// Answers at once.
    pub fn url(&self, number: usize) -> String {
        format!("http://{}/hooks/{number}", self.address)
    }

    /// Takes the request and never answers.
    pub fn dead_url(&self) -> String {
        format!("http://{}/dead", self.address)
    }

    pub fn take(&self) -> Came {
        std::mem::take(&mut self.came.lock().unwrap())
    }

    /// Until so many have come, or nothing more does for a while. Says how many did, and when the last came.
    pub async fn wait_for(&self, requests: u64) -> (u64, Option<Instant>) {
        let (mut before, mut quiet) = (0, 0);
        loop {
            let (now, last) = self.so_far();
            quiet = if now == before { quiet + 1 } else { 0 };
            if now >= requests || quiet > 600 {
                return (now, last);
            }
            before = now;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn so_far(&self) -> (u64, Option<Instant>) {
        let came = self.came.lock().unwrap();
        (came.requests, came.last)
    }
}

async fn serve(mut stream: TcpStream, came: Arc<Mutex<Came>>) {
    let _ = stream.set_nodelay(true);
    let clock = Clock::system();
    let mut buffer = Vec::with_capacity(16 * 1024);
    while stream.read_buf(&mut buffer).await.is_ok_and(|count| count > 0) {
        while let Some(end) = request(&buffer) {
            if buffer.starts_with(b"POST /dead") {
                std::future::pending::<()>().await;
            }
            note(&buffer[..end], &came, clock.now());
            buffer.drain(..end);
            if stream.write_all(ANSWER).await.is_err() {
                return;
            }
        }
    }
}

/// Where the first request ends, if all of it is there.
fn request(buffer: &[u8]) -> Option<usize> {
    let head = find(buffer, b"\r\n\r\n")? + 4;
    let at = find(&buffer[..head], LENGTH)? + LENGTH.len();
    let digits = buffer[at..].iter().take_while(|byte| byte.is_ascii_digit());
    let length = digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    (buffer.len() >= head + length).then_some(head + length)
}

fn note(request: &[u8], came: &Mutex<Came>, now: Timestamp) {
    let at = find(request, TIMESTAMP).map(|at| &request[at + TIMESTAMP.len()..]);
    let at = at.and_then(|rest| std::str::from_utf8(&rest[..27]).ok()?.parse::<Timestamp>().ok());
    let mut came = came.lock().unwrap();
    came.requests += 1;
    came.last = Some(Instant::now());
    if let Some(at) = at {
        came.delays.record(now.since(at));
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
