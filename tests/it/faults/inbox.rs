//! A subscriber as they are: it mostly takes what it is sent at once, sometimes late and sometimes not at first. It
//! keeps what came in the order in which it came, and in the end all of it is held against the log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::app::{Admin, text};
use crate::receiver::{Gate, Received, Receiver, Reply};

/// A late answer is no later.
const LATE: Duration = Duration::from_millis(30);
/// Of so many, one is answered late, and of so many, one with 500 unless that was done twice.
const ONE_LATE: usize = 5;
const ONE_REFUSED: usize = 7;

pub struct Inbox {
    receiver: Receiver,
    came: Arc<Mutex<Came>>,
    pacer: JoinHandle<()>,
}

#[derive(Default)]
struct Came {
    letters: Vec<Letter>,
    tries: HashMap<(String, String), usize>,
    late: Vec<Gate>,
}

/// One request, and whether it was answered with 200.
#[derive(Clone, Debug)]
pub struct Letter {
    path: String,
    id: String,
    body: Vec<u8>,
    taken: bool,
}

/// What is owed once: an event of a change, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Owed {
    cursor: String,
    event: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    pub deliveries: usize,
    /// Taken more than once.
    pub duplicates: usize,
    pub refused: usize,
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.pacer.abort();
    }
}

impl Inbox {
    pub async fn start() -> Self {
        let (receiver, came) = (Receiver::start().await, Arc::new(Mutex::new(Came::default())));
        let keeping = Arc::clone(&came);
        receiver.answer(move |request| keeping.lock().unwrap().take(request));
        let opening = Arc::clone(&came);
        let pacer = tokio::spawn(async move {
            loop {
                tokio::time::sleep(LATE).await;
                opening.lock().unwrap().late.drain(..).for_each(|gate| gate.open());
            }
        });
        Self { receiver, came, pacer }
    }

    /// A webhook that leads to this path; all events when none is named.
    pub async fn subscribe(&self, admin: &Admin, path: &str, ordering: &str, events: &[&str]) {
        let webhook = json!({
            "url": self.receiver.url(path), "ordering": ordering, "events": events, "modules": ["load"],
            "retries": [0, 1, 0, 1, 0, 1], "concurrency": 64,
        });
        admin.post("/api/v1/webhooks", webhook).await.done();
    }

    /// So far, to one path.
    pub fn letters(&self, path: &str) -> Vec<Letter> {
        self.came.lock().unwrap().letters.iter().filter(|letter| letter.path == path).cloned().collect()
    }

    /// Every event of these types in the log was taken, and nothing else came; what came again was the same.
    pub fn assert_complete(&self, path: &str, log: &[Value], is_wanted: impl Fn(&str) -> bool) -> Sum {
        let letters = self.letters(path);
        let mut taken: BTreeMap<Owed, Vec<&Letter>> = BTreeMap::new();
        let mut ids: HashMap<&str, (Owed, &Letter)> = HashMap::new();
        for letter in &letters {
            let (owed, first) = ids.entry(&letter.id).or_insert_with(|| (letter.owed(), letter));
            assert_eq!((&letter.owed(), &letter.body), (&*owed, &first.body), "the same id, the same bytes");
            if letter.taken {
                taken.entry(letter.owed()).or_default().push(letter);
            }
        }
        let types = |change: &Value| {
            change["types"].as_array().unwrap().iter().map(text).map(str::to_owned).collect::<Vec<_>>()
        };
        let owed = |change: &Value, event| Owed { cursor: text(&change["cursor"]).to_owned(), event };
        let of_change =
            |change| types(change).into_iter().filter(|event| is_wanted(event)).map(move |event| owed(change, event));
        let wanted: BTreeSet<Owed> = log.iter().flat_map(of_change).collect();
        let lost: Vec<_> = wanted.iter().filter(|owed| !taken.contains_key(owed)).collect();
        assert!(
            lost.is_empty(),
            "{} of {} never reached {path}: {:?}",
            lost.len(),
            wanted.len(),
            &lost[..lost.len().min(5)]
        );
        assert_eq!(taken.len(), wanted.len(), "nothing was made up");
        for (owed, letters) in &taken {
            assert!(letters.iter().all(|letter| letter.id == letters[0].id), "{owed:?} has one id: {letters:?}");
        }
        assert_eq!(ids.len(), wanted.len(), "one id for each");
        let came: usize = taken.values().map(Vec::len).sum();
        Sum { deliveries: wanted.len(), duplicates: came - wanted.len(), refused: letters.len() - came }
    }

    /// Of each record, what was taken for the first time came in the order of its versions.
    pub fn assert_ordered(&self, path: &str) {
        let mut last: HashMap<String, i64> = HashMap::new();
        let mut seen = BTreeSet::new();
        for letter in self.letters(path).iter().filter(|letter| letter.taken) {
            if seen.insert(letter.owed()) {
                let body = letter.json();
                let (record, version) = (text(&body["record_id"]), body["version"].as_i64().unwrap());
                let before = last.insert(record.to_owned(), version);
                assert!(before.is_none_or(|before| before < version), "{record}: {version} comes after {before:?}");
            }
        }
    }
}

impl Came {
    fn take(&mut self, request: &Received) -> Reply {
        let id = request.header("x-webhook-id").expect("a delivery names itself").to_owned();
        let tries = self.tries.entry((request.path.clone(), id.clone())).or_default();
        *tries += 1;
        let taken = *tries > 2 || !self.letters.len().is_multiple_of(ONE_REFUSED);
        let is_late = self.letters.len().is_multiple_of(ONE_LATE);
        self.letters.push(Letter { path: request.path.clone(), id, body: request.body.clone(), taken });
        let reply = Reply::status(if taken { 200 } else { 500 });
        if !is_late {
            return reply;
        }
        let gate = Gate::default();
        self.late.push(gate.clone());
        reply.behind(&gate)
    }
}

impl Letter {
    fn json(&self) -> Value {
        let body: Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(body["id"], self.id, "header and body name the same delivery");
        body
    }

    fn owed(&self) -> Owed {
        let body = self.json();
        Owed { cursor: text(&body["cursor"]).to_owned(), event: text(&body["event"]).to_owned() }
    }
}
