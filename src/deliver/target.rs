//! Where deliveries may go. A URL is judged when it is saved ([`Targets::check`]), so that the admin is told; what
//! protects is the address that is dialled ([`Targets::admit`]), judged for every new connection.
//!
//! Open: addresses that anyone on the internet can reach, and what the operator opens (`--allow-target`). Never open:
//! where clouds hand out credentials (`ranges.rs`), in any spelling; IPv4 addresses in the clothes of IPv6, the prefix of
//! NAT64 excepted; and listeners of the gateway that are named as its own.

mod ranges;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::Uri;
use url::{Host, Url};

use crate::config::Cidr;

/// The built-in receiver: rendered and signed as any other, handed over in process.
pub const INSPECT: &str = "tidegate://inspect";
/// Bytes of a URL as it is sent.
const LONGEST: usize = 2_048;

/// Built once from the settings; clones share it.
#[derive(Clone, Debug)]
pub struct Targets {
    opened: Arc<[Cidr]>,
    own: Arc<[SocketAddr]>,
}

/// Why nothing is delivered there. What stands here is for the admin; of an address that is not allowed it says only
/// that, so that nobody can map a network by saving URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTarget {
    #[error("not a URL such as https://example.com/hooks")]
    NotUrl,
    #[error("must begin with https:// or http://; `{INSPECT}` is the receiver that is built in")]
    Scheme,
    #[error("must not hold a user or a password; send them in a header of the endpoint")]
    Credentials,
    #[error("must not hold a fragment (`#…`): it would never be sent")]
    Fragment,
    #[error("longer than {LONGEST} bytes")]
    TooLong,
    #[error("holds characters that a request line cannot carry; write them percent-encoded")]
    Unwritable,
    #[error("deliveries go to the ports 80, 443, and 1024 and above")]
    Port,
    #[error("this target is not allowed")]
    NotAllowed,
}

impl Targets {
    /// `opened` are the operator's ranges. They open private addresses and loopback, and in them every port; an IPv4
    /// range does not open the IPv6 forms of its addresses, which no resolver gives and nobody needs.
    ///
    /// `own` are listeners that no delivery may reach, whatever is opened: that of the administration, when it has one
    /// of its own. The one that receives webhooks is not meant: modules may feed each other by it, and loops end by
    /// their hops. Of a listener on all addresses only those of loopback are known.
    pub fn new(opened: Vec<Cidr>, own: Vec<SocketAddr>) -> Self {
        Self { opened: opened.into(), own: own.into() }
    }

    /// A URL as an admin gives it; what comes back is what is stored, shown and dialled: `http://0x7f.1` is
    /// `http://127.0.0.1/` there. An address is judged at once, a name when it is dialled.
    ///
    /// # Errors
    /// A sentence for the admin.
    pub fn check(&self, text: &str) -> Result<Url, BadTarget> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(BadTarget::TooLong);
        }
        // The parser would drop them without a word.
        if text.contains(|char: char| char.is_whitespace() || char.is_control()) {
            return Err(BadTarget::NotUrl);
        }
        let url = Url::parse(text).map_err(|_| BadTarget::NotUrl)?;
        if text != INSPECT {
            self.judge(&url)?;
        }
        Ok(url)
    }

    /// Whether a delivery to `url` may be tried at all. A name on a low port is judged when it is dialled if the
    /// operator has opened any range, since it may lie there.
    pub(super) fn judge(&self, url: &Url) -> Result<(), BadTarget> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(BadTarget::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BadTarget::Credentials);
        }
        if url.fragment().is_some() {
            return Err(BadTarget::Fragment);
        }
        if url.as_str().len() > LONGEST {
            return Err(BadTarget::TooLong);
        }
        if Uri::try_from(url.as_str()).is_err() {
            return Err(BadTarget::Unwritable);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        match url.host() {
            Some(Host::Ipv4(address)) => self.admit(SocketAddr::from((address, port))),
            Some(Host::Ipv6(address)) => self.admit(SocketAddr::from((address, port))),
            Some(Host::Domain(_)) if is_usual(port) || (port != 0 && !self.opened.is_empty()) => Ok(()),
            Some(Host::Domain(_)) => Err(BadTarget::Port),
            None => Err(BadTarget::NotUrl),
        }
    }

    /// Whether this very address and port may be dialled.
    pub fn admit(&self, address: SocketAddr) -> Result<(), BadTarget> {
        if !self.allows(address.ip()) || self.is_own(address) {
            return Err(BadTarget::NotAllowed);
        }
        let is_open = is_usual(address.port()) || (address.port() != 0 && self.is_opened(address.ip()));
        if is_open { Ok(()) } else { Err(BadTarget::Port) }
    }

    pub fn allows(&self, ip: IpAddr) -> bool {
        !ranges::holds_credentials(ip) && (ranges::is_public(ip) || self.is_opened(ip))
    }

    fn is_opened(&self, ip: IpAddr) -> bool {
        // A range takes a mapped address for the plain one.
        ip == ip.to_canonical() && self.opened.iter().any(|range| range.contains(ip))
    }

    fn is_own(&self, address: SocketAddr) -> bool {
        let is_here = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        self.own.iter().any(|own| {
            own.port() == address.port() && (own.ip() == address.ip() || (is_here(own.ip()) && is_here(address.ip())))
        })
    }
}

/// Below 1024 are the services of the system (22, 25, 53, …): none of them takes webhooks, and some can be talked into
/// something by a request that they cannot read.
fn is_usual(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..)
}
