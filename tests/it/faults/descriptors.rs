//! The gateway may open no more files: it lets go of connections that wait for nothing, honest senders are served beside
//! a crowd that holds on, and nothing falls over.

use std::process::Command;

use serde_json::Value;

use super::books::{Books, Heard, event, heard};
use super::verdict::assert_all_once;
use crate::app::Setup;
use crate::client::Sender;
use crate::process::Process;
use crate::wire::Wire;

both!(no_more_descriptors);

/// Senders with a connection of their own.
const CONNECTED: usize = 4;
const EVENTS: usize = 10;
/// What may still be opened, and how many try.
const ROOM: usize = 4;
const OTHERS: usize = 32;

async fn no_more_descriptors(setup: Setup) {
    let process = Process::start(&setup).await;
    let sender = process.admin.sender(super::LOAD).await;
    let mut books = Books::default();
    let mut wires = Vec::new();
    for _ in 0..CONNECTED {
        wires.push(Wire::open(&sender.base).await);
    }
    // The database's connections are there from now on.
    send(&mut wires, &sender, &mut books).await;
    let limit = open_files(&process) + ROOM;
    limit_files(&process, limit);
    let mut others = Vec::new();
    for _ in 0..OTHERS {
        others.push(Wire::open(&sender.base).await);
    }
    // Each on a connection of its own, while the crowd holds on.
    let (probe, normal) = Books::until_normal(&sender, &process.admin).await;
    assert!(open_files(&process) <= limit);
    drop(others);
    books.add(probe);
    books.send_again(&sender).await;
    let fault = format!("file descriptors exhausted, {:?}", setup.database().engine());
    assert_all_once(&fault, &books, (&process.admin, setup.database()), normal).await;
}

/// Each connection carries some events.
async fn send(wires: &mut [Wire], sender: &Sender, books: &mut Books) {
    for _ in 0..EVENTS {
        for wire in &mut *wires {
            let number = books.next();
            let heard = post(wire, sender, &event(number)).await;
            books.note(number, heard);
        }
    }
}

async fn post(wire: &mut Wire, sender: &Sender, event: &Value) -> Heard {
    let body = event.to_string();
    let head = format!("host: gateway\r\ncontent-type: application/json\r\ncontent-length: {}", body.len());
    let request = format!("POST {} HTTP/1.1\r\n{head}\r\n\r\n{body}", sender.path());
    wire.write(request.as_bytes()).await.expect("the connection stands");
    heard(wire.answer().await)
}

fn open_files(process: &Process) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap().count()
}

fn limit_files(process: &Process, limit: usize) {
    let arguments = ["--pid", &process.id().to_string(), &format!("--nofile={limit}:")];
    assert!(Command::new("prlimit").args(arguments).status().expect("prlimit of util-linux is there").success());
}
