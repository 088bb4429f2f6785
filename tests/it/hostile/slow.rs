//! Clients that dawdle: each wait has its end, and the ends are told apart by their metrics. The times are shortened
//! by the settings; how long it really took is printed.

use std::time::Duration;

use tokio::net::TcpSocket;
use tokio::task::JoinSet;

use super::{DEADLINE, LOAD, ORDERS, is_served, metric, reached, setup, stopwatch, until};
use crate::app::App;
use crate::wire::Wire;

const SHORT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(600);
/// How much later than said a busy machine may be.
const LATE: Duration = Duration::from_secs(5);

/// A gateway in which everything may take long but what the test shortens.
async fn patient(shorten: impl FnOnce(&mut tidegate::config::Bounds)) -> App {
    let setup = setup().await.with_bounds(|bounds| {
        (bounds.header_time, bounds.idle_time, bounds.write_time) = (LONG, LONG, LONG);
        (bounds.progress_time, bounds.body_time) = (LONG, LONG);
        shorten(bounds);
    });
    setup.start().await
}

fn in_time(what: &str, took: Duration) {
    println!("{what}: cut off after {} ms, of {} ms", took.as_millis(), SHORT.as_millis());
    assert!(took >= SHORT.mul_f64(0.8) && took < SHORT + LATE, "{what}: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_cut_off() {
    let app = patient(|bounds| bounds.header_time = SHORT).await;
    let sender = app.sender(ORDERS).await;
    for begun in
        ["", "P", "POST / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nhost: g\r\nx-a", "POST / HTTP/1.1\r\nhost: g\r\n\r"]
    {
        let opened = stopwatch();
        let mut wire = Wire::open(&app.url).await;
        wire.write(begun.as_bytes()).await.unwrap();
        assert!(wire.is_closed().await);
        in_time(&format!("a head that is {begun:?}"), opened());
    }
    assert!(reached(&app, "header_time").await >= 5.0);
    is_served(&app, &sender).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_byte_by_byte_is_cut_off() {
    let app = patient(|bounds| bounds.header_time = SHORT).await;
    let sender = app.sender(ORDERS).await;
    let opened = stopwatch();
    let mut wire = Wire::open(&app.url).await;
    let head = format!("POST {} HTTP/1.1\r\nhost: g\r\nx-a: {}", sender.path(), "x".repeat(8_000));
    let mut drip = tokio::time::interval(Duration::from_millis(10));
    let sent = head.bytes().enumerate();
    let mut cut = None;
    for (at, byte) in sent {
        drip.tick().await;
        if wire.write(&[byte]).await.is_err() {
            cut = Some(at);
            break;
        }
    }
    in_time("a head byte by byte", opened());
    assert!(cut.is_some_and(|at| at > 10), "each byte came: {cut:?}");
    is_served(&app, &sender).await;
}

/// The second head counts from its first byte, and the silence between them from the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_later_head_has_its_own_time() {
    let app = patient(|bounds| bounds.header_time = SHORT).await;
    let request = b"GET /livez HTTP/1.1\r\nhost: g\r\n\r\n";
    let mut kept = Wire::open(&app.url).await;
    kept.write(request).await.unwrap();
    assert_eq!(kept.answer().await.status, 200);
    // One that is opened now is cut off: longer than a head may take has passed.
    assert!(Wire::open(&app.url).await.is_closed().await);
    kept.write(request).await.unwrap();
    assert_eq!(kept.answer().await.status, 200, "silence between requests is no slow head");
    let begun = stopwatch();
    kept.write(b"GET ").await.unwrap();
    assert!(kept.is_closed().await);
    in_time("a later head", begun());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_kept_in_silence_is_closed() {
    let app = patient(|bounds| bounds.idle_time = SHORT).await;
    let mut kept = Wire::open(&app.url).await;
    kept.write(b"GET /livez HTTP/1.1\r\nhost: g\r\n\r\n").await.unwrap();
    assert_eq!(kept.answer().await.status, 200);
    let answered = stopwatch();
    assert!(kept.is_closed().await);
    in_time("a kept connection", answered());
    assert!(reached(&app, "idle_time").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stands_still_or_never_ends_is_cut_off() {
    for whole in [false, true] {
        let app =
            patient(|bounds| *(if whole { &mut bounds.body_time } else { &mut bounds.progress_time }) = SHORT).await;
        let sender = app.sender(ORDERS).await;
        let mut wire = Wire::post(&sender, "content-length: 1000000").await;
        let begun = stopwatch();
        wire.write(b" ").await.unwrap();
        // What brings enough in each span may still not take for ever.
        let dripping = async {
            let mut drip = tokio::time::interval(Duration::from_millis(10));
            let piece = if whole { " ".repeat(1_024) } else { " ".to_owned() };
            while wire.write(piece.as_bytes()).await.is_ok() {
                drip.tick().await;
                if begun() > SHORT + Duration::from_millis(300) {
                    break;
                }
            }
        };
        dripping.await;
        wire.answer().await.problem(408, "body_timeout");
        assert!(wire.is_closed().await);
        let limit = if whole { "body_time" } else { "progress_time" };
        assert!(reached(&app, limit).await >= 1.0, "{limit}");
        is_served(&app, &sender).await;
    }
}

/// More than the system keeps for a client that does not read.
const UNREAD: usize = 24 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_reads_is_given_up() {
    let app = patient(|bounds| {
        bounds.write_time = SHORT;
        bounds.max_body = bounds.max_body_ceiling;
    })
    .await;
    let sender = app.sender(LOAD).await;
    let large = format!(r#"{{"code":"A","x":"{}"}}"#, "x".repeat(UNREAD));
    let id = sender.post(&large).await.accepted("created")["eventId"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/events/{id}/payload");
    assert_eq!(app.get(&path).await.body, large.as_bytes(), "whoever reads it gets all of it");
    assert_eq!(reached(&app, "write_time").await, 0.0);

    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let stream = socket.connect(app.url.trim_start_matches("http://").parse().unwrap()).await.unwrap();
    let mut wire = Wire::over(stream);
    let asked = stopwatch();
    let head = format!("GET {path} HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {}\r\n\r\n", app.key);
    wire.write(head.as_bytes()).await.unwrap();
    until("it is given up", async || reached(&app, "write_time").await > 0.0).await;
    in_time("an answer that nobody reads", asked());
    assert!(wire.next().await.is_none(), "the rest is not there to be read");
}

/// Two hundred at a byte each moment, and honest clients beside them.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_slow_heads_harm_nobody() {
    let app = patient(|bounds| bounds.header_time = Duration::from_secs(2)).await;
    let sender = app.sender(LOAD).await;
    let mut slow = JoinSet::new();
    for _ in 0..200 {
        let url = app.url.clone();
        slow.spawn(async move {
            let mut wire = Wire::open(&url).await;
            let mut drip = tokio::time::interval(Duration::from_millis(50));
            for byte in "POST / HTTP/1.1\r\nx-a: ".bytes().chain(std::iter::repeat(b'x')) {
                drip.tick().await;
                if wire.write(&[byte]).await.is_err() {
                    return;
                }
            }
        });
    }
    until("all are there", async || metric(&app, "tidegate_connections").await > 200.0).await;
    for number in 0..200 {
        let body = format!(r#"{{"code":"c-{number}"}}"#);
        sender.post(body).await.accepted("created");
    }
    assert_eq!(tokio::time::timeout(DEADLINE, slow.join_all()).await.expect("all are cut off").len(), 200);
    assert!(reached(&app, "header_time").await >= 200.0);
}
