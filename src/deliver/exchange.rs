//! One request that goes out and what came of it, as the parts of this room hand it to each other.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use url::Url;

/// Bytes of a body that are kept in the history, of the request and of the answer alike.
pub const MOST_KEPT: usize = 64 * 1024;

/// A request, rendered and signed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// For the whole of it: name look-up, connection, request and answer.
    pub timeout: Duration,
}

/// What became of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// That was dialled, if it came to that.
    pub address: Option<SocketAddr>,
    pub timings: Timings,
    pub result: Result<Reply, Failed>,
}

/// How long each part took; none where nothing of the kind was done, as on a connection that is used again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    pub dns: Option<Duration>,
    pub connect: Option<Duration>,
    pub tls: Option<Duration>,
    /// From the start to the answer's status.
    pub first_byte: Option<Duration>,
    pub total: Duration,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// The first [`MOST_KEPT`] bytes, as far as they came in time: the status alone decides.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct Failed {
    pub class: ErrorClass,
    /// In a few words, for whoever runs the gateway; quotes nothing of what was received.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The name has no address, or its servers do not answer.
    Dns,
    /// Nobody listens there, or nothing can be reached.
    Connect,
    Tls,
    /// No status within the timeout.
    Timeout,
    /// What came is not HTTP, or is more of a head than is read.
    Protocol,
    /// The address is not one that deliveries may go to.
    TargetNotAllowed,
    /// The change, its rendering or the endpoint's secret cannot be read: nothing was sent.
    Unsendable,
}

impl ErrorClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::TargetNotAllowed => "target_not_allowed",
            Self::Unsendable => "unsendable",
        }
    }
}
