//! What senders know of their events: which were answered with 202 and how, and what else they met.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tidegate::clock::Clock;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::DEADLINE;
use crate::app::{Admin, text};
use crate::client::{Answer, Sender};

/// Clients at once.
pub const CLIENTS: usize = 8;
/// So many in a row are accepted by a gateway that is normal, whatever lane and connection they take.
const NORMAL: usize = 16;

/// What came of one POST.
#[derive(Debug)]
pub enum Heard {
    Accepted(Value),
    /// 503, to be sent again.
    Refused,
    /// No connection: the gateway has taken nothing.
    Unreached,
    /// No answer.
    Broken,
    /// An answer that broke off.
    Torn,
    /// What no fault excuses.
    Wrong(String),
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub accepted: usize,
    pub refused: usize,
    pub unreached: usize,
    pub broken: usize,
    pub torn: usize,
}

/// Event number → the answer, when a 202 came.
#[derive(Debug, Default)]
pub struct Books {
    pub events: BTreeMap<usize, Option<Value>>,
    pub tally: Tally,
    pub wrong: Vec<String>,
}

/// Half of the events make a record of their own, half change one of ten. The number is the event's alone.
pub fn event(number: usize) -> Value {
    let code = if number.is_multiple_of(2) { format!("own-{number}") } else { format!("shared-{}", number % 20) };
    json!({ "id": format!("e-{number}"), "code": code, "number": number })
}

pub async fn attempt(sender: &Sender, number: usize) -> Heard {
    post(sender, &event(number)).await
}

/// One POST, whatever becomes of it.
pub async fn post(sender: &Sender, event: &Value) -> Heard {
    let response = match sender.json(event.to_string()).send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() => return Heard::Unreached,
        Err(_) => return Heard::Broken,
    };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let Ok(body) = response.bytes().await else { return Heard::Torn };
    heard(Answer { status, headers, body: body.to_vec() })
}

pub fn heard(answer: Answer) -> Heard {
    let wait = answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match (answer.status, wait) {
        (202, _) => Heard::Accepted(answer.json()),
        (503, Some(1..)) => Heard::Refused,
        _ => Heard::Wrong(answer.text()),
    }
}

impl Tally {
    pub fn failed(self) -> usize {
        self.refused + self.cut_off()
    }

    /// Those that had no whole answer.
    pub fn cut_off(self) -> usize {
        self.unreached + self.broken + self.torn
    }

    pub fn count(&mut self, heard: &Heard) {
        match heard {
            Heard::Accepted(_) => self.accepted += 1,
            Heard::Refused => self.refused += 1,
            Heard::Unreached => self.unreached += 1,
            Heard::Broken => self.broken += 1,
            Heard::Torn => self.torn += 1,
            Heard::Wrong(_) => {}
        }
    }

    pub fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused += other.refused;
        self.unreached += other.unreached;
        self.broken += other.broken;
        self.torn += other.torn;
    }
}

impl Books {
    pub fn note(&mut self, number: usize, heard: Heard) {
        self.tally.count(&heard);
        let entry = self.events.entry(number).or_default();
        match heard {
            Heard::Accepted(answer) => *entry = Some(answer),
            Heard::Wrong(what) => self.wrong.push(format!("event {number}: {what}")),
            Heard::Refused | Heard::Unreached | Heard::Broken | Heard::Torn => {}
        }
    }

    pub fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.wrong.extend(other.wrong);
        self.events.extend(other.events);
    }

    pub fn next(&self) -> usize {
        self.events.last_key_value().map_or(0, |(number, _)| number + 1)
    }

    /// One client posts until so many in a row are accepted and the gateway says that it is ready: how long that took.
    /// Its events are far from those of others that still run.
    pub async fn until_normal(sender: &Sender, admin: &Admin) -> (Self, Duration) {
        static ASIDE: AtomicUsize = AtomicUsize::new(1_000_000);
        let mut books = Self::default();
        let clock = Clock::system();
        let begun = clock.monotonic();
        let mut in_a_row = 0;
        let normal = async {
            while in_a_row < NORMAL || !is_ready(admin).await {
                let number = ASIDE.fetch_add(1, Ordering::Relaxed);
                let heard = attempt(sender, number).await;
                in_a_row = if matches!(heard, Heard::Accepted(_)) { in_a_row + 1 } else { 0 };
                books.note(number, heard);
            }
        };
        let took = timeout(DEADLINE, normal).await.map(|()| clock.monotonic() - begun);
        (books, took.expect("the gateway is normal again"))
    }

    /// A sender that has no 202 sends again: a duplicate if it was written, and written now if not. How many had been
    /// written although nobody said so.
    pub async fn send_again(&mut self, sender: &Sender) -> usize {
        let mut unsaid = 0;
        let open: Vec<usize> = self.events.iter().filter(|(_, answer)| answer.is_none()).map(|(at, _)| *at).collect();
        let mut clients = JoinSet::new();
        for part in open.chunks(open.len().div_ceil(CLIENTS).max(1)) {
            let (sender, part) = (sender.clone(), part.to_vec());
            clients.spawn(async move {
                let mut answers = Vec::with_capacity(part.len());
                for number in part {
                    answers.push((number, attempt(&sender, number).await));
                }
                answers
            });
        }
        for (number, heard) in clients.join_all().await.into_iter().flatten() {
            let Heard::Accepted(again) = heard else { panic!("event {number} is accepted now: {heard:?}") };
            assert!(matches!(text(&again["outcome"]), "created" | "updated" | "duplicate"), "{again}");
            unsaid += usize::from(again["outcome"] == "duplicate");
            self.events.insert(number, Some(again));
        }
        unsaid
    }
}

/// Waits until so many events are in the gateway's queue.
pub async fn queued(admin: &Admin, events: usize) {
    let wanted = format!("tidegate_write_queue_depth {events}");
    let is_so = async {
        while !Answer::to(admin.request(Method::GET, "/metrics")).await.text().lines().any(|line| line == wanted) {}
    };
    timeout(DEADLINE, is_so).await.unwrap_or_else(|_| panic!("{events} events queue"));
}

pub async fn is_ready(admin: &Admin) -> bool {
    matches!(admin.request(Method::GET, "/readyz").send().await, Ok(answer) if answer.status() == 200)
}
