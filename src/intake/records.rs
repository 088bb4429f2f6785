//! The records of one event: every rule applied to every node, and every error.

use super::{JudgedRecord, Request, RuleError};
use crate::clock::Timestamp;
use crate::map::input::Sight;
use crate::map::mapping::Mapping;
use crate::map::onlooker::{Onlooker, Turn};
use crate::map::rule::{Rule, RulePut, Target};
use crate::record::merge::{Act, Incoming, MissingRequired, Put, Puts};
use crate::record::value::{BadValue, Value};
use crate::source::Source;

/// The most errors of one event that are gathered; more are not looked for.
pub const MOST_ERRORS: usize = 1_000;
/// What the records of one event may take in memory, in bytes, beside twice the size of its body.
const MOST_WEIGHT: usize = 32 * 1024 * 1024;

/// The records judged so far.
pub(super) struct Records<'a> {
    source: &'a Source,
    pub done: Vec<JudgedRecord>,
    errors: Vec<RuleError>,
    pub weight: usize,
    most_weight: usize,
}

/// One record as it comes together.
struct Draft {
    index: Option<usize>,
    puts: Puts,
}

impl<'a> Records<'a> {
    pub fn judge(
        source: &'a Source,
        sight: Sight<'_>,
        request: Request<'_>,
        nodes: &[&serde_json::Value],
        onlooker: &mut impl Onlooker,
    ) -> Result<Self, Vec<RuleError>> {
        let most_weight = MOST_WEIGHT + 2 * request.body.len();
        let mut records =
            Self { source, done: Vec::with_capacity(nodes.len()), errors: Vec::new(), weight: 0, most_weight };
        for (place, node) in nodes.iter().enumerate() {
            let index = source.mapping.each.as_ref().map(|_| place);
            records.one(Sight { node, ..sight }, request, index, onlooker);
            if sight.work.is_spent() {
                break;
            }
            if records.weight > records.most_weight {
                return Err(vec![too_heavy(index)]);
            }
            if records.errors.len() >= MOST_ERRORS {
                records.errors.truncate(MOST_ERRORS);
                break;
            }
        }
        if records.errors.is_empty() { Ok(records) } else { Err(records.errors) }
    }

    /// A delete needs what the record is found by, and nothing else: some senders say no more.
    fn one(&mut self, sight: Sight<'_>, request: Request<'_>, index: Option<usize>, onlooker: &mut impl Onlooker) {
        let mapping = &self.source.mapping;
        let deletes = mapping
            .delete_when
            .as_ref()
            .is_some_and(|condition| condition.holds_within(sight.node, sight.document, sight.work));
        onlooker.node(index, sight.node, deletes);
        let before = self.errors.len();
        let mut draft = Draft { index, puts: Puts::default() };
        draft.puts.fields.reserve(mapping.rules.len());
        for (place, rule) in mapping.rules.iter().enumerate() {
            if deletes && !is_of_match(mapping, rule) {
                onlooker.rule(place, Turn::Deletes);
                continue;
            }
            self.rule((place, rule), sight, &mut draft, onlooker);
            if self.weight > self.most_weight || sight.work.is_spent() {
                return;
            }
        }
        let occurred_at = self.occurred_at(sight, index);
        onlooker.occurred_at(occurred_at);
        let key = self.key(&draft);
        if self.errors.len() > before {
            return;
        }
        let act = if deletes { Act::Delete } else { Act::Put(draft.puts) };
        let (source, event) = (Some(self.source.id), Some(request.event));
        let incoming = Incoming { source, event, occurred_at, act };
        self.done.push(JudgedRecord { key, incoming });
    }

    fn rule(
        &mut self,
        (place, rule): (usize, &Rule),
        sight: Sight<'_>,
        draft: &mut Draft,
        onlooker: &mut impl Onlooker,
    ) {
        let turn = draft.turn_of(rule, sight);
        onlooker.rule(place, turn);
        if turn != Turn::Applied {
            return;
        }
        let applied = rule.apply(place, sight, onlooker);
        onlooker.put(applied.as_ref());
        match applied {
            Ok(put) => {
                self.weight += put.weight();
                match put {
                    RulePut::Field(put) => draft.puts.fields.push(put),
                    RulePut::Custom(put) => draft.puts.custom.push(put),
                }
            }
            Err(bad) => {
                let raw = &self.source.mapping.raw.rules[place];
                let BadValue { code, detail } = bad;
                let (from, to) = (Some(raw.from.clone()), raw.to.clone());
                self.errors.push(RuleError { index: draft.index, rule: Some(place + 1), from, to, code, detail });
            }
        }
    }

    fn occurred_at(&mut self, sight: Sight<'_>, index: Option<usize>) -> Option<Timestamp> {
        let mapping = &self.source.mapping;
        mapping.occurred_at.as_ref()?.read(sight).unwrap_or_else(|BadValue { code, detail }| {
            let from = mapping.raw.occurred_at.as_ref().map(|raw| raw.from().to_owned());
            self.errors.push(RuleError { index, rule: None, from, to: "occurred_at".to_owned(), code, detail });
            None
        })
    }

    /// The match value. A field whose rule has failed has said why already.
    fn key(&mut self, draft: &Draft) -> Vec<Value> {
        let (mapping, shape) = (&self.source.mapping, &self.source.shape);
        let mut key = Vec::with_capacity(mapping.matching.len());
        for wanted in &mapping.matching {
            let put = draft.puts.fields.iter().find(|put| put.field == *wanted);
            if let Some(Put::Value(value)) = put.map(|put| &put.put) {
                key.push(value.clone());
                continue;
            }
            let to = shape.fields[*wanted].name.as_str();
            if self.errors.iter().any(|error| error.index == draft.index && error.to == to) {
                continue;
            }
            let rule = put.map(|put| put.rule);
            self.errors.push(RuleError {
                index: draft.index,
                rule: rule.map(|rule| rule + 1),
                from: rule.map(|rule| mapping.raw.rules[rule].from.clone()),
                to: to.to_owned(),
                code: "match_value",
                detail: "records are found by this field, and the event gives it no value".to_owned(),
            });
        }
        key
    }
}

impl Draft {
    fn turn_of(&self, rule: &Rule, sight: Sight<'_>) -> Turn {
        if rule.is_alternative && self.is_filled(rule) {
            Turn::Filled
        } else if rule.counts(sight) {
            Turn::Applied
        } else {
            Turn::When
        }
    }

    /// Of several rules for one place the first that counts has filled it.
    fn is_filled(&self, rule: &Rule) -> bool {
        match &rule.target {
            Target::Field { place, .. } => self.puts.fields.iter().any(|put| put.field == *place),
            Target::Custom(path) => self.puts.custom.iter().any(|put| put.path == *path),
        }
    }
}

fn is_of_match(mapping: &Mapping, rule: &Rule) -> bool {
    matches!(rule.target, Target::Field { place, .. } if mapping.matching.contains(&place))
}

fn too_heavy(index: Option<usize>) -> RuleError {
    let most = MOST_WEIGHT / 1024 / 1024;
    RuleError {
        index,
        rule: None,
        from: None,
        to: "record".to_owned(),
        code: "too_large",
        detail: format!(
            "what the rules take from this event is together larger than {most} MiB and twice its body; nothing was written"
        ),
    }
}

/// What the merge found missing in the record of this place, told like the errors of rules.
pub fn missing_required(source: &Source, place: usize, missing: &MissingRequired) -> RuleError {
    RuleError {
        index: source.mapping.each.as_ref().map(|_| place),
        rule: missing.rule.map(|rule| rule + 1),
        from: missing.rule.map(|rule| source.mapping.raw.rules[rule].from.clone()),
        to: source.shape.fields[missing.field].name.to_string(),
        code: "required",
        detail: "the field is required, and would be left without a value".to_owned(),
    }
}
