//! Looks on while an event is judged, and keeps what each rule found and made of it.

use serde::Serialize;
use serde_json::Value;

use super::shown::{Room, Shown};
use super::whereabouts::Whereabouts;
use crate::clock::Timestamp;
use crate::condition::Work;
use crate::map::input::{Input, Seen, Sight};
use crate::map::onlooker::{Onlooker, Turn};
use crate::map::rule::{RawRule, RulePut};
use crate::record::merge::Put;
use crate::record::value::BadValue;

/// Nodes of `each` whose rules are shown, and nodes of one rule.
pub const MOST_NODES: usize = 100;
/// What looking for nodes that rules only count may cost in all.
const MOST_WORK: u64 = 20_000_000;
/// Bytes of a rule's line beside its texts and values, roughly.
const LINE: usize = 200;

/// What a record is made of, and how.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewNode)]
pub struct NodeTrace {
    /// Its place under `each`, from 0.
    index: Option<usize>,
    /// Where it stands in the payload.
    path: Option<String>,
    /// `delete_when` holds.
    deletes: bool,
    occurred_at: Option<Timestamp>,
    rules: Vec<RuleTrace>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PreviewRule)]
pub struct RuleTrace {
    /// Its place in the mapping, from 1.
    rule: usize,
    from: String,
    to: String,
    /// `applied`, or why not: its `when` does not hold (`when`), an earlier rule has `filled` the place, or the event
    /// `deletes`.
    turn: &'static str,
    /// How many nodes it found; null where nothing stands.
    found: Option<usize>,
    /// The first 100 of them.
    nodes: Vec<FoundNode>,
    /// What `take` made of them, as a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<Shown>,
    /// After each transform.
    transforms: Vec<Step>,
    /// What the record is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    put: Option<Given>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RuleFault>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PreviewFound)]
pub struct FoundNode {
    /// Where it stands in the payload; `from` itself for what is no part of it.
    path: String,
    #[serde(flatten)]
    value: Shown,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PreviewStep)]
pub struct Step {
    /// As the mapping has it.
    transform: Value,
    #[serde(flatten)]
    value: Shown,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PreviewPut)]
pub struct Given {
    /// `value`, `null`, or `nothing`: then the record keeps what it has.
    puts: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Shown>,
    /// Filled in where the record is created, and nothing else is put.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Shown>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = PreviewFault)]
pub struct RuleFault {
    code: &'static str,
    detail: String,
}

pub struct Tracer<'m> {
    rules: &'m [RawRule],
    places: Whereabouts,
    room: Room,
    pub event_id: Option<Shown>,
    pub nodes: Vec<NodeTrace>,
    pub nodes_in_all: usize,
    /// The rule that is looked at is shown.
    is_shown: bool,
    /// For nodes that rules only count.
    work: Work,
}

impl<'m> Tracer<'m> {
    pub fn new(rules: &'m [RawRule]) -> Self {
        let (places, room) = (Whereabouts::default(), Room::new());
        let work = Work::new(MOST_WORK);
        Self { rules, places, room, event_id: None, nodes: Vec::new(), nodes_in_all: 0, is_shown: false, work }
    }

    pub fn room(&mut self) -> &mut Room {
        &mut self.room
    }

    /// The rule that it is about.
    fn at(&mut self) -> Option<(&mut RuleTrace, &mut Room, &Whereabouts)> {
        let rule = self.nodes.last_mut().filter(|_| self.is_shown)?.rules.last_mut()?;
        Some((rule, &mut self.room, &self.places))
    }

    fn show_nodes<'a>(&mut self, nodes: impl Iterator<Item = &'a Value>) {
        let Some((rule, room, places)) = self.at() else { return };
        for node in nodes.take(MOST_NODES) {
            let path = places.path(node).unwrap_or_else(|| rule.from.clone());
            if !room.take(path.len()) {
                break;
            }
            rule.nodes.push(FoundNode { path, value: room.show(node) });
        }
    }
}

impl Onlooker for Tracer<'_> {
    fn document(&mut self, document: &Value) {
        self.places = Whereabouts::of(document);
    }

    fn event_id(&mut self, text: &str) {
        self.event_id = Some(self.room.show(&text.into()));
    }

    fn node(&mut self, index: Option<usize>, node: &Value, deletes: bool) {
        self.nodes_in_all += 1;
        self.is_shown = self.nodes_in_all <= MOST_NODES;
        if self.is_shown {
            let path = self.places.path(node);
            self.nodes.push(NodeTrace { index, path, deletes, occurred_at: None, rules: Vec::new() });
        }
    }

    fn rule(&mut self, place: usize, turn: Turn) {
        let raw = &self.rules[place];
        self.is_shown = self.nodes_in_all <= MOST_NODES && self.room.take(raw.from.len() + raw.to.len() + LINE);
        let Some(node) = self.nodes.last_mut().filter(|_| self.is_shown) else { return };
        node.rules.push(RuleTrace {
            rule: place + 1,
            from: raw.from.clone(),
            to: raw.to.clone(),
            turn: match turn {
                Turn::Applied => "applied",
                Turn::When => "when",
                Turn::Filled => "filled",
                Turn::Deletes => "deletes",
            },
            found: None,
            nodes: Vec::new(),
            raw: None,
            transforms: Vec::new(),
            put: None,
            error: None,
        });
    }

    fn counted(&mut self, from: &Input, sight: Sight<'_>, count: Option<usize>) {
        let Some((rule, ..)) = self.at() else { return };
        rule.found = count;
        // More nodes than a rule may take can be counted, and are then not shown.
        let work = std::mem::replace(&mut self.work, Work::new(0));
        if let Ok(Seen::Many(nodes)) = from.look(Sight { work: &work, ..sight }) {
            self.show_nodes(nodes.into_iter());
        }
        self.work = work;
    }

    fn seen(&mut self, seen: &Seen<'_>) {
        let Some((rule, ..)) = self.at() else { return };
        match seen {
            Seen::Missing => {}
            Seen::One(node) => {
                rule.found = Some(1);
                self.show_nodes(std::iter::once(&**node));
            }
            Seen::Many(nodes) => {
                rule.found = Some(nodes.len());
                self.show_nodes(nodes.iter().copied());
            }
        }
    }

    fn taken(&mut self, node: Option<&Value>) {
        let Some((rule, room, _)) = self.at() else { return };
        rule.raw = node.map(|node| {
            let shown = room.show(node);
            match shown.value {
                Value::String(_) => shown,
                other => Shown { value: other.to_string().into(), cut: shown.cut },
            }
        });
    }

    fn transformed(&mut self, step: usize, node: &Value) {
        let place = self.at().map(|(rule, ..)| rule.rule);
        let raw = place.and_then(|place| self.rules[place - 1].transform.get(step));
        let transform = raw.and_then(|raw| serde_json::to_value(raw).ok()).unwrap_or_default();
        let Some((rule, room, _)) = self.at() else { return };
        let transform = room.show(&transform).value;
        rule.transforms.push(Step { transform, value: room.show(node) });
    }

    fn put(&mut self, put: Result<&RulePut, &BadValue>) {
        let Some((rule, room, _)) = self.at() else { return };
        match put {
            Ok(put) => rule.put = Some(Given::of(put, room)),
            Err(bad) => rule.error = Some(RuleFault { code: bad.code, detail: bad.detail.clone() }),
        }
    }

    fn occurred_at(&mut self, at: Option<Timestamp>) {
        if let Some(node) = self.nodes.last_mut().filter(|_| self.nodes_in_all <= MOST_NODES) {
            node.occurred_at = at;
        }
    }
}

impl Given {
    fn of(put: &RulePut, room: &mut Room) -> Self {
        let json = |value| serde_json::to_value(value).unwrap_or_default();
        let (value, default) = match put {
            RulePut::Field(put) => {
                let value = match &put.put {
                    Put::Value(value) => Some(json(value)),
                    Put::Null => Some(Value::Null),
                    Put::Keep => None,
                };
                (value, put.default.as_ref().map(json))
            }
            RulePut::Custom(put) => (put.node.clone(), put.default.clone()),
        };
        let puts = match &value {
            None => "nothing",
            Some(Value::Null) => "null",
            Some(_) => "value",
        };
        let value = value.filter(|value| !value.is_null()).map(|value| room.show(&value));
        Self { puts, value, default: default.map(|default| room.show(&default)) }
    }
}
