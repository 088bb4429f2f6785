//! One batch with all that a batch can do, to be met by a fault at its N-th call, and what has to be true of it then.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate::clock::Clock;

use super::books::{Heard, Tally, post};
use crate::app::{Admin, text};
use crate::changes::{assert_log_is_truth, changes};
use crate::client::Sender;
use crate::database::Place;

pub const MODULE: &str = include_str!("../../data/modules/each-call.toml");

/// The events of the N-th time. All have the record that they change in common, so that one lane takes them.
pub struct Round(pub usize);

/// What became of a round: the answers before anything was sent again, and how many events turned out to have been
/// written although nobody said so.
#[derive(Default)]
pub struct Told {
    pub tally: Tally,
    pub written_unsaid: usize,
    /// The longest that sending again took.
    pub settled_in: Duration,
}

impl Told {
    pub fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.written_unsaid += other.written_unsaid;
        self.settled_in = self.settled_in.max(other.settled_in);
    }

    /// The line of the table. Nothing gets here with an event lost or doubled.
    pub fn tell(&self, fault: &str) {
        super::tell(&format!(
            "fault: {fault} | clients: 202 {}, 503 {}, broken {} | data: lost 0, doubled 0 (503 and yet there: {}) | \
             again normal after {} ms",
            self.tally.accepted,
            self.tally.refused,
            self.tally.cut_off(),
            self.written_unsaid,
            self.settled_in.as_millis()
        ));
    }
}

impl Round {
    /// Makes what the others change and delete, and holds the lane while these queue.
    pub fn first(&self) -> Value {
        let items = [self.item("kept", 1, false), self.item("gone", 1, false)];
        json!({ "id": format!("first-{}", self.0), "items": items })
    }

    /// An update, an insert and a delete in one event; one more update; the first again.
    pub fn batch(&self) -> [Value; 3] {
        let items = [self.item("kept", 2, false), self.item("new", 2, false), self.item("gone", 2, true)];
        let all = json!({ "id": format!("all-{}", self.0), "items": items });
        let more = json!({ "id": format!("more-{}", self.0), "items": [self.item("kept", 3, false)] });
        [all.clone(), more, all]
    }

    fn item(&self, name: &str, number: usize, is_gone: bool) -> Value {
        json!({ "code": format!("{name}-{}", self.0), "number": number, "gone": is_gone })
    }
}

/// Sends again what has no 202, at once: the fault has passed. Then each event has to be there once, as answered.
pub async fn settle(sender: &Sender, place: &Place, events: &[Value], heard: Vec<Heard>) -> Told {
    let (mut told, mut sent_again) = (Told::default(), Vec::new());
    let clock = Clock::system();
    for (event, heard) in events.iter().zip(heard) {
        told.tally.count(&heard);
        let answer = match heard {
            Heard::Accepted(answer) => answer,
            Heard::Wrong(what) => panic!("{event}: {what}"),
            Heard::Refused | Heard::Unreached | Heard::Broken | Heard::Torn => {
                let begun = clock.monotonic();
                let again = post(sender, event).await;
                told.settled_in = told.settled_in.max(clock.monotonic() - begun);
                let Heard::Accepted(again) = again else { panic!("normal at once, without a restart: {again:?}") };
                // The one that repeats another is a duplicate now in any case.
                let is_first = !sent_again.contains(&&event["id"]);
                told.written_unsaid += usize::from(is_first && again["outcome"] == "duplicate");
                sent_again.push(&event["id"]);
                again
            }
        };
        assert_once(place, event, &answer).await;
    }
    told
}

/// The event that the answer names made one change for each of its records.
async fn assert_once(place: &Place, event: &Value, answer: &Value) {
    let id = text(answer.get("duplicateOf").unwrap_or(&answer["eventId"]));
    let made = changes(place).await.into_iter().filter(|change| change.event.as_deref() == Some(id)).count();
    assert_eq!(made, event["items"].as_array().unwrap().len(), "{event} was answered with {answer}");
}

/// After all rounds: two events of each changed records, each once, and the log tells it all.
pub async fn assert_told(admin: &Admin, place: &Place, events: usize) {
    let mut ids: Vec<_> = changes(place).await.into_iter().map(|change| change.event).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), events, "each event has its effect under one id");
    assert_log_is_truth(admin, place, "each-call").await;
}
