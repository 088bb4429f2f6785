use std::net::{IpAddr, SocketAddr};

use super::{BadTarget, INSPECT, Targets};

/// The table of the checked facts on outbound requests, and further ways to write the same.
const CLOSED: &str = "0.0.0.0 0.1.2.3 127.0.0.1 127.255.255.254 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 \
    169.254.169.254 100.64.0.1 100.100.100.200 100.127.255.255 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 \
    198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16 :: ::1 \
    ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:7f00:1 ::5efe:7f00:1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe \
    64:ff9b:1::1 100::1 2002:7f00:1::1 2002:808:808::1 2001::1 2001:db8::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 \
    fe80::1 fec0::1 ff02::1 64:ff9b::a00:1 64:ff9b::c0a8:101 64:ff9b:1:a9fe:a9:fe00:: 2001:0:a9fe:a9fe:: \
    2001:1ff:ffff::1 3fff:fff::1 febf::1 4000::1 1fff::1 192.0.0.1 169.254.0.1";
const OPEN: &str = "172.15.0.1 172.32.0.1 100.63.0.1 100.128.0.1 198.17.0.1 198.20.0.1 223.255.255.255 168.63.129.17 \
    2606:4700:4700::1111 64:ff9b::808:808 2001:200::1 3fff:1000::1 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 \
    126.255.255.255 128.0.0.1 168.63.129.15 169.253.255.255 169.255.0.0 191.255.255.255 192.0.1.0 192.0.3.1 \
    192.167.255.255 192.169.0.0 192.88.98.1 203.0.112.1 203.0.114.1 2000::1 2003::1 2400:cb00::1 2a00:1450::1";
const CREDENTIALS: &str = "168.63.129.16 169.254.169.254 169.254.170.2 100.100.100.200 192.0.0.192 fd00:ec2::254 \
    fd00:ec2::23 fd20:ce::254 ::ffff:169.254.169.254 ::a9fe:a9fe ::ffff:0:a9fe:a9fe 64:ff9b::a9fe:a9fe \
    64:ff9b:1::a9fe:a9fe 64:ff9b:1:a9fe:a9:fe00:: 2002:a9fe:a9fe:: 2002:a83f:8110::1 fe80::5efe:a9fe:a9fe \
    fd00::200:5efe:a83f:8110 2001:0:a9fe:a9fe:: 2001::5601:5601 ::ffff:100.100.100.200 64:ff9b::c000:c0";

fn addresses(text: &str) -> impl Iterator<Item = IpAddr> {
    text.split_whitespace().map(|text| text.parse().unwrap_or_else(|_| panic!("{text}")))
}

fn targets(opened: &str, own: &str) -> Targets {
    let opened = opened.split_whitespace().map(|range| range.parse().unwrap()).collect();
    Targets::new(opened, own.split_whitespace().map(|own| own.parse().unwrap()).collect())
}

fn url_of(ip: IpAddr) -> String {
    format!("http://{}/", SocketAddr::from((ip, 8080)))
}

#[test]
fn only_what_is_public_is_open() {
    let targets = targets("", "");
    for ip in addresses(CLOSED) {
        assert!(!targets.allows(ip), "{ip}");
        assert_eq!(targets.check(&url_of(ip)).unwrap_err(), BadTarget::NotAllowed, "{ip}");
    }
    for ip in addresses(OPEN) {
        assert!(targets.allows(ip), "{ip}");
        assert!(targets.check(&url_of(ip)).is_ok(), "{ip}");
    }
}

#[test]
fn no_range_opens_what_holds_credentials() {
    let targets = targets("0.0.0.0/0 ::/0 169.254.169.254 fd00:ec2::254 ::ffff:0:0/96 2002::/16 64:ff9b::/96", "");
    for ip in addresses(CREDENTIALS) {
        assert!(!targets.allows(ip), "{ip}");
        assert_eq!(targets.check(&url_of(ip)).unwrap_err(), BadTarget::NotAllowed, "{ip}");
    }
    // All else is the operator's to open, plainly written IPv4 only.
    for ip in addresses(CLOSED) {
        let is_shut = addresses(CREDENTIALS).any(|closed| closed == ip);
        let is_mapped = ip != ip.to_canonical();
        let is_link_local = matches!(ip, IpAddr::V4(ip) if ip.is_link_local());
        assert_eq!(targets.allows(ip), !(is_shut || is_mapped || is_link_local), "{ip}");
    }
}

#[test]
fn a_range_opens_its_own_addresses_and_no_other_forms_of_them() {
    let targets = targets("127.0.0.0/8 10.1.0.0/16 fd12::/16", "");
    for ip in addresses("127.0.0.1 127.9.9.9 10.1.255.255 fd12::1 1.1.1.1 64:ff9b::808:808") {
        assert!(targets.allows(ip), "{ip}");
    }
    for ip in addresses(
        "10.2.0.1 ::1 fd13::1 ::ffff:127.0.0.1 ::7f00:1 ::ffff:0:7f00:1 64:ff9b::7f00:1 64:ff9b::a01:1 2002:7f00:1::1",
    ) {
        assert!(!targets.allows(ip), "{ip}");
    }
}

#[test]
fn each_spelling_of_an_address_is_that_address() {
    let (closed, opened) = (targets("", ""), targets("127.0.0.0/8", ""));
    for host in [
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
    ] {
        let url = format!("http://{host}:8080/x");
        assert_eq!(closed.check(&url).unwrap_err(), BadTarget::NotAllowed, "{host}");
        assert_eq!(opened.check(&url).unwrap().as_str(), "http://127.0.0.1:8080/x", "{host}");
    }
    for host in ["[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[0000::1]"] {
        assert_eq!(closed.check(&format!("https://{host}/")).unwrap_err(), BadTarget::NotAllowed, "{host}");
    }
}

#[test]
fn a_url_is_taken_as_an_admin_writes_it() {
    let targets = targets("", "");
    for (text, url) in [
        (INSPECT, INSPECT),
        (" https://Example.COM:443/Hooks?a=b|c ", "https://example.com/Hooks?a=b|c"),
        ("http://example.com.:8443", "http://example.com.:8443/"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://receiver:3000/in", "http://receiver:3000/in"),
        ("https:example.com", "https://example.com/"),
    ] {
        assert_eq!(targets.check(text).map(String::from).as_deref(), Ok(url), "{text}");
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    let unfolds = format!("https://example.com/{}", "ü".repeat(1_000));
    for (text, why) in [
        ("", BadTarget::NotUrl),
        ("example.com/hooks", BadTarget::NotUrl),
        ("https://", BadTarget::NotUrl),
        ("https://exa mple.com", BadTarget::NotUrl),
        ("https://example.com/\r\nHost: x", BadTarget::NotUrl),
        ("http://[::1%25eth0]/", BadTarget::NotUrl),
        ("http://256.1.1.1/", BadTarget::NotUrl),
        ("ftp://example.com/", BadTarget::Scheme),
        ("file:///etc/passwd", BadTarget::Scheme),
        ("tidegate://inspect/", BadTarget::Scheme),
        ("TIDEGATE://inspect", BadTarget::Scheme),
        ("https://user@example.com/", BadTarget::Credentials),
        ("https://example.com@127.0.0.1/", BadTarget::Credentials),
        ("https://:secret@example.com/", BadTarget::Credentials),
        ("https://example.com/#top", BadTarget::Fragment),
        ("https://example.com:22/", BadTarget::Port),
        ("http://example.com:25/", BadTarget::Port),
        ("http://example.com:0/", BadTarget::Port),
        ("http://1.1.1.1:53/", BadTarget::Port),
        ("http://10.0.0.1:22/", BadTarget::NotAllowed),
        (&long, BadTarget::TooLong),
        (&unfolds, BadTarget::TooLong),
    ] {
        assert_eq!(targets.check(text).unwrap_err(), why, "{text}");
    }
    assert_eq!(BadTarget::NotAllowed.to_string(), "this target is not allowed");
}

#[test]
fn in_an_opened_range_every_port_is_open() {
    let targets = targets("10.0.0.0/8", "");
    assert!(targets.check("http://10.0.0.1:81/").is_ok());
    assert!(targets.check("http://name:81/").is_ok(), "it may lie in the range");
    assert_eq!(targets.check("http://10.0.0.1:0/").unwrap_err(), BadTarget::Port);
    assert_eq!(targets.check("http://name:0/").unwrap_err(), BadTarget::Port);
    assert_eq!(targets.admit("1.1.1.1:81".parse().unwrap()), Err(BadTarget::Port));
    assert_eq!(targets.admit("10.0.0.1:81".parse().unwrap()), Ok(()));
}

#[test]
fn the_gateways_own_doors_stay_shut() {
    let of = |own: &str| targets("0.0.0.0/0 ::/0", own);
    for (own, reached) in [
        ("127.0.0.1:9000", "127.0.0.1:9000 0.0.0.0:9000 [::]:9000"),
        ("0.0.0.0:9000", "127.0.0.1:9000 127.9.9.9:9000 [::1]:9000 0.0.0.0:9000"),
        ("[::]:9000", "127.0.0.1:9000 [::1]:9000"),
        ("10.0.0.5:9000", "10.0.0.5:9000"),
    ] {
        for address in reached.split_whitespace() {
            assert_eq!(of(own).admit(address.parse().unwrap()), Err(BadTarget::NotAllowed), "{own} {address}");
        }
        assert_eq!(of(own).admit("127.0.0.1:9001".parse().unwrap()), Ok(()), "{own}");
        assert_eq!(of(own).admit("10.0.0.6:9000".parse().unwrap()), Ok(()), "{own}");
    }
}
