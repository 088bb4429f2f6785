//! Where events go, and the module that takes them.

use std::fmt::Write;
use std::net::SocketAddr;

use http::Uri;

use super::event::{BODY, Events};

/// The header of the signature.
const SIGNATURE: &str = "x-webhook-signature";

/// Doors of one server that all take the same events.
#[derive(Debug)]
pub struct Target {
    pub(super) address: SocketAddr,
    /// As it was given, for messages and the `Host` header.
    pub(super) host: String,
    paths: Vec<String>,
    pub events: Events,
}

#[derive(Debug, thiserror::Error)]
pub enum BadTarget {
    #[error("load is sent over http:// only: past the proxy that ends TLS, which is not what is measured")]
    Scheme,
    #[error("{0} is not a URL with a host")]
    Url(String),
    #[error("cannot find {0}: {1}")]
    Unknown(String, std::io::Error),
}

impl Target {
    /// `url` is `http://host[:port]`, and the beginning of every path.
    pub async fn find(url: &str, events: Events) -> Result<Self, BadTarget> {
        let bad = || BadTarget::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| bad())?;
        if uri.scheme_str() != Some("http") {
            return Err(BadTarget::Scheme);
        }
        let authority = uri.authority().ok_or_else(bad)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let found = tokio::net::lookup_host((host, authority.port_u16().unwrap_or(80))).await;
        let unknown = |error| BadTarget::Unknown(authority.to_string(), error);
        let address = found.map_err(unknown)?.next().ok_or_else(bad)?;
        let paths = vec![uri.path().trim_end_matches('/').to_owned()];
        Ok(Self { address, host: authority.to_string(), paths, events })
    }

    /// The doors there: events go to one after the other.
    #[must_use]
    pub fn doors(mut self, paths: &[String]) -> Self {
        let base = self.paths.first().cloned().unwrap_or_default();
        self.paths = paths.iter().map(|path| format!("{base}{path}")).collect();
        self
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next event as a whole request, in place of what is in the buffer.
    pub(super) fn write(&self, request: &mut Vec<u8>) {
        let number = self.events.take();
        let door = usize::try_from(number).unwrap_or_default() % self.paths.len().max(1);
        let path = self.paths.get(door).map_or("/", String::as_str);
        request.clear();
        for part in ["POST ", path, " HTTP/1.1\r\nhost: ", &self.host, "\r\n", HEAD, SIGNATURE, ": sha256="] {
            request.extend_from_slice(part.as_bytes());
        }
        self.events.write(number, "\r\n\r\n", request);
    }
}

const HEAD: &str = "content-type: application/json\r\ncontent-length: 1024\r\n";
const _: () = assert!(BODY == 1_024, "HEAD says how long a body is");

/// A module of six fields, and sources that map events onto it, with as high a limit as there is. `secret` is the name of
/// the variable that holds what events are signed with.
pub fn module_file(slug: &str, sources: &[String], secret: &str) -> String {
    let mut text = format!(
        "[module]\nslug = \"{slug}\"\nmatch = [\"product_code\"]\n\n\
         [module.fields]\nproduct_code = {{ type = \"text\", required = true }}\nquantity = \"integer\"\n\
         work_center = \"text\"\nprice = \"decimal\"\nurgent = \"boolean\"\ndue = \"timestamp\"\n",
    );
    let rules = [
        ("sku", "product_code"),
        ("qty", "quantity"),
        ("station", "work_center"),
        ("price", "price"),
        ("urgent", "urgent"),
        ("due", "due"),
    ];
    // Writing into a String cannot fail.
    for source in sources {
        let _ = write!(
            text,
            "\n[[source]]\nslug = \"{source}\"\nevent_type = \"$.type\"\nevent_id = \"$.id\"\n\
             rate_limit = {{ per_minute = 1000000 }}\n\
             signature = {{ header = \"{SIGNATURE}\", prefix = \"sha256=\", secret = \"env:{secret}\" }}\n"
        );
        for (from, to) in rules {
            let _ = write!(text, "[[source.rule]]\nfrom = \"$.payload.{from}\"\nto = \"{to}\"\n");
        }
    }
    text
}
