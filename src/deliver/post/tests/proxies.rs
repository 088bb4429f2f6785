//! An egress proxy.

use tokio::io::copy_bidirectional;

use super::secure::{acceptor, trusting};
use super::*;

fn by(proxy: &Receiver) -> Poster {
    let proxy = Proxy::read(&format!("http://me:pass@{}", proxy.address).into()).unwrap();
    // The proxy is reached though no range opens its address, and no name is looked up here.
    let nobody = Arc::new(Names { answers: Mutex::default(), asked: AtomicUsize::new(0) });
    Poster::within(Limits::default(), trusting(), targets(""), Some(proxy), nobody)
}

#[tokio::test]
async fn plain_http_is_asked_of_the_proxy_whole() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let proxy = Receiver::new("127.0.0.1:0", move |mut stream| {
        let tell = tell.clone();
        async move {
            tell.send(request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let exchange = post(&by(&proxy), "http://receiver.test:8080/in?a=1").await;
    assert_eq!((exchange.address, exchange.timings.dns), (Some(proxy.address), None));
    reply(exchange);
    let request = told.recv().await.unwrap();
    assert!(request.starts_with("POST http://receiver.test:8080/in?a=1 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nproxy-authorization: Basic bWU6cGFzcw==\r\n"), "{request}");
    assert!(request.contains("\r\nhost: receiver.test:8080"), "{request}");
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_the_target_sees_nothing_of() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let inside = tell.clone();
    let target = Receiver::new("127.0.0.1:0", move |stream| {
        let inside = inside.clone();
        async move {
            let mut stream = acceptor().accept(stream).await.unwrap();
            inside.send(request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(OK).await.unwrap();
        }
    })
    .await;
    let to = target.address;
    let proxy = Receiver::new("127.0.0.1:0", move |mut stream| {
        let tell = tell.clone();
        async move {
            tell.send(request(&mut stream).await.unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut TcpStream::connect(to).await.unwrap()).await;
        }
    })
    .await;
    let exchange = post(&by(&proxy), "https://receiver.test/in").await;
    assert_eq!(exchange.address, Some(proxy.address));
    assert!(exchange.timings.connect.is_some() && exchange.timings.tls.is_some());
    assert_eq!(reply(exchange).body, "ok");
    let (asked, seen) = (told.recv().await.unwrap(), told.recv().await.unwrap());
    assert!(asked.starts_with("CONNECT receiver.test:443 HTTP/1.1\r\nHost: receiver.test:443\r\n"), "{asked}");
    assert!(asked.contains("\r\nProxy-Authorization: Basic bWU6cGFzcw=="), "{asked}");
    assert!(seen.starts_with("POST /in HTTP/1.1\r\n") && !seen.contains("authorization"), "{seen}");
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told_and_literals_do_not_reach_it() {
    let proxy = Receiver::breaking_off(b"HTTP/1.1 407 Who are you\r\n\r\n").await;
    failed(post(&by(&proxy), "https://receiver.test/").await, ErrorClass::Connect, "the egress proxy refuses");
    let before = proxy.connections();
    for url in ["http://127.0.0.1/", "https://[::1]/", "http://169.254.169.254/", "https://10.0.0.1/"] {
        failed(post(&by(&proxy), url).await, ErrorClass::TargetNotAllowed, "this target is not allowed");
    }
    assert_eq!((before, proxy.connections()), (1, 1));
}
