//! Books and data held side by side: nothing acknowledged is missing, nothing is there twice, and the log tells it all.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::books::Books;
use crate::app::{Admin, text};
use crate::changes::{Change, assert_log_is_truth, changes};
use crate::database::Place;

/// Event ids of the log, and the applied ones among them.
struct Stored {
    all: BTreeSet<String>,
    applied: usize,
}

/// To be called when everything has been acknowledged in the end, resends included. Prints the line of the table
/// before it complains.
pub async fn assert_all_once(fault: &str, books: &Books, (admin, place): (&Admin, &Place), normal: Duration) {
    let (changes, stored) = (changes(place).await, stored(place).await);
    let mut made: BTreeMap<u64, Vec<&Change>> = BTreeMap::new();
    for change in &changes {
        made.entry(change.after.as_ref().unwrap()["number"].as_u64().unwrap()).or_default().push(change);
    }
    let (mut lost, mut doubled) = (Vec::new(), Vec::new());
    for (number, answer) in &books.events {
        let answer = answer.as_ref().unwrap_or_else(|| panic!("event {number} was acknowledged in the end"));
        match made.get(&(*number as u64)).map_or(&[][..], Vec::as_slice) {
            [change] if tells(change, answer) && stored.all.contains(text(&answer["eventId"])) => {}
            [] | [_] => lost.push(format!("event {number}: {answer}")),
            several => doubled.push(format!("event {number}: {answer}: {several:?}")),
        }
    }
    let tally = books.tally;
    super::tell(&format!(
        "fault: {fault} | clients: 202 {}, 503 {}, broken {} | data: lost {}, doubled {} | again normal after {} ms",
        tally.accepted,
        tally.refused,
        tally.cut_off(),
        lost.len(),
        doubled.len(),
        normal.as_millis()
    ));
    assert!(lost.is_empty(), "acknowledged and lost: {lost:#?}");
    assert!(doubled.is_empty(), "acknowledged and doubled: {doubled:#?}");
    assert_eq!(books.wrong, [""; 0], "202, or 503 with Retry-After, and nothing else");
    assert_eq!(made.len(), books.events.len(), "no event was made up");
    assert_eq!(stored.applied, books.events.len(), "nothing is in the event log but the events and their resends");
    assert_log_is_truth(admin, place, "load").await;
}

/// The change was made under the ids that the answer named.
fn tells(change: &Change, answer: &Value) -> bool {
    let event = answer.get("duplicateOf").unwrap_or(&answer["eventId"]);
    change.event.as_deref() == event.as_str() && change.record == text(&answer["recordId"])
}

async fn stored(place: &Place) -> Stored {
    let rows = place.rows("SELECT id, verdict FROM events").await;
    let applied = |row: &&Vec<Option<String>>| matches!(row[1].as_deref(), Some("created" | "updated"));
    let applied = rows.iter().filter(applied).count();
    let count = rows.len();
    let all: BTreeSet<String> = rows.into_iter().map(|mut row| row[0].take().unwrap()).collect();
    assert_eq!(all.len(), count, "each event is in the log once");
    Stored { all, applied }
}
