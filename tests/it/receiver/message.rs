//! What comes to a receiver, and what it gives back.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A request, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub method: String,
    /// With the query.
    pub path: String,
    /// Names as they were written, in their order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Which of the receiver's connections it came on, from 0.
    pub connection: usize,
}

impl Received {
    /// The first of that name; case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn header_map(&self) -> HeaderMap {
        let parsed = |(name, value): &(String, String)| {
            (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
        };
        self.headers.iter().map(parsed).collect()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Received {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.method, self.path, String::from_utf8_lossy(&self.body))
    }
}

/// The first request of these bytes once all of it is there, and its length.
pub fn parse(bytes: &[u8], connection: usize) -> Option<(Received, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head is UTF-8");
    let mut lines = head.split("\r\n");
    let [method, path, "HTTP/1.1"] = lines.next().unwrap().split(' ').collect::<Vec<_>>()[..] else {
        panic!("no request of HTTP/1.1: {head}")
    };
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("a header without a colon: {line}"));
        (name.to_owned(), value.trim().to_owned())
    };
    let mut request =
        Received { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new(), connection };
    request.headers = lines.map(header).collect();
    assert!(request.header("transfer-encoding").is_none(), "the receiver reads bodies by their Content-Length: {head}");
    let length: usize = request.header("content-length").map_or(0, |value| value.parse().expect("a number of bytes"));
    request.body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some((request, end + 4 + length))
}

/// What becomes of the connection behind an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The next request may come.
    GoOn,
    Close,
    /// Nothing more comes, and nothing is closed until the client does.
    Hang,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) gate: Option<Gate>,
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::with(status, &[], "")
    }

    pub fn with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        // What has no body has no length either (RFC 9110, 8.6).
        let length = if status == 204 { String::new() } else { format!("content-length: {length}\r\n") };
        let head = format!("HTTP/1.1 {status} As told\r\n{lines}{length}\r\n");
        Self::raw([head.as_bytes(), body].concat(), End::GoOn)
    }

    /// These bytes and no others, be they HTTP or not.
    pub fn raw(bytes: impl Into<Vec<u8>>, end: End) -> Self {
        Self { gate: None, bytes: bytes.into(), end }
    }

    /// Closes without a word.
    pub fn close() -> Self {
        Self::raw([], End::Close)
    }

    /// Never says a word.
    pub fn hang() -> Self {
        Self::raw([], End::Hang)
    }

    /// Not before the gate is opened.
    pub fn behind(self, gate: &Gate) -> Self {
        Self { gate: Some(gate.clone()), ..self }
    }
}

/// What answers wait for. It opens once, for all that wait and all that will.
#[derive(Clone, Debug, Default)]
pub struct Gate(CancellationToken);

impl Gate {
    pub fn open(&self) {
        self.0.cancel();
    }

    pub(super) async fn opened(&self) {
        self.0.cancelled().await;
    }
}
