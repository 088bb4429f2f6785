//! JSON, written compactly in a given order.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value;

use super::javascript;

/// What is written: values of the log where they lie, and what is put around them.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
    Value(&'a Value),
    Object(Vec<(&'a str, Node<'a>)>),
}

/// How numbers and members are printed.
#[derive(Debug)]
pub struct Writer {
    pub out: Vec<u8>,
    /// Where the decimals are that become numbers if a double holds them: the log has them as texts.
    pub decimals: HashSet<*const Value>,
    /// Whether all is to be as `JSON.stringify(JSON.parse(…))` gives it.
    pub javascript: bool,
}

impl Writer {
    pub fn node(&mut self, node: &Node<'_>) {
        match node {
            Node::Null => self.raw("null"),
            Node::Integer(number) if self.javascript => self.number(&number.to_string()),
            Node::Integer(number) => self.raw(&number.to_string()),
            Node::Text(text) => self.text(text),
            Node::Value(value) => self.value(value),
            Node::Object(members) => {
                self.object(members.iter().map(|(name, node)| (*name, node)), |writer, node| writer.node(node));
            }
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.raw("null"),
            Value::Bool(truth) => self.raw(if *truth { "true" } else { "false" }),
            Value::Number(number) if self.javascript => self.number(number.as_str()),
            Value::Number(number) => self.raw(number.as_str()),
            Value::String(text) if self.decimals.contains(&std::ptr::from_ref(value)) => self.number(text),
            Value::String(text) => self.text(text),
            Value::Array(values) => {
                self.raw("[");
                for (place, value) in values.iter().enumerate() {
                    self.raw(if place == 0 { "" } else { "," });
                    self.value(value);
                }
                self.raw("]");
            }
            Value::Object(members) => {
                self.object(members.iter().map(|(name, value)| (name.as_str(), value)), Self::value);
            }
        }
    }

    fn object<'n, T>(&mut self, members: impl Iterator<Item = (&'n str, T)>, write: impl Fn(&mut Self, T)) {
        let mut members: Vec<_> = members.collect();
        if self.javascript {
            members.sort_by_key(|(name, _)| javascript::place(name));
        }
        self.raw("{");
        for (place, (name, member)) in members.into_iter().enumerate() {
            self.raw(if place == 0 { "" } else { "," });
            self.text(name);
            self.raw(":");
            write(self, member);
        }
        self.raw("}");
    }

    /// By its text where no double is that number.
    fn number(&mut self, text: &str) {
        match javascript::number(text) {
            Some(number) => self.raw(&number),
            None => self.text(text),
        }
    }

    fn text(&mut self, text: &str) {
        // Into memory nothing fails to be written.
        serde_json::to_writer(&mut self.out, text).unwrap_or_default();
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}
