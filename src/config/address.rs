//! Whose address a request carries: ranges of addresses, and the way back through trusted proxies.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A range of addresses, such as `10.0.0.0/8`; a lone address is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// The first address; its host bits are zero.
    network: IpAddr,
    prefix: u8,
}

/// The text is not a range of addresses.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an address or a range of addresses, such as 10.0.0.0/8 or 2001:db8::/32")]
pub struct BadCidr;

impl Cidr {
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.prefix) == Some(self.network)
            && address.to_canonical().is_ipv4() == self.network.is_ipv4()
    }
}

/// `address` with all bits behind `prefix` cleared; nothing when it has fewer bits than that.
fn masked(address: IpAddr, prefix: u8) -> Option<IpAddr> {
    let prefix = u32::from(prefix);
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32_u32.checked_sub(prefix)?).unwrap_or(0);
            Some(IpAddr::from((v4.to_bits() & mask).to_be_bytes()))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128_u32.checked_sub(prefix)?).unwrap_or(0);
            Some(IpAddr::from((v6.to_bits() & mask).to_be_bytes()))
        }
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    /// Host bits may be set (`10.1.2.3/8` is `10.0.0.0/8`), as nginx and HAProxy take them.
    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadCidr)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => bits,
            Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                digits.parse().map_err(|_| BadCidr)?
            }
            Some(_) => return Err(BadCidr),
        };
        // A socket that listens on both families reports IPv4 peers as ::ffff:a.b.c.d; ranges follow the plain form.
        let (address, prefix) = match address.to_canonical() {
            plain if plain.is_ipv4() && address.is_ipv6() && prefix >= 96 => (plain, prefix - 96),
            _ => (address, prefix),
        };
        let network = masked(address, prefix).ok_or(BadCidr)?;
        Ok(Self { network, prefix })
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

/// The address that a request came from: `peer`, or, behind trusted proxies, the rightmost address in
/// `X-Forwarded-For` that is not one of them. What stands further left was written by whoever sent the request.
///
/// `forwarded` are the header's lines in the order they came; a line that is not text must be passed as an empty one.
pub fn client_address<'a>(
    peer: IpAddr,
    forwarded: impl IntoIterator<Item = &'a str, IntoIter: DoubleEndedIterator>,
    trusted: &[Cidr],
) -> IpAddr {
    let believed = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let mut client = peer.to_canonical();
    for hop in forwarded.into_iter().rev().flat_map(|line| line.rsplit(',')) {
        if !believed(client) {
            break;
        }
        // An entry that is no address ends the chain: all that is known is which proxy passed it on.
        let Some(before) = hop_address(hop.trim()) else { break };
        client = before;
    }
    client
}

/// An entry of `X-Forwarded-For`; some proxies add the port: `192.0.2.1:4711`, `[2001:db8::1]:4711`.
fn hop_address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse().map(|socket: std::net::SocketAddr| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(text: &str) -> Vec<Cidr> {
        text.split_whitespace().map(|range| range.parse().unwrap()).collect()
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        for (range, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.2", "11.0.0.0"),
            ("10.1.2.3/8", "10.0.0.0", "9.255.255.255"),
            ("192.0.2.128/25", "192.0.2.128", "192.0.2.127"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "203.0.113.9", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
            ("::1", "::1", "::2"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::ffff:11.0.0.1"),
            ("::ffff:10.0.0.0/104", "10.9.9.9", "11.0.0.1"),
        ] {
            let cidr: Cidr = range.parse().unwrap();
            assert!(cidr.contains(inside.parse().unwrap()), "{range} holds {inside}");
            assert!(!cidr.contains(outside.parse().unwrap()), "{range} does not hold {outside}");
        }
        assert_eq!(ranges("10.1.2.3/8")[0].to_string(), "10.0.0.0/8");
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "10.0.0.0/8/8", "localhost"] {
            assert_eq!(text.parse::<Cidr>(), Err(BadCidr), "{text}");
        }
    }

    #[test]
    fn the_client_is_the_rightmost_address_that_is_no_trusted_proxy() {
        let trusted = ranges("10.0.0.0/8 fd00::/8");
        for (peer, lines, client) in [
            // Nobody is believed who connects directly.
            ("203.0.113.9", vec!["192.0.2.1"], "203.0.113.9"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            // What a client claims stands to the left of what the proxy saw.
            ("10.0.0.1", vec!["192.0.2.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", vec!["192.0.2.1", "203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["192.0.2.1, unknown, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", vec!["192.0.2.1", ""], "10.0.0.1"),
            ("::ffff:10.0.0.1", vec!["192.0.2.1:4711"], "192.0.2.1"),
            ("fd00::1", vec!["[2001:db8::1]:4711"], "2001:db8::1"),
            ("fd00::1", vec!["[2001:db8::1]"], "2001:db8::1"),
        ] {
            let found = client_address(peer.parse().unwrap(), lines.clone(), &trusted);
            assert_eq!(found.to_string(), client, "{peer} {lines:?}");
        }
    }
}
