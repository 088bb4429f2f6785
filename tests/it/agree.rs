//! The two databases agree: random modules, mappings and events go through a gateway on SQLite and through one on
//! PostgreSQL. Both give the same answers, and leave the same records, events and changes; nothing panics; and the log
//! replayed rebuilds every record.
//!
//! A case is a random module with its sources, and `EVENTS` events for them. `TIDEGATE_TEST_CASES` is the number of
//! cases, `TIDEGATE_TEST_SEED` the seed of the first; each case has the seed after the one before it, so that a failure
//! can be run again alone: `TIDEGATE_TEST_SEED=<its seed> TIDEGATE_TEST_CASES=1`.

mod event;
mod kinds;
mod module;
mod names;
pub mod rng;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;
use tokio::task::JoinSet;

use crate::app::{App, Setup, text};
use crate::changes::{changes, replayed, standing};
use crate::client::{Answer, Sender};
use crate::database::Engine;
use event::Event;
use module::Module;
use names::Names;
use rng::Rng;
use tally::Tally;

const CASES: usize = 90;
const EVENTS: usize = 24;
const SEED: usize = 20_260_302;
/// Cases on their way at once: their commits share what a commit costs.
const AT_ONCE: usize = 8;
/// Cases whose modules are made by one request; each makes the gateway read its whole configuration again.
const AT_A_TIME: usize = 40;

/// A gateway on each database.
struct Pair {
    sqlite: App,
    postgres: App,
}

struct Case {
    seed: usize,
    rng: Rng,
    module: Module,
    /// What the ids of each gateway are called.
    names: [Names; 2],
}

/// A case whose module stands, with what sends to its sources.
struct Ready {
    case: Case,
    senders: [Vec<Sender>; 2],
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_say_and_keep_the_same() {
    let (count, seed) = (setting("TIDEGATE_TEST_CASES", CASES), setting("TIDEGATE_TEST_SEED", SEED));
    let start = async |engine| Setup::new(engine).await.with_stopped_clock().start().await;
    let pair = Arc::new(Pair { sqlite: start(Engine::Sqlite).await, postgres: start(Engine::Postgres).await });
    let texts: Arc<[String]> = crate::naughty::texts().into();
    let (mut tally, mut done) = (Tally::default(), Vec::new());
    let mut cases: Vec<_> = (0..count).map(|case| Case::new(seed + case)).collect();
    while !cases.is_empty() {
        let some = cases.split_off(cases.len().saturating_sub(AT_A_TIME));
        let mut ready = pair.make(some, &mut tally).await.into_iter();
        let mut playing = JoinSet::new();
        loop {
            while playing.len() < AT_ONCE
                && let Some(ready) = ready.next()
            {
                playing.spawn(ready.play(Arc::clone(&pair), Arc::clone(&texts)));
            }
            let Some(played) = playing.join_next().await else { break };
            let (case, theirs) = played.unwrap();
            tally.add(theirs);
            done.push(case);
        }
    }
    pair.assert_same_logs(&done).await;
    if count >= CASES {
        tally.assert_not_vacuous();
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests may ask for more")]
fn setting(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

impl Pair {
    /// Makes the modules of all cases. A module that is refused is refused by both with the same words, and another
    /// one takes its place.
    async fn make(&self, mut cases: Vec<Case>, tally: &mut Tally) -> Vec<Ready> {
        for _ in 0..20 {
            let file = |case: &Case| json!({ "name": case.module.slug, "text": case.module.file });
            let body = json!({ "files": cases.iter().map(file).collect::<Vec<_>>(), "secrets": {} });
            let one = self.sqlite.post("/api/v1/apply", body.clone()).await;
            let other = self.postgres.post("/api/v1/apply", body).await;
            if one.status == 200 && other.status == 200 {
                let (one, other) = (senders(&self.sqlite, &one), senders(&self.postgres, &other));
                let of = |all: &BTreeMap<String, Vec<Sender>>, case: &Case| all[&case.module.slug].clone();
                let ready = |case| Ready { senders: [of(&one, &case), of(&other, &case)], case };
                return cases.into_iter().map(ready).collect();
            }
            assert_eq!(Names::default().answer(&one), Names::default().answer(&other), "modules are refused alike");
            let problem = one.problem(422, "invalid_document");
            let errors = problem["errors"].as_array().unwrap();
            let refused: BTreeSet<_> = errors.iter().map(|error| text(&error["file"])).collect();
            tally.refused(errors);
            cases.iter_mut().filter(|case| refused.contains(case.module.slug.as_str())).for_each(Case::another_module);
        }
        panic!("hardly a module is taken: {tally:#?}");
    }

    /// The same changes of every module in the same order, and each log rebuilds every record.
    async fn assert_same_logs(&self, done: &[Case]) {
        let logs = [changes(self.sqlite.database()).await, changes(self.postgres.database()).await];
        let (mut told, mut stand) = (0, [BTreeMap::new(), BTreeMap::new()]);
        for case in done {
            stand[0].extend(standing(&self.sqlite, &case.module.slug).await);
            stand[1].extend(standing(&self.postgres, &case.module.slug).await);
            let [one, other] = [0, 1].map(|side| case.names[side].log(&logs[side]));
            assert_eq!(one, other, "{}", case.told());
            told += one.len();
        }
        for (log, stand) in logs.iter().zip(stand) {
            assert_eq!(log.len(), told, "every change is one of a record that is known");
            assert_eq!(replayed(log), stand, "the log tells how every record came to be");
        }
    }
}

/// By module, in the order of its sources.
fn senders(app: &App, applied: &Answer) -> BTreeMap<String, Vec<Sender>> {
    let mut senders: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for source in applied.json()["sources"].as_array().unwrap() {
        let sender = Sender::new(app.http.clone(), &app.url, text(&source["module"]), text(&source["token"]));
        senders.entry(sender.module.clone()).or_default().push(sender);
    }
    senders
}

impl Case {
    fn new(seed: usize) -> Self {
        let mut rng = Rng::new(seed as u64);
        let module = Module::random(&mut rng, &format!("case-{seed}"));
        Self { seed, rng, module, names: Default::default() }
    }

    fn another_module(&mut self) {
        self.module = Module::random(&mut self.rng, &self.module.slug);
    }

    /// How to run it again, and with what.
    fn told(&self) -> String {
        format!("TIDEGATE_TEST_SEED={} TIDEGATE_TEST_CASES=1 runs this again\n{}", self.seed, self.module.file)
    }
}

impl Ready {
    async fn play(mut self, pair: Arc<Pair>, texts: Arc<[String]>) -> (Case, Tally) {
        let mut tally = Tally::default();
        let Self { case, senders } = &mut self;
        let mut sent: Vec<Vec<Event>> = case.module.sources.iter().map(|_| Vec::new()).collect();
        for number in 0..EVENTS {
            let place = case.rng.below(sent.len());
            let source = &case.module.sources[place];
            let event = Event::random(&mut case.rng, &texts, source, number, &sent[place]);
            let answers = tokio::join!(send(&senders[0][place], &event), send(&senders[1][place], &event));
            let [one, other] = [case.names[0].answer(&answers.0), case.names[1].answer(&answers.1)];
            let told = || format!("event {number} of source-{place}: {event:?}\n{}", case.told());
            assert!(matches!(answers.0.status, 202 | 400 | 422), "{}\n{}", answers.0.text(), told());
            assert_eq!(one, other, "SQLite and PostgreSQL answer this to {}", told());
            tally.answer(&one);
            sent[place].push(event);
        }
        case.assert_same_lists(&pair, &mut tally).await;
        (self.case, tally)
    }
}

impl Case {
    async fn assert_same_lists(&mut self, pair: &Pair, tally: &mut Tally) {
        let slug = &self.module.slug;
        for path in [format!("/modules/{slug}/records"), format!("/events?module={slug}")] {
            let one = self.names[0].list(pair.sqlite.list(&path, 100).await);
            let other = self.names[1].list(pair.postgres.list(&path, 100).await);
            assert_eq!(one, other, "{path}; {}", self.told());
            tally.records(&one, &self.module);
        }
    }
}

async fn send(sender: &Sender, event: &Event) -> Answer {
    let path = format!("{}?{}", sender.path(), event.query);
    let content_type = if event.form { "application/x-www-form-urlencoded" } else { "application/json" };
    let header = |(name, value): &(String, String)| {
        (name.parse::<HeaderName>().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    let headers: HeaderMap = event.headers.iter().map(header).collect();
    let request = sender.request(Method::POST, &path).headers(headers).header("content-type", content_type);
    sender.send(request.body(event.body.clone())).await
}
