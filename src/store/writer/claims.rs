//! Event ids: claimed before anything is written, so that one event has one effect on any number of replicas.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::batch::{BatchError, Fate};
use super::order::{Dedupe, Order, Work};
use super::statements::Statements;
use crate::clock::Timestamp;
use crate::id::{EventId, RecordId, SourceId};
use crate::record::merge::Outcome;
use crate::store::Tx;
use crate::store::rows::Rows;

/// Who holds an event id.
#[derive(Debug)]
pub(super) enum Claim {
    /// The first order of this batch that carries it, by place.
    Ours(usize),
    /// An event committed earlier, and the records it was answered with.
    Theirs(EventId, Vec<RecordId>),
}

pub(super) type Claims<'a> = HashMap<(SourceId, &'a str), Claim>;

pub(super) fn dedupe(order: &Order) -> Option<&Dedupe> {
    match &order.work {
        Work::Records { dedupe, .. } => dedupe.as_ref(),
        Work::Repeat { dedupe } => Some(dedupe),
        Work::Ignored { .. } => None,
    }
}

/// The same where it decides; a replay does not ask.
pub(super) fn asked(order: &Order) -> Option<&Dedupe> {
    dedupe(order).filter(|dedupe| !dedupe.lifted)
}

struct Wanted<'a> {
    source_id: SourceId,
    key: &'a str,
    event_id: EventId,
    expires_at: i64,
}

pub(super) async fn claim<'a>(
    tx: &mut Tx<'_>,
    statements: &Statements,
    orders: &'a [Order],
    moved: &[bool],
    now: Timestamp,
) -> Result<Claims<'a>, BatchError> {
    let mut claims = Claims::new();
    let mut wanted = Vec::new();
    for (place, order) in orders.iter().enumerate() {
        let Some(Dedupe { key, expires_at, .. }) = dedupe(order).filter(|_| !moved[place]) else { continue };
        let Entry::Vacant(free) = claims.entry((order.entry.source, key.as_str())) else { continue };
        free.insert(Claim::Ours(place));
        let (source_id, event_id) = (order.entry.source, order.entry.id);
        wanted.push(Wanted { source_id, key, event_id, expires_at: expires_at.micros() });
    }
    if wanted.is_empty() {
        return Ok(claims);
    }
    // One order of keys on every replica keeps deadlocks rare.
    wanted.sort_by(|a, b| (a.source_id, a.key).cmp(&(b.source_id, b.key)));
    let mut rows = Rows::new(4, wanted.len());
    for Wanted { source_id, key, event_id, expires_at } in &wanted {
        rows.push([source_id.to_string().into(), (*key).into(), event_id.to_string().into(), (*expires_at).into()]);
    }
    let ours: Vec<(String,)> = statements.claim.fetch(tx, &rows, Some(now.micros())).await?;
    if ours.len() < wanted.len() {
        let ours = ours.iter().map(|(event,)| event.as_str()).collect::<std::collections::HashSet<_>>();
        wanted.retain(|wanted| !ours.contains(wanted.event_id.to_string().as_str()));
        owners(tx, statements, &wanted, &mut claims).await?;
    }
    Ok(claims)
}

/// Looks up who holds the ids that were not free.
async fn owners<'a>(
    tx: &mut Tx<'_>,
    statements: &Statements,
    wanted: &[Wanted<'a>],
    claims: &mut Claims<'a>,
) -> Result<(), BatchError> {
    let mut rows = Rows::new(2, wanted.len());
    wanted.iter().for_each(|wanted| rows.push([wanted.source_id.to_string().into(), wanted.key.into()]));
    let found: Vec<(String, String, String, Option<String>)> = statements.owners.fetch(tx, &rows, None).await?;
    if found.len() < wanted.len() {
        // Expired and removed in between.
        return Err(BatchError::Raced);
    }
    for (source, key, event, records) in found {
        let (Ok(source), Ok(event)) = (source.parse(), event.parse()) else { continue };
        let records = records.and_then(|records| serde_json::from_str(&records).ok()).unwrap_or_default();
        // They are sorted so.
        let place = wanted.binary_search_by(|wanted| (wanted.source_id, wanted.key).cmp(&(source, key.as_str())));
        if let Ok(place) = place {
            claims.insert((source, wanted[place].key), Claim::Theirs(event, records));
        }
    }
    Ok(())
}

/// Gives the ids of refused and ignored orders back: a resend after a fix must work. Orders that are run again claim
/// theirs anew.
pub(super) async fn release(
    tx: &mut Tx<'_>,
    statements: &Statements,
    orders: &[Order],
    claims: &Claims<'_>,
    fates: &[Fate],
) -> Result<(), BatchError> {
    let mut keys = Rows::new(2, 0);
    for (place, (order, fate)) in orders.iter().zip(fates).enumerate() {
        let Some(Dedupe { key, .. }) = dedupe(order) else { continue };
        let source = order.entry.source;
        let ours = matches!(claims.get(&(source, key.as_str())), Some(Claim::Ours(own)) if *own == place);
        let applied = matches!(fate, Fate::Settled(Ok(receipt)) if receipt.outcome != Outcome::Ignored);
        if ours && !applied {
            keys.push([source.to_string().into(), key.as_str().into()]);
        }
    }
    if !keys.is_empty() {
        statements.release.execute(tx, &keys).await?;
    }
    Ok(())
}
