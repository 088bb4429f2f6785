//! One rule of a mapping: where, which field, how. Raw as written, checked against the module's shape, then applied.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Node;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::input::{Input, Seen, Sight};
use super::transform::{RawTransform, Transform};
use crate::record::field::Kind;
use crate::record::merge::{CustomPut, FieldPut, Put};
use crate::record::shape::Shape;
use crate::record::value::{BadValue, Value, coerce};

/// The longest value of a field that identifies a record, in bytes.
pub const LONGEST_MATCH_VALUE: usize = 512;
/// The deepest place in `custom_data` that a rule may name.
const DEEPEST_CUSTOM_PATH: usize = 10;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    pub from: String,
    pub to: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Node>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_missing: Option<OnMissing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_null: Option<OnNull>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_empty: Option<OnEmpty>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<Take>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transform: Vec<RawTransform>,
}

/// What nothing at the path means. The field keeps its value unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMissing {
    #[default]
    Keep,
    Default,
    Null,
    Error,
}

/// What a null means. It empties the field unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnNull {
    #[default]
    Null,
    Keep,
    Default,
    Error,
}

/// What an empty text means, after the transforms. It is a text unless the rule says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnEmpty {
    #[default]
    Text,
    Null,
    Keep,
    Error,
}

/// What becomes of several nodes. Several under `one` are an error, never silently the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Take {
    #[default]
    One,
    First,
    Last,
    /// Their texts, joined by a comma.
    Join,
    Count,
    Json,
}

#[derive(Clone, Debug)]
pub enum Target {
    Field { place: usize, kind: Kind },
    Custom(Arc<[String]>),
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
    transforms: Vec<Transform>,
    /// The field is part of a key: NFC, and bounded.
    identifies: bool,
}

#[derive(Clone, Debug)]
enum Default {
    Field(Value),
    Custom(Node),
}

/// What a rule puts, by kind of target.
#[derive(Debug)]
pub enum Puts {
    Field(FieldPut),
    Custom(CustomPut),
}

/// A rule's result before it meets its target.
enum Read<'a> {
    Node(Cow<'a, Node>),
    Null,
    Keep,
    Default,
}

impl Rule {
    /// `identifies` says which fields of the shape are part of a key.
    pub fn check(
        raw: &RawRule,
        shape: &Shape,
        identifies: impl Fn(usize) -> bool,
    ) -> Result<Self, Vec<(&'static str, String)>> {
        let mut faults = Vec::new();
        let from = Input::check(&raw.from).map_err(|detail| faults.push(("from", detail)));
        let target = target(&raw.to, shape).map_err(|detail| faults.push(("to", detail)));
        if raw.required && matches!(target, Ok(Target::Custom(_))) {
            faults.push((
                "required",
                "a place in custom_data cannot be required; give the module a field for it".to_owned(),
            ));
        }
        let transforms = raw.transform.iter().map(Transform::check).collect::<Result<Vec<_>, _>>();
        let transforms = transforms.map_err(|detail| faults.push(("transform", detail)));
        let take = raw.take.unwrap_or_default();
        if let Ok(from) = &from
            && take == Take::One
            && !from.is_singular()
        {
            let ways = "first, last, join, count or json";
            faults.push(("take", format!("the path can find several nodes; say what becomes of them: take = {ways}")));
        }
        let default = match (&raw.default, &target) {
            (Some(node), Ok(target)) => {
                check_default(node, target, &identifies).map(Some).map_err(|detail| faults.push(("default", detail)))
            }
            _ => Ok(None),
        };
        if raw.default.is_none() && (raw.on_missing == Some(OnMissing::Default) || raw.on_null == Some(OnNull::Default))
        {
            faults.push(("default", "the rule falls back on a default and has none: default = …".to_owned()));
        }
        let (Ok(from), Ok(target), Ok(transforms), Ok(default), true) =
            (from, target, transforms, default, faults.is_empty())
        else {
            return Err(faults);
        };
        Ok(Self {
            identifies: matches!(target, Target::Field { place, .. } if identifies(place)),
            from,
            target,
            required: raw.required,
            default,
            on_missing: raw.on_missing.unwrap_or_default(),
            on_null: raw.on_null.unwrap_or_default(),
            on_empty: raw.on_empty.unwrap_or_default(),
            take,
            transforms,
        })
    }

    /// What this rule, the `rule`th of its mapping, puts into the record.
    pub fn apply(&self, rule: usize, sight: Sight<'_>) -> Result<Puts, BadValue> {
        let read = self.read(sight)?;
        match &self.target {
            Target::Field { place, kind } => {
                let put = match read {
                    Read::Node(node) => Put::Value(self.value(kind, &node)?),
                    Read::Null => Put::Null,
                    Read::Keep => Put::Keep,
                    Read::Default => self.field_default().map_or(Put::Keep, Put::Value),
                };
                let default = self.field_default();
                Ok(Puts::Field(FieldPut { rule, field: *place, put, default, required: self.required }))
            }
            Target::Custom(path) => {
                let default = match &self.default {
                    Some(Default::Custom(node)) => Some(node.clone()),
                    _ => None,
                };
                let node = match read {
                    Read::Node(node) => Some(without_nul(node)?.into_owned()),
                    Read::Null => Some(Node::Null),
                    Read::Keep => None,
                    Read::Default => default.clone(),
                };
                Ok(Puts::Custom(CustomPut { path: Arc::clone(path), node, default }))
            }
        }
    }

    fn field_default(&self) -> Option<Value> {
        match &self.default {
            Some(Default::Field(value)) => Some(value.clone()),
            _ => None,
        }
    }

    fn read<'a>(&'a self, sight: Sight<'a>) -> Result<Read<'a>, BadValue> {
        let Some(node) = taken(self.from.look(sight)?, self.take)? else {
            return match self.on_missing {
                OnMissing::Keep => Ok(Read::Keep),
                OnMissing::Default => Ok(Read::Default),
                OnMissing::Null => Ok(Read::Null),
                OnMissing::Error => Err(BadValue::new("missing", "nothing stands at the path")),
            };
        };
        let node = self.transforms.iter().try_fold(node, |node, transform| transform.apply(node))?;
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

    fn value(&self, kind: &Kind, node: &Node) -> Result<Value, BadValue> {
        let value = coerce(kind, without_nul(Cow::Borrowed(node))?.as_ref())?;
        match value {
            Value::Text(text) if self.identifies => match_text(&text).map(Value::Text),
            other => Ok(other),
        }
    }
}

/// A text that identifies a record: NFC, so that two spellings of one text are one record.
fn match_text(text: &str) -> Result<Box<str>, BadValue> {
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

/// PostgreSQL's text has no NUL; both databases refuse it here alike.
fn without_nul(node: Cow<'_, Node>) -> Result<Cow<'_, Node>, BadValue> {
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
        _ => Ok(nodes.iter().map(|node| (*node).clone()).collect::<Vec<_>>().into()),
    }
}

fn target(to: &str, shape: &Shape) -> Result<Target, String> {
    if to == "custom_data" || to.starts_with("custom_data.") {
        let path = to.split('.').skip(1).map(str::to_owned).collect::<Arc<[String]>>();
        if path.is_empty() || path.len() > DEEPEST_CUSTOM_PATH || path.iter().any(String::is_empty) {
            return Err(format!(
                "a place in custom_data is custom_data.name, at most {DEEPEST_CUSTOM_PATH} names deep"
            ));
        }
        return Ok(Target::Custom(path));
    }
    match shape.place(to) {
        Some(place) => Ok(Target::Field { place, kind: shape.fields[place].kind.clone() }),
        None => {
            let fields = shape.fields.iter().map(|field| field.name.as_str()).collect::<Vec<_>>().join(", ");
            Err(format!("`{to}` is not a field of the module; it has {fields}, and custom_data.…"))
        }
    }
}

/// A default passes the checks that values pass.
fn check_default(node: &Node, target: &Target, identifies: impl Fn(usize) -> bool) -> Result<Default, String> {
    let checked = without_nul(Cow::Borrowed(node)).and_then(|node| match target {
        Target::Custom(_) => Ok(Default::Custom(node.into_owned())),
        Target::Field { place, kind } => match coerce(kind, &node)? {
            Value::Text(text) if identifies(*place) => match_text(&text).map(Value::Text).map(Default::Field),
            value => Ok(Default::Field(value)),
        },
    });
    checked.map_err(|error| error.detail)
}
