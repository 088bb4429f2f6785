//! One rule of a mapping: where, which field, how. Raw as written, checked against the module's shape, then applied.

mod check;
mod put;
mod raw;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value as Node;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::input::{Input, Seen, Sight};
use super::onlooker::Onlooker;
use super::transform::Chain;
use crate::condition::Condition;
use crate::record::field::Kind;
use crate::record::merge::{CustomPut, FieldPut, Put};
use crate::record::value::{BadValue, Value, coerce, weight};

pub use put::RulePut;
pub use raw::{OnEmpty, OnMissing, OnNull, RawRule, Take};

/// The longest value of a field that identifies a record, in bytes.
pub const LONGEST_MATCH_VALUE: usize = 512;
/// What `take = "json"` may gather, in bytes: nodes may hold one another.
const MOST_TAKEN: usize = 32 * 1024 * 1024;
/// Bytes that a transform reads for one unit of work.
const BYTES_A_UNIT: usize = 4;
/// The deepest place in `custom_data` that a rule may name.
pub const DEEPEST_CUSTOM_PATH: usize = 10;

#[derive(Clone, Debug)]
pub enum Target {
    Field { place: usize, kind: Kind },
    Custom(Arc<[String]>),
}

impl Target {
    /// `None` for a place in `custom_data`, which takes anything.
    fn kind(&self) -> Option<&Kind> {
        match self {
            Self::Field { kind, .. } => Some(kind),
            Self::Custom(_) => None,
        }
    }
}

/// A checked rule.
#[derive(Clone, Debug)]
pub struct Rule {
    from: Input,
    pub target: Target,
    required: bool,
    default: Option<Default>,
    on_missing: OnMissing,
    on_null: OnNull,
    on_empty: OnEmpty,
    take: Take,
    transforms: Chain,
    /// The field is part of a key: NFC, and bounded.
    identifies: bool,
    when: Option<Condition>,
    /// An earlier rule may have filled the same place.
    pub is_alternative: bool,
}

#[derive(Clone, Debug)]
enum Default {
    Field(Value),
    Custom(Node),
}

/// A rule's result before it meets its target.
enum Read<'a> {
    Node(Cow<'a, Node>),
    Null,
    Keep,
    Default,
}

impl Rule {
    /// Whether the rule counts for what is judged; one that does not is as if it were not there.
    pub fn counts(&self, sight: Sight<'_>) -> bool {
        self.when.as_ref().is_none_or(|when| when.holds_within(sight.node, sight.document, sight.work))
    }

    pub fn always_counts(&self) -> bool {
        self.when.is_none()
    }

    pub fn is_wide(&self) -> bool {
        self.when.is_some() || !self.from.is_singular()
    }

    /// The parameters of the URL that it looks at.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.from.parameter().into_iter().chain(self.transforms.parameters())
    }

    /// What this rule, the `rule`th of its mapping, puts into the record.
    pub fn apply(&self, rule: usize, sight: Sight<'_>, onlooker: &mut impl Onlooker) -> Result<RulePut, BadValue> {
        let read = self.read(sight, onlooker)?;
        match &self.target {
            Target::Field { place, kind } => {
                let put = match read {
                    Read::Node(node) => Put::Value(self.value(kind, &node)?),
                    Read::Null => Put::Null,
                    Read::Keep => Put::Keep,
                    Read::Default => self.field_default().map_or(Put::Keep, Put::Value),
                };
                // Needed only where the rule leaves the field as it is.
                let default = if put == Put::Keep { self.field_default() } else { None };
                Ok(RulePut::Field(FieldPut { rule, field: *place, put, default, required: self.required }))
            }
            Target::Custom(path) => {
                let default = match &self.default {
                    Some(Default::Custom(node)) => Some(node.clone()),
                    _ => None,
                };
                let (node, default) = match read {
                    Read::Node(node) => (Some(without_nul(node)?.into_owned()), None),
                    Read::Null => (Some(Node::Null), None),
                    Read::Keep => (None, default),
                    Read::Default => (default, None),
                };
                Ok(RulePut::Custom(CustomPut { path: Arc::clone(path), node, default }))
            }
        }
    }

    fn field_default(&self) -> Option<Value> {
        match &self.default {
            Some(Default::Field(value)) => Some(value.clone()),
            _ => None,
        }
    }

    fn read<'a>(&'a self, sight: Sight<'a>, onlooker: &mut impl Onlooker) -> Result<Read<'a>, BadValue> {
        let Some(node) = self.found(sight, onlooker)? else {
            return match self.on_missing {
                OnMissing::Keep => Ok(Read::Keep),
                OnMissing::Default => Ok(Read::Default),
                OnMissing::Null => Ok(Read::Null),
                OnMissing::Error => Err(BadValue::new("missing", "nothing stands at the path")),
            };
        };
        let node = self.transforms.apply(node, sight, onlooker)?;
        if node.is_null() {
            return match self.on_null {
                OnNull::Null => Ok(Read::Null),
                OnNull::Keep => Ok(Read::Keep),
                OnNull::Default => Ok(Read::Default),
                OnNull::Error => Err(BadValue::new("null", "the value is null")),
            };
        }
        match (self.on_empty, node.as_str()) {
            (OnEmpty::Null, Some("")) => Ok(Read::Null),
            (OnEmpty::Keep, Some("")) => Ok(Read::Keep),
            (OnEmpty::Error, Some("")) => Err(BadValue::new("empty", "the text is empty")),
            _ => Ok(Read::Node(node)),
        }
    }

    fn found<'a>(&'a self, sight: Sight<'a>, onlooker: &mut impl Onlooker) -> Result<Option<Cow<'a, Node>>, BadValue> {
        let count = if self.take == Take::Count { self.from.count(sight) } else { None };
        let found = match count {
            Some(count) => {
                onlooker.counted(&self.from, sight, count);
                count.map(|count| Cow::Owned(count.into()))
            }
            None => {
                let seen = self.from.look(sight)?;
                onlooker.seen(&seen);
                taken(seen, self.take)?
            }
        };
        onlooker.taken(found.as_deref());
        if let Some(Node::String(text)) = found.as_deref() {
            // Each transform goes over the text once.
            sight.work.spend(self.transforms.steps().saturating_mul(text.len()) / BYTES_A_UNIT);
        }
        Ok(found)
    }

    fn value(&self, kind: &Kind, node: &Node) -> Result<Value, BadValue> {
        let value = coerce(kind, without_nul(Cow::Borrowed(node))?.as_ref())?;
        match value {
            Value::Text(text) if self.identifies => match_text(&text).map(Value::Text),
            other => Ok(other),
        }
    }
}

/// A text that identifies a record: NFC, so that two spellings of one text are one record.
pub fn match_text(text: &str) -> Result<Box<str>, BadValue> {
    let text: Cow<'_, str> = if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) };
    match text.len() {
        0 => Err(BadValue::new("match_value", "the field identifies records, and the text is empty")),
        1..=LONGEST_MATCH_VALUE => Ok(text.into()),
        _ => Err(BadValue::new(
            "match_value",
            format!("the field identifies records, and the text is longer than {LONGEST_MATCH_VALUE} bytes"),
        )),
    }
}

/// Whether a stored text is one by which an event can find its record.
pub fn can_identify(text: &str) -> bool {
    match_text(text).is_ok_and(|matched| *matched == *text)
}

/// PostgreSQL's text has no NUL; both databases refuse it here alike.
pub fn without_nul(node: Cow<'_, Node>) -> Result<Cow<'_, Node>, BadValue> {
    fn has_nul(node: &Node) -> bool {
        match node {
            Node::String(text) => text.contains('\0'),
            Node::Array(nodes) => nodes.iter().any(has_nul),
            Node::Object(members) => members.iter().any(|(key, node)| key.contains('\0') || has_nul(node)),
            Node::Null | Node::Bool(_) | Node::Number(_) => false,
        }
    }
    if has_nul(&node) {
        return Err(BadValue::new(
            "nul_in_value",
            "the value holds the character U+0000, which no text column can store",
        ));
    }
    Ok(node)
}

fn taken(seen: Seen<'_>, take: Take) -> Result<Option<Cow<'_, Node>>, BadValue> {
    let nodes = match (seen, take) {
        (Seen::Missing, _) => return Ok(None),
        (Seen::One(node), Take::One | Take::First | Take::Last) => return Ok(Some(node)),
        (Seen::One(Cow::Owned(node)), take) => return combined(&[&node], take).map(|node| Some(Cow::Owned(node))),
        (Seen::One(Cow::Borrowed(node)), _) => vec![node],
        (Seen::Many(nodes), _) => nodes,
    };
    match take {
        Take::One if nodes.len() > 1 => {
            Err(BadValue::new("several_nodes", format!("the path finds {} nodes, and the rule takes one", nodes.len())))
        }
        Take::One | Take::First => Ok(nodes.first().map(|node| Cow::Borrowed(*node))),
        Take::Last => Ok(nodes.last().map(|node| Cow::Borrowed(*node))),
        Take::Join | Take::Count | Take::Json => combined(&nodes, take).map(|node| Some(Cow::Owned(node))),
    }
}

fn combined(nodes: &[&Node], take: Take) -> Result<Node, BadValue> {
    match take {
        Take::Count => Ok(nodes.len().into()),
        Take::Join => {
            let texts = nodes.iter().filter(|node| !node.is_null()).map(|node| match coerce(&Kind::Text, node)? {
                Value::Text(text) => Ok(text.into_string()),
                other => Ok(other.to_string()),
            });
            Ok(texts.collect::<Result<Vec<_>, BadValue>>()?.join(",").into())
        }
        _ => {
            let mut left = MOST_TAKEN;
            for node in nodes {
                let too_large = || BadValue::new("too_large", "the nodes are together larger than 32 MiB");
                left = left.checked_sub(weight(node, left)).ok_or_else(too_large)?;
            }
            Ok(nodes.iter().map(|node| (*node).clone()).collect::<Vec<_>>().into())
        }
    }
}
