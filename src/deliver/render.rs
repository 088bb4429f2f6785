//! The body of a delivery: a pure function of its rendering, its change and its id, so that what is sent again is the
//! same, byte for byte, whatever was changed in between.

mod data;
mod javascript;
pub(super) mod line;
mod write;

use std::collections::HashSet;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::Timestamp;
use crate::id::DeliveryId;
use crate::record::change::{CUSTOM, Change, Fields};
use crate::record::cursor::Cursor;
use crate::record::field::Kind;
use crate::record::shape::Shape;
use data::Data;
use line::{Else, Line, What};
use write::{Node, Writer};

use super::profile::{Decimals, Profile};

/// All that a body depends on besides its change and its delivery: what a profile, a module and a named event were when
/// the delivery was made. Made once and kept by whoever renders much: it is compiled.
#[derive(Clone, Debug)]
pub struct Rendering {
    document: Document,
    lines: Vec<Line>,
    data: Option<Data>,
}

/// As it is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    body: Vec<String>,
    decimals: Decimals,
    javascript: bool,
    workspace: String,
    module: Option<String>,
    #[serde(rename = "type")]
    of_type: String,
    /// See [`Data::compile`].
    data: Option<Value>,
    /// Names of the module's decimal fields, where it matters which these are.
    decimal_fields: Vec<String>,
}

/// What cannot be rendered by. Quotes the profile's lines or the event's data, nothing of a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRendering(String);

impl PartialEq for Rendering {
    fn eq(&self, other: &Self) -> bool {
        self.document == other.document
    }
}

impl Rendering {
    /// `module` is none for events of the gateway itself, `data` what a named event declares, as
    /// `[[name, leaf or table], …]` (a leaf is `@.after.field` or `const:text`).
    ///
    /// # Errors
    /// `data` is not of that form; saving the module has made sure that it is.
    pub fn new(
        profile: &Profile,
        workspace: &str,
        module: Option<&Shape>,
        of_type: &str,
        data: Option<Value>,
    ) -> Result<Self, BadRendering> {
        let fields = module.iter().flat_map(|shape| &shape.fields);
        let decimal = fields.filter(|field| field.kind == Kind::Decimal && profile.decimals == Decimals::Number);
        let mut decimal_fields: Vec<String> = decimal.map(|field| field.name.to_string()).collect();
        decimal_fields.sort_unstable();
        Self::of(Document {
            body: profile.body.clone(),
            decimals: profile.decimals,
            javascript: profile.javascript,
            workspace: workspace.to_owned(),
            module: module.map(|shape| shape.slug.to_string()),
            of_type: of_type.to_owned(),
            data,
            decimal_fields,
        })
    }

    fn of(document: Document) -> Result<Self, BadRendering> {
        let lines = line::read(&document.body).map_err(BadRendering)?;
        let data = match &document.data {
            None => None,
            Some(tree @ Value::Array(_)) => Some(Data::compile(tree)?),
            Some(_) => return Err(BadRendering("data: is no table".to_owned())),
        };
        Ok(Self { document, lines, data })
    }

    /// JSON, one text for equal renderings.
    pub fn document(&self) -> String {
        serde_json::to_string(&self.document).unwrap_or_default()
    }

    /// Addresses the document: 32 hex digits of its SHA-256.
    pub fn id(&self) -> String {
        let mut id = crate::secret::hex(&crate::secret::digest(&self.document()));
        id.truncate(32);
        id
    }

    /// Reads back what [`Rendering::document`] wrote.
    ///
    /// # Errors
    /// The document is not one of these.
    pub fn read(document: &str) -> Result<Self, BadRendering> {
        let document = serde_json::from_str(document).map_err(|error| BadRendering(error.to_string()))?;
        Self::of(document)
    }

    /// The bytes that are sent and signed.
    pub fn render(&self, change: &Change, delivery: DeliveryId) -> Bytes {
        let has_paths = self.data.is_some() && change.is_of_a_record();
        let whole = has_paths.then(|| whole(change));
        let view = View { rendering: self, change, delivery, whole: whole.as_ref() };
        let members = self.lines.iter().filter_map(|line| Some((line.name.as_str(), view.what(&line.what)?)));
        let body = Node::Object(members.collect());
        let mut writer = Writer { out: Vec::new(), decimals: view.decimals(), javascript: self.document.javascript };
        writer.node(&body);
        writer.out.into()
    }
}

/// What paths look at, in one piece.
fn whole(change: &Change) -> Value {
    let row = |row: &Option<Fields>| row.clone().map_or(Value::Null, Value::Object);
    let parts = [
        ("op", Value::String(change.op.clone())),
        ("before", row(&change.before)),
        ("after", row(&change.after)),
        ("changes", Value::Object(change.moved.clone())),
    ];
    Value::Object(parts.into_iter().map(|(name, part)| (name.to_owned(), part)).collect())
}

/// One body in the making.
struct View<'a> {
    rendering: &'a Rendering,
    change: &'a Change,
    delivery: DeliveryId,
    /// Where named data is evaluated.
    whole: Option<&'a Value>,
}

impl<'a> View<'a> {
    /// None is left out.
    fn what(&self, what: &What) -> Option<Node<'a>> {
        let (document, change) = (&self.rendering.document, self.change);
        Some(match what {
            What::Type => text(&document.of_type),
            What::Id => Node::Text(self.delivery.to_string().into()),
            What::Uuid => Node::Text(self.delivery.uuid().to_string().into()),
            What::EventId => Node::Text(event_id(self.delivery).into()),
            What::Occurred => Node::Text(seconds(change.at).into()),
            What::OccurredMicros => Node::Text(change.at.to_string().into()),
            What::Workspace => text(&document.workspace),
            What::Module => document.module.as_deref().map_or(Node::Null, text),
            What::Record => self.of_a_record(text(&change.record)),
            What::Version => self.of_a_record(Node::Integer(change.version)),
            What::Cursor => Node::Text(Cursor(change.seq).to_string().into()),
            What::Field(name) => self.row().and_then(|row| row.get(name)).map_or(Node::Null, Node::Value),
            What::CustomData => return self.custom_data(),
            What::Changes => return self.changes(),
            What::Data(or_else) => self.data(*or_else),
        })
    }

    fn of_a_record(&self, node: Node<'a>) -> Node<'a> {
        if self.change.is_of_a_record() { node } else { Node::Null }
    }

    /// The record as it is now; of a deleted one as it was.
    fn row(&self) -> Option<&'a Fields> {
        self.change.after.as_ref().or(self.change.before.as_ref())
    }

    fn custom_data(&self) -> Option<Node<'a>> {
        let custom = self.row().and_then(|row| row.get(CUSTOM)).map_or(Node::Null, Node::Value);
        self.change.is_of_a_record().then_some(custom)
    }

    fn changes(&self) -> Option<Node<'a>> {
        let moved = &self.change.moved;
        (!moved.is_empty()).then(|| Node::Object(members(moved).collect()))
    }

    fn fields(&self) -> Vec<(&'a str, Node<'a>)> {
        self.row().map(|row| members(row).filter(|(name, _)| *name != CUSTOM).collect()).unwrap_or_default()
    }

    fn data(&self, or_else: Else) -> Node<'a> {
        if let (Some(data), Some(whole)) = (&self.rendering.data, self.whole) {
            return data.node(whole);
        }
        if !self.change.is_of_a_record() {
            return Node::Object(self.row().map(|row| members(row).collect()).unwrap_or_default());
        }
        Node::Object(match or_else {
            Else::Flat => self.flat(),
            Else::Fields => self.fields(),
            Else::Record => self.record(),
        })
    }

    fn flat(&self) -> Vec<(&'a str, Node<'a>)> {
        let fields = self.fields();
        let is_free = |name: &str| fields.iter().all(|(field, _)| *field != name);
        let id = is_free("id").then(|| ("id", text(&self.change.record)));
        let is_empty = |node: &Node<'_>| match node {
            Node::Value(Value::Object(members)) => members.is_empty(),
            node => matches!(node, Node::Null | Node::Value(Value::Null)),
        };
        let custom = self.custom_data().filter(|node| !is_empty(node)).map(|node| (CUSTOM, node));
        let changes = self.changes().filter(|_| is_free("changes")).map(|node| ("changes", node));
        id.into_iter().chain(fields).chain(custom).chain(changes).collect()
    }

    fn record(&self) -> Vec<(&'a str, Node<'a>)> {
        let whole =
            [("id", What::Record), ("module", What::Module), ("version", What::Version), ("cursor", What::Cursor)];
        let others = [("custom_data", What::CustomData), ("changes", What::Changes)];
        let told = |(name, what): (&'static str, What)| Some((name, self.what(&what)?));
        let fields = ("fields", Node::Object(self.fields()));
        whole.into_iter().filter_map(told).chain([fields]).chain(others.into_iter().filter_map(told)).collect()
    }

    /// Where the decimals are: in the change, or in what paths look at.
    fn decimals(&self) -> HashSet<*const Value> {
        let change = self.change;
        let rows = [change.before.as_ref(), change.after.as_ref()];
        let part = |name: &str| self.whole.and_then(|whole| whole.get(name)?.as_object());
        let rows = rows.into_iter().chain([part("before"), part("after")]).flatten();
        let moved = [Some(&change.moved), part("changes")].into_iter().flatten();
        let fields = || self.rendering.document.decimal_fields.iter();
        let in_rows = rows.flat_map(|row| fields().filter_map(|name| row.get(name)));
        let ends = |name: &String, moved: &'a Fields| {
            let moved = moved.get(name);
            ["from", "to"].into_iter().filter_map(move |end| moved?.get(end))
        };
        let in_moved = moved.flat_map(|moved| fields().flat_map(move |name| ends(name, moved)));
        in_rows.chain(in_moved).map(std::ptr::from_ref).collect()
    }
}

fn text(text: &str) -> Node<'_> {
    Node::Text(text.into())
}

fn members(fields: &Fields) -> impl Iterator<Item = (&str, Node<'_>)> {
    fields.iter().map(|(name, value)| (name.as_str(), Node::Value(value)))
}

/// `2025-01-15T10:30:00Z`: what is below the second is cut.
fn seconds(at: Timestamp) -> String {
    let mut text = at.to_string();
    text.truncate("2025-01-15T10:30:00".len());
    text.push('Z');
    text
}

/// The delivery's number as the id of an event, which is what some receivers know.
fn event_id(delivery: DeliveryId) -> String {
    delivery.to_string().replacen(DeliveryId::PREFIX, "evt_", 1)
}

#[cfg(test)]
mod tests;
