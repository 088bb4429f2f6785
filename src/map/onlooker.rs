//! Who looks on while a mapping is applied. The rules tell what they do while they do it, so that a preview shows what
//! happens, and not a second telling of it. At the door nobody looks on: [`Nobody`] has no size and its methods do
//! nothing, so that nothing of this is left once it is compiled.

use serde_json::Value;

use super::input::{Input, Seen, Sight};
use super::rule::RulePut;
use crate::clock::Timestamp;
use crate::record::value::BadValue;

/// Called in the order of what happens. Nothing that it does changes what comes of the event.
pub trait Onlooker {
    /// What the body became.
    fn document(&mut self, _document: &Value) {}

    /// The text that identifies the event.
    fn event_id(&mut self, _text: &str) {}

    /// From here on it is about the record of this node, `index` its place under `each`.
    fn node(&mut self, _index: Option<usize>, _node: &Value, _deletes: bool) {}

    /// From here on it is about the rule of this place, from 0.
    fn rule(&mut self, _place: usize, _turn: Turn) {}

    /// The rule asks how many nodes its path selects, and not for them.
    fn counted(&mut self, _from: &Input, _sight: Sight<'_>, _count: Option<usize>) {}

    /// What stands where the rule looks.
    fn seen(&mut self, _seen: &Seen<'_>) {}

    /// What `take` made of it; `None` where nothing stands.
    fn taken(&mut self, _node: Option<&Value>) {}

    /// What the transform of this place gave.
    fn transformed(&mut self, _step: usize, _node: &Value) {}

    /// What the rule comes to.
    fn put(&mut self, _put: Result<&RulePut, &BadValue>) {}

    /// When the event happened, for this node.
    fn occurred_at(&mut self, _at: Option<Timestamp>) {}
}

/// Whether a rule is applied to a node, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Applied,
    /// Its `when` does not hold.
    When,
    /// An earlier rule has filled the place.
    Filled,
    /// A delete needs what the record is found by, and nothing else.
    Deletes,
}

#[derive(Debug)]
pub struct Nobody;

impl Onlooker for Nobody {}
