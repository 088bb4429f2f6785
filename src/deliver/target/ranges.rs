//! Which addresses are on the public internet, by IANA's special-purpose registries (2026), and which hand out
//! credentials to whoever asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u32) -> (u32, u32) {
    (Ipv4Addr::new(a, b, c, d).to_bits(), prefix)
}

/// The first two groups are all that the tables need.
const fn v6(first: u16, second: u16, prefix: u32) -> (u128, u32) {
    (Ipv6Addr::new(first, second, 0, 0, 0, 0, 0, 0).to_bits(), prefix)
}

const NOT_PUBLIC_V4: [(u32, u32); 16] = [
    v4(0, 0, 0, 0, 8),        // this network
    v4(10, 0, 0, 0, 8),       // private
    v4(100, 64, 0, 0, 10),    // behind a carrier's NAT
    v4(127, 0, 0, 0, 8),      // loopback
    v4(168, 63, 129, 16, 32), // Azure's host
    v4(169, 254, 0, 0, 16),   // link-local
    v4(172, 16, 0, 0, 12),    // private
    v4(192, 0, 0, 0, 24),     // protocol assignments
    v4(192, 0, 2, 0, 24),     // documentation
    v4(192, 88, 99, 0, 24),   // relays to 6to4
    v4(192, 168, 0, 0, 16),   // private
    v4(198, 18, 0, 0, 15),    // benchmarks
    v4(198, 51, 100, 0, 24),  // documentation
    v4(203, 0, 113, 0, 24),   // documentation
    v4(224, 0, 0, 0, 4),      // multicast
    v4(240, 0, 0, 0, 4),      // reserved, broadcast
];

/// All that was ever given out; loopback, private, link-local, multicast and each way to write IPv4 are outside it.
const GLOBAL_V6: (u128, u32) = v6(0x2000, 0, 3);
const NOT_PUBLIC_V6: [(u128, u32); 4] = [
    v6(0x2001, 0, 23),     // protocol assignments, Teredo
    v6(0x2001, 0xdb8, 32), // documentation
    v6(0x2002, 0, 16),     // 6to4
    v6(0x3fff, 0, 20),     // documentation
];

/// Link-local as a whole: besides 169.254.169.254, clouds answer on 169.254.170.2, 169.254.170.23, 169.254.0.23, …
const CREDENTIALS_V4: [(u32, u32); 4] = [
    v4(169, 254, 0, 0, 16),
    v4(168, 63, 129, 16, 32),   // Azure
    v4(100, 100, 100, 200, 32), // Alibaba
    v4(192, 0, 0, 192, 32),     // Oracle
];
const CREDENTIALS_V6: [(u128, u32); 2] = [
    v6(0xfd00, 0xec2, 32), // AWS: fd00:ec2::254 and its neighbours
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254).to_bits(), 128), // Google
];

fn in_v4(address: Ipv4Addr, (network, prefix): (u32, u32)) -> bool {
    (address.to_bits() ^ network).leading_zeros() >= prefix
}

fn in_v6(address: Ipv6Addr, (network, prefix): (u128, u32)) -> bool {
    (address.to_bits() ^ network).leading_zeros() >= prefix
}

/// Reachable from anywhere, and nobody's inside. `::ffff:8.8.8.8` is not: only what is written plainly.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|range| in_v4(address, *range)),
        IpAddr::V6(address) => match address.segments() {
            // NAT64: in a network without IPv4 this is how DNS64 writes every IPv4 address.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public(joined(high, low).into()),
            _ => in_v6(address, GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(|range| in_v6(address, *range)),
        },
    }
}

/// A metadata service, plain or through any translation to IPv4. No range of the operator's opens these.
pub(super) fn holds_credentials(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(address) => CREDENTIALS_V4.iter().any(|range| in_v4(address, *range)),
        IpAddr::V6(address) => {
            CREDENTIALS_V6.iter().any(|range| in_v6(address, *range))
                || embedded(address).into_iter().flatten().any(|address| holds_credentials(address.into()))
        }
    }
}

fn joined(high: u16, low: u16) -> Ipv4Addr {
    Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low))
}

/// The IPv4 addresses that an IPv6 address may stand for: mapped, compatible, translated (RFC 2765), NAT64 (RFC 6052,
/// 8215), 6to4, ISATAP, Teredo.
fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => [Some(joined(high, low)), None],
        // A local prefix is 48 bits long, with the address around the ninth octet, or 96.
        [0x64, 0xff9b, 1, first, second, third, high, low] => {
            let around = joined(first, (second & 0xff) << 8 | third >> 8);
            [Some(around), Some(joined(high, low))]
        }
        [0x2002, high, low, ..] => [Some(joined(high, low)), None],
        // The server, and the client with its bits turned over.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            [Some(joined(high, low)), Some(joined(!client_high, !client_low))]
        }
        _ => [None, None],
    }
}
