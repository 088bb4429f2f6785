//! The receiver keeps what came and answers as told; other tests rest on it.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::{End, Gate, Receiver, Reply};
use crate::client::{Answer, http_client};
use crate::wire::Wire;

fn post(receiver: &Receiver, path: &str, body: &'static str) -> reqwest::RequestBuilder {
    http_client().post(receiver.url(path)).body(body)
}

fn spawn(request: reqwest::RequestBuilder) -> JoinHandle<reqwest::Result<reqwest::Response>> {
    tokio::spawn(request.send())
}

#[tokio::test]
async fn it_keeps_requests_as_they_came() {
    let receiver = Receiver::start().await;
    let mut wire = Wire::open(&receiver.url("")).await;
    let (first, second) = ("PUT /a?b=%20 HTTP/1.1\r\nX-B: 1\r\nx-A:  two \r\nX-b: 3\r\n", "GET /c HTTP/1.1\r\n\r\n");
    wire.write(format!("{first}Content-Length: 4\r\n\r\n\r\n\r\n{second}").as_bytes()).await.unwrap();
    assert_eq!((wire.answer().await.status, wire.answer().await.status), (200, 200));
    Answer::to(post(&receiver, "/d", "{}")).await;

    let came = receiver.wait_for(3).await;
    assert_eq!(came, receiver.received());
    assert_eq!((came[0].method.as_str(), came[0].path.as_str(), &*came[0].body), ("PUT", "/a?b=%20", &b"\r\n\r\n"[..]));
    let names: Vec<_> = came[0].headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["X-B", "x-A", "X-b", "Content-Length"]);
    assert_eq!((came[0].header("x-a"), came[0].header("x-b"), came[0].header("x-c")), (Some("two"), Some("1"), None));
    assert_eq!(came[0].header_map().get_all("x-b").iter().count(), 2);
    assert_eq!((came[1].path.as_str(), came[1].connection, came[2].connection), ("/c", 0, 1));
    assert_eq!(came[2].json(), serde_json::json!({}));
}

#[tokio::test]
async fn it_answers_as_told() {
    let receiver = Receiver::start().await;
    receiver.answer_in_turn([Reply::with(503, &[("Retry-After", "7")], "later"), Reply::status(204)]);
    let answer = Answer::to(post(&receiver, "/", "")).await;
    assert_eq!((answer.text().as_str(), answer.header("retry-after")), ("503 later", "7"));
    assert_eq!(Answer::to(post(&receiver, "/", "")).await.text(), "204 ");
    assert_eq!(Answer::to(post(&receiver, "/", "")).await.text(), "200 ");
    receiver.answer(|request| Reply::with(200, &[], request.path.as_bytes()));
    assert_eq!(Answer::to(post(&receiver, "/x?y", "")).await.text(), "200 /x?y");
}

#[tokio::test]
async fn it_closes_and_hangs_as_told() {
    let receiver = Receiver::start().await;
    let half = Reply::raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", End::Hang);
    receiver.answer_in_turn([Reply::close(), Reply::raw("no HTTP\r\n\r\n", End::Close), half, Reply::hang()]);
    assert!(post(&receiver, "/", "").send().await.is_err_and(|error| !error.is_timeout()));
    assert!(post(&receiver, "/", "").send().await.is_err_and(|error| !error.is_timeout()));
    let mut answer = post(&receiver, "/", "").send().await.expect("a head comes");
    assert_eq!(answer.chunk().await.unwrap().as_deref(), Some(&b"half"[..]));
    let hanging = spawn(post(&receiver, "/", ""));
    receiver.wait_for(4).await;
    assert!(!hanging.is_finished());
    drop(receiver);
    assert!(hanging.await.unwrap().is_err(), "its connections end with it");
}

#[tokio::test]
async fn it_holds_answers_back_until_they_are_let_go() {
    let (receiver, gate) = (Receiver::start().await, Gate::default());
    let shut = gate.clone();
    receiver.answer(move |_| Reply::status(200).behind(&shut));
    let held = [spawn(post(&receiver, "/", "1")), spawn(post(&receiver, "/", "2"))];
    assert_eq!(receiver.wait_for(2).await.len(), 2);
    assert_eq!(receiver.most_at_once(), 2);
    assert!(held.iter().all(|request| !request.is_finished()));
    gate.open();
    for request in held {
        assert_eq!(request.await.unwrap().unwrap().status(), 200);
    }
    for _ in 0..3 {
        Answer::to(post(&receiver, "/", "")).await;
    }
    assert_eq!(receiver.most_at_once(), 2, "these came one after the other");
}

#[tokio::test]
async fn it_says_what_came_instead() {
    let receiver = Receiver::start().await;
    Answer::to(post(&receiver, "/a", "{}")).await;
    let waiting = tokio::spawn(async move { receiver.wait_until(Duration::from_millis(1), 2).await });
    let panic = waiting.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "1 of 2 requests came within 1ms:\n  POST /a {}");
}
