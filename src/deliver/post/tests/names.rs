//! Names, and where they lead.

use super::*;
use crate::deliver::post::System;

fn resolving(names: &Arc<Names>) -> Poster {
    Poster::new(targets("127.0.0.1"), None, Arc::<Names>::clone(names))
}

/// The forbidden address is one where somebody listens: on the same port of 127.0.0.2.
#[tokio::test]
async fn a_name_that_turns_inward_between_look_ups_reaches_nobody() {
    let receiver = Receiver::saying(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    let port = receiver.address.port();
    let canary = Receiver::new(&format!("127.0.0.2:{port}"), |_| async {}).await;
    let names = Names::of(
        "127.0.0.1; 127.0.0.2; 127.0.0.1 127.0.0.2; 127.0.0.2 127.0.0.1; 127.0.0.1; 127.0.0.1 ::ffff:127.0.0.2; \
         127.0.0.1 169.254.169.254; ::1; 0.0.0.0; 127.0.0.1",
    );
    let (poster, url) = (resolving(&names), format!("http://rebind.test:{port}/"));
    for (count, allowed) in (1..).zip([true, false, false, false, true, false, false, false, false, true]) {
        let exchange = post(&poster, &url).await;
        if allowed {
            assert_eq!(reply(exchange).status, 200);
        } else {
            assert_eq!((exchange.address, exchange.timings.connect), (None, None));
            failed(exchange, ErrorClass::TargetNotAllowed, "this target is not allowed");
        }
        assert_eq!(names.asked.load(Ordering::SeqCst), count, "one look-up a connection");
    }
    assert_eq!((canary.connections(), receiver.connections()), (0, 3));
}

#[tokio::test]
async fn a_literal_takes_no_other_way_than_a_name() {
    let canary = Receiver::new("127.0.0.2:0", |_| async {}).await;
    let port = canary.address.port();
    let names = Names::of("127.0.0.1");
    for host in ["127.0.0.2", "2130706434", "0x7f.0.0.2", "0177.0.0.2", "127.2", "[::ffff:127.0.0.2]", "[::127.0.0.2]"]
    {
        let exchange = post(&resolving(&names), &format!("http://{host}:{port}/")).await;
        failed(exchange, ErrorClass::TargetNotAllowed, "this target is not allowed");
    }
    for (url, why) in [
        (
            "tidegate://inspect",
            "must begin with https:// or http://; `tidegate://inspect` is the receiver that is built in",
        ),
        ("http://me:secret@127.0.0.1/", "must not hold a user or a password; send them in a header of the endpoint"),
    ] {
        failed(post(&resolving(&names), url).await, ErrorClass::TargetNotAllowed, why);
    }
    assert_eq!((canary.connections(), names.asked.load(Ordering::SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_name_without_an_answer_is_told_as_such() {
    let nobody = Arc::new(Names { answers: Mutex::default(), asked: AtomicUsize::new(0) });
    for names in [nobody, Names::of("")] {
        let exchange = post(&resolving(&names), "http://name/").await;
        assert!(exchange.timings.dns.is_some() && exchange.address.is_none());
        failed(exchange, ErrorClass::Dns, "the name has no address");
    }
    struct Silent;
    impl Resolve for Silent {
        fn resolve<'a>(&'a self, _: &'a str) -> Found<'a> {
            Box::pin(std::future::pending())
        }
    }
    let limits = Limits { lookup: SHORT, ..Limits::default() };
    let poster = Poster::within(limits, Trust::OfTheSystem, targets(""), None, Arc::new(Silent));
    failed(post(&poster, "http://name/").await, ErrorClass::Dns, "the name's servers do not answer");
}

#[tokio::test]
async fn the_addresses_of_a_name_are_tried_in_turn() {
    let receiver = Receiver::saying(OK).await;
    let names = Names::of("127.0.0.3 127.0.0.1");
    let poster = Poster::new(targets("127.0.0.0/8"), None, names);
    let exchange = post(&poster, &format!("http://name:{}/", receiver.address.port())).await;
    assert_eq!(exchange.address, Some(receiver.address));
    reply(exchange);

    let port = receiver.address.port();
    drop(receiver);
    let nobody = Poster::new(targets("127.0.0.0/8"), None, Names::of("127.0.0.3 127.0.0.4"));
    let exchange = post(&nobody, &format!("http://name:{port}/")).await;
    assert_eq!(exchange.address, Some(SocketAddr::from(([127, 0, 0, 4], port))));
    failed(exchange, ErrorClass::Connect, "cannot connect: connection refused");
}

#[tokio::test]
async fn the_system_knows_this_machine() {
    let found = System::default().resolve("localhost").await.unwrap();
    assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    assert!(System::default().resolve("no\0name").await.is_err());
}
