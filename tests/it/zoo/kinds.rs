//! One of each kind of misbehaviour, and what is to become of a delivery to it.

use super::beast::Way;
use Ends::{Broken, Delivered, Refused};
use Way::{Absent, Drips, Endless, Holds, NeverReads, Resets, Says};

/// What is never repeated in an error.
pub const GIBBERISH: &str = "gibberish-of-the-receiver";
/// What is kept of a body.
const KEPT: usize = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// With this status, and so much of a body kept.
    Delivered(u16, usize),
    /// The status is no success.
    Refused(u16),
    /// No answer, for a reason of this class.
    Broken(&'static str),
}

pub struct Kind {
    pub name: &'static str,
    pub scheme: &'static str,
    pub way: Way,
    pub ends: Ends,
}

fn http(name: &'static str, way: Way, ends: Ends) -> Kind {
    Kind { name, scheme: "http", way, ends }
}

fn https(name: &'static str, way: Way, ends: Ends) -> Kind {
    Kind { name, scheme: "https", way, ends }
}

fn says(name: &'static str, text: &str, ends: Ends) -> Kind {
    http(name, Says(text.into()), ends)
}

fn chunk() -> Vec<u8> {
    [b"10000\r\n", &*vec![b'x'; 0x10000], b"\r\n"].concat()
}

pub fn kinds(canary: &str) -> Vec<Kind> {
    let mut all = large();
    all.extend(slow());
    all.extend(garbage());
    all.extend(halves());
    all.extend(numbers());
    all.extend(odd());
    all.extend(elsewhere(canary));
    all
}

pub fn large() -> Vec<Kind> {
    let ok = |head: &str| format!("HTTP/1.1 200 OK\r\n{head}\r\n").into_bytes();
    let piece = vec![b'x'; 0x10000];
    let gigabyte = ok("Content-Length: 1073741824\r\n");
    let many = (0..100_000).fold("HTTP/1.1 200 OK\r\n".to_owned(), |all, number| all + &format!("A{number}: b\r\n"));
    vec![
        http("1 GB, announced", Endless(gigabyte, piece.clone()), Delivered(200, KEPT)),
        http("chunks without end", Endless(ok("Transfer-Encoding: chunked\r\n"), chunk()), Delivered(200, KEPT)),
        http("a body up to the end of the connection", Endless(ok(""), piece.clone()), Delivered(200, KEPT)),
        http(
            "1 GB of an error",
            Endless(b"HTTP/1.1 500 No\r\nContent-Length: 1073741824\r\n\r\n".into(), piece.clone()),
            Refused(500),
        ),
        http(
            "headers without end",
            Endless(b"HTTP/1.1 200 OK\r\n".into(), b"X-A: b\r\n".repeat(500)),
            Broken("protocol"),
        ),
        http("a header without end", Endless(b"HTTP/1.1 200 OK\r\nX-A: ".into(), piece.clone()), Broken("protocol")),
        http("a reason without end", Endless(b"HTTP/1.1 200 ".into(), piece.clone()), Broken("protocol")),
        http(
            "a chunk's extension without end",
            Endless(ok("Transfer-Encoding: chunked\r\n").into_iter().chain(*b"5;").collect(), piece),
            Delivered(200, 0),
        ),
        http(
            "100 Continue without end",
            Endless(Vec::new(), b"HTTP/1.1 100 Continue\r\n\r\n".repeat(500)),
            Broken("protocol"),
        ),
        http(
            "early hints without end",
            Endless(Vec::new(), b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".repeat(100)),
            Broken("protocol"),
        ),
        says("100,000 headers", &format!("{many}\r\n"), Broken("protocol")),
    ]
}

fn slow() -> Vec<Kind> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    vec![
        http("a head byte by byte", Drips(Vec::new(), head.into()), Broken("timeout")),
        http("headers byte by byte", Drips(b"HTTP/1.1 200 OK\r\n".into(), b"X-A: b\r\n".into()), Broken("timeout")),
        // Of the body there is what came within the second or two; the status has decided.
        http("a body that does not come", Holds(head.into()), Delivered(200, 0)),
        http("an answer that does not come", Holds(Vec::new()), Broken("timeout")),
        http("nobody who reads", NeverReads, Broken("timeout")),
        http("a promise only", Holds(b"HTTP/1.1 100 Continue\r\n\r\n".into()), Broken("timeout")),
        https("TLS that does not come", Holds(Vec::new()), Broken("timeout")),
        https("nobody who reads TLS", NeverReads, Broken("timeout")),
    ]
}

fn garbage() -> Vec<Kind> {
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
    // A record of TLS that says it is a server's hello and is none.
    let hello = [&[22, 3, 3, 0, 8, 2, 0, 0, 4][..], &[255; 4]].concat();
    let server = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    vec![
        says("words", &format!("{GIBBERISH}\r\n\r\n"), Broken("protocol")),
        http("bytes", Says(bytes.clone()), Broken("protocol")),
        http("bytes without end", Endless(Vec::new(), bytes.clone()), Broken("protocol")),
        http("nothing but zeros", Endless(Vec::new(), vec![0; 4_096]), Broken("protocol")),
        http("line ends without end", Endless(Vec::new(), b"\r\n".repeat(2_000)), Broken("protocol")),
        says("HTTP/0.9", &format!("<html>{GIBBERISH}</html>"), Broken("protocol")),
        says("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Broken("protocol")),
        http("frames of HTTP/2", Says(vec![0, 0, 0, 4, 0, 0, 0, 0, 0]), Broken("protocol")),
        says("a version of HTTP that there is not", "HTTP/7.3 200 OK\r\n\r\n", Broken("protocol")),
        says("a request", "POST / HTTP/1.1\r\nHost: x\r\n\r\n", Broken("protocol")),
        says("another service", "220 mail.example ESMTP\r\n", Broken("protocol")),
        https("no TLS", Says(bytes.clone()), Broken("tls")),
        https("no TLS, without end", Endless(Vec::new(), bytes), Broken("tls")),
        https("plain HTTP", Says(server.into()), Broken("tls")),
        https("a hello that is none", Says(hello), Broken("tls")),
        https("a record of TLS without end", Endless(vec![22, 3, 3, 255, 255], vec![255; 4_096]), Broken("tls")),
        https("an end instead of TLS", Says(Vec::new()), Broken("tls")),
        https("TLS that breaks off", Resets, Broken("tls")),
    ]
}

fn halves() -> Vec<Kind> {
    vec![
        says("an end without an answer", "", Broken("protocol")),
        http("a connection that breaks off", Resets, Broken("protocol")),
        http("nobody there", Absent, Broken("connect")),
        says("half a status", "HTTP/1.1 2", Broken("protocol")),
        says("half a head", "HTTP/1.1 200 OK\r\nContent-Le", Broken("protocol")),
        says("half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Delivered(200, 4)),
        says("half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf", Delivered(200, 4)),
        says("a chunk of no size", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx", Delivered(200, 0)),
        says("only a promise, and an end", "HTTP/1.1 100 Continue\r\n\r\n", Broken("protocol")),
    ]
}

fn numbers() -> Vec<Kind> {
    let ok = |name, head: &str, ends| says(name, &format!("HTTP/1.1 200 OK\r\n{head}\r\nlong"), ends);
    let busy = |name, wait: &str, status: u16| {
        says(
            name,
            &format!("HTTP/1.1 {status} No\r\nRetry-After: {wait}\r\nContent-Length: 0\r\n\r\n"),
            Refused(status),
        )
    };
    vec![
        ok("a length too short", "Content-Length: 2\r\n", Delivered(200, 2)),
        ok("a length that is none", "Content-Length: many\r\n", Broken("protocol")),
        ok("a length below zero", "Content-Length: -1\r\n", Broken("protocol")),
        ok("a length beyond numbers", "Content-Length: 99999999999999999999\r\n", Broken("protocol")),
        ok("two lengths", "Content-Length: 2\r\nContent-Length: 4\r\n", Broken("protocol")),
        busy("Retry-After: 1e30", "1e30", 503),
        busy("Retry-After: -5", "-5", 429),
        busy("Retry-After: a lot", "999999999999999999999999999999", 503),
        busy("Retry-After: long ago", "Thu, 01 Jan 1970 00:00:00 GMT", 502),
        busy("Retry-After: never", "Fri, 31 Dec 9999 23:59:59 GMT", 504),
        busy("Retry-After: words", "soon", 429),
        says("status 0", "HTTP/1.1 000 Zero\r\n\r\n", Broken("protocol")),
        says("status 99", "HTTP/1.1 99 Low\r\n\r\n", Broken("protocol")),
        says("status 999", "HTTP/1.1 999 High\r\nContent-Length: 0\r\n\r\n", Refused(999)),
        says("status 2000", "HTTP/1.1 2000 Higher\r\n\r\n", Broken("protocol")),
    ]
}

fn odd() -> Vec<Kind> {
    let bomb = [
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 23\r\n\r\n".as_slice(),
        // A member that says that it unfolds to four gigabytes.
        &[31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 1, 1, 0, 0, 0, 128, 144, 255, 255, 255, 255],
    ];
    let letters = [b"HTTP/1.1 200 OK\r\nX-Odd: ".as_slice(), &[0xff, 0xfe, 0x80], b"\r\nContent-Length: 1\r\n\r\n\0"];
    vec![
        says("204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", Delivered(204, 0)),
        says(
            "an answer and one more",
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\n\r\n",
            Delivered(200, 0),
        ),
        says("HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nold", Delivered(200, 3)),
        says(
            "another protocol from here on",
            "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            Refused(101),
        ),
        says(
            "a head in pieces of its own",
            "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
            Broken("protocol"),
        ),
        says("a name with a space", "HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 0\r\n\r\n", Broken("protocol")),
        http("what would unfold", Says(bomb.concat()), Delivered(200, 23)),
        http("letters of no alphabet, and a zero", Says(letters.concat()), Delivered(200, 1)),
        says(
            "200 of a hundred kilobytes",
            &format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}", "é".repeat(50_000)),
            Delivered(200, KEPT),
        ),
    ]
}

/// Redirects and the like, to where nobody may follow.
fn elsewhere(canary: &str) -> Vec<Kind> {
    let to = |name, status: u16, header: &str| {
        let head = format!("HTTP/1.1 {status} There\r\n{header}{canary}\r\nContent-Length: 0\r\n\r\n");
        says(name, &head, if status < 300 { Delivered(status, 0) } else { Refused(status) })
    };
    vec![
        to("301", 301, "Location: "),
        to("302", 302, "Location: "),
        to("303", 303, "Location: "),
        to("305", 305, "Location: "),
        to("307", 307, "Location: "),
        to("308", 308, "Location: "),
        to("Refresh", 200, "Refresh: 0; url="),
        to("201 with a Location", 201, "Location: "),
    ]
}
