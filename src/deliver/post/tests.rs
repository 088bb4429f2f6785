//! Receivers of every kind, each a socket on loopback. Bounds are shortened where a test would have to wait for them.

mod names;
mod proxies;
mod secure;

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};

use super::{ErrorClass, Exchange, Found, Limits, Outgoing, Poster, Resolve, Trust};
use crate::config::Proxy;
use crate::deliver::exchange::{MOST_KEPT, Reply};
use crate::deliver::target::Targets;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(100);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
/// More than the system takes in on both ends of a connection while nobody reads.
const IN_FLIGHT: usize = 16 * 1024 * 1024;

/// Listens until it is dropped.
struct Receiver {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Each connection is given to `serve`.
    async fn new<F: Future<Output = ()> + Send + 'static>(
        at: &str,
        serve: impl Fn(TcpStream) -> F + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut served = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                served.spawn(serve(stream));
            }
        });
        Self { address, connections, task }
    }

    /// Answers each request with the same bytes.
    async fn saying(answer: &'static [u8]) -> Self {
        Self::new("127.0.0.1:0", move |mut stream| async move {
            while request(&mut stream).await.is_some() {
                stream.write_all(answer).await.unwrap();
            }
        })
        .await
    }

    /// A request, these bytes, and an end.
    async fn breaking_off(answer: &'static [u8]) -> Self {
        Self::new("127.0.0.1:0", move |mut stream| async move {
            request(&mut stream).await;
            stream.write_all(answer).await.unwrap();
        })
        .await
    }

    /// `start`, then `more` for as long as anyone takes it; how many bytes that were is sent when the connection ends.
    async fn endless(start: &'static [u8], more: Vec<u8>) -> (Self, mpsc::UnboundedReceiver<usize>) {
        let (tell, told) = mpsc::unbounded_channel();
        let receiver = Self::new("127.0.0.1:0", move |mut stream| {
            let (more, tell) = (more.clone(), tell.clone());
            async move {
                request(&mut stream).await;
                stream.write_all(start).await.unwrap();
                let mut sent = 0;
                while stream.write_all(&more).await.is_ok() {
                    sent += more.len();
                }
                tell.send(sent).unwrap();
            }
        })
        .await;
        (receiver, told)
    }

    /// A request, `start`, and nothing ever after; tells when the other side has closed.
    async fn hanging(start: &'static [u8]) -> (Self, mpsc::UnboundedReceiver<usize>) {
        let (tell, told) = mpsc::unbounded_channel();
        let receiver = Self::new("127.0.0.1:0", move |mut stream| {
            let tell = tell.clone();
            async move {
                request(&mut stream).await;
                stream.write_all(start).await.unwrap();
                while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
                tell.send(0).unwrap();
            }
        })
        .await;
        (receiver, told)
    }

    fn url(&self) -> String {
        format!("http://{}/in?a=1", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request; nothing at the end of the connection.
async fn request<S: AsyncReadExt + Unpin>(stream: &mut S) -> Option<String> {
    let mut text = Vec::new();
    loop {
        match stream.read_u8().await {
            Ok(byte) => text.push(byte),
            Err(_) => return None,
        }
        let Some(head) = text.strip_suffix(b"\r\n\r\n") else { continue };
        let head = String::from_utf8(head.to_vec()).unwrap();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        return Some(format!("{head}\n\n{}", String::from_utf8(body).unwrap()));
    }
}

/// Gives one answer after the other, and the last again and again.
struct Names {
    answers: Mutex<VecDeque<io::Result<Vec<IpAddr>>>>,
    asked: AtomicUsize,
}

impl Names {
    /// Answers with `;` between them, of addresses with spaces between them.
    fn of(answers: &str) -> Arc<Self> {
        let read = |answer: &str| Ok(answer.split_whitespace().map(|address| address.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(answers.split(';').map(read).collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, _: &'a str) -> Found<'a> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = match answers.len() {
            0 => Err(io::ErrorKind::NotFound.into()),
            1 => Ok(answers[0].as_ref().unwrap().clone()),
            _ => answers.pop_front().unwrap(),
        };
        Box::pin(std::future::ready(answer))
    }
}

fn targets(opened: &str) -> Targets {
    Targets::new(opened.split_whitespace().map(|range| range.parse().unwrap()).collect(), Vec::new())
}

fn within(limits: Limits, proxy: Option<Proxy>, trust: Trust) -> Poster {
    Poster::within(limits, trust, targets("127.0.0.1"), proxy, Names::of("127.0.0.1"))
}

fn poster() -> Poster {
    within(Limits::default(), None, Trust::OfTheSystem)
}

fn outgoing(url: &str, timeout: Duration) -> Outgoing {
    let mut headers = HeaderMap::new();
    headers.insert("x-webhook-id", "1".parse().unwrap());
    for name in super::OURS {
        headers.insert(name, "7".parse().unwrap());
    }
    Outgoing { url: url.parse().unwrap(), headers, body: Bytes::from_static(b"{\"a\":1}"), timeout }
}

async fn post(poster: &Poster, url: &str) -> Exchange {
    poster.post(outgoing(url, LONG)).await
}

#[track_caller]
fn reply(exchange: Exchange) -> Reply {
    exchange.result.unwrap_or_else(|failed| panic!("{failed:?}"))
}

#[track_caller]
fn failed(exchange: Exchange, class: ErrorClass, detail: &str) {
    let failed = exchange.result.expect_err("no answer");
    assert_eq!((failed.class, failed.detail.as_str()), (class, detail));
}

#[tokio::test]
async fn a_delivery_arrives_as_it_was_given_and_its_answer_is_kept() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let receiver = Receiver::new("127.0.0.1:0", move |mut stream| {
        let tell = tell.clone();
        async move {
            while let Some(request) = request(&mut stream).await {
                tell.send(request).unwrap();
                stream.write_all(b"HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
            }
        }
    })
    .await;
    let exchange = post(&poster(), &receiver.url()).await;
    assert_eq!(exchange.address, Some(receiver.address));
    let reply = reply(exchange);
    assert_eq!((reply.status, &reply.headers["x-a"], &reply.body[..]), (201, &"b".parse().unwrap(), &b"ok"[..]));
    let expected = format!(
        "POST /in?a=1 HTTP/1.1\r\nx-webhook-id: 1\r\nhost: {}\r\ncontent-length: 7\n\n{{\"a\":1}}",
        receiver.address
    );
    assert_eq!(told.recv().await.unwrap(), expected);
}

#[tokio::test]
async fn a_connection_is_kept_and_its_steps_are_told_once() {
    let receiver = Receiver::saying(OK).await;
    let (poster, url) = (poster(), format!("http://name:{}/", receiver.address.port()));
    let first = post(&poster, &url).await;
    assert!(first.timings.dns.is_some() && first.timings.connect.is_some() && first.timings.tls.is_none());
    assert!(first.timings.connect <= first.timings.first_byte && first.timings.first_byte <= Some(first.timings.total));
    reply(first);
    for _ in 0..5 {
        let next = post(&poster, &url).await;
        assert_eq!(next.address, Some(receiver.address));
        assert_eq!((next.timings.dns, next.timings.connect), (None, None));
        assert!(next.timings.first_byte.is_some());
        reply(next);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_request_that_was_written_is_never_sent_again() {
    let receiver = Receiver::new("127.0.0.1:0", |mut stream| async move {
        request(&mut stream).await;
        stream.write_all(OK).await.unwrap();
        request(&mut stream).await;
    })
    .await;
    let poster = poster();
    reply(post(&poster, &receiver.url()).await);
    let exchange = post(&poster, &receiver.url()).await;
    assert_eq!((exchange.address, exchange.timings.connect), (Some(receiver.address), None));
    failed(exchange, ErrorClass::Protocol, "the connection was closed without an answer");
    assert_eq!(receiver.connections(), 1);
    reply(post(&poster, &receiver.url()).await);
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_connection_does_not_live_for_ever() {
    let receiver = Receiver::saying(OK).await;
    let poster = within(Limits { age: Duration::ZERO, ..Limits::default() }, None, Trust::OfTheSystem);
    for count in 1..4 {
        reply(post(&poster, &receiver.url()).await);
        assert_eq!(receiver.connections(), count);
    }
}

#[tokio::test]
async fn what_is_no_answer_is_told_by_its_class() {
    let closed = "the connection was closed without an answer";
    let garbage = "what came is not an answer of HTTP/1.1";
    for (answer, detail) in [
        (&b""[..], closed),
        (b"HTTP/1.1 20", closed),
        (b"HTTP/1.1 200 OK\r\nX-A: b\r\n", closed),
        (b"HTTP/1.1 100 Continue\r\n\r\n", closed),
        (b"220 mail.example.com ESMTP\r\n", garbage),
        (b"<html>hello</html>\r\n\r\n", garbage),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00", garbage),
        (b"HTTP/2 200 OK\r\n\r\n", garbage),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok", garbage),
    ] {
        let receiver = Receiver::breaking_off(answer).await;
        let exchange = post(&poster(), &receiver.url()).await;
        assert_eq!(exchange.address, Some(receiver.address));
        assert!(exchange.timings.connect.is_some() && exchange.timings.first_byte.is_none());
        failed(exchange, ErrorClass::Protocol, detail);
        assert_eq!(receiver.connections(), 1, "tried once");
    }
}

#[tokio::test]
async fn one_who_speaks_first_does_not_speak_http() {
    let receiver = Receiver::new("127.0.0.1:0", |mut stream| async move {
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
        while stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
    })
    .await;
    let exchange = post(&poster(), &receiver.url()).await;
    assert_eq!(exchange.address, Some(receiver.address));
    assert_eq!(exchange.result.unwrap_err().class, ErrorClass::Protocol);
    assert_eq!(receiver.connections(), 1, "tried once");
}

#[tokio::test]
async fn heads_without_end_are_read_up_to_their_bound() {
    let too_long = "the answer's head is longer than is read";
    for (start, more, detail) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], format!("X-A: {}\r\n", "a".repeat(8_000)), too_long),
        (b"HTTP/1.1 200 OK\r\n", "X-A: b\r\n".to_owned(), too_long),
        (b"HTTP/1.1 200 OK\r\nX-A: ", "a".repeat(8_192), too_long),
        (b"", "HTTP/1.1 100 Continue\r\n\r\n".repeat(100), "the answer is longer than is read"),
        (b"", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".repeat(100), "the answer is longer than is read"),
    ] {
        let (receiver, mut told) = Receiver::endless(start, more.into_bytes()).await;
        failed(post(&poster(), &receiver.url()).await, ErrorClass::Protocol, detail);
        let sent = told.recv().await.unwrap();
        assert!(sent < IN_FLIGHT, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn the_status_decides_whatever_the_body_does() {
    for start in [&b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n\r\n"] {
        let (receiver, mut told) = Receiver::endless(start, vec![b'a'; 64 * 1024]).await;
        let reply = reply(post(&poster(), &receiver.url()).await);
        assert_eq!((reply.status, reply.body.len()), (200, MOST_KEPT));
        assert!(told.recv().await.unwrap() < IN_FLIGHT);
    }
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (receiver, mut told) = Receiver::endless(chunks, b"1\r\na\r\n".repeat(1_000)).await;
    assert_eq!(reply(post(&poster(), &receiver.url()).await).body.len(), 1_024, "so many pieces are read");
    assert!(told.recv().await.unwrap() < IN_FLIGHT);

    for (answer, body) in [
        (&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nXYZ\r\n"[..], "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok", "ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
    ] {
        let receiver = Receiver::breaking_off(answer).await;
        let reply = reply(post(&poster(), &receiver.url()).await);
        assert!((200..300).contains(&reply.status) && reply.body == body);
    }
}

#[tokio::test]
async fn a_body_that_does_not_end_costs_its_time_and_its_connection() {
    let (receiver, mut closed) = Receiver::hanging(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok").await;
    let poster = within(Limits { body: SHORT, ..Limits::default() }, None, Trust::OfTheSystem);
    let exchange = post(&poster, &receiver.url()).await;
    assert!(exchange.timings.total < LONG / 2);
    assert_eq!(reply(exchange).body, "ok");
    closed.recv().await.unwrap();
    // The rest of the timeout is less than the bound.
    let exchange = self::poster().post(outgoing(&receiver.url(), SHORT)).await;
    assert_eq!(reply(exchange).body, "ok");
}

#[tokio::test]
async fn a_request_that_is_not_answered_ends_with_its_timeout() {
    for start in [&b""[..], b"H", b"HTTP/1.1 200 OK\r\nX-A: b", b"HTTP/1.1 100 Continue\r\n\r\n"] {
        let (receiver, mut closed) = Receiver::hanging(start).await;
        let exchange = poster().post(outgoing(&receiver.url(), SHORT)).await;
        assert_eq!(exchange.address, Some(receiver.address), "it is known how far it came");
        assert!(exchange.timings.connect.is_some() && exchange.timings.first_byte.is_none());
        failed(exchange, ErrorClass::Timeout, "no answer within 100ms");
        closed.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let canary = Receiver::saying(OK).await;
    let answer = format!("HTTP/1.1 307 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", canary.url());
    let receiver = Receiver::saying(answer.leak().as_bytes()).await;
    assert_eq!(reply(post(&poster(), &receiver.url()).await).status, 307);
    assert_eq!(canary.connections(), 0);
}
