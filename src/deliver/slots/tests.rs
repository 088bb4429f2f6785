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
        (0..count).flat_map(|_| self.slots.done(id, went).next).collect()
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

/// What was claimed for an endpoint that rests is given back, so that dead ones take no place from others.
#[test]
fn what_waits_is_given_back_for_a_rest() {
    let mut bench = Bench::new(512, 1);
    let id = bench.endpoints[0].id;
    assert_eq!(bench.fill(0).len(), CAP);
    let after = bench.slots.done(id, Went::Overloaded(Duration::from_secs(1)));
    assert_eq!((after.next.len(), after.put_back.len()), (0, CAP * AHEAD), "it rests");
    assert!(bench.end(0, CAP - 1, Went::Badly).is_empty());
    assert_eq!((bench.slots.held, bench.slots.room(id)), (0, 0));
    bench.clock.advance(Duration::from_secs(2));
    assert_eq!(bench.slots.room(id), 1, "one at first");
    assert_eq!(bench.fill(0).len(), 1);
    bench.end(0, 1, Went::Well);
    assert_eq!(bench.slots.room(id), 2, "and one more with each that is delivered");
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
