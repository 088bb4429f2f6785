//! Deliveries are made of the log: after a durable cursor, in commit order, each change for every endpoint that asks
//! for one of its events. What there is room for is claimed in the same transaction and sent right after it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::book::{Book, Made};
use super::endpoint::{Endpoint, envelope};
use super::slots::Job;
use crate::clock::Timestamp;
use crate::id::{DeliveryId, EndpointId};
use crate::record::change::Change;
use crate::store::due::{Due, Lane, NewDue};

/// Changes that are read at once, and their bytes; a single larger one goes alone.
pub const MOST_CHANGES: i64 = 500;
pub const MOST_BYTES: i64 = 4 * 1024 * 1024;
/// Deliveries that are made in one transaction; one change's are never parted.
const MOST_OWED: usize = 4_000;

/// What a page of the log comes to.
#[derive(Default)]
pub struct Owed {
    pub due: Vec<NewDue>,
    /// Those of them that are claimed already.
    pub jobs: Vec<Job>,
    pub renderings: Vec<Arc<Made>>,
    /// Up to which change; 0 when it is none.
    pub to: i64,
    /// Not all of it could be claimed.
    pub left_over: bool,
    /// The rest is about modules that the book does not know as they are.
    pub outdated: bool,
}

/// Whose deliveries may be claimed at once, how many of each, and under which name.
pub struct Room<'a> {
    pub of: HashMap<EndpointId, usize>,
    pub claim: &'a str,
    pub now: Timestamp,
    pub until: Timestamp,
}

/// Of changes in order, those that fit into one transaction.
pub fn owed(book: &Book, changes: Vec<Change>, mut room: Room<'_>) -> Owed {
    let mut owed = Owed::default();
    let mut known = HashSet::new();
    for change in changes {
        if owed.due.len() >= MOST_OWED {
            owed.left_over = true;
            break;
        }
        if !book.is_up_to_date(&change) {
            owed.outdated = true;
            break;
        }
        owed.to = change.seq;
        let change = Arc::new(change);
        for (due, made) in deliveries(book, &change, |endpoint| endpoint.enabled && endpoint.since < change.seq) {
            if known.insert(made.id.clone()) {
                owed.renderings.push(made);
            }
            owed.add(due, &change, &mut room);
        }
    }
    owed
}

/// What a change comes to for those of the endpoints that are meant, with what its bodies are made by; not claimed yet.
pub fn deliveries(book: &Book, change: &Change, is_meant: impl Fn(&Endpoint) -> bool) -> Vec<(Due, Arc<Made>)> {
    let (mut all, shape) = (Vec::new(), shape(book, change));
    for (part, event) in (0..).zip(change.types(shape)) {
        for endpoint in wanting(book, change, &event, &is_meant) {
            match book.rendering(endpoint.profile, shape, &event) {
                Ok(made) => all.push((due(endpoint, change, (part, &event), &made.id), made)),
                Err(error) => tracing::error!(%error, %event, change = %change.id, "an event cannot be rendered"),
            }
        }
    }
    all
}

fn shape<'a>(book: &'a Book, change: &Change) -> Option<&'a crate::record::shape::Shape> {
    book.shape_of(change).map(|shape| &**shape)
}

/// Those of them that ask for this event of this change.
fn wanting<'a>(
    book: &'a Book,
    change: &Change,
    event: &str,
    is_meant: impl Fn(&Endpoint) -> bool,
) -> Vec<&'a Arc<Endpoint>> {
    let shape = shape(book, change);
    let slug = shape.map(|shape| shape.slug.as_str());
    let named = book.endpoints().iter().filter(|endpoint| is_meant(endpoint) && endpoint.wants(event, slug));
    let named = named.collect::<Vec<_>>();
    // Made only where a filter looks at it.
    let envelope = named.iter().any(|endpoint| endpoint.has_filter()).then(|| envelope(change, event, shape));
    let passes = |endpoint: &&Arc<Endpoint>| envelope.as_ref().is_none_or(|envelope| endpoint.passes(envelope));
    named.into_iter().filter(passes).collect()
}

fn due(endpoint: &Endpoint, change: &Change, (part, event): (i64, &str), rendering: &str) -> Due {
    Due {
        id: DeliveryId::of(change.at, &change.id, endpoint.id, part),
        endpoint: endpoint.id,
        seq: change.seq,
        part,
        event: event.to_owned(),
        module: change.module.map(|id| id.to_string()).unwrap_or_default(),
        record: change.record.clone(),
        rendering: rendering.to_owned(),
        ordered: endpoint.is_ordered() && change.is_of_a_record(),
        lane: Lane::Fresh,
        attempts: 0,
        retried_from: 0,
        claim: None,
        created_at: change.at,
    }
}

impl Owed {
    /// Whether an earlier one of the same record stands is found out in the transaction: what keeps an order is claimed
    /// afterwards.
    fn add(&mut self, mut due: Due, change: &Arc<Change>, room: &mut Room<'_>) {
        let free = room.of.get_mut(&due.endpoint).filter(|free| **free > 0 && !due.ordered);
        let run_at = match free {
            Some(free) => {
                *free -= 1;
                due.claim = Some(room.claim.to_owned());
                self.jobs.push(Job { due: due.clone(), change: Arc::clone(change), until: room.until });
                room.until
            }
            None => {
                self.left_over = true;
                room.now
            }
        };
        self.due.push(NewDue { due, run_at });
    }
}
