//! HTTP byte by byte, for what no well-behaved client sends.

use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Answer, Sender};

/// Longer than any test may wait: what hangs fails.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Wire {
    stream: TcpStream,
    /// What came behind the answers that were read.
    rest: Vec<u8>,
}

impl Wire {
    /// To the gateway at `http://host:port`.
    pub async fn open(base: &str) -> Self {
        let address = base.strip_prefix("http://").expect("the URL is http://host:port");
        Self::over(TcpStream::connect(address).await.expect("the gateway takes connections"))
    }

    pub fn over(stream: TcpStream) -> Self {
        Self { stream, rest: Vec::new() }
    }

    /// A connection on which a POST with these header lines has begun.
    pub async fn post(sender: &Sender, headers: &str) -> Self {
        let mut wire = Self::open(&sender.base).await;
        let head = format!("POST {} HTTP/1.1\r\nhost: gateway\r\n{headers}\r\n\r\n", sender.path());
        wire.write(head.as_bytes()).await.expect("the gateway reads the head");
        wire
    }

    /// # Errors
    /// The gateway has closed, which it may do once it has answered.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(DEADLINE, self.stream.write_all(bytes)).await.expect("the gateway reads or closes")
    }

    /// Says that nothing more comes, and goes on reading.
    pub async fn finish(&mut self) {
        // It fails when the gateway has closed, and then it has been said.
        let _ = self.stream.shutdown().await;
    }

    /// Reads one answer. A reset behind it is none of its business.
    pub async fn answer(&mut self) -> Answer {
        self.next().await.unwrap_or_else(|| panic!("closed after {:?}", String::from_utf8_lossy(&self.rest)))
    }

    /// Reads one answer, or that the gateway closes before one is whole.
    pub async fn next(&mut self) -> Option<Answer> {
        loop {
            if let Some((answer, length)) = parse(&self.rest) {
                self.rest.drain(..length);
                return Some(answer);
            }
            let mut piece = [0; 4_096];
            let read = timeout(DEADLINE, self.stream.read(&mut piece)).await.expect("the gateway answers or closes");
            match read {
                Ok(length) if length > 0 => self.rest.extend_from_slice(&piece[..length]),
                _ => return None,
            }
        }
    }

    /// Whether the gateway closes without another byte.
    pub async fn is_closed(&mut self) -> bool {
        let read = timeout(DEADLINE, self.stream.read(&mut [0; 1])).await.expect("the gateway closes");
        self.rest.is_empty() && !matches!(read, Ok(1))
    }
}

/// An answer once all of it is there, by its Content-Length, and its length in bytes.
fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().expect("a status is a number");
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header has a colon");
        headers.append(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value.trim()).unwrap());
    }
    let length: usize = headers.get("content-length").map_or(0, |value| value.to_str().unwrap().parse().unwrap());
    let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some((Answer { status, headers, body }, end + 4 + length))
}
