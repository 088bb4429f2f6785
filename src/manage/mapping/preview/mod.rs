//! What a source would make of an event: by the door's own judgement, looked at while it happens, and by the writer's own
//! look-ups and merge, in a transaction that can only read. Signature and limit are not asked, and nothing is written.

mod input;
mod records;
mod shown;
mod trace;
mod view;
mod whereabouts;

use std::sync::Arc;

use super::{all_of, find, invalid};
use crate::clock::Timestamp;
use crate::gateway::Gateway;
use crate::id::EventId;
use crate::intake::{self, Accepted, Format, JudgedRecord, Request, judge_before, missing_required};
use crate::manage::caller::Caller;
use crate::map::mapping::RawMapping;
use crate::problem::{Code, Problem};
use crate::record::definition::{Fault, check_match};
use crate::record::merge::Outcome;
use crate::secret::hex;
use crate::source::{Secrets, Source};
use crate::store::keys::Role;
use crate::store::modules::StoredModule;
use crate::store::sources::StoredSource;
use crate::store::table::Table;
use crate::store::writer::WriteError;
use input::Letter;
use trace::Tracer;

pub use input::PreviewInput;
pub use view::Preview;

pub async fn preview(
    gateway: &Gateway,
    caller: &Caller,
    of: (&str, &str),
    input: PreviewInput,
) -> Result<Preview, Problem> {
    caller.needs(Role::Viewer)?;
    let (module, source) = find(gateway, of).await?;
    let now = gateway.clock.now();
    let trial = Trial::new(gateway, (&module, &source), input.draft(), now)?;
    let letter = Letter::of(gateway, input, now).await?;
    let mut tracer = Tracer::new(&trial.source.mapping.raw.rules);
    let mut preview = Preview::new(&trial.source, trial.is_draft);
    let most = trial.source.max_body(&gateway.config.bounds);
    let Some(format) = letter.format() else { return Ok(preview.refused(Code::UnsupportedMediaType)) };
    if letter.body.len() > most {
        return Ok(preview.refused(Code::BodyTooLarge));
    }
    let judged =
        tokio::task::block_in_place(|| judge_before(&trial.source, letter.request(format, trial.event), &mut tracer));
    preview.event.of_type = judged.event_type;
    let key = match &judged.verdict {
        intake::Verdict::Accepted(Accepted { event_key, .. }) | intake::Verdict::Unfit { event_key, .. } => *event_key,
        intake::Verdict::Ignored(_) | intake::Verdict::Unreadable(_) => None,
    };
    if let Some(key) = key {
        preview.event.duplicate_of = gateway.store.applied_as(source.id, &hex(&key), now).await?;
    }
    match judged.verdict {
        intake::Verdict::Ignored(cause) => preview.comes_to(Outcome::Ignored, Some(cause)),
        intake::Verdict::Unreadable(bad) => preview.unreadable(bad.code, &bad.to_string()),
        intake::Verdict::Unfit { errors, .. } => preview.unfit(&errors),
        intake::Verdict::Accepted(accepted) => {
            trial.meet(gateway, &accepted.records, (&mut preview, &mut tracer)).await?
        }
    }
    preview.traced(tracer);
    Ok(preview)
}

/// A source as it would meet the event.
struct Trial {
    source: Source,
    table: Arc<Table>,
    /// Place of the matching fields in the table's keys.
    key: usize,
    is_draft: bool,
    event: EventId,
    now: Timestamp,
}

impl Trial {
    /// A draft is checked as one that is saved, in the words of its own keys.
    fn new(
        gateway: &Gateway,
        (module, stored): (&StoredModule, &StoredSource),
        draft: Option<(RawMapping, Vec<Fault>)>,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let is_draft = draft.is_some();
        let (mapping, told) = draft.unwrap_or_else(|| (stored.mapping.clone(), Vec::new()));
        let table = table(gateway, module, &mapping);
        let keys: Vec<_> = table.keys.iter().map(|key| key.fields.clone()).collect();
        let checked = stored.settings.complete(&mapping).check(&table.shape, &keys);
        let unmatched = mapping.matching.as_ref().and_then(|names| check_match(names, &module.definition.fields).err());
        let found = checked.as_ref().err().cloned().unwrap_or_default();
        let found = unmatched.map(|detail| Fault::new("match", detail)).into_iter().chain(found).collect();
        let checked = match (checked, &all_of(&told, found)[..]) {
            (Ok(checked), []) => checked,
            (_, faults) => return Err(invalid("the mapping cannot be as it is described", faults)),
        };
        let key = table.key(&checked.matching).ok_or_else(|| Problem::from(Code::InternalError))?;
        let source = Source {
            id: stored.id,
            slug: stored.slug.clone(),
            shape: Arc::clone(&table.shape),
            settings: stored.settings.clone(),
            secrets: Secrets::default(),
            mapping: checked,
            mapping_version: stored.mapping_version,
        };
        Ok(Self { source, table, key, is_draft, event: EventId::new(now), now })
    }

    /// What the records would become of those that stand.
    async fn meet(
        &self,
        gateway: &Gateway,
        judged: &[JudgedRecord],
        (preview, tracer): (&mut Preview, &mut Tracer<'_>),
    ) -> Result<(), Problem> {
        let foreseen = match gateway.store.foresee(&self.table, self.key, judged, self.now).await? {
            Ok(foreseen) => foreseen,
            Err(WriteError::Required(missing)) => {
                let told = missing.iter().map(|(place, missing)| missing_required(&self.source, *place, missing));
                preview.unfit(&told.collect::<Vec<_>>());
                return Ok(());
            }
            Err(WriteError::MatchTaken) => {
                preview.cannot_be(Code::MatchTaken);
                return Ok(());
            }
            Err(_) => {
                preview.cannot_be(Code::JudgementFailed);
                return Ok(());
            }
        };
        let outcome = foreseen.iter().map(|record| record.outcome).min().unwrap_or(Outcome::Ignored);
        let nothing = if judged.is_empty() { "each" } else { "delete_when" };
        preview.comes_to(outcome, (outcome == Outcome::Ignored).then_some(nothing));
        preview.records_in_all = foreseen.len();
        for (place, (foreseen, judged)) in foreseen.into_iter().zip(judged).take(view::MOST_RECORDS).enumerate() {
            let index = self.source.mapping.each.as_ref().map(|_| place);
            preview.records.push(records::of(&self.source, self.event, (index, judged), foreseen, tracer.room()));
        }
        Ok(())
    }
}

/// With the key of the mapping's `match`, which may be one that no source has yet.
fn table(gateway: &Gateway, module: &StoredModule, mapping: &RawMapping) -> Arc<Table> {
    let table = &module.table;
    let names = mapping.matching.iter().flatten();
    let places: Vec<_> = names.filter_map(|name| table.shape.place(name)).collect();
    if places.is_empty() || table.key(&places).is_some() {
        return Arc::clone(table);
    }
    gateway.store.table_with_key(table, &places)
}

impl Letter {
    fn request(&self, format: Format, event: EventId) -> Request<'_> {
        let query = self.query.as_deref();
        let (headers, body, received_at) = (&self.headers, &*self.body, self.received_at);
        Request { format, headers, query, body, received_at, event, once: None }
    }
}
