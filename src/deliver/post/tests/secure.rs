//! TLS, with a certificate for `receiver.test` that nobody has issued.

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::*;

const PEM: &[u8] = include_bytes!("receiver.pem");

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(PEM).unwrap()
}

pub fn trusting() -> Trust {
    let mut roots = RootCertStore::empty();
    roots.add(certificate()).unwrap();
    Trust::Of(roots)
}

pub fn acceptor() -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivateKeyDer::from_pem_slice(PEM).unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(vec![certificate()], key).unwrap()).into()
}

async fn receiver() -> Receiver {
    Receiver::new("127.0.0.1:0", |stream| async {
        let Ok(mut stream) = acceptor().accept(stream).await else { return };
        while request(&mut stream).await.is_some() {
            stream.write_all(OK).await.unwrap();
        }
    })
    .await
}

fn url(host: &str, receiver: &Receiver) -> String {
    format!("https://{host}:{}/", receiver.address.port())
}

#[tokio::test]
async fn a_delivery_goes_by_tls_and_the_handshake_is_timed_once() {
    let receiver = receiver().await;
    let poster = within(Limits::default(), None, trusting());
    let exchange = post(&poster, &url("receiver.test", &receiver)).await;
    assert!(exchange.timings.tls.is_some());
    assert_eq!(reply(exchange).body, "ok");
    let exchange = post(&poster, &url("receiver.test", &receiver)).await;
    assert_eq!((exchange.timings.tls, exchange.address), (None, Some(receiver.address)));
    reply(exchange);
    assert_eq!(receiver.connections(), 1);
    // A name with its last dot is the same name.
    reply(post(&poster, &url("receiver.test.", &receiver)).await);
}

#[tokio::test]
async fn a_certificate_must_be_for_the_name_and_from_someone_trusted() {
    let receiver = receiver().await;
    let poster = within(Limits::default(), None, trusting());
    let exchange = post(&poster, &url("other.test", &receiver)).await;
    assert!(exchange.timings.tls.is_some() && exchange.address.is_some());
    failed(exchange, ErrorClass::Tls, "its certificate is for another name");

    let poster = within(Limits::default(), None, Trust::Of(RootCertStore::empty()));
    let exchange = post(&poster, &url("receiver.test", &receiver)).await;
    failed(exchange, ErrorClass::Tls, "nobody whom this system trusts has issued its certificate");
}

#[tokio::test]
async fn what_is_no_tls_is_told_as_such() {
    let poster = within(Limits { tls: SHORT, ..Limits::default() }, None, trusting());
    for (answer, detail) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "what came is not TLS"),
        (b"\x16\x03\x03\x00\x04\xff\xff\xff\xff", "what came is not TLS"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "the other side has broken off the TLS handshake"),
        (b"", "the TLS handshake broke off: unexpected end of file"),
    ] {
        let receiver = Receiver::new("127.0.0.1:0", move |mut stream| async move {
            // The client's hello is one record, which is read so that closing does not reset.
            let mut head = [0; 5];
            stream.read_exact(&mut head).await.unwrap();
            stream.read_exact(&mut vec![0; usize::from(head[3]) << 8 | usize::from(head[4])]).await.unwrap();
            stream.write_all(answer).await.unwrap();
        })
        .await;
        failed(post(&poster, &url("receiver.test", &receiver)).await, ErrorClass::Tls, detail);
        assert_eq!(receiver.connections(), 1);
    }
    let (silent, mut closed) = Receiver::hanging(b"").await;
    let exchange = post(&poster, &url("receiver.test", &silent)).await;
    failed(exchange, ErrorClass::Tls, "the TLS handshake is not answered");
    closed.recv().await.unwrap();
}

/// With the system's own certificates, or without any.
#[tokio::test]
async fn the_system_does_not_trust_it() {
    let receiver = receiver().await;
    let exchange = post(&poster(), &url("receiver.test", &receiver)).await;
    assert_eq!(exchange.result.unwrap_err().class, ErrorClass::Tls);
}
