use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use serde_json::json;

use super::*;
use crate::clock::Timestamp;
use crate::deliver::endpoint::{RawEndpoint, Standing};
use crate::deliver::target::Targets;
use crate::id::DeliveryId;

const CAP: usize = 16;

struct Bench {
    clock: Clock,
    slots: Slots,
    endpoints: Vec<Arc<Endpoint>>,
}

impl Bench {
    /// `most` attempts at once, to so many endpoints.
    fn new(most: usize, endpoints: usize) -> Self {
        let clock = Clock::manual(Timestamp::default());
        let endpoints = (0..endpoints).map(|_| endpoint()).collect::<Vec<_>>();
        let mut slots = Slots::new(clock.clone(), most);
        slots.renew(endpoints.iter(), 1);
        Self { clock, slots, endpoints }
    }

    /// Claims as much as there is room for; what may be sent at once.
    fn fill(&mut self, place: usize) -> Vec<Job> {
        let id = self.endpoints[place].id;
        let room = self.slots.room(id);
        self.slots.push((0..room).map(|_| job(id)).collect())
    }

    /// So many end like this; what may be sent then.
    fn end(&mut self, place: usize, count: usize, went: Went) -> Vec<Job> {
        let id = self.endpoints[place].id;
        (0..count).flat_map(|_| self.slots.done(id, went).0).collect()
    }
}

fn endpoint() -> Arc<Endpoint> {
    let raw: RawEndpoint =
        serde_json::from_value(json!({ "url": "https://example.com/", "concurrency": CAP })).unwrap();
    let standing = Standing {
        id: EndpointId::new(Timestamp::default()),
        enabled: true,
        since: 0,
        headers: HeaderMap::new(),
        secrets: Vec::new(),
    };
    Arc::new(raw.check(&Targets::new(Vec::new(), Vec::new()), standing).unwrap())
}

fn job(endpoint: EndpointId) -> Job {
    let at = Timestamp::default();
    let change = Change {
        seq: 1,
        id: String::new(),
        at,
        module: None,
        record: String::new(),
        op: "update".to_owned(),
        version: 1,
        shape: 0,
        before: None,
        after: None,
        moved: crate::record::change::Fields::new(),
        event: None,
        actor: String::new(),
        hops: 0,
    };
    let due = Due {
        id: DeliveryId::floor(at),
        endpoint,
        seq: 1,
        part: 0,
        event: String::new(),
        module: String::new(),
        record: String::new(),
        rendering: String::new(),
        ordered: false,
        lane: Lane::Fresh,
        attempts: 0,
        retried_from: 0,
        claim: None,
        created_at: at,
    };
    Job { due, change: Arc::new(change), until: at }
}

/// All that was under way ends while the endpoint rests: nothing of it is left that would fetch what waits.
#[test]
fn what_waits_goes_on_after_a_rest() {
    let mut bench = Bench::new(512, 1);
    assert_eq!(bench.fill(0).len(), CAP);
    assert!(bench.end(0, CAP, Went::Overloaded(Duration::from_secs(1))).is_empty(), "it rests");
    assert!(bench.slots.resume().is_empty(), "still");
    assert_eq!(bench.slots.room(bench.endpoints[0].id), 0, "and more than enough is claimed");
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(bench.slots.resume().len(), 1, "one at first");
    let mut sent = 1;
    let mut next = bench.end(0, 1, Went::Well).len();
    while next > 0 {
        sent += next;
        next = bench.end(0, next, Went::Well).len();
    }
    assert_eq!(sent, CAP * AHEAD, "all that was claimed");
}

/// More than all endpoints may have under way together: nothing that was claimed is dropped, and all of it is sent.
#[test]
fn what_waits_for_a_place_is_not_dropped() {
    let mut bench = Bench::new(CAP + 4, 2);
    assert_eq!((bench.fill(0).len(), bench.fill(1).len()), (CAP, 4));
    let (mut sent, mut under_way) = ([CAP, 4], [CAP, 4]);
    let held = bench.slots.held;
    while under_way != [0, 0] {
        for place in 0..2 {
            let ended = std::mem::take(&mut under_way[place]);
            let mut next = bench.end(place, ended, Went::Well);
            next.extend(bench.slots.resume());
            assert!(bench.slots.under_way() <= CAP + 4);
            for job in next {
                let of = usize::from(job.due.endpoint == bench.endpoints[1].id);
                (sent[of], under_way[of]) = (sent[of] + 1, under_way[of] + 1);
            }
        }
    }
    assert_eq!((sent[0] + sent[1], bench.slots.held), (held, 0));
}
